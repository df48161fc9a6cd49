"""Labelled texts from CSV, JSON lines or JSON: `text` or `subject` and `body`, `label` or `labels`, `oos`."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputRefused

OUTSIDE = frozenset({"oos", "out_of_scope", "out-of-scope", "ood"})
"""Labels that mean: none of the labels."""

SIZE_LIMIT = 500_000_000

_TEXT_KEYS = ("text", "message", "body", "utterance", "sentence")
_LABEL_KEYS = ("label", "intent", "category", "class")
_LABELS_KEYS = ("labels", "intents", "categories")
_SEPARATOR = re.compile(r"\s*[|;]\s*")


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


def read_rows(paths: Path | Sequence[Path]) -> list[Row]:
    """The rows of one file or of several.

    Raises:
        InputRefused: a file that cannot be read, or a row without a text, with the file and the row's number.
    """
    several = [paths] if isinstance(paths, Path) else paths
    return [row for path in several for row in _read(path)]


def read_texts(path: Path) -> list[str]:
    """The texts of a pool: any file that `read_rows` reads (labels are ignored), or plain text, one a
    line."""
    if path.suffix.lower() in {".txt", ".text"}:
        return [line.strip() for line in _content(path).splitlines() if line.strip()]
    return [row.text for row in _read(path)]


def read_descriptions(path: Path) -> dict[str, str]:
    """What each label means: a JSON object (`{"label": "description"}`, or with `description` inside an
    object, or that under the key `intents` or `labels`), or rows with `label` and `description`."""
    content = _content(path)
    if path.suffix.lower() == ".json":
        found = _parse(content, path)
        if isinstance(found, dict):
            for key in ("intents", "labels"):
                if isinstance(found.get(key), dict):
                    found = found[key]
            return {str(label): _described(value) for label, value in found.items()}
    records = _records(content, path)
    return {
        str(record.get("label", record.get("intent", ""))): str(record.get("description", ""))
        for record in records
    }


def _described(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("description", "")
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)


def _read(path: Path) -> list[Row]:
    rows: list[Row] = []
    for number, record in enumerate(_records(_content(path), path), start=1):
        if not isinstance(record, Mapping):
            raise InputRefused(f"{path}: row {number} is not an object.")
        rows.append(_row(record, f"{path}: row {number}"))
    return rows


def _row(record: Mapping[str, Any], where: str) -> Row:
    lowered = {str(key).strip().lower(): value for key, value in record.items() if key is not None}
    text = next((lowered[key] for key in _TEXT_KEYS if lowered.get(key) not in {None, ""}), None)
    subject = lowered.get("subject")
    if text is None and not subject:
        raise InputRefused(f"{where} has no text.", cure="Give the columns text and label.")
    whole = "\n".join(str(part) for part in (subject, text) if part)
    many = any(key in lowered for key in _LABELS_KEYS)
    labels = _labels(lowered)
    outside = str(lowered.get("oos", "")).strip().lower() in {"1", "true", "yes"}
    if any(label.lower() in OUTSIDE for label in labels):
        outside, labels = True, ()
    return Row(whole, labels, outside, many)


def _labels(record: Mapping[str, Any]) -> tuple[str, ...]:
    for key in _LABELS_KEYS:
        if key in record:
            value = record[key]
            if value is None:
                return ()
            parts = value if isinstance(value, list) else _SEPARATOR.split(str(value).strip())
            return tuple(dict.fromkeys(str(part) for part in parts if str(part)))
    for key in _LABEL_KEYS:
        if record.get(key) not in {None, ""}:
            return (str(record[key]),)
    return ()


def _records(content: str, path: Path) -> Iterable[Any]:
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        csv.field_size_limit(10_000_000)
        delimiter = "\t" if suffix == ".tsv" else _delimiter(content)
        return csv.DictReader(content.splitlines(keepends=True), delimiter=delimiter)
    if content.lstrip().startswith("["):
        found = _parse(content, path)
        return found if isinstance(found, list) else [found]
    return [
        _parse(line, path, number)
        for number, line in enumerate(content.splitlines(), start=1)
        if line.strip()
    ]


def _delimiter(content: str) -> str:
    head = content.split("\n", 1)[0]
    return max(",;\t", key=head.count)


def _parse(content: str, path: Path, number: int = 0) -> Any:
    try:
        return json.loads(content)
    except ValueError as fault:
        where = f"{path}: line {number}" if number else str(path)
        raise InputRefused(f"{where} is not JSON: {fault}.") from fault


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise InputRefused(f"{path} is larger than {SIZE_LIMIT // 1_000_000} MB.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InputRefused(f"{path} cannot be read as UTF-8 text.") from fault
