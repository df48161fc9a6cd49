"""From a template's key and plain values to what is sent: mails, texts and documents."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.errors import InputRefused
from templates.bounded import text_child
from templates.catalogue import DOCUMENTS_OF, UNASKED, Catalogue, shipped
from templates.document import pdf_of
from templates.errors import MissingValues, TemplateRefused
from templates.grammar import Names
from templates.placeholders import samples
from templates.segments import Segments, segments_of
from templates.unit import Source, Unit, compile_unit
from templates.values import Context, context

Values = Mapping[str, Any]
"""Plain values by group, as `templates.placeholders` declares: ``{"client": {"name": …}, …}``."""

OWN_BATCH = 50
"""How many renderings of a company's own template go to the child process at once."""

_UNSAFE_IN_NAME = re.compile(r"[\\/:*?\"<>|\x00-\x1f.]+")


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """One mail, ready to be composed.

    `language` is the variant really used (a fallback may differ from what was asked), `documents` the keys
    of document templates to be rendered and attached, `unsubscribe` the address printed in it or None.
    """

    subject: str
    text: str
    html: str
    language: str
    documents: tuple[str, ...] = ()
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class RenderedText:
    """An SMS, or words for a voice to say. `segments` is None for voice."""

    text: str
    language: str
    segments: Segments | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF with the title it carries and a file name that is only a label."""

    content: bytes
    filename: str
    title: str
    pages: int
    language: str
    content_type: str = "application/pdf"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a template looks like with sample values; `parts` by file name, html included."""

    kind: str
    key: str
    language: str
    parts: Mapping[str, str]
    used: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class _Template:
    """A compiled template: in this process when shipped, in the bounded child when a company's own."""

    source: Source
    names: Names
    unit: Unit | None
    packed: str

    def render(self, contexts: Sequence[Context]) -> list[dict[str, str]]:
        if self.unit is not None:
            return [self.unit.render(given) for given in contexts]
        rendered: list[dict[str, str]] = []
        for start in range(0, len(contexts), OWN_BATCH):
            batch = list(contexts[start : start + OWN_BATCH])
            answer, _ = text_child().ask({"do": "render", "source": self.packed, "contexts": batch})
            rendered.extend(answer)
        return rendered

    def context(self, values: Values) -> Context:
        return context(self.source.name, self.names, values, self.source.language)


@dataclass(frozen=True, slots=True)
class CompiledEmail:
    """One email template compiled for a mailing: render it for as many clients as wanted."""

    key: str
    language: str
    _template: _Template

    @property
    def used(self) -> frozenset[str]:
        """Every placeholder the mail uses; only these are looked at."""
        return self._template.names.used

    @property
    def source(self) -> Source:
        """The text it was compiled from."""
        return self._template.source

    def render(self, values: Values) -> RenderedEmail:
        """The mail for one client. Raises `MissingValues` and `WrongValue`; nothing is half rendered."""
        return self.render_all([values])[0]

    def render_all(self, many: Sequence[Values]) -> list[RenderedEmail]:
        """The mails for several clients; cheaper than one by one for a company's own template."""
        contexts = [self._context(values) for values in many]
        return [
            RenderedEmail(
                subject=parts["subject.txt"],
                text=parts["body.txt"],
                html=parts["body.html"],
                language=self.language,
                documents=DOCUMENTS_OF.get(self.key, ()),
                unsubscribe=_unsubscribe(given),
            )
            for given, parts in zip(contexts, self._template.render(contexts), strict=True)
        ]

    def _context(self, values: Values) -> Context:
        given = self._template.context(values)
        if self.key in UNASKED and not _unsubscribe(given):
            raise MissingValues(self._template.source.name, ["links.unsubscribe"])
        return given


def compile_email(key: str, language: str, catalogue: Catalogue | None = None) -> CompiledEmail:
    """Compile an email template in the variant that suits a client's language; cached.

    Raises `TemplateNotFound` and, for a company's own template with a fault, `TemplateRefused`.
    """
    template = _template("email", key, language, catalogue)
    return CompiledEmail(key, template.source.language, template)


