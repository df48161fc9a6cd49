"""What the pipeline noted of a letter, in the reader's language: fixed reasons, and those with a number in
them.

A reason that is not listed here is shown as the pipeline wrote it, in English.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from core.i18n import N_, Texts

FIXED = frozenset(
    {
        N_("a person"),
        N_("a form of ours wrote it; the client is in Reply-To"),
        N_("no sender is named"),
        N_("the sender's address cannot be written to"),
        N_("a colleague forwarded it; the client is who wrote it first"),
        N_("a colleague of ours"),
        N_("nobody we know, and a machine makes no contact"),
        N_("a new contact whose company is not known"),
        N_("a contact we know"),
        N_("answers a letter of this conversation"),
        N_("answers an invitation of this conversation"),
        N_("a colleague answered an invitation"),
        N_("an old thread with a new subject: a new topic"),
        N_("refers to a conversation its sender takes no part in"),
        N_("begins a conversation"),
        N_("an answer without references, told by subject and sender"),
        N_("asked not to be written to: no more mailings"),
        N_("the client wrote: follow-ups that end with a reply have ended"),
        N_("this address had an automatic answer within seven days"),
        N_("queued"),
        N_("there is no address to answer to"),
        N_("nobody reads at that address"),
        N_("the address is our own"),
        N_("answered by the acknowledgement of another letter"),
        N_("letters to this address had been given up; it is written to again"),
        N_("this number had been given up; it is called and written to again"),
    }
)
"""Reasons without anything of the letter in them."""

SHAPED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"a new contact at (?P<name>.+)"), N_("a new contact at %(name)s")),
    (re.compile(r"conversation (?P<number>\d+) begun.*"), N_("conversation %(number)s begun")),
    (re.compile(r"conversation (?P<number>\d+).*"), N_("conversation %(number)s")),
    (re.compile(r"belongs to the open deal (?P<number>\d+)"), N_("belongs to the open deal %(number)s")),
    (re.compile(r"opened deal (?P<number>\d+)"), N_("opened deal %(number)s")),
    (re.compile(r"(?P<number>\d+) bytes(?P<rest>.*)"), N_("%(number)s bytes%(rest)s")),
    (re.compile(r"not sure (?P<share>[\d.]+)(?P<rest>.*)"), N_("not sure: %(share)s%(rest)s")),
)
"""Reasons with something of the letter in them."""

ROUTED: dict[str, str] = {
    "keeps_conversation": N_("to who already has the conversation"),
    "owns_deal": N_("to who has the open deal"),
    "curates_account": N_("to the client's curator"),
    "topic_team": N_("to the team of the topic"),
    "mailbox_team": N_("to the team of the mailbox"),
    "likely_topic": N_("to the team of the likely topic"),
    "topic_person": N_("to who takes the topic in the curator’s team"),
    "territory": N_("to who answers for the client’s territory"),
    "industry": N_("to who knows the client’s industry"),
    "least_loaded": N_("to who has the least work"),
    "nobody_here": N_("into the queue: nobody suitable is here today"),
}
"""What the last step notes, by the rule's key."""

_VERDICT = re.compile(r"(?P<intent>[a-z0-9_]+) (?P<share>[\d.]+)(?P<rest>.*)")


def in_words(reason: str, language: Texts, label_name: Callable[[str], str]) -> str:
    """A reason of the pipeline in the reader's language; `label_name` gives a label the company's name."""
    if reason in FIXED:
        return language.gettext(reason)
    if reason.startswith("custom:"):
        return language.gettext(N_("by a rule of our own"))
    if reason in ROUTED:
        return language.gettext(ROUTED[reason])
    for shape, message in SHAPED:
        if found := shape.fullmatch(reason):
            return language.gettext(message, **found.groupdict())
    found = _VERDICT.fullmatch(reason)
    if found and (name := label_name(found["intent"])) != found["intent"]:
        return f"{name} {found['share']}{found['rest']}"
    return reason
