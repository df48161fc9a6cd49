"""Queries that differ only by whose they are: put into words once for each kind of viewer, then filled in.

To put a statement of hundreds of parts together takes Python longer than the database takes to answer it.
Here its text is made once; constants stand in it as they are, so that the database may use its partial
indexes in a plan that it keeps, and only who looks is given each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Result, Select, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from core.sessions import SignedIn
from core.staff import Role

STAFF: Final = -900_719_001
TEAM: Final = -900_719_002
"""Stand for the viewer's number and their team's while the text is made; no row has either."""

Build = Callable[..., Select[*tuple[Any, ...]]]


def execute(session: Session, build: Build, viewer: SignedIn, *given: Any) -> Result[Any]:
    """The rows of ``build(viewer, *given)``: a function at the top of a module, that looks at nothing of the
    viewer but role, number and team; `given` are values that can be hashed, few in number.

    Values come as the driver reads them: a state is its word, not its enum.
    """
    words = _words(build, viewer.role, viewer.team_id is None, given)
    asked: dict[str, Any] = {"staff_id": viewer.staff_id, "team_id": viewer.team_id}
    return session.execute(words, {name: asked[name] for name in words.compile().params})


@lru_cache(maxsize=256)
def _words(build: Build, role: Role, alone: bool, given: tuple[Any, ...]) -> TextClause:
    anybody = SignedIn(0, STAFF, "", "", role, None if alone else TEAM, "en", "auto")
    dialect = postgresql.dialect(paramstyle="named")
    compiled = str(build(anybody, *given).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    plain = re.sub(r"(?<!:):(?=\w)", r"\\:", compiled)
    for stand_in, name in ((STAFF, "staff_id"), (TEAM, "team_id")):
        plain = plain.replace(str(stand_in), f"cast(:{name} as bigint)")
    return text(plain)
