"""The shipped examples: business letters in three languages, one file for each language and intent.

A file holds letters between lines of `---`. A letter begins with any of the lines `Subject:`, `Channel:`
(email when absent), `Urgency:` and `Signal:`; the rest is its text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.text import Text
from core.errors import FrontdeskError
from core.intents import Intent, Signal, Urgency

FOLDER = Path(__file__).parent / "examples"
PHRASES = Path(__file__).parent / "phrases"
LANGUAGES = ("en", "ru", "lt")
_HEADERS = ("Subject", "Channel", "Urgency", "Signal")


class ExampleUnreadable(FrontdeskError):
    """An example letter is not written as it should be."""


@dataclass(frozen=True, slots=True)
class Example:
    """One letter with what it means."""

    text: Text
    intent: str
    language: str
    urgency: Urgency | None = None
    signal: Signal | None = None


def examples(folder: Path = FOLDER) -> list[Example]:
    """All letters of the folder, by language and intent, in the order in which they are written."""
    return [
        example
        for language in LANGUAGES
        for intent in Intent
        for example in _read(folder / language / f"{intent.value}.txt", language, intent)
    ]


def letter_numbers(rows: Sequence[Example]) -> list[int]:
    """A number for each letter: the n-th of an intent is one letter in all languages, whoever wrote it
    after whom."""
    numbers: dict[tuple[str, int], int] = {}
    seen: dict[tuple[str, str], int] = {}
    found: list[int] = []
    for row in rows:
        place = seen.get((row.language, row.intent), 0)
        seen[row.language, row.intent] = place + 1
        found.append(numbers.setdefault((row.intent, place), len(numbers)))
    return found


def phrases() -> list[tuple[str, str]]:
    """(phrase, intent) pairs: what each intent is usually said with, in three languages."""
    found: list[tuple[str, str]] = []
    for language in LANGUAGES:
        for line in (PHRASES / f"{language}.txt").read_text(encoding="utf-8").splitlines():
            intent, _, said = line.partition(": ")
            found += [(phrase.strip(), Intent(intent).value) for phrase in said.split(";")]
    return found


def signal_phrases() -> list[tuple[str, str]]:
    """(phrase, signal) pairs: what each signal is usually said with, in three languages."""
    found: list[tuple[str, str]] = []
    for language in LANGUAGES:
        for line in (PHRASES / f"signals-{language}.txt").read_text(encoding="utf-8").splitlines():
            signal, _, said = line.partition(": ")
            found += [(phrase.strip(), Signal(signal).value) for phrase in said.split(";")]
    return found


def fingerprint(folder: Path = FOLDER) -> str:
    """The SHA-256 of all example and phrase files, by which a model made of them is known."""
    digest = hashlib.sha256()
    for path in sorted([*folder.rglob("*.txt"), *PHRASES.glob("*.txt")]):
        digest.update(f"{path.parent.name}/{path.name}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(path: Path, language: str, intent: Intent) -> Iterator[Example]:
    if not path.exists():
        return
    for letter in path.read_text(encoding="utf-8").split("\n---\n"):
        if letter.strip():
            yield _example(letter.strip("\n"), language, intent, path)


def _example(letter: str, language: str, intent: Intent, path: Path) -> Example:
    headers: dict[str, str] = {}
    lines = letter.split("\n")
    while lines and lines[0].partition(":")[0] in _HEADERS:
        name, _, value = lines.pop(0).partition(":")
        headers[name] = value.strip()
    body = "\n".join(lines).strip()
    try:
        return Example(
            text=Text(headers.get("Subject", ""), body, headers.get("Channel", "email"), language),
            intent=intent.value,
            language=language,
            urgency=Urgency(headers["Urgency"]) if "Urgency" in headers else None,
            signal=Signal(headers["Signal"]) if "Signal" in headers else None,
        )
    except ValueError as fault:
        raise ExampleUnreadable(f"{path}: {fault} in the letter that begins {body[:40]!r}.") from fault
