"""One row folded into another of its table, whatever refers to it; and unfolded again, exactly.

Everything that names the folded row by a foreign key names the other one from then on. Where that would break
a unique index, because the other has such a row already, the two rows are folded into each other in the same
way. What is taken away is kept whole, as JSON of the row. Which tables refer to which is read from their
declarations, so that a table that comes later is carried along without a word here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.db import models
from core.errors import FrontdeskError

DEEPEST = 6
"""Foldings within foldings; our tables need three."""


class CannotFold(FrontdeskError):
    """These records hang together in a way that cannot be merged."""

    cure = "Tell whoever looks after frontdesk: a table refers to itself in a circle."


@dataclass(slots=True)
class Folded:
    """What was moved and what was taken away."""

    moved: list[dict[str, Any]] = field(default_factory=list)
    """``{"table", "column", "from", "to", "keys": [{column: value}, …]}``."""
    removed: list[dict[str, Any]] = field(default_factory=list)
    """``{"table", "row": {…}}``, in the order in which they were taken away."""

    def as_json(self) -> dict[str, Any]:
        """As a row of a merge keeps it."""
        return {"moved": self.moved, "removed": self.removed}


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    rows: int
    moved: int
    lost: list[dict[str, Any]]
    """Rows that could not come back, because something they need was deleted meanwhile."""


def references(table: sa.Table) -> Iterator[tuple[sa.Table, sa.Column[Any]]]:
    """Every column anywhere that names a row of a table by its id."""
    for other in sorted(models().tables.values(), key=lambda one: one.name):
        for column in other.columns:
            if any(key.column is table.c.id for key in column.foreign_keys):
                yield other, column


def fold(session: Session, table: sa.Table, gone: int, stays: int) -> Folded:
    """Fold the row `gone` of a table into the row `stays`. The caller holds both rows for update."""
    folded = Folded()
    _fold(session, table, gone, stays, folded, 0)
    return folded


def _fold(session: Session, table: sa.Table, gone: int, stays: int, folded: Folded, depth: int) -> None:
    if depth > DEEPEST:
        raise CannotFold
    for other, column in references(table):
        for theirs, ours in _collisions(session, other, column, gone, stays):
            if _has_references(other):
                _fold(session, other, theirs["id"], ours["id"], folded, depth + 1)
            else:
                _take_away(session, other, theirs, folded)
        _move(session, other, column, gone, stays, folded)
    _take_away(session, table, {"id": gone}, folded)


def _has_references(table: sa.Table) -> bool:
    return "id" in table.primary_key.columns and any(True for _ in references(table))


def _key_of(table: sa.Table) -> list[sa.Column[Any]]:
    return list(table.primary_key.columns)


def _collisions(
    session: Session, table: sa.Table, column: sa.Column[Any], gone: int, stays: int
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Keys of the rows that cannot be moved, each with that of the row which stands in the way."""
    found: dict[tuple[Any, ...], tuple[dict[str, Any], dict[str, Any]]] = {}
    keys = [one.name for one in _key_of(table)]
    for columns, condition in _unique(table):
        if column.name not in columns:
            continue
        theirs = _rows(table, column, gone, condition).subquery("theirs")
        ours = _rows(table, column, stays, condition).subquery("ours")
        same = [theirs.c[name] == ours.c[name] for name in columns if name != column.name]
        query = sa.select(
            *(theirs.c[name] for name in keys), *(ours.c[name] for name in keys)
        ).join_from(theirs, ours, sa.and_(sa.true(), *same))  # fmt: skip
        for row in session.execute(query):
            values = tuple(row)
            mine = dict(zip(keys, values[: len(keys)], strict=True))
            found.setdefault(tuple(mine.values()), (mine, dict(zip(keys, values[len(keys) :], strict=True))))
    return list(found.values())


def _rows(table: sa.Table, column: sa.Column[Any], value: int, condition: Any) -> sa.Select[Any]:
    query = sa.select(table).where(column == value)
    return query if condition is None else query.where(condition)


