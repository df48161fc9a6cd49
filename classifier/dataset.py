"""Labelled texts from files: `text` or `subject` and `body`, `label` or `labels`, `oos`."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.records import Record, parse_json, read_content, read_records
from core.errors import InputRefused

OUTSIDE = frozenset({"oos", "ood", "outofscope", "outofdomain"})
"""Labels, without marks between their letters, that mean: none of the labels."""

YES = frozenset({"1", "1.0", "true", "t", "yes", "y", "x", "+", "oos", "да", "taip"})
NO = frozenset({"", "0", "0.0", "false", "f", "no", "n", "-", "none", "null", "nan", "нет", "ne"})
"""What the column `oos` may hold."""

_TEXT_KEYS = ("text", "message", "body", "utterance", "sentence")
_LABEL_KEYS = ("label", "intent", "category", "class")
_LABELS_KEYS = ("labels", "intents", "categories")
_OUTSIDE_KEYS = ("oos", "out_of_scope", "is_oos")
_DESCRIPTION = "description"
_NAMES = frozenset({*_TEXT_KEYS, *_LABEL_KEYS, *_LABELS_KEYS, *_OUTSIDE_KEYS, "subject", _DESCRIPTION})
_STRONG = re.compile(r"\s*[|;]\s*")
_COMMA = re.compile(r"\s*,\s*")
_BETWEEN = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One text with its labels; `outside` when it is known to belong to none of the labels; `many` when it
    may bear any number of them."""

    text: str
    labels: tuple[str, ...] = ()
    outside: bool = False
    many: bool = False

    @property
    def label(self) -> str:
        """The only label, or an empty string."""
        return self.labels[0] if self.labels else ""

    @property
    def known(self) -> bool:
        """Whether it is known what the text bears: a label, none of ours, or any number, even none."""
        return bool(self.labels) or self.outside or self.many


def read_rows(paths: Path | Sequence[Path]) -> list[Row]:
    """The rows of one file or of several.

    Raises:
        InputRefused: a file that cannot be read, has no rows or no texts, or a row that says nothing we can
            understand, with the file and the row's number.
    """
    several = [paths] if isinstance(paths, Path) else paths
    return [row for path in several for row in _read(path)]


def read_texts(path: Path) -> list[str]:
    """The texts of a pool: any file that `read_rows` reads (labels are ignored), or plain text, one a
    line."""
    if path.suffix.lower() in {".txt", ".text"}:
        return [line.strip() for line in read_content(path).split("\n") if line.strip()]
    return [text for _, record in _with_texts(path) if (text := _text(record)).strip()]


def read_descriptions(path: Path) -> dict[str, str]:
    """What each label means: a JSON object (`{"label": "description"}`, or with `description` inside an
    object, or that under the key `intents` or `labels`), or rows with `label` and `description`.

    Raises:
        InputRefused: a file that cannot be read, or rows without these columns.
    """
    if path.suffix.lower() == ".json":
        found = parse_json(read_content(path), path)
        if isinstance(found, Mapping):
            for key in ("intents", "labels"):
                if isinstance(found.get(key), Mapping):
                    found = found[key]
            return {str(label).strip(): _described(value) for label, value in found.items()}
    told: dict[str, str] = {}
    for number, record in read_records(path, _NAMES):
        label = next((_clean(record[key]) for key in _LABEL_KEYS if _clean(record.get(key))), "")
        if not label or _DESCRIPTION not in record:
            raise InputRefused(
                f"{path}: row {number} describes no label.", cure="Give the columns label and description."
            )
        told[label] = _described(record[_DESCRIPTION])
    return told


def _described(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get(_DESCRIPTION, "")
    if isinstance(value, list):
        return " ".join(_clean(one) for one in value)
    return _clean(value)


def _read(path: Path) -> list[Row]:
    found = _with_texts(path)
    apart = _separator([record for _, record in found])
    many = any(_bears_many(record) for _, record in found)
    return [_row(record, many, apart, f"{path}: row {number}") for number, record in found]


def _with_texts(path: Path) -> list[tuple[int, Record]]:
    """The records of a file; refused where there are none, or where one has no place for a text."""
    found = read_records(path, _NAMES)
    if not found:
        raise InputRefused(f"{path} holds no rows.", cure="Give the columns text and label.")
    for number, record in found:
        if not any(key in record for key in (*_TEXT_KEYS, "subject")):
            columns = ", ".join(repr(name[:40]) for name in list(record)[:6])
            raise InputRefused(
                f"{path}: row {number} has no text; its columns are {columns}.",
                cure="Name the columns in the first line: text and label.",
            )
    return found


def _bears_many(record: Record) -> bool:
    """Whether the record could say several labels: then a record that says none bears none."""
    if any(key in record for key in _LABELS_KEYS):
        return True
    listed = [_listed(record.get(key)) for key in _LABEL_KEYS]
    return any(isinstance(value, list) and len(value) != 1 for value in listed)


def _row(record: Record, many: bool, apart: re.Pattern[str], where: str) -> Row:
    labels = _labels(record, apart)
    outside = _outside(record, where) or any(_BETWEEN.sub("", one).lower() in OUTSIDE for one in labels)
    return Row(_text(record), () if outside else labels, outside, many)


def _text(record: Record) -> str:
    text = next((said for key in _TEXT_KEYS if (said := _clean(record.get(key)))), "")
    return "\n".join(part for part in (_clean(record.get("subject")), text) if part)


def _outside(record: Record, where: str) -> bool:
    for key in _OUTSIDE_KEYS:
        said = _clean(record.get(key)).lower()
        if said in YES:
            return True
        if said not in NO:
            raise InputRefused(f"{where}: {key} is {said[:40]!r}.", cure="Write true or false there.")
    return False


def _labels(record: Record, apart: re.Pattern[str]) -> tuple[str, ...]:
    several = next((key for key in _LABELS_KEYS if key in record), None)
    key = several or next((key for key in _LABEL_KEYS if _clean(record.get(key))), None)
    if key is None:
        return ()
    value = _listed(record[key])
    if isinstance(value, str):
        value = apart.split(value) if several else [value]
    return tuple(dict.fromkeys(said for part in value if (said := _clean(part))))


def _listed(value: Any) -> str | list[Any]:
    """A list, also one that was written into a cell; anything else as text."""
    if isinstance(value, list):
        return value
    text = _clean(value)
    if text[:1] == "[" and text[-1:] == "]":
        for parse in (json.loads, ast.literal_eval):
            try:
                found = parse(text)
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue
            if isinstance(found, list):
                return found
    return text


def _separator(records: Sequence[Record]) -> re.Pattern[str]:
    """What stands between labels in one cell: bars and semicolons; commas only where no cell has those."""
    for record in records:
        for key in _LABELS_KEYS:
            if isinstance(record.get(key), str) and _STRONG.search(record[key]):
                return _STRONG
    return _COMMA


def _clean(value: Any) -> str:
    """As text without spaces around it; nothing for nothing and for numbers that are none."""
    if value is None or value != value:
        return ""
    text = str(value).strip()
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
