"""Keeps the catalogues in step with the code: `python -m desk.messages` collects every message for
translation.

Messages that are new stay empty until somebody translates them, those that are gone leave the catalogues;
nothing is guessed. A test fails while a message has no translation.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from core.i18n import DOMAIN, FOLDER, LANGUAGE_NAMES, SOURCE_LANGUAGE
from core.values import LANGUAGES

ROOT = Path(__file__).parent.parent
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
NOISE = (
    *('"Project-Id-Version', '"Report-Msgid-Bugs-To', '"POT-Creation-Date', '"PO-Revision-Date'),
    *('"Last-Translator', '"Language-Team', '"Generated-By'),
)
"""Header fields that would change at every run or say nothing."""
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}


def collected() -> Catalog:
    """Every message that the rooms show, in the order of the files."""
    catalogue = Catalog(domain=DOMAIN, charset="utf-8")
    for room in ("core", "desk"):
        found = extract_from_dir(
            ROOT / room, METHODS, {"**.html": {"silent": "false"}}, keywords=KEYWORDS, strip_comment_tags=True
        )
        for name, _line, message, _comments, context in sorted(found, key=lambda item: (item[0], item[1])):
            catalogue.add(message, locations=[(f"{room}/{name}", 0)], context=context)
    return catalogue


def path_of(language: str) -> Path:
    """Where a language's catalogue lies."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def load(language: str) -> Catalog:
    """A language's catalogue; an empty one where there is none yet."""
    path = path_of(language)
    if not path.is_file():
        return Catalog(locale=language, domain=DOMAIN)
    with path.open("rb") as source:
        return read_po(source, locale=language, domain=DOMAIN)


def missing(language: str, template: Catalog) -> list[str]:
    """Those of the messages collected that are without a translation in a language, or with too few plural
    forms, or marked as doubtful."""
    held = load(language)
    lacking = []
    for message in template:
        if not message.id:
            continue
        known = held.get(message.id, message.context)
        if known is None or known.fuzzy or not _complete(known, held.num_plurals):
            lacking.append(message.id if isinstance(message.id, str) else message.id[0])
    return lacking


def _complete(message: Message, plurals: int) -> bool:
    if isinstance(message.id, str):
        return isinstance(message.string, str) and bool(message.string)
    return (
        isinstance(message.string, (tuple, list)) and len(message.string) == plurals and all(message.string)
    )


def update(template: Catalog) -> None:
    """Bring every catalogue into step with the messages collected."""
    for language in LANGUAGES:
        if language == SOURCE_LANGUAGE:
            continue
        catalogue = load(language)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        save(language, catalogue)


def save(language: str, catalogue: Catalog) -> None:
    """Write a catalogue, with only those header fields that say something."""
    catalogue.header_comment = f"# {LANGUAGE_NAMES[language]}: the words of the desk."
    out = io.BytesIO()
    write_po(out, catalogue, width=110, include_lineno=False, sort_output=True)
    kept = [line for line in out.getvalue().decode().splitlines() if not line.startswith(NOISE)]
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(kept).rstrip() + "\n", encoding="utf-8")


def main() -> int:
    """Update the catalogues and say what is left to translate."""
    template = collected()
    update(template)
    left = 0
    for language in LANGUAGES:
        if language != SOURCE_LANGUAGE:
            for text in missing(language, template):
                left += 1
                sys.stdout.write(f"{language}: {text}\n")
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
