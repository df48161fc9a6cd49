"""Whether a letter is from whom it names, in the reader's language: verdicts, and tricks that were found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from core.i18n import N_

VERDICTS: dict[str, tuple[str, str, str]] = {
    "confirmed": (N_("Sender confirmed"), "green", N_("The letter is from the domain it names: %(domain)s.")),
    "other_domain": (
        N_("Sent through another domain"),
        "yellow",
        N_("The domain %(domain)s stands for this letter, not the one it names."),
    ),
    "unconfirmed": (N_("Sender not confirmed"), "hollow", N_("Nothing confirms the sender.")),
    "denied": (
        N_("Not from whom it names"),
        "red",
        N_("Our mail server says that the letter is not from the domain it names."),
    ),
    "unchecked": (
        N_("Sender not checked"),
        "hollow",
        N_("Nobody has checked whether the letter is from the address it names."),
    ),
}
"""Verdict → name, colour, sentence."""

CHECKED_BY: dict[bool, str] = {
    True: N_("Checked here by the letter’s own signature (DKIM)."),
    False: N_("Checked by %(by)s: SPF %(spf)s, DKIM %(dkim)s, DMARC %(dmarc)s."),
}
"""Whether we checked ourselves → who did."""

FINDINGS: dict[str, str] = {
    "name_holds_other_address": N_("The name shows %(shown)s, but the letter is from %(real)s."),
    "reply_goes_elsewhere": N_("The letter is from %(shown)s, but an answer would go to %(real)s."),
    "mixed_alphabets": N_("The domain %(real)s mixes letters of two alphabets."),
    "imitates_known_domain": N_("The domain %(real)s looks like %(shown)s but is not it."),
    "named_like_staff": N_("The sender is named like our colleague %(shown)s but writes from %(real)s."),
    "checks_failed": N_("Checked by %(real)s: the letter is not from %(shown)s."),
    "several_senders": N_("The letter names several senders: %(real)s and %(shown)s."),
}
"""Trick → sentence with what is shown and what is real."""

SUGGESTED: dict[str, str] = {
    "name": N_("Name"),
    "position": N_("Position"),
    "company": N_("Company"),
    "phone": N_("Telephone"),
}
"""What a signature told of its writer."""


@pass_context
def _finding(context: Context, found: Mapping[str, Any]) -> str:
    message = FINDINGS.get(str(found.get("code")))
    if message is None:
        return str(found.get("code"))
    return context["_"](message, shown=found.get("shown", ""), real=found.get("real", ""))


@pass_context
def _verdict_name(context: Context, checks: Mapping[str, Any]) -> str:
    return context["_"](_of(checks)[0])


@pass_context
def _verdict_text(context: Context, checks: Mapping[str, Any]) -> str:
    _, _, sentence = _of(checks)
    domain = checks.get("domain") or "–"
    told = context["_"](sentence, domain=domain) if "%(domain)s" in sentence else context["_"](sentence)
    if not checks.get("by"):
        return told
    given = {name: checks.get(name) or "–" for name in ("by", "spf", "dkim", "dmarc")}
    ours = given["by"] == "ourselves"
    by = context["_"](CHECKED_BY[True]) if ours else context["_"](CHECKED_BY[False], **given)
    return f"{told} {by}"


def _of(checks: Mapping[str, Any]) -> tuple[str, str, str]:
    return VERDICTS.get(str(checks.get("verdict")), VERDICTS["unchecked"])


@pass_context
def _suggested(context: Context, kind: str) -> str:
    return context["_"](SUGGESTED[kind]) if kind in SUGGESTED else str(kind)


FILTERS: dict[str, Callable[..., Any]] = {
    "finding_text": _finding,
    "verdict_name": _verdict_name,
    "verdict_text": _verdict_text,
    "verdict_colour": lambda checks: _of(checks)[1],
    "suggested_name": _suggested,
}
"""Filters of the views."""
