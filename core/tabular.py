"""Tables from files and to files: CSV in whatever encoding it comes, XLSX within bounds, never a formula."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

from core.csvcells import safe
from core.errors import InputRefused

MOST_BYTES = 20_000_000
MOST_ROWS = 100_000
MOST_COLUMNS = 100
LONGEST_CELL = 2_000
"""Characters; a longer one is cut."""
LONGEST_XLSX_CELL = 32_000
MOST_TEXT = 50_000_000
"""Characters of all cells: a workbook may name one long text a million times."""
MOST_PARTS = 1_000
MOST_UNPACKED = 100_000_000
MOST_RATIO = 200
"""Unpacked to packed bytes, of parts over a megabyte."""

DELIMITERS = ";,\t|"
FORMULA = "=+-@\t\r\n＝＋－＠"
"""What a spreadsheet takes for the beginning of a formula, the full-width signs too."""


class TableRefused(InputRefused):
    """The file cannot be read as a table."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its header and its rows, all as text; rows are as long as the header."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Of the rows, as a spreadsheet counts them; without any, they follow the header one by one."""

    def numbered(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """The rows, each after its number."""
        return zip(self.numbers or range(2, len(self.rows) + 2), self.rows, strict=True)


def read(data: bytes, *, headless: bool = False) -> Sheet:
    """The table in a CSV or XLSX file, told apart by its bytes. Raises TableRefused.

    One without a header (``headless``) has its first line among its rows too.
    """
    if len(data) > MOST_BYTES:
        raise TableRefused("The file is too large.", cure=f"At most {MOST_BYTES // 1_000_000} MB.")
    if not data.strip():
        raise TableRefused("The file is empty.")
    lines = _xlsx(data) if data.startswith(b"PK\x03\x04") else _csv(data)
    found = _sheet(lines, headless=headless)
    if not found.rows:
        raise TableRefused("There are no rows below the header.")
    return found


def _sheet(lines: Iterable[Sequence[str]], *, headless: bool) -> Sheet:
    filled = ((number, line) for number, line in enumerate(lines, 1) if any(cell.strip() for cell in line))
    begins = next(filled, (0, ()))
    header = tuple(_clean(cell) for cell in begins[1])
    while header and not header[-1]:
        header = header[:-1]
    if not header:
        raise TableRefused("The file has no header.")
    if len(header) > MOST_COLUMNS:
        raise TableRefused(f"The table has more than {MOST_COLUMNS} columns.")
    width = len(header)
    rows, numbers, held = [], [], 0
    for number, line in islice(chain([begins] if headless else [], filled), MOST_ROWS + 1):
        cells = [_clean(cell) for cell in line[:width]]
        held += sum(map(len, cells))
        if held > MOST_TEXT:
            raise TableRefused("The table holds too much text.", cure="Split it into several files.")
        rows.append(tuple(cells + [""] * (width - len(cells))))
        numbers.append(number)
    if len(rows) > MOST_ROWS:
        raise TableRefused(f"The table has more than {MOST_ROWS} rows.", cure="Split it into several files.")
    return Sheet(header, rows, numbers)


def _clean(cell: str) -> str:
    text = cell.replace("\0", "").replace("\ufeff", "").strip()
    if len(text) > 1 and text[0] == "'" and text[1] in FORMULA:
        text = text[1:]
    return text[:LONGEST_CELL]


def _csv(data: bytes) -> Iterator[list[str]]:
    text = decode(data)
    if _is_no_text(text):
        raise TableRefused("The file is no table.", cure="Choose a CSV file or an Excel workbook.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        yield from reader
    except csv.Error as error:
        raise TableRefused(f"Line {reader.line_num} cannot be read: {error}.") from error


def _is_no_text(text: str) -> bool:
    """Whether the beginning is full of signs that no text has, as in a picture or an older workbook."""
    head = text[:4000]
    return sum(one < " " and one not in "\t\r\n\f" for one in head) > len(head) / 20


def decode(data: bytes) -> str:
    """The text of a CSV file: by its byte order mark, as UTF-8, else in the Cyrillic or Baltic code page."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        cyrillic = data.decode("cp1251", "replace")
        # Cyrillic words are of Cyrillic letters throughout; in Baltic ones such a letter stands alone.
        return cyrillic if re.search("[А-Яа-яЁё]{3}", cyrillic) else data.decode("cp1257", "replace")


def _delimiter(text: str) -> str:
    head = "\n".join(text.splitlines()[:20])
    best, most = ",", 0
    for delimiter in DELIMITERS:
        lengths = [len(row) for row in csv.reader(io.StringIO(head), delimiter=delimiter) if row]
        score = min(lengths, default=1) * 1000 + sum(lengths)
        if lengths and max(lengths) > 1 and score > most:
            best, most = delimiter, score
    return best


def _xlsx(data: bytes) -> Iterator[list[str]]:
    from openpyxl import load_workbook

    _check_archive(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        for row in sheet.iter_rows(max_row=MOST_ROWS + 2, max_col=MOST_COLUMNS + 1, values_only=True):
            yield [_text(value) for value in row]
        book.close()
    except TableRefused:
        raise
    except Exception as error:
        # The library raises whatever its parsers do; for us it is one thing.
        raise TableRefused("The workbook is damaged.", cure="Save it again, or as CSV.") from error


def _check_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise TableRefused("The workbook is too large when unpacked.")
            for part in parts:
                if part.file_size > 1_000_000 and part.file_size > MOST_RATIO * max(part.compress_size, 1):
                    raise TableRefused("The workbook is packed too tightly to be a table.")
                if part.file_size and part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as opened:
                        head = opened.read(2000)
                        # What is declared stands before the first element.
                        root = re.search(rb"<[A-Za-z_]", head)
                        if root is None or b"<!" in head[: root.start()].replace(b"<!--", b""):
                            raise TableRefused("The workbook declares what no table needs.")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise TableRefused("The workbook is damaged.", cure="Save it again, or as CSV.") from error


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)


def guarded(cell: Any) -> str:
    """A cell's text that no spreadsheet takes for a formula: an apostrophe stands before it where needed."""
    return safe(_text(cell))


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file that spreadsheets open in any language: UTF-8 with its mark, semicolons, no formulas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([guarded(cell) for cell in header])
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def write_xlsx(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """An XLSX file with one sheet; every cell is text, none a formula."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet("frontdesk")
    for row in (header, *rows):
        sheet.append([ILLEGAL_CHARACTERS_RE.sub("", guarded(cell))[:LONGEST_XLSX_CELL] for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
