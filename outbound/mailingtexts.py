"""Texts of campaigns as templates: looked up by their number, which never changes its words.

A delivery of a campaign names the template ``mailing_<number>``; an edit of the text makes a new number, so
that what is queued goes out as it was when it was queued, and each number is read and compiled once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.campaigns import CampaignText
from core.context import Context
from core.errors import NotFound
from templates.catalogue import Catalogue, shipped
from templates.unit import Source

PREFIX = "mailing_"

Texts = Callable[[int], "Words | None"]
"""From a text's number to its words."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text in one language."""

    language: str
    subject: str
    body: str
    html: str | None = None


def template_key(text_id: int) -> str:
    """The name of a text as a template."""
    return f"{PREFIX}{text_id}"


def is_mailing(key: str | None) -> bool:
    """Whether a template is a campaign's text."""
    return key is not None and key.startswith(PREFIX)


def source_of(kind: str, key: str, words: Words) -> Source:
    """A text as a template of a company's own, which renders in the bounded child only."""
    if kind == "sms":
        parts = {"text.txt": words.body}
    else:
        parts = {"subject.txt": words.subject, "body.txt": words.body}
        if words.html:
            parts["body.html"] = words.html
    return Source(kind, key, words.language, parts, own=True)


def words_of(row: CampaignText) -> Words:
    """The words of a text on record."""
    return Words(row.language, row.subject, row.body, row.html)


@dataclass(frozen=True)
class MailingCatalogue(Catalogue):
    """The catalogue a company has, and the texts of its campaigns."""

    read: Texts = field(default=lambda _number: None)

    def source(self, kind: str, key: str, language: str) -> Source:
        """The files of a template. Raises NotFound for a campaign's text that is gone."""
        if not is_mailing(key):
            return super().source(kind, key, language)
        words = self.read(int(key.removeprefix(PREFIX)))
        if words is None:
            raise NotFound("The mailing's text is gone.")
        return source_of(kind, key, words)


def catalogue_of(context: Context, company: Catalogue | None = None) -> MailingCatalogue:
    """The catalogue for composing what a database holds."""

    @functools.lru_cache(maxsize=256)
    def read(text_id: int) -> Words | None:
        with context.transaction() as session:
            row = session.get(CampaignText, text_id)
            return words_of(row) if row is not None else None

    base = company or shipped()
    return MailingCatalogue(base.overrides, base.default_language, read)


def twin(texts: Mapping[int, Words]) -> MailingCatalogue:
    """The same over a dict, for rehearsals and tests."""
    return MailingCatalogue(shipped().overrides, shipped().default_language, texts.get)