def render_email(
    key: str, language: str, values: Values, catalogue: Catalogue | None = None
) -> RenderedEmail:
    """One mail. Raises as `compile_email` and `CompiledEmail.render` do."""
    return compile_email(key, language, catalogue).render(values)


def render_text(
    kind: str, key: str, language: str, values: Values, catalogue: Catalogue | None = None
) -> RenderedText:
    """An SMS (`kind` "sms") or the words of a voice message ("voice")."""
    if kind not in ("sms", "voice"):
        raise InputRefused(f"Text is rendered for sms and voice, not for {kind!r}.")
    template = _template(kind, key, language, catalogue)
    text = template.render([template.context(values)])[0]["text.txt"].strip()
    if not text:
        raise TemplateRefused(template.source.name, "renders to nothing.")
    if kind == "voice":
        return RenderedText(" ".join(text.split()), template.source.language)
    # A no-break space would cost a whole SMS its GSM alphabet.
    text = text.replace("\u00a0", " ").replace("\u202f", " ")
    return RenderedText(text, template.source.language, segments_of(text))


def render_document(key: str, language: str, values: Values, catalogue: Catalogue | None = None) -> Document:
    """A document as PDF, dated with `document.date` of the values.

    Raises `MissingValues`, `WrongValue`, and what `templates.document.pdf_of` raises.
    """
    template = _template("document", key, language, catalogue)
    parts = template.render([template.context(values)])[0]
    group = values.get("document")
    dated = group.get("date") if isinstance(group, Mapping) else None
    if not isinstance(dated, date):
        raise MissingValues(template.source.name, ["document.date"])
    company = values.get("company")
    author = str(company.get("name", "")) if isinstance(company, Mapping) else ""
    title = parts["title.txt"]
    pdf = pdf_of(
        parts["body.html"], title=title, author=author, language=template.source.language, dated=dated
    )
    return Document(pdf.content, _label(title), title, pdf.pages, template.source.language)


def preview(
    kind: str, key: str, language: str, catalogue: Catalogue | None = None, values: Values | None = None
) -> Preview:
    """Every part of a template with sample values, or with the given ones, for a screen."""
    template = _template(kind, key, language, catalogue)
    chosen = template.source.language
    parts = template.render([template.context(values if values is not None else samples(chosen))])[0]
    return Preview(kind, key, chosen, parts, template.names.used)


def check(source: Source) -> frozenset[str]:
    """Try a company's own template before it is saved: the placeholders it uses.

    Compiles it and renders it with sample values, all in the bounded child. Raises `TemplateRefused` with
    the line and what to do, `TemplateTooCostly`, `TemplateTooLarge`.
    """
    template = _own(_packed(source))
    template.render([template.context(samples(source.language))])
    return template.names.used


def _template(kind: str, key: str, language: str, catalogue: Catalogue | None) -> _Template:
    if catalogue is None:
        return _ours(kind, key, _shipped_language(kind, key, language))
    source = catalogue.source(kind, key, language)
    return _own(_packed(source)) if source.own else _ours(kind, key, source.language)


@functools.lru_cache(maxsize=512)
def _shipped_language(kind: str, key: str, language: str) -> str:
    return shipped().choose(kind, key, language)


@functools.cache
def _ours(kind: str, key: str, language: str) -> _Template:
    source = shipped().source(kind, key, language)
    unit = compile_unit(source)
    return _Template(source, unit.names, unit, "")


@functools.lru_cache(maxsize=512)
def _own(packed: str) -> _Template:
    (used, needed), _ = text_child().ask({"do": "names", "source": packed})
    return _Template(Source(**json.loads(packed)), Names(frozenset(used), frozenset(needed)), None, packed)


def _packed(source: Source) -> str:
    return json.dumps(source.as_plain(), ensure_ascii=False, sort_keys=True)


def _unsubscribe(given: Context) -> str | None:
    return str(given.get("links", {}).get("unsubscribe") or "") or None


def _label(title: str) -> str:
    return " ".join(_UNSAFE_IN_NAME.sub(" ", title).split())[:120].strip() + ".pdf"
