"""Whom an alarm concerns, and the room where it is mended."""

from __future__ import annotations

from core.notices import Notice
from core.sessions import SignedIn
from core.staff import Role
from desk.access import LEADERS, MARKETERS, WORKERS

EVERYBODY = frozenset(Role)

CONCERNS: dict[str, frozenset[Role]] = {
    "mailbox_failing": WORKERS,
    "relay_failing": EVERYBODY,
    "mailing_asks": MARKETERS,
}
"""By kind; an alarm that is not named here concerns those who lead: nobody else can do anything about it."""

PLACES: dict[str, str] = {
    "classifier_unreadable": "/classifier",
    "followups_held": "/sequences",
    "letters_quarantined": "/quarantine",
    "mailbox_failing": "/mailboxes",
    "mailing_asks": "/mailings",
    "phone_cap_reached": "/mailboxes",
    "phone_refused": "/mailboxes",
    "recordings_not_fetched": "/calls",
    "rules_circle": "/pipelines",
    "sends_uncertain": "/uncertain",
    "webhooks_refused": "/mailboxes",
}
"""Where it is looked into; an alarm that is not named here is mended outside the desk."""


def concerns(notice: Notice, viewer: SignedIn) -> bool:
    """Whether somebody is to see an alarm on their pages."""
    return viewer.role in CONCERNS.get(notice.kind, LEADERS)


def place(notice: Notice) -> str:
    """The room where it is mended; empty where that is outside the desk."""
    return PLACES.get(notice.kind, "")
