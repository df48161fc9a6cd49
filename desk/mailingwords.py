"""Mailings in words: their states, what the check before the start found, why somebody was left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from core.campaigns import CampaignState, Skip
from core.consent import Topic
from core.i18n import N_, Texts
from core.outbox import DeliveryState
from core.segments_sentence import LANGUAGE_WORDS
from desk.wording import DELIVERY_STATES
from outbound.campaigncheck import Fault, Finding, Gravity

STATES: dict[CampaignState, tuple[str, str, str]] = {
    CampaignState.DRAFT: (N_("Draft"), "", "pencil"),
    CampaignState.SCHEDULED: (N_("Scheduled"), "blue", "clock"),
    CampaignState.RUNNING: (N_("Going out"), "blue", "send"),
    CampaignState.PAUSED: (N_("Paused"), "yellow", "player-pause"),
    CampaignState.ASKING: (N_("Waits: go on still?"), "orange", "alert-triangle"),
    CampaignState.FINISHED: (N_("Finished"), "green", "checks"),
    CampaignState.CANCELLED: (N_("Cancelled"), "", "x"),
}
"""Name, colour and icon."""

GRAVITIES: dict[Gravity, tuple[str, str]] = {
    Gravity.STOP: ("red", "ban"),
    Gravity.WARN: ("yellow", "alert-triangle"),
    Gravity.NOTE: ("", "bulb"),
}

FAULTS: dict[Fault, str] = {
    Fault.NO_TEXT: N_("There is no text yet."),
    Fault.NO_AUDIENCE: N_("There is nobody to write to: choose a segment or a list."),
    Fault.MISSING_LANGUAGE: N_("There is no text in this language, which %(count)d of the recipients read."),
    Fault.VARIANT_LANGUAGE: N_("This variant lacks a language that another one has."),
    Fault.ONE_VARIANT: N_(
        "%(count)d%% are to try two texts, but variant %(detail)s is not written."
        " Write it, or set the share to 0."
    ),
    Fault.NO_SHARE: N_("There are two texts, but no share of the recipients that tries them."),
    Fault.BROKEN_TEMPLATE: N_("The text cannot be filled in: %(detail)s"),
    Fault.UNKNOWN_PLACEHOLDER: N_("A mailing has no value for %(detail)s."),
    Fault.EMPTY_PLACEHOLDER: N_(
        "Not known for %(count)d of the recipients, so its place stays empty: %(detail)s."
    ),
    Fault.UNSAFE_LINK: N_("This link is not safe: %(detail)s"),
    Fault.INSECURE_LINK: N_("This link has no encryption: %(detail)s"),
    Fault.SHORTENED_LINK: N_("A shortened link looks like spam: %(detail)s"),
    Fault.NO_UNSUBSCRIBE: N_("The company has no https address, so there is no one-click unsubscribing."),
    Fault.NO_SENDER_ADDRESS: N_("The company’s postal address is missing in the settings."),
    Fault.LOUD: N_("The text shouts: capitals or many marks."),
    Fault.LONG_SUBJECT: N_("The subject has %(count)d characters; many programs cut it."),
    Fault.FALSE_REPLY: N_("The subject pretends to be an answer."),
    Fault.ACTIVE_HTML: N_("The HTML holds scripts, forms or frames."),
    Fault.ONLY_PICTURES: N_("The letter is pictures only."),
    Fault.TOO_LARGE: N_("The letter is too large; Gmail will cut it."),
    Fault.SMS_PARTS: N_("The SMS takes %(count)d parts."),
}
"""Those that count recipients are in `_of_people`."""

SKIPS: dict[str, str] = {
    Skip.NO_ADDRESS: N_("no address"),
    Skip.SUPPRESSED: N_("suppressed"),
    Skip.CONSENT_WITHDRAWN: N_("took the consent back"),
    Skip.NO_CONSENT: N_("gave no consent"),
    Skip.DUPLICATE: N_("same address as somebody else"),
    Skip.NO_TEXT: N_("no text in their language"),
    Skip.PRESSURE: N_("written to enough lately"),
    Skip.MACHINE: N_("nobody reads the address"),
}

COLUMNS = (
    N_("Full name"), N_("Company"), N_("Address"), N_("Variant"), N_("Language"), N_("State"), N_("Reason"),
    N_("Queued"), N_("Opted out"), N_("What the server said"),
)  # fmt: skip
"""Of the file of a mailing's recipients, in the order of `core.campaign_results.COLUMNS`."""
WAITING: dict[str, str] = {"waiting": N_("Queued"), "skipped": N_("Left out")}


