"""Why the classifier said what it said, or kept silent, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable

from core.i18n import N_, Texts

KINDS: dict[str, str] = {
    "rule": N_("Sure sign"),
    "urgency": N_("Urgency"),
    "signal": N_("Signal"),
    "abstain": N_("Unsure"),
    "word": N_("Word"),
    "labeller": N_("Another model"),
}
"""What kind of reason the classifier gives."""

SHAPED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("nothing written"), N_("nothing is written")),
    (re.compile("the classifier cannot be loaded"), N_("the classifier cannot be loaded")),
    (re.compile(r"below 1\.01"), N_("of this topic too little is known to be sure")),
    (re.compile(r"below (?P<share>[\d.]+)"), N_("less sure than the %(share)s it must be")),
    (
        re.compile(r"like a corrected letter: (?P<words>.*)", re.DOTALL),
        N_("like a letter that a colleague put right: %(words)s"),
    ),
    (re.compile(r"learnt: (?P<words>.*)", re.DOTALL), N_("learnt: %(words)s")),
    (
        re.compile(r"already (?P<num>\d+) urgent messages from this sender in a day"),
        N_("already %(num)s urgent messages from this sender in a day"),
    ),
)
"""What a reason says besides words of the letter, and how a page says it."""


def in_words(kind: str, reason: str, language: Texts, label_name: Callable[[str], str]) -> str:
    """A reason in the reader's language; words of the letter stay as they are. `label_name` gives a label the
    company's name."""
    if kind == "labeller":
        return label_name(reason)
    for shape, message in SHAPED:
        if found := shape.fullmatch(reason):
            parts = found.groupdict()
            if "share" in parts:
                parts["share"] = language.percent(float(parts["share"]))
            return language.gettext(message, **parts)
    return reason
