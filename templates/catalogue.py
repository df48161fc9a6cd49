"""Which templates there are, in which languages, and which variant a client gets."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from core.errors import InputRefused
from templates import limits
from templates.errors import TemplateNotFound, TemplateRefused
from templates.localforms import LANGUAGES
from templates.unit import OPTIONAL_PARTS, PARTS, Source

KINDS = tuple(PARTS)
"""Kinds of template: email, sms, voice, document."""

DOCUMENTS_OF: Mapping[str, tuple[str, ...]] = {
    "brochure": ("brochure",),
    "technical_proposal": ("technical_proposal",),
    "commercial_offer": ("commercial_offer",),
}
"""Document templates that go along with an email template of the given key."""

UNASKED = frozenset({"follow_up", "after_sale", "demo_invitation", "brochure"})
"""Emails a client did not ask for one by one: they go out only with `links.unsubscribe` given."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A template that has no variant in one language."""

    kind: str
    key: str
    language: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Shipped templates with a company's own laid over them.

    `overrides` maps paths such as ``email/follow_up/lt/body.txt`` to text; new keys add templates. An own
    body.txt without an own body.html takes the shipped body.html out of use, so that both never differ.
    """

    overrides: Mapping[str, str] = field(default_factory=dict)
    default_language: str = "en"

    @classmethod
    def with_folder(cls, folder: Path, default_language: str = "en") -> Catalogue:
        """A catalogue whose overrides are the files under `folder`, laid out as the shipped ones are."""
        found: dict[str, str] = {}
        for file in sorted(folder.glob("*/*/*/*")):
            path = file.relative_to(folder).as_posix()
            if file.is_file() and _is_part(path):
                if file.stat().st_size > limits.SOURCE_BYTES:
                    raise TemplateRefused(path, f"is larger than {limits.SOURCE_BYTES // 1024} kB.")
                try:
                    found[path] = file.read_text("utf-8")
                except UnicodeDecodeError:
                    raise TemplateRefused(path, "is not UTF-8 text.") from None
        return cls(found, default_language)

    def __post_init__(self) -> None:
        if self.default_language not in LANGUAGES:
            raise InputRefused(
                f"Default language {self.default_language!r} is not one of {', '.join(LANGUAGES)}."
            )
        for path in self.overrides:
            if not _is_part(path):
                raise InputRefused(
                    f"{path!r} is not the path of a template part.",
                    cure="Paths look like email/follow_up/lt/body.txt.",
                )

    def keys(self, kind: str) -> tuple[str, ...]:
        """Names of all templates of one kind, sorted."""
        return tuple(sorted({key for kind_, key, _ in self._variants() if kind_ == kind}))

    def languages(self, kind: str, key: str) -> tuple[str, ...]:
        """Languages in which one template is complete."""
        return tuple(language for language in LANGUAGES if not self._lacks(kind, key, language))

    def choose(self, kind: str, key: str, language: str) -> str:
        """The language a client gets: the asked one, else the company's default, else English, else any.

        Raises `TemplateNotFound` when no language has the template.
        """
        complete = self.languages(kind, key)
        for wanted in (language, self.default_language, "en"):
            if wanted in complete:
                return wanted
        if complete:
            return complete[0]
        raise TemplateNotFound(kind, key, self.keys(kind))

    def source(self, kind: str, key: str, language: str) -> Source:
        """The files of the variant that `choose` picks; its `language` says which one it was."""
        chosen = self.choose(kind, key, language)
        own = {
            part: text
            for part in PARTS[kind]
            if (text := self.overrides.get(f"{kind}/{key}/{chosen}/{part}")) is not None
        }
        parts = dict(_shipped_parts().get((kind, key, chosen), {}))
        if "body.txt" in own and "body.html" not in own:
            parts.pop("body.html", None)
        return Source(kind, key, chosen, {**parts, **own}, own=bool(own))

    def missing(self) -> list[Missing]:
        """Every template without a variant in one of the languages, with the parts that lack."""
        return [
            Missing(kind, key, language, lacking)
            for kind in KINDS
            for key in self.keys(kind)
            for language in LANGUAGES
            if (lacking := self._lacks(kind, key, language))
        ]

    def _lacks(self, kind: str, key: str, language: str) -> tuple[str, ...]:
        shipped = _shipped_parts().get((kind, key, language), {})
        return tuple(
            part
            for part in PARTS.get(kind, ("template",))
            if (kind, part) not in OPTIONAL_PARTS
            and part not in shipped
            and f"{kind}/{key}/{language}/{part}" not in self.overrides
        )

    def _variants(self) -> Iterator[tuple[str, str, str]]:
        yield from _shipped_parts()
        for path in self.overrides:
            kind, key, language, _ = path.split("/")
            yield kind, key, language


@functools.cache
def shipped() -> Catalogue:
    """The templates that come with frontdesk, with English as the default language."""
    return Catalogue()


def _is_part(path: str) -> bool:
    words = path.split("/")
    return (
        len(words) == 4
        and words[0] in PARTS
        and words[1].replace("_", "").isalnum()
        and words[1].isascii()
        and words[2] in LANGUAGES
        and words[3] in PARTS[words[0]]
    )


@functools.cache
def _shipped_parts() -> Mapping[tuple[str, str, str], Mapping[str, str]]:
    root = resources.files("templates")
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for kind in KINDS:
        for key in _folders(root / kind):
            for language in _folders(key):
                parts = {part.name: part.read_text("utf-8") for part in language.iterdir() if part.is_file()}
                found[kind, key.name, language.name] = parts
    return found


def _folders(place: Traversable) -> list[Traversable]:
    return sorted((entry for entry in place.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