def recipients(rows: Iterable[Any], t: Texts) -> Iterator[tuple[str, ...]]:
    """The rows of that file, in the reader's words and by their clock."""
    for name, company, address, variant, language, state, reason, queued, opted_out, answer in rows:
        known = WAITING.get(state) or DELIVERY_STATES[DeliveryState(state)][0]
        yield (
            name, company, address, variant, t.gettext(LANGUAGE_WORDS[language]) if language else "",
            t.gettext(known), t.gettext(SKIPS[reason]) if reason else "", t.moment(queued),
            t.moment(opted_out), answer,
        )  # fmt: skip


TOPICS: dict[str, str] = {
    Topic.OFFERS: N_("Offers"),
    Topic.NEWS: N_("News"),
    Topic.EVENTS: N_("Events"),
}


HAPPENED: dict[str, str] = {
    "made": N_("The mailing was made."),
    "started": N_("It was started."),
    "paused": N_("It was paused."),
    "resumed": N_("It goes on."),
    "cancelled": N_("It was ended."),
    "taken back": N_("It was taken back to be changed."),
    "its time has come": N_("Its time has come."),
    "everybody was written to or left out": N_("Everybody was written to or left out."),
}


ASKED: dict[str, str] = {
    "it should have begun at ": N_("It should have begun at %(what)s, so it asks first."),
    "nothing moved it since ": N_("Nothing had moved it since %(what)s, so it asks first."),
    "it cannot go on: ": N_("It cannot go on: %(what)s"),
}
CHANCE: dict[str, str] = {
    "nobody was reached": N_("The trial reached nobody, so there is nothing to compare."),
    "equal, so the first": N_("Both did equally well."),
    "may be chance": N_("The difference may be chance."),
}


def happened(detail: str, t: Texts) -> str:
    """What happened to a mailing as a sentence."""
    if detail in HAPPENED:
        return t.gettext(HAPPENED[detail])
    if detail.startswith("changed:"):
        return t.gettext("Its settings were changed.")
    if detail.startswith("text "):
        return t.gettext("The text %(place)s was written.", place=_place(detail.split()[1], t))
    if detail.startswith("variant "):
        name, _, why = detail.removeprefix("variant ").partition(": ")
        return " ".join(
            filter(None, (t.gettext("Variant %(name)s goes to the rest.", name=name), chance(why, t)))
        )
    for beginning, words in ASKED.items():
        if detail.startswith(beginning):
            return t.gettext(words, what=_moment(detail.removeprefix(beginning), t))
    return detail


def _moment(text: str, t: Texts) -> str:
    """A moment by the reader's clock; anything else in the reader's language, where it is known."""
    try:
        return t.moment(datetime.fromisoformat(text))
    except ValueError:
        return t.gettext(text)


def chance(reason: str, t: Texts) -> str:
    """How sure it is that the winner is the better variant; empty where nothing speaks against it."""
    return next((t.gettext(words) for sign, words in CHANCE.items() if sign in reason), "")


PLACEHOLDERS: dict[str, str] = {
    "client.name": N_("name"),
    "client.company": N_("company"),
    "client.code": N_("company code"),
}
"""What a recipient may lack."""


def _place(place: str, t: Texts) -> str:
    """A variant and its language, from ``A/lt``."""
    variant, _, language = place.partition("/")
    return f"{variant} · {t.gettext(LANGUAGE_WORDS[language])}" if language in LANGUAGE_WORDS else place


def _of_people(finding: Finding, t: Texts) -> str:
    """How many recipients something holds for; empty for a finding about a text."""
    match finding.fault:
        case Fault.SUPPRESSED:
            return t.ngettext(
                "%(num)d recipient does not want mailings and gets none.",
                "%(num)d recipients do not want mailings and get none.",
                finding.count,
            )
        case Fault.HELD_BACK:
            return t.ngettext(
                "%(num)d recipient was written to enough lately and will wait.",
                "%(num)d recipients were written to enough lately and will wait.",
                finding.count,
            )
        case Fault.NO_ADDRESS:
            return t.ngettext(
                "%(num)d recipient has no address for this channel.",
                "%(num)d recipients have no address for this channel.",
                finding.count,
            )
    return ""


def said(finding: Finding, t: Texts) -> str:
    """A finding as a sentence, after the text it is about."""
    detail = t.gettext(PLACEHOLDERS[finding.detail]) if finding.detail in PLACEHOLDERS else finding.detail
    if of_people := _of_people(finding, t):
        return of_people
    words = t.gettext(FAULTS[finding.fault]) % {"count": finding.count, "detail": detail}
    if finding.fault is Fault.MISSING_LANGUAGE and finding.detail in LANGUAGE_WORDS:
        instead = t.gettext(LANGUAGE_WORDS[finding.detail])
        words += " " + t.gettext("They get the text in another one: %(language)s.", language=instead)
    return f"{_place(finding.place, t)}: {words}" if finding.place else words
