"""Meetings in words: their kinds, what was answered, and what happened to them."""

from __future__ import annotations

from core.i18n import N_
from core.meetings import Answer, Deed, MeetingKind

KINDS: dict[str, str] = {
    MeetingKind.DEMO: N_("Demo"),
    MeetingKind.MEETING: N_("Meeting"),
    MeetingKind.CALL: N_("Call"),
}
ANSWERS: dict[str, tuple[str, str]] = {
    Answer.NONE: (N_("no answer yet"), "plain-chip"),
    Answer.ACCEPTED: (N_("accepted"), "green"),
    Answer.DECLINED: (N_("declined"), "red"),
    Answer.TENTATIVE: (N_("perhaps"), "yellow"),
    Answer.PROPOSED: (N_("proposes another time"), "yellow"),
}
"""What each answer is called, and its colour."""
DEEDS: dict[str, str] = {
    Deed.PLANNED: N_("planned"),
    Deed.CHANGED: N_("changed"),
    Deed.CANCELLED: N_("cancelled"),
    Deed.RESTORED: N_("takes place after all"),
    Deed.ANSWERED: N_("answered"),
    Deed.FORWARDED: N_("answered without being invited by us: the invitation was forwarded"),
    Deed.OUTDATED: N_("the answer was to an older version and does not count"),
    Deed.REFUSED: N_("the answer does not count: its sender is not who the letter says"),
    Deed.KEPT: N_("the proposed time was not taken"),
    Deed.UNSURE: N_(
        "an answer in the name of an invited person, from an address that was not invited; it does not count"
    ),
}


def said(state: str) -> tuple[str, str]:
    """What happened to a meeting or what an invited person answered, with its colour."""
    if state in Answer.__members__.values():
        return ANSWERS[Answer(state)]
    return DEEDS[state], "plain-chip"
