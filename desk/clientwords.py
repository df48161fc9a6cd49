"""The client's card in words: its fields, what it lacks, where values came from, why two may be one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from core.completeness import Gap
from core.duplicates import Likeness
from core.i18n import N_
from core.provenance import Origin, Told
from core.timeline_parts import Sort

FIELDS: dict[str, str] = {
    "name": N_("Name"),
    "company": N_("Company"),
    "code": N_("Company code"),
    "industry": N_("Industry"),
    "region": N_("Region or town"),
    "country": N_("Country"),
    "zone": N_("Time zone"),
    "source": N_("How they heard of us"),
    "first_reason": N_("Why they turned to us"),
    "employees": N_("Number of employees"),
    "tags": N_("Tags"),
    "curator_id": N_("Curator"),
    "position": N_("Position"),
    "language": N_("Language"),
    "buying_role": N_("Role in buying"),
}

GAPS: dict[Gap, tuple[str, str]] = {
    Gap.CURATOR: (N_("a curator"), "curator_id"),
    Gap.INDUSTRY: (N_("the industry"), "industry"),
    Gap.REGION: (N_("the region"), "region"),
    Gap.COUNTRY: (N_("the country"), "country"),
    Gap.CODE: (N_("the company code"), "code"),
    Gap.SOURCE: (N_("how they heard of us"), "source"),
    Gap.EMPLOYEES: (N_("the number of employees"), "employees"),
    Gap.PERSON: (N_("a person’s name"), "person"),
    Gap.EMAIL: (N_("a mail address"), "email"),
    Gap.PHONE: (N_("a telephone number"), "phone"),
    Gap.POSITION: (N_("somebody’s position"), "position"),
    Gap.DECIDER: (N_("who decides"), "buying_role"),
}
"""What is missing, and what is filled in to mend it."""

LIKENESSES: dict[Likeness, str] = {
    Likeness.CODE: N_("the same company code: %(what)s"),
    Likeness.DOMAIN: N_("the same mail domain: %(what)s"),
    Likeness.PHONE: N_("the same telephone: %(what)s"),
    Likeness.EMAIL: N_("the same address: %(what)s"),
    Likeness.NAME: N_("the same name: %(what)s"),
}

SAME_PERSON = N_("the same full name: %(what)s")
"""Of people, whose name is no company's."""

SORTS: dict[Sort, str] = {
    Sort.MAIL: N_("Mail"),
    Sort.CALLS: N_("Calls"),
    Sort.SMS: N_("SMS"),
    Sort.NOTES: N_("Notes"),
    Sort.DEALS: N_("Deals"),
    Sort.TASKS: N_("Tasks"),
    Sort.MEETINGS: N_("Meetings"),
    Sort.INTERESTS: N_("Interests"),
    Sort.SENDS: N_("Mailings and sends"),
    Sort.DOCUMENTS: N_("Documents"),
    Sort.MONEY: N_("Payments and deliveries"),
    Sort.RECORD: N_("Imports and merges"),
}

EVENTS: dict[str, tuple[str, str]] = {
    "call_in": (N_("Call from the client"), "phone"),
    "call_out": (N_("Call to the client"), "phone"),
    "sms_in": (N_("SMS from the client"), "message-circle"),
    "sms_out": (N_("SMS to the client"), "message-circle"),
    "note": (N_("Private note"), "pencil"),
    "deal_won": (N_("Deal won"), "trophy"),
    "deal_lost": (N_("Deal lost"), "ban"),
    "delivery": (N_("Send"), "send"),
    "document": (N_("Document"), "paperclip"),
    "meeting": (N_("Meeting"), "users"),
    "download": (N_("File downloaded"), "download"),
    "payment": (N_("Payment"), "circle-check"),
    "goods": (N_("Delivery note"), "upload"),
    "import": (N_("Import"), "upload"),
    "merge": (N_("Merged"), "arrows-right-left"),
}

POINT_KINDS: dict[str, str] = {"email": N_("Mail"), "phone": N_("Telephone"), "fax": N_("Fax")}


FAULTS: tuple[str, ...] = (
    N_("A client needs a name."),
    N_("That is no country code."),
    N_("Write two letters, as LT or LV."),
    N_("There is no such time zone."),
    N_("Write it as Europe/Vilnius."),
    N_("Somebody else changed this field meanwhile."),
    N_("Look at it again."),
    N_("A contact needs a name."),
    N_("That person belongs to another client."),
    N_("Merge the two clients instead."),
    N_("That address or number is known already."),
    N_("Search for it to see whose it is."),
    N_("A client cannot be merged with itself."),
    N_("The client was merged with another one since."),
    N_("Take the later merge back first."),
    N_("These records hang together in a way that cannot be merged."),
    N_("Tell whoever looks after frontdesk: a table refers to itself in a circle."),
    N_("Say how you know what they want."),
    N_("For example: said so in a call today."),
    N_("These are more contacts than one file can hold."),
    N_("Narrow the conditions and take several files."),
    N_("A mailing that has not ended goes to this segment."),
    N_("End the mailing first."),
)
"""What changes of clients, merges, wishes and segments may be refused for, so that it is translated."""


@pass_context
def _whence(context: Context, told: Told | None) -> str:
    """Where a value came from, as a short sentence."""
    if told is None:
        return ""
    _, t = context["_"], context["t"]
    day = t.day(told.at) if told.at is not None else ""
    match told.origin:
        case Origin.SIGNATURE:
            return _("From the signature of a letter, accepted by %(who)s on %(day)s", who=told.who, day=day)
        case Origin.LETTER:
            return _("From the first letter, %(day)s", day=day)
        case Origin.CALL:
            return _("From a call, %(day)s", day=day)
        case Origin.IMPORT if told.filename:
            return _("From the import “%(file)s”, %(day)s", file=told.filename, day=day)
        case Origin.IMPORT:
            return _("From an import, %(day)s", day=day)
        case Origin.PERSON if told.who:
            return _("Written by %(who)s on %(day)s", who=told.who, day=day)
        case Origin.PERSON:
            return _("Entered by hand, %(day)s", day=day)
        case Origin.DEAL:
            return _("Set when %(who)s opened a deal, %(day)s", who=told.who or "?", day=day)
        case Origin.MERGE:
            return _("From the client merged into this one, %(day)s", day=day)
        case _:
            return _("Where it came from is not known")


@pass_context
def _likeness(context: Context, why: tuple[Likeness, str], person: bool = False) -> str:
    words = SAME_PERSON if person and why[0] is Likeness.NAME else LIKENESSES[why[0]]
    return context["_"](words, what=why[1])


def _named(table: dict[Any, str]) -> Callable[[Context, Any], str]:
    @pass_context
    def name(context: Context, key: Any) -> str:
        return context["_"](table[key]) if key in table else str(key)

    return name


FILTERS: dict[str, Callable[..., Any]] = {
    "whence_text": _whence,
    "likeness_text": _likeness,
    "client_field": _named(FIELDS),
    "history_sort": _named(SORTS),
    "point_kind": _named(POINT_KINDS),
    "gap_text": pass_context(lambda context, gap: context["_"](GAPS[gap][0])),
    "gap_field": lambda gap: GAPS[gap][1],
}
"""Filters of the views of clients."""
