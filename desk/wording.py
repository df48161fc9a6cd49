"""Keys and states in words: why something was decided, where a send stands, what was suppressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from core.deals import LossReason
from core.errors import FrontdeskError
from core.i18n import N_, Texts
from core.outbox import DeliveryState
from core.sequences import StopReason
from desk import (
    callwords,
    clientwords,
    dealwords,
    housewords,
    meetingwords,
    movewords,
    senderwords,
    trail,
    whywords,
)

LOSS_REASONS: dict[LossReason, str] = {
    LossReason.PRICE: N_("Price"),
    LossReason.COMPETITOR: N_("Chose a competitor"),
    LossReason.NO_BUDGET: N_("No budget"),
    LossReason.NO_NEED: N_("No need any more"),
    LossReason.TIMING: N_("Wrong time"),
    LossReason.NO_ANSWER: N_("Stopped answering"),
    LossReason.OTHER: N_("Another reason"),
}

RULES: dict[str, str] = {
    "keeps_conversation": N_("%(who)s already has this conversation"),
    "owns_deal": N_("%(who)s has the client's open deal"),
    "curates_account": N_("%(who)s is the client's curator"),
    "topic_team": N_("the topic goes to the team %(team)s, and %(who)s has the least work there"),
    "mailbox_team": N_("the mailbox belongs to the team %(team)s, and %(who)s has the least work there"),
    "likely_topic": N_("the likely topic goes to the team %(team)s, and %(who)s has the least work there"),
    "least_loaded": N_("%(who)s has the least work of those who speak the language"),
    "nobody_here": N_("nobody suitable is here today, so it waits in the queue"),
    "took_the_call": N_("%(who)s took the client’s call"),
    "hand": N_("%(by)s gave it to %(who)s"),
}
"""Why a conversation came to somebody, by the rule's key."""

DELIVERY_STATES: dict[DeliveryState, tuple[str, str, str]] = {
    DeliveryState.HELD: (N_("Waits for approval"), "yellow", "checks"),
    DeliveryState.QUEUED: (N_("Queued"), "secondary", "clock"),
    DeliveryState.CLAIMED: (N_("Being prepared"), "secondary", "clock"),
    DeliveryState.TRANSMITTING: (N_("Going out"), "secondary", "send"),
    DeliveryState.SENT: (N_("Sent"), "green", "check"),
    DeliveryState.DEFERRED: (N_("Put off, will be tried again"), "yellow", "clock"),
    DeliveryState.REFUSED: (N_("Refused by the server"), "red", "ban"),
    DeliveryState.UNCERTAIN: (N_("Uncertain"), "orange", "alert-triangle"),
    DeliveryState.DELIVERED: (N_("Delivered"), "green", "checks"),
    DeliveryState.BOUNCED: (N_("Bounced"), "red", "ban"),
    DeliveryState.COMPLAINED: (N_("Complained about"), "red", "flag"),
    DeliveryState.SUPPRESSED: (N_("Not sent: the address is suppressed"), "red", "ban"),
    DeliveryState.CANCELLED: (N_("Cancelled"), "secondary", "x"),
    DeliveryState.EXPIRED: (N_("Expired"), "red", "clock"),
}
"""Name, colour and icon of each state of a send."""

SUPPRESSIONS: dict[str, str] = {
    "unsubscribed": N_("unsubscribed from mailings"),
    "bounced": N_("letters to it come back"),
    "complained": N_("complained about our mail"),
    "manual": N_("put on the list by a colleague"),
}

POINTS: dict[str, str] = {
    "decision_maker": N_("Decision maker"),
    "influencer": N_("Influencer"),
    "champion": N_("Champion"),
    "user": N_("User"),
    "buyer": N_("Buyer"),
    "gatekeeper": N_("Gatekeeper"),
}
"""Buying roles."""

SOURCES: dict[str, str] = {
    "mail": N_("a letter"),
    "call": N_("a call"),
    "import": N_("an import"),
    "hand": N_("entered by hand"),
}
"""Where a record came from."""

STEPS: dict[str, str] = {
    "parse": N_("Read"),
    "screen": N_("Screened"),
    "verify": N_("Sender"),
    "recognise": N_("Recognised"),
    "noticereply": N_("Answer to a notice"),
    "meeting": N_("Invitation"),
    "thread": N_("Threaded"),
    "brake": N_("Loops"),
    "classify": N_("Classified"),
    "file": N_("Filed"),
    "react": N_("Reaction"),
    "mark": N_("Segments"),
    "assign": N_("Routed"),
    "acknowledge": N_("Acknowledged"),
}
"""Steps of the pipeline."""

ALARMS: dict[str, str] = {
    "mailbox_failing": N_("The mailbox %(subject)s has stopped"),
    "disk_full": N_("The disk is nearly full"),
    "relay_failing": N_("Mail cannot be sent: %(subject)s"),
    "sends_uncertain": N_("Some sends are uncertain and wait for a decision"),
    "rules_circle": N_("Rules lead the deal %(subject)s round in a circle; it stays where it is"),
    "mailing_asks": N_("The mailing “%(subject)s” waits: say whether it still goes"),
    "followups_held": N_("Follow-ups are held: after a gap more than usual fell due at once"),
    "classifier_unreadable": N_("The classifier cannot be loaded; letters come without a topic"),
    "recordings_not_fetched": N_("The recording of call %(subject)s could not be fetched"),
    "letters_quarantined": N_("Letters that cannot be read wait in quarantine"),
    "phone_cap_reached": N_("A cap on what the telephone may spend is reached: %(subject)s"),
    "phone_refused": N_("Twilio refuses what our account asks for: %(subject)s"),
    "webhooks_refused": N_("The telephone’s callbacks are refused: their signature does not fit"),
}

