"""Pipelines as a TOML file: written so that a person can edit it, read so that a fault names its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import InputRefused
from core.pipelinespec import STAGE_FIELDS, Fault, Known, Path, check
from core.values import LANGUAGES

MOST_BYTES = 1_000_000
"""A longer file is none of ours."""

HEAD = """\
# Pipelines: the roads that deals take. After a change: frontdesk pipelines check FILE, then import FILE.
# Deals under way keep the version they entered until somebody moves them.
"""


class FileRefused(InputRefused):
    """The file does not describe pipelines."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


def write(documents: Iterable[Mapping[str, Any]]) -> str:
    """The file of some pipelines; reading it gives the same documents."""
    out = [HEAD]
    for document in documents:
        out.append("[[pipelines]]")
        out.append(f"key = {toml_value(document['key'])}")
        out.append(f"standard = {toml_value(bool(document.get('standard')))}")
        if document.get("note"):
            out.append(f"note = {toml_value(document['note'])}")
        out.append(f"names = {toml_value(document['names'])}")
        for stage in document["stages"]:
            out += ["", "[[pipelines.stages]]"]
            for name in STAGE_FIELDS:
                if name in stage and name not in {"guide", "checklist", "performer_rules"}:
                    out.append(f"{name} = {toml_value(stage[name])}")
            for name in ("performer_rules", "checklist"):
                if stage.get(name):
                    rows = ",\n".join(f"  {toml_value(item)}" for item in stage[name])
                    out.append(f"{name} = [\n{rows},\n]")
            if stage.get("guide"):
                out.append("[pipelines.stages.guide]")
                out += [f"{language} = {_long(text)}" for language, text in _ordered(stage["guide"])]
        out.append("")
    return "\n".join(out)


def _ordered(texts: Mapping[str, Any]) -> list[tuple[str, Any]]:
    known = [(language, texts[language]) for language in ("en", "ru", "lt") if language in texts]
    return known + [(name, value) for name, value in texts.items() if name not in LANGUAGES]


def toml_value(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        pairs = _ordered(value) if set(value) <= set(LANGUAGES) else list(value.items())
        return "{ " + ", ".join(f"{name} = {toml_value(one)}" for name, one in pairs) + " }"
    if isinstance(value, Sequence):
        return "[" + ", ".join(toml_value(one) for one in value) + "]"
    return str(value)


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _string(text: str) -> str:
    """A basic string (TOML 1.0, "String")."""
    return '"' + "".join(_ESCAPES.get(one) or _plain(one) for one in text) + '"'


def _plain(character: str) -> str:
    return f"\\u{ord(character):04X}" if character < " " or character == "\x7f" else character


def _long(text: str) -> str:
    if "\n" not in text:
        return _string(text)
    body = "\n".join(
        "".join(one if one == "\t" else _plain(one) for one in line.replace("\\", "\\\\").replace('"', '\\"'))
        for line in text.split("\n")
    )
    return f'"""\n{body}"""'


def read(text: str, known: Known | None = None, beside: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """The pipelines of a file, each checked. Raises FileRefused, one sentence a fault with its line.

    ``beside`` names tables that somebody else reads.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise FileRefused([f"The file is larger than {MOST_BYTES} bytes."])
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileRefused([f"It is not TOML: {error}."]) from error
    lines = _lines(text)
    faults = [
        f"line {lines.get((name,), 1)}, {name}: there is no such field"
        for name in data
        if name != "pipelines" and name not in beside
    ]
    found = data.get("pipelines")
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        raise FileRefused([*faults, "line 1: the file needs at least one [[pipelines]]"])
    keys = [one.get("key") for one in found]
    for number, document in enumerate(found):
        wrong = check(document, known)
        if keys.index(document.get("key")) != number:
            wrong.append(Fault(("key",), "another pipeline has this key"))
        for fault in wrong:
            line = _line_of(lines, ("pipelines", number, *fault.path))
            faults.append(f"line {line}, {Fault(('pipelines', number, *fault.path), '').place}: {fault.text}")
    if faults:
        raise FileRefused(faults)
    return found


_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_.\-\s]+?)\s*\]\]?\s*(?:#.*)?")
_ENTRY = re.compile(r"\s*([A-Za-z0-9_\-]+(?:\s*\.\s*[A-Za-z0-9_\-]+)*)\s*=")


def _lines(text: str) -> dict[Path, int]:
    """Where each table and entry of the file begins, by its path."""
    places: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    quoted: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if quoted is not None:
            if line.count(quoted) % 2:
                quoted = None
            continue
        header, entry = _HEADER.fullmatch(line), _ENTRY.match(line)
        if header:
            here = _opened(header[2], header[1] == "[[", counts)
            places.setdefault(here, number)
        elif entry:
            path: Path = (*here, *(part.strip() for part in entry[1].split(".")))
            places.setdefault(path, number)
        quoted = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), None)
    return places


def _opened(name: str, many: bool, counts: dict[Path, int]) -> Path:
    """The path of a header, with the numbers of the lists it stands in."""
    path: Path = ()
    parts = [part.strip() for part in name.split(".")]
    for depth, part in enumerate(parts):
        path = (*path, part)
        last = depth == len(parts) - 1
        if last and many:
            counts[path] = counts.get(path, -1) + 1
            path = (*path, counts[path])
        elif path in counts:
            path = (*path, counts[path])
    return path


def _line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of a path, else of the nearest thing around it."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1
