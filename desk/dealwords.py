"""Deals in words: reasons, initiative, interest, what a stage asks for, how long something took."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from core.deals import Initiative, Interest, WinReason
from core.i18n import N_
from core.pipelinespec import FIELDS
from core.readiness import Lack
from core.sequences import Result

WIN_REASONS: Mapping[WinReason, str] = {
    WinReason.PRICE: N_("Our price"),
    WinReason.PRODUCT: N_("The product fits"),
    WinReason.SERVICE: N_("Service and advice"),
    WinReason.TERMS: N_("Terms and delivery time"),
    WinReason.TRUST: N_("They know and trust us"),
    WinReason.ONLY_US: N_("Nobody else could"),
    WinReason.OTHER: N_("Another reason"),
}
INITIATIVES: Mapping[Initiative, str] = {
    Initiative.THEIRS: N_("They turned to us"),
    Initiative.OURS: N_("We turned to them"),
}
INTERESTS: Mapping[Interest, str] = {
    Interest.NONE: N_("none"),
    Interest.LOW: N_("slight"),
    Interest.MEDIUM: N_("fair"),
    Interest.HIGH: N_("strong"),
    Interest.READY: N_("ready to buy"),
}
RESULTS: Mapping[Result, str] = {
    Result.REPLIED: N_("the client answered"),
    Result.NO_ANSWER: N_("no answer"),
    Result.FAILED: N_("it did not arrive"),
    Result.ANSWERED: N_("the call was answered"),
    Result.MACHINE: N_("an answering machine took the call"),
    Result.DONE: N_("the task is done"),
    Result.NOT_DONE: N_("the task is not done"),
    Result.REACHED: N_("reached"),
    Result.NOT_REACHED: N_("not reached"),
    Result.INTERESTED: N_("interested"),
    Result.NOT_INTERESTED: N_("not interested"),
    Result.DOWNLOADED: N_("the file was downloaded"),
}
SAID_OF_TASKS = (Result.REACHED, Result.NOT_REACHED, Result.INTERESTED, Result.NOT_INTERESTED)
"""What a colleague may say of how a follow-up's task went."""

WAITS: Mapping[str, str] = {
    "outside working hours": N_("waits for working hours"),
    "written to a short time ago": N_("waits: something went to the client a short time ago"),
    "enough letters this week": N_("waits: the client has had enough this week"),
    "approval": N_("waits for approval of the letter before"),
    "away": N_("waits until the client is back"),
    "fault": N_("held: this step could not be made"),
}
"""Why a step of a follow-up was put off."""


@pass_context
def _lack(context: Context, lack: Lack) -> str:
    if lack.point:
        return lack.names.get(context["lang"]) or lack.names.get("en", lack.key)
    return context["_"](FIELDS[lack.key])


@pass_context
def _working(context: Context, spent: timedelta) -> str:
    """A length of working time: hours below a working day, days of nine hours above it."""
    ngettext = context["ngettext"]
    hours = round(spent.total_seconds() / 3600)
    if hours < 9:
        return ngettext("%(num)d working hour", "%(num)d working hours", hours)
    return ngettext("%(num)d working day", "%(num)d working days", round(hours / 9))


CHOICES: dict[str, Mapping[Any, str]] = {
    "win_reasons": WIN_REASONS,
    "initiatives": INITIATIVES,
    "interests": INTERESTS,
    "results": RESULTS,
    "results_of_tasks": {result: RESULTS[result] for result in SAID_OF_TASKS},
}


@pass_context
def _choices(context: Context, name: str) -> list[tuple[str, str]]:
    """Keys and names to choose from: ``'interests'|choices``."""
    return [(str(key.value), context["_"](text)) for key, text in CHOICES[name].items()]


@pass_context
def _named(context: Context, key: Any, name: str) -> str:
    """What a key is called: ``deal.interest|named('interests')``."""
    names = CHOICES[name]
    return context["_"](names[key]) if key in names else str(key or "")


@pass_context
def _wait(context: Context, reason: str | None) -> str:
    return context["_"](WAITS[reason]) if reason is not None and reason in WAITS else ""


FILTERS: dict[str, Callable[..., Any]] = {
    "lack_text": _lack,
    "working_time": _working,
    "choices": _choices,
    "named": _named,
    "wait_text": _wait,
}
"""Filters of the views about deals."""
