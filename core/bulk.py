"""Many rows in one statement: COPY into a table, and ids taken ahead so that rows can name each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.db import Base

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def raw_connection(session: Session) -> psycopg.Connection[Any]:
    """The driver's connection under a session, inside the session's transaction."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)  # noqa: S101 - the engine is ours and its driver is psycopg
    return connection


def new_ids(session: Session, model: type[Base], count: int) -> list[int]:
    """Take that many ids of a table, ascending; those never used leave a gap and do no harm."""
    if count < 1:
        return []
    query = sa.text("select nextval(pg_get_serial_sequence(:name, 'id')) from generate_series(1, :count)")
    return sorted(session.scalars(query, {"name": model.__tablename__, "count": count}))


def among(column: InstrumentedAttribute[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """`column IN (values)` with one array for all of them.

    A list of hundreds of parameters is written out and read anew each time; an array is one, and its
    statement stays the same.
    """
    kind = ARRAY(column.type)
    return column == sa.any_(sa.bindparam(None, list(values), type_=kind, unique=True))


def copy_rows(
    session: Session, model: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Insert rows by COPY in the session's transaction; returns how many.

    Values are what the mapped columns hold (enums, dicts, lists, aware datetimes). What PostgreSQL's text
    cannot hold is replaced: NUL and lone surrogates become U+FFFD. Columns that are left out take the
    server's default, never one that only Python knows.
    """
    convert = list(enumerate(_converters(model, tuple(columns))))
    convert = [(place, make) for place, make in convert if make is not _plain]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(str(model.__tablename__)), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with raw_connection(session).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            written = list(row)
            for place, make in convert:
                written[place] = make(written[place])
            copy.write_row(written)
            count += 1
    return count


def storable(text: str) -> str:
    """The text with what PostgreSQL cannot hold replaced by U+FFFD."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


@cache
def _converters(model: type[Base], columns: tuple[str, ...]) -> list[Callable[[Any], Any]]:
    table = model.__table__
    return [_converter(table.columns[name].type) for name in columns]


def _converter(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, JSONB):
        return _json
    if isinstance(kind, sa.Enum):
        return _enum
    if isinstance(kind, ARRAY):
        return _array
    if isinstance(kind, sa.Text | sa.String):
        return _text
    return _plain


def _plain(value: Any) -> Any:
    return value


def _text(value: Any) -> str | None:
    return None if value is None else storable(str(value))


def _enum(value: Any) -> str | None:
    return None if value is None else str(getattr(value, "value", value))


def _array(value: Any) -> list[Any] | None:
    return None if value is None else [storable(one) if isinstance(one, str) else one for one in value]


def _json(value: Any) -> str | None:
    if value is None:
        return None
    written = _ENCODE(value)
    return storable(written.replace("\\u0000", "\\ufffd"))