def _unique(table: sa.Table) -> Iterator[tuple[set[str], Any]]:
    """The columns of every unique key of a table, and the condition of a partial one."""
    yield {one.name for one in table.primary_key.columns}, None
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            yield {one.name for one in constraint.columns}, None
    for index in table.indexes:
        if index.unique:
            condition = index.dialect_options["postgresql"]["where"]
            yield {one.name for one in index.columns}, condition


def _move(
    session: Session, table: sa.Table, column: sa.Column[Any], gone: int, stays: int, folded: Folded
) -> None:
    keys = _key_of(table)
    changing = column in keys
    others = [one for one in keys if one is not column]
    statement = sa.update(table).where(column == gone).values({column.name: stays})
    if changing and not others:
        rows: list[dict[str, Any]] = [{}] if session.execute(statement.returning(column)).all() else []
    else:
        rows = [dict(row._mapping) for row in session.execute(statement.returning(*others))]
    if rows:
        folded.moved.append(
            {"table": table.name, "column": column.name, "from": gone, "to": stays, "keys": rows}
        )


def _take_away(session: Session, table: sa.Table, key: dict[str, Any], folded: Folded) -> None:
    here = sa.and_(*(table.c[name] == value for name, value in key.items()))
    whole = sa.select(sa.func.to_jsonb(sa.literal_column(f'"{table.name}"', type_=JSONB)))
    row = session.execute(whole.select_from(table).where(here)).scalar_one()
    folded.removed.append({"table": table.name, "row": row})
    session.execute(sa.delete(table).where(here))


def unfold(session: Session, kept: dict[str, Any]) -> Restored:
    """Undo a folding: rows taken away come back, and what was moved and still stands there goes back to them.

    What came since stays where it came.
    """
    tables = models().tables
    back, lost = 0, []
    for one in reversed(kept["removed"]):
        if _bring_back(session, tables[one["table"]], one["row"]):
            back += 1
        else:
            lost.append(one)
    moved = sum(_move_back(session, tables[one["table"]], one) for one in reversed(kept["moved"]))
    return Restored(back, moved, lost)


def _bring_back(session: Session, table: sa.Table, row: dict[str, Any]) -> bool:
    """Write a row as it was; False where a row that it cannot do without is gone."""
    row = dict(row)
    for column in table.columns:
        for key in column.foreign_keys:
            value = row.get(column.name)
            if value is None or session.scalar(sa.select(sa.exists().where(key.column == value))):
                continue
            if not column.nullable:
                return False
            row[column.name] = None
    columns = [one for one in table.columns if one.computed is None and one.name in row]
    names = ", ".join(f'"{one.name}"' for one in columns)
    written = session.execute(
        sa.text(
            f'insert into "{table.name}" ({names}) select {names}'  # noqa: S608 - names of our own tables
            f' from jsonb_populate_record(null::"{table.name}", :row) on conflict do nothing returning 1'
        ).bindparams(sa.bindparam("row", type_=JSONB)),
        {"row": row},
    )
    return written.first() is not None


def _move_back(session: Session, table: sa.Table, one: dict[str, Any]) -> int:
    """Rows that still name who stayed name again who was gone; the others were changed since by somebody."""
    column = table.c[one["column"]]
    if not session.scalar(sa.select(sa.exists().where(_target(column) == one["from"]))):
        return 0
    count = 0
    names = list(one["keys"][0])
    step = 5_000
    for start in range(0, len(one["keys"]), step):
        keys = one["keys"][start : start + step]
        here = column == one["to"]
        if len(names) == 1:
            here = sa.and_(here, table.c[names[0]].in_([key[names[0]] for key in keys]))
        elif names:
            here = sa.and_(
                here,
                sa.tuple_(*(table.c[name] for name in names)).in_(
                    [tuple(key[name] for name in names) for key in keys]
                ),
            )
        statement = sa.update(table).where(here).values({column.name: one["from"]})
        count += len(session.execute(statement.returning(column)).all())
    return count


def _target(column: sa.Column[Any]) -> sa.Column[Any]:
    return next(iter(column.foreign_keys)).column
