"""Which templates a form offers: the shipped ones, and what the library adds for whoever chooses."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from core import templatelibrary
from core.i18n import Texts
from core.sessions import SignedIn
from desk.templatewords import name
from templates.catalogue import shipped

BY_HAND = (
    "answer",
    "acknowledgement",
    "brochure",
    "demo_invitation",
    "technical_proposal",
    "commercial_offer",
    "follow_up",
)
"""Shipped letters that a person sends by hand, in the order in which they are offered."""


def for_answers(session: Session, viewer: SignedIn, t: Texts) -> dict[str, str]:
    """What a person may answer a letter with, by key, with names in the reader's language; one query."""
    return _offered(session, "email", viewer.staff_id, viewer.team_id, t, BY_HAND)


def for_texts(session: Session, viewer: SignedIn, t: Texts, kind: str = "sms") -> dict[str, str]:
    """What an SMS or a mailing may begin from."""
    return _offered(session, kind, viewer.staff_id, viewer.team_id, t, shipped().keys(kind))


def for_stages(session: Session, t: Texts) -> dict[str, str]:
    """What stages and follow-ups may send: the same for everybody, so only the company's."""
    return _offered(session, "email", None, None, t, shipped().keys("email"))


def known_keys(session: Session) -> frozenset[str]:
    """The keys of the letters that a stage or a follow-up may name."""
    own = templatelibrary.chosen_among(session, "email", None, None)
    return frozenset(shipped().keys("email")) | {one.key for one in own}


def _offered(
    session: Session,
    kind: str,
    staff_id: int | None,
    team_id: int | None,
    t: Texts,
    first: tuple[str, ...],
) -> dict[str, str]:
    names: dict[str, Mapping[str, str]] = {key: {} for key in first}
    hidden = frozenset(shipped().keys(kind)) - set(first)
    own = templatelibrary.chosen_among(session, kind, staff_id, team_id)
    for one in sorted(own, key=lambda one: list(templatelibrary.TemplateScope).index(one.scope)):
        if one.key not in hidden:
            names[one.key] = one.names or names.get(one.key, {})
    return {key: name(given, key, t) for key, given in names.items()}
