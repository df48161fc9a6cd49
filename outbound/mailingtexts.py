"""What letters are composed from: the template library, and the texts of campaigns beside it.

A delivery of a campaign names the template ``mailing_<number>``; an edit of the text makes a new number, so
that what is queued goes out as it was when it was queued, and each number is read and compiled once. Every
other template is looked up in the library when the letter is composed, as its sender's letters take it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import undefer

from core.campaigns import CampaignText
from core.context import Context
from core.documents import Document
from core.errors import NotFound
from core.templatelibrary import of_versions
from core.templatelibrary_uses import Use
from templates.asread import as_read
from templates.catalogue import Catalogue, shipped
from templates.library import Library, Shelf, digest
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
class MailingCatalogue(Shelf):
    """A shelf of the library, and the texts of campaigns."""

    read: Texts = field(default=lambda _number: None)

    def source(self, kind: str, key: str, language: str) -> Source:
        """The files of a template. Raises NotFound for a campaign's text that is gone."""
        if not is_mailing(key):
            return super().source(kind, key, language)
        words = self.read(int(key.removeprefix(PREFIX)))
        if words is None:
            raise NotFound("The mailing's text is gone.")
        return source_of(kind, key, words)


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes along with a template."""

    document_id: int
    filename: str
    content_type: str
    data: bytes


class CompanyTexts:
    """All texts of one company, as its database holds them at each moment."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._library = Library(context.settings.company.default_language)
        self._words = functools.lru_cache(maxsize=256)(self._read_words)
        # A file may be some megabytes, and only a few are sent again and again.
        self._file = functools.lru_cache(maxsize=8)(self._read_file)

    def seen_by(self, staff_id: int | None) -> MailingCatalogue:
        """The catalogue for what goes out in a colleague's name, or in nobody's."""
        with self._context.transaction() as session:
            shelf = self._library.seen_by(session, staff_id)
        return MailingCatalogue(shelf.overrides, shelf.default_language, shelf.rows, self._words)

    def as_read(self, seen: MailingCatalogue, versions: Mapping[str, int | None]) -> MailingCatalogue:
        """The same catalogue with the versions that a delivery is held to."""
        with self._context.transaction() as session:
            rows = of_versions(session, [number for number in versions.values() if number is not None])
        return as_read(seen, {place: rows.get(number or 0) for place, number in versions.items()})

    def files(self, catalogue: Catalogue, source: Source) -> list[Attached]:
        """The files that go along with a text."""
        row = catalogue.row_of(source) if isinstance(catalogue, Shelf) else None
        if row is None:
            return []
        return [self._file(one.document_id) for one in row.files_in(source.language)]

    def _read_words(self, text_id: int) -> Words | None:
        with self._context.transaction() as session:
            row = session.get(CampaignText, text_id)
            return words_of(row) if row is not None else None

    def _read_file(self, document_id: int) -> Attached:
        query = select(Document).where(Document.id == document_id).options(undefer(Document.data))
        with self._context.transaction() as session:
            found = session.scalars(query).one()
            return Attached(found.id, found.filename, found.content_type, found.data)


@dataclass(frozen=True)
class LiveCatalogue(MailingCatalogue):
    """The catalogue of whoever asks, read anew each time; of nobody in particular until `of` is asked."""

    texts: CompanyTexts | None = None

    def source(self, kind: str, key: str, language: str) -> Source:
        """The files of a template as they are now."""
        return of(self, None).source(kind, key, language)


def catalogue_of(context: Context) -> LiveCatalogue:
    """The catalogue for composing what a database holds."""
    default = context.settings.company.default_language
    return LiveCatalogue(default_language=default, texts=CompanyTexts(context))


def of(
    catalogue: Catalogue | None, staff_id: int | None, versions: Mapping[str, int | None] | None = None
) -> Catalogue:
    """The catalogue as it is at this moment for what goes out in a colleague's name.

    ``versions`` are those that a delivery is held to, see `templates.asread`.
    """
    if isinstance(catalogue, LiveCatalogue) and catalogue.texts is not None:
        seen = catalogue.texts.seen_by(staff_id)
        return catalogue.texts.as_read(seen, versions) if versions else seen
    return catalogue or shipped()


def files_of(live: Catalogue | None, seen: Catalogue, source: Source) -> list[Attached]:
    """The files that go along with a text that was taken from ``seen``."""
    if isinstance(live, LiveCatalogue) and live.texts is not None:
        return live.texts.files(seen, source)
    return []


def use_of(catalogue: Catalogue, source: Source, delivery_id: int) -> Use | None:
    """What is written down of a text that was sent; None for a campaign's, which its number tells."""
    if is_mailing(source.key):
        return None
    row = catalogue.row_of(source) if isinstance(catalogue, Shelf) else None
    version_id = row.version_id if row is not None else None
    return Use(delivery_id, source.kind, source.key, source.language, version_id, digest(source))


def twin(texts: Mapping[int, Words]) -> MailingCatalogue:
    """The same over a dict, for rehearsals and tests."""
    return MailingCatalogue(shipped().overrides, shipped().default_language, {}, texts.get)
