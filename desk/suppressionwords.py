"""Where a closed address comes from, in the reader's words."""

from __future__ import annotations

import re

from core.i18n import N_, Texts

SOURCES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"preference page, opened from delivery \d+"),
        N_("they chose it on the page about our letters"),
    ),
    (re.compile(r"link in delivery \d+"), N_("they followed the link in our letter")),
    (re.compile(r"letter:\d+"), N_("they wrote it in a letter")),
    (re.compile(r"sms:.*"), N_("they wrote it in an SMS")),
    (re.compile(r"delivery:\d+"), N_("a report about our letter")),
    (re.compile(r"delivery \d+: (?:RCPT|\.): (?P<what>.*)", re.DOTALL), N_("the server said: %(what)s")),
    (re.compile(r"delivery \d+: (?P<what>.*)", re.DOTALL), N_("the exchange said: %(what)s")),
    (re.compile(r"before letters came back"), N_("it was closed before letters came back")),
    (re.compile(r"import: (?P<what>.*)"), N_("from the file %(what)s")),
)
"""What is noted where an address is closed, and how it reads."""


def source(noted: str, t: Texts) -> str:
    """A source as a phrase; what a colleague wrote stays as it is."""
    for pattern, words in SOURCES:
        if match := pattern.fullmatch(noted):
            return t.gettext(words, **match.groupdict())
    return noted
