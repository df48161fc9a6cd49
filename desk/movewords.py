"""Why a deal came to a stage, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable

from core.i18n import N_

_PLAIN = frozenset(
    {
        N_("opened by hand"),
        N_("opened again"),
        N_("a new owner"),
        N_("brought along from the former list"),
        N_("as it stood"),
    }
)
_SHAPED = (
    (re.compile(r"a letter by mail"), N_("opened by a letter")),
    (re.compile(r"(?P<topic>[a-z0-9_]+) by mail"), N_("opened by a letter: %(topic)s")),
    (re.compile(r"(?P<topic>[a-z0-9_]+) by telephone"), N_("opened by a call: %(topic)s")),
    (re.compile(r"by rule: (?P<topic>[a-z0-9_]+)"), N_("by a rule of the stage: %(topic)s")),
    (re.compile(r"moved to version (?P<version>\d+)"), N_("moved to version %(version)s of the pipeline")),
)


def in_words(reason: str, gettext: Callable[..., str], label_name: Callable[[str], str]) -> str:
    """A reason that a program wrote, in words; what a colleague wrote stays as it is.

    `label_name` gives a topic the name that the company calls it by.
    """
    if reason in _PLAIN:
        return gettext(reason)
    for shape, message in _SHAPED:
        if found := shape.fullmatch(reason):
            given = found.groupdict()
            if "topic" in given:
                given["topic"] = label_name(given["topic"]).replace("_", " ")
            return gettext(message, **given)
    return reason
