"""Which templates a form offers: the shipped ones, and what the library adds for whoever chooses."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from core import letters, meetings_mail, templatelibrary
from core.i18n import Texts
from core.sessions import SignedIn
from desk.templaterights import FIXED
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

SPOKEN = ("sms", "voice")
"""Kinds of templates that steps send by telephone; a fax carries a letter."""
OURS = frozenset({"acknowledgement", "call_back_missed", *meetings_mail.TEMPLATES.values()})
"""Shipped letters that frontdesk writes by itself, at its own moments."""


def for_answers(session: Session, viewer: SignedIn, t: Texts) -> dict[str, str]:
    """What a person may answer a letter with, by key, with names in the reader's language; one query."""
    return _offered(session, "email", viewer.staff_id, viewer.team_id, t, BY_HAND)


def for_texts(session: Session, viewer: SignedIn, t: Texts, kind: str = "sms") -> dict[str, str]:
    """What an SMS or a mailing may begin from."""
    return _offered(session, kind, viewer.staff_id, viewer.team_id, t, shipped().keys(kind))


def for_stages(session: Session, t: Texts) -> dict[str, str]:
    """What stages may send: the same for everybody, so only the company's."""
    return _offered(session, "email", None, None, t, shipped().keys("email"))


def for_rules(session: Session, t: Texts) -> dict[str, str]:
    """Letters that rules of the company may speak of: all that colleagues, stages and steps send, its own
    too."""
    return {key: name for key, name in for_stages(session, t).items() if key not in OURS}


def documents(session: Session, t: Texts) -> dict[str, str]:
    """PDFs that may go by themselves: those of the letters that bring one, and the company's own."""
    shipped_ones = tuple(key for key in BY_HAND if key in letters.DOCUMENTS)
    return _offered(session, "document", None, None, t, shipped_ones)


def for_steps(session: Session, t: Texts) -> dict[str, dict[str, str]]:
    """What steps of follow-ups may send or say, by the kind of step; only the company's, too."""
    written = for_stages(session, t)
    spoken = {kind: _offered(session, kind, None, None, t, _for_steps(kind)) for kind in SPOKEN}
    return {"email": written, **spoken, "fax": written}


def known_keys(session: Session) -> frozenset[str]:
    """What a stage or a follow-up may name: keys of letters, and ``sms/…`` and ``voice/…`` for steps."""
    own = {
        _named(kind, one.key)
        for kind in ("email", *SPOKEN)
        for one in templatelibrary.chosen_among(session, kind, None, None)
        if (kind, one.key) not in FIXED
    }
    return shipped_keys() | own


def shipped_keys() -> frozenset[str]:
    """The same of what comes with frontdesk."""
    return frozenset(_named(kind, key) for kind in ("email", *SPOKEN) for key in _for_steps(kind))


def _for_steps(kind: str) -> tuple[str, ...]:
    """Shipped templates of a kind without what callers of ours hear before anybody answers."""
    return tuple(key for key in shipped().keys(kind) if (kind, key) not in FIXED)


def _named(kind: str, key: str) -> str:
    return key if kind == "email" else f"{kind}/{key}"


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