ENDINGS: dict[StopReason, str] = {
    StopReason.REPLY: N_("the client wrote"),
    StopReason.CALL: N_("the client called"),
    StopReason.DEAL_MOVED: N_("the deal moved on"),
    StopReason.OPT_OUT: N_("the client wants no mailings"),
    StopReason.BOUNCE: N_("letters come back"),
    StopReason.HAND: N_("stopped by %(who)s"),
    StopReason.NO_ADDRESS: N_("the client has no address"),
    StopReason.TAKEN_BACK: N_("the move was taken back"),
}
"""Why a follow-up ended before its last step."""

EVENTS: dict[str, tuple[str, str]] = {
    "message_in": (N_("Letter from the client"), "mail"),
    "message_out": (N_("Letter to the client"), "send"),
    "stage_change": (N_("Deal moved"), "arrows-right-left"),
    "task": (N_("Task"), "list-check"),
    "interest": (N_("Interest"), "bulb"),
    "mailing": (N_("Mailing"), "send"),
    **clientwords.EVENTS,
}

WARNINGS: dict[str, str] = {
    "truncated": N_("The letter is too large; only a part of it was read."),
    "defects": N_("The letter is damaged; something in it may be missing."),
    "no_sender": N_("No sender is named in the letter."),
    "bad_sender": N_("The sender's address cannot be written to."),
    "forwarded_by_staff": N_("A colleague forwarded this letter; the client wrote it first."),
    "claims_to_be_colleague": N_("It names a colleague, but our mail server says it is not from there."),
    "refers_to_foreign_conversation": N_("It refers to a conversation that its sender takes no part in."),
    "answers_for_another": N_(
        "It answers an invitation in the name of another person, from an address that was not invited."
    ),
    "lookalike_domain": N_("The sender's domain looks like one we know but is not it."),
    "authentication_failed": N_("The sender could not be verified."),
}
"""What a reader should beware of."""


def sentence(assignment: Any, language: Texts) -> str:
    """Why a conversation came to somebody, as a sentence without its full stop."""
    rule = RULES.get(assignment.rule)
    if rule is None and (
        told := housewords.reason(assignment.rule, assignment.name, assignment.team, language)
    ):
        return told
    if rule is None:
        return assignment.rule
    if assignment.rule == "hand" and assignment.name is None:
        return language.gettext("%(by)s put it back into the queue", by=assignment.by or "?")
    return language.gettext(
        rule, who=assignment.name or "?", team=assignment.team or "?", by=assignment.by or "?"
    )


def initials(name: str) -> str:
    """Up to two letters that stand for a person."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def _named(table: Mapping[Any, str]) -> Callable[[Context, str], str]:
    """A filter that puts a key into words; a key nobody named comes back as it is."""

    @pass_context
    def name(context: Context, key: str) -> str:
        return context["_"](table[key]) if key in table else str(key)

    return name


@pass_context
def _known(context: Context, text: str) -> str:
    """A message of ours in the reader's language; anything else as it is."""
    return context["_"](text) if text else ""


@pass_context
def _trail(context: Context, reason: str) -> str:
    return trail.in_words(str(reason), context["t"], context["intent_name"])


@pass_context
def _move(context: Context, reason: str | None) -> str:
    return movewords.in_words(reason or "", context["_"], context["intent_name"])


@pass_context
def _alarm(context: Context, notice: Any) -> str:
    if notice.kind in ALARMS:
        return context["_"](ALARMS[notice.kind], subject=notice.subject)
    return f"{notice.kind}: {notice.subject}"


@pass_context
def _ending(context: Context, ended: Any) -> str:
    reason = ended.enrolment.stop_reason
    if reason is None:
        return context["_"](N_("went to its end"))
    return context["_"](ENDINGS[reason], who=ended.by or "?")


@pass_context
def _why(context: Context, reason: Mapping[str, Any]) -> str:
    return whywords.in_words(
        str(reason.get("kind", "")), str(reason.get("text", "")), context["t"], context["intent_name"]
    )


@pass_context
def _inner_date(context: Context, written: str) -> str:
    """The date a letter inside a letter names, ISO 8601, as a day; as it stands where it is none."""
    try:
        return context["t"].day(datetime.fromisoformat(written))
    except ValueError:
        return written


@pass_context
def _template_name(context: Context, key: str) -> str:
    return context["template_name"](key)


@pass_context
def _fault(context: Context, error: FrontdeskError) -> str:
    return " ".join(context["_"](part) for part in (error.message, error.cure) if part)


FILTERS: dict[str, Callable[..., Any]] = {
    "initials": initials,
    "alarm_text": _alarm,
    "ending_text": _ending,
    "fault_text": _fault,
    "warning_text": _named(WARNINGS),
    "step_name": _named(STEPS),
    "source_text": _named(SOURCES),
    "reason_kind": _named(whywords.KINDS),
    "reason_text": _why,
    "trail_text": _trail,
    "known": _known,
    "move_reason": _move,
    "document_name": _template_name,
    "suppression_text": _named(SUPPRESSIONS),
    "role_text": _named(POINTS),
    "loss_text": _named(LOSS_REASONS),
    "delivery_state": lambda state: DELIVERY_STATES[DeliveryState(state)],
    "inner_date": _inner_date,
    "meeting_said": meetingwords.said,
    **senderwords.FILTERS,
    **callwords.FILTERS,
    **dealwords.FILTERS,
    **clientwords.FILTERS,
    "staff_role": _named(housewords.ROLES),
    "event_name": lambda kind: EVENTS.get(kind, (kind, "dots")),
}
"""Filters of the views."""
