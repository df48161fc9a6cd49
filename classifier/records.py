"""Records of a CSV, JSON lines or JSON file, however it was saved: encoding, separator, quotation marks."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import InputRefused

SIZE_LIMIT = 500_000_000
FIELD_LIMIT = 10_000_000
"""Characters of one CSV field; more means that a quotation mark was never closed."""

DELIMITERS = ",;\t|"
TABLES = frozenset({".csv", ".tsv"})
JSONS = frozenset({".json", ".jsonl", ".ndjson"})

_SAVE_ANEW = "Save it as UTF-8 and try again."
_BYTES_OF_WORDS = re.compile(rb"[A-Za-z\x80-\xff]+")
_HIGH = re.compile(rb"[\x80-\xff]")
_LOW = re.compile(rb"[A-Za-z]")

Record = Mapping[str, Any]
"""One row: column names in lower case without spaces around them, and what stands there."""


def read_records(path: Path, known: Collection[str]) -> list[tuple[int, Record]]:
    """The records of a file with the number of each, from 1 on; `known` are names a column may have.

    Raises:
        InputRefused: the file cannot be read, or is neither a table nor JSON, with the place.
    """
    content = read_content(path)
    suffix = path.suffix.lower()
    begins = content.lstrip()[:1]
    if suffix in TABLES or (suffix not in JSONS and begins not in {"{", "["}):
        return list(_table(content, path, known, "\t" if suffix == ".tsv" else ""))
    return [
        (number, _lowered(record, path, number)) for number, record in enumerate(_objects(content, path), 1)
    ]


def read_content(path: Path) -> str:
    """The text of a file: UTF-8 or UTF-16, else the Windows code page of Russian or of Lithuanian.

    Raises:
        InputRefused: it cannot be opened, is too large, or is none of these.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= SIZE_LIMIT else b""
    except OSError as fault:
        raise InputRefused(f"{path} cannot be read: {fault.strerror}.") from fault
    if size > SIZE_LIMIT:
        raise InputRefused(f"{path} is larger than {SIZE_LIMIT // 1_000_000} MB.", cure="Split it.")
    try:
        if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return raw.decode("utf-16")
        if b"\0" in raw[:4_000]:
            raise InputRefused(f"{path} is not text.", cure="Give CSV, JSON or JSON lines.")
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _old_windows(raw, path)


def parse_json(content: str, path: Path, line: int = 0) -> Any:
    """What a JSON text says. Raises InputRefused with the place."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as fault:
        where = f"{path}: line {line}" if line else str(path)
        raise InputRefused(f"{where} is not JSON: {fault}.", cure="Give one object a line.") from fault


def _old_windows(raw: bytes, path: Path) -> str:
    """UTF-8 where only a letter here and there is damaged; else Russian, whose words are of other letters
    throughout, or Lithuanian, where only some letters have marks."""
    mended = raw.decode("utf-8", "replace")
    damaged = mended.count("\ufffd")
    if damaged * 10 < sum(1 for char in mended if char > "\x7f"):
        return mended.lstrip("\ufeff")
    words = _BYTES_OF_WORDS.findall(raw[:200_000])
    whole = sum(1 for word in words if len(word) > 1 and not _LOW.search(word))
    mixed = sum(1 for word in words if _LOW.search(word) and _HIGH.search(word))
    try:
        return raw.decode("cp1251" if whole > mixed else "cp1257")
    except UnicodeDecodeError as fault:
        raise InputRefused(f"{path} cannot be read as UTF-8 text.", cure=_SAVE_ANEW) from fault


def _table(content: str, path: Path, known: Collection[str], delimiter: str) -> Iterator[tuple[int, Record]]:
    csv.field_size_limit(FIELD_LIMIT)
    delimiter = delimiter or _delimiter(content, known)
    header: list[str] = []
    try:
        for number, cells in enumerate(_cells(content, delimiter)):
            if not header:
                header = [cell.strip().lower() for cell in cells]
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if len(header) == 1:
                cells = [delimiter.join(cells)]
            if any(cell.strip() for cell in cells[len(header) :]):
                raise InputRefused(
                    f"{path}: row {number} has {len(cells)} cells, but there are {len(header)} columns.",
                    cure="Put texts with commas into quotation marks.",
                )
            yield number, dict(zip(header, cells, strict=False))
    except csv.Error as fault:
        raise InputRefused(
            f"{path} cannot be read as a table: {fault}.", cure="A quotation mark may be missing."
        ) from fault


def _cells(content: str, delimiter: str) -> Iterator[list[str]]:
    """Rows of cells; lenient about quotation marks inside a cell, but not about one that is never closed."""
    if '"' in content:
        try:
            for _ in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True):
                pass
        except csv.Error as fault:
            if "unexpected end" in str(fault):
                raise
    yield from csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)


def _delimiter(content: str, known: Collection[str]) -> str:
    """What separates the names of the columns: what makes names we know, then what stands most often."""
    head = content.lstrip("\r\n").split("\n", 1)[0].strip("\r")

    def worth(mark: str) -> tuple[int, int]:
        cells = [cell.strip(' "').lower() for cell in head.split(mark)]
        return sum(cell in known for cell in cells), len(cells)

    return max(DELIMITERS, key=worth)


def _objects(content: str, path: Path) -> list[Any]:
    lines = [(number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip()]
    if not lines:
        return []
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        if content.lstrip().startswith("["):
            parse_json(content, path)
        return [parse_json(line, path, number) for number, line in lines]
    if isinstance(whole, Mapping):
        inner = [value for value in whole.values() if isinstance(value, list)]
        return inner[0] if len(inner) == 1 and all(isinstance(one, Mapping) for one in inner[0]) else [whole]
    return whole if isinstance(whole, list) else [whole]


def _lowered(record: Any, path: Path, number: int) -> Record:
    if not isinstance(record, Mapping):
        raise InputRefused(
            f"{path}: row {number} is not an object.", cure='Write {"text": …, "label": …} for each row.'
        )
    return {str(key).strip().lower(): value for key, value in record.items()}
