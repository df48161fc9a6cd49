"""The versions of the classifier: which there are, and the way back to an earlier one."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.labels import ClassifierVersion, VersionState, activate, active_version

SHIPPED_NAME = "shipped"


def versions(session: Session) -> list[ClassifierVersion]:
    """All versions, newest first."""
    return list(session.scalars(select(ClassifierVersion).order_by(ClassifierVersion.id.desc())))


def rollback(session: Session, name: str | None = None) -> str:
    """Put the named version in force; without a name the one before the present. Gives the name now in force.

    `shipped` is the model that came with frontdesk; it is also what lies before the first own version.

    Raises:
        NotFound: no version of that name.
    """
    if name is not None and name != SHIPPED_NAME:
        version = session.scalar(select(ClassifierVersion).where(ClassifierVersion.name == name))
        if version is None:
            raise NotFound(f"There is no version {name!r}.", cure="See `frontdesk classifier versions`.")
        activate(session, version, "chosen by hand")
        return version.name
    present = active_version(session)
    if name is None and present is not None:
        before = session.scalar(
            select(ClassifierVersion)
            .where(
                ClassifierVersion.state == VersionState.RETIRED,
                ClassifierVersion.activated_at < present.activated_at,
            )
            .order_by(ClassifierVersion.activated_at.desc())
            .limit(1)
        )
        if before is not None:
            activate(session, before, f"rolled back from {present.name}")
            return before.name
    session.execute(
        update(ClassifierVersion)
        .where(ClassifierVersion.state == VersionState.ACTIVE)
        .values(state=VersionState.RETIRED)
    )
    session.flush()
    return SHIPPED_NAME
