"""One template in one language, all its parts compiled together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from templates import composition, engine
from templates.engine import Compiled
from templates.errors import TemplateRefused
from templates.grammar import Names
from templates.values import Context

PARTS: Mapping[str, tuple[str, ...]] = {
    "email": ("subject.txt", "body.txt", "body.html"),
    "sms": ("text.txt",),
    "voice": ("text.txt",),
    "document": ("title.txt", "body.html"),
}
"""Files that make up a template of each kind; only an email's body.html may be absent."""

OPTIONAL_PARTS = frozenset({("email", "body.html")})

_LINES = frozenset({"subject.txt", "title.txt"})


@dataclass(frozen=True, slots=True)
class Source:
    """A template's files in one language; `own` ones are a company's and render in a child process."""

    kind: str
    key: str
    language: str
    parts: Mapping[str, str]
    own: bool = False

    @property
    def name(self) -> str:
        """Kind, key and language: "email/follow_up/lt"."""
        return f"{self.kind}/{self.key}/{self.language}"

    def as_plain(self) -> dict[str, Any]:
        """The same as plain values, for the way to a child process."""
        return {
            "kind": self.kind,
            "key": self.key,
            "language": self.language,
            "parts": dict(self.parts),
            "own": self.own,
        }


@dataclass(frozen=True, slots=True)
class Unit:
    """Compiled parts by file name, and the placeholders any of them names."""

    name: str
    parts: Mapping[str, Compiled]
    names: Names

    def render(self, context: Context) -> dict[str, str]:
        """Each part's text: subjects and titles as one line, bodies tidied."""
        rendered: dict[str, str] = {}
        for part, compiled in self.parts.items():
            text = compiled.render(context)
            if part in _LINES:
                text = engine.tidy_line(text)
                if not text:
                    raise TemplateRefused(compiled.name, "renders to an empty line.")
            elif not compiled.html:
                text = engine.tidy_text(text)
            rendered[part] = text
        return rendered


def compile_unit(source: Source) -> Unit:
    """Compile all parts of a template. Raises `TemplateRefused` for the first fault found."""
    required = [part for part in PARTS[source.kind] if (source.kind, part) not in OPTIONAL_PARTS]
    for part in required:
        if not source.parts.get(part, "").strip():
            raise TemplateRefused(f"{source.name}/{part}", "is empty or missing.")
    compiled: dict[str, Compiled] = {}
    for part in PARTS[source.kind]:
        name = f"{source.name}/{part}"
        own = source.parts.get(part)
        whole = _whole(source, part, own, name)
        compiled[part] = engine.compile_part(whole, name, source.language, html=_is_html(part))
    used = frozenset[str]().union(*(part.names.used for part in compiled.values()))
    needed = frozenset[str]().union(*(part.names.needed for part in compiled.values()))
    return Unit(source.name, compiled, Names(used, needed))


def faults_of(source: Source) -> list[TemplateRefused]:
    """The first fault of each part, in the order of the parts; empty for a sound template."""
    found: list[TemplateRefused] = []
    for part in PARTS[source.kind]:
        name, own = f"{source.name}/{part}", source.parts.get(part)
        optional = (source.kind, part) in OPTIONAL_PARTS
        try:
            if not (own or "").strip() and not optional:
                raise TemplateRefused(name, "is empty or missing.")
            # The HTML of a letter that has none of its own is made of its text, whose faults are told there.
            if own is not None or not optional:
                engine.compile_part(
                    _whole(source, part, own, name), name, source.language, html=_is_html(part)
                )
        except TemplateRefused as error:
            found.append(error)
    return found


def _is_html(part: str) -> bool:
    return part.endswith(".html")


def _whole(source: Source, part: str, own: str | None, name: str) -> str:
    if source.kind == "email" and part == "body.html":
        return composition.mail_html(own, source.parts["body.txt"], name, source.language)
    if own is None:
        raise TemplateRefused(name, "is missing.")
    if source.kind == "email" and part == "body.txt":
        return composition.mail_text(own, name, source.language)
    if source.kind == "document" and part == "body.html":
        return composition.document_html(own, name, source.language)
    return composition.plain(own, name, source.language)
