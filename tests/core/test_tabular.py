"""Tables from files of every kind, within bounds; and out again without a formula."""

from __future__ import annotations

import csv
import io
import random
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from core import tabular
from core.tabular import TableRefused, guarded, read, write_csv, write_xlsx


def _book(rows: list[list[object]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "Имя;Город\nЁлкин;Рига\n"),
        ("utf-8-sig", "Vardas;Miestas\nŽukauskaitė;Šiauliai\n"),
        ("utf-16", "Имя\tГород\nЁлкин\tРига\n"),
        ("cp1251", "Имя;Город\nЁлкин;Рига\n"),
        ("cp1257", "Vardas;Miestas\nŽukauskaitė;Šiauliai\n"),
    ],
)
def test_csv_is_read_in_whatever_encoding_it_comes(encoding: str, text: str) -> None:
    sheet = read(text.encode(encoding))
    expected = [tuple(line.replace("\t", ";").split(";")) for line in text.splitlines()]
    assert [sheet.header, *sheet.rows] == expected


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    sheet = read(f'name{delimiter}city\n"Ona{delimiter}Ž."{delimiter}Vilnius\n'.encode())
    assert sheet.rows == [(f"Ona{delimiter}Ž.", "Vilnius")]


def test_short_rows_are_filled_and_empty_ones_left_out() -> None:
    assert read(b"a,b,c\n1\n\n,,\n1,2,3,4\n").rows == [("1", "", ""), ("1", "2", "3")]


def test_a_workbook_is_read_with_numbers_as_people_write_them() -> None:
    sheet = read(
        _book([["name", "code", "size"], ["Ona", 300012345, 4.0], [None, None, None], ["Jonas", "x", 2.5]])
    )
    assert sheet.header == ("name", "code", "size")
    assert sheet.rows == [("Ona", "300012345", "4"), ("Jonas", "x", "2.5")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"name,email\n", "no rows"),
        (b"PK\x03\x04" + b"\0" * 40, "damaged"),
        (b",".join([b"c"] * 101) + b"\n" + b",".join([b"1"] * 101), "more than 100 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(data: bytes, said: str) -> None:
    with pytest.raises(TableRefused, match=said):
        read(data)


def _archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(TableRefused, match="too tightly"):
        read(_archive({"xl/worksheets/sheet1.xml": b" " * 50_000_000}))
    with pytest.raises(TableRefused, match="too large when unpacked"):
        read(_archive({f"part{number}": b"x" for number in range(1001)}))


def test_a_document_type_is_refused() -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>'
    with pytest.raises(TableRefused, match="declares"):
        read(_archive({"xl/workbook.xml": laughs}))


@pytest.mark.parametrize(
    "document",
    [
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>'.encode("utf-16"),
        b"<!--" + b"-" * 3000 + b'--><!DOCTYPE a [<!ENTITY b "ha">]><a>&b;</a>',
    ],
    ids=["UTF-16", "behind a comment"],
)
def test_a_document_type_that_hides_is_refused(document: bytes) -> None:
    with pytest.raises(TableRefused, match="declares"):
        read(_archive({"xl/workbook.xml": document}))


def test_one_long_text_in_a_million_cells_is_refused() -> None:
    numbers = random.Random(7)
    rows = [["y" * 2000] * 60 + [numbers.random() for _ in range(40)] for _ in range(420)]
    with pytest.raises(TableRefused, match="too much text"):
        read(_book([["x"] * 100, *rows]))


def test_too_much_is_refused() -> None:
    with pytest.raises(TableRefused, match="too large"):
        read(b"x" * (tabular.MOST_BYTES + 1))
    with pytest.raises(TableRefused, match="more than 100000 rows"):
        read(b"a\n" + b"1\n" * 100_001)


@pytest.mark.parametrize("cell", ["=1+1", "+37060000000", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "  =1"])
def test_no_cell_leaves_as_a_formula(cell: str) -> None:
    assert guarded(cell).startswith("'")
    rows = csv.reader(io.StringIO(write_csv(["h"], [[cell]]).decode("utf-8-sig"), newline=""), delimiter=";")
    assert list(rows)[1][0].startswith("'")
    written = load_workbook(io.BytesIO(write_xlsx(["h"], [[cell]]))).worksheets[0]["A2"]
    assert written.data_type == "s"
    assert written.value.startswith("'")


@given(st.lists(st.lists(st.text(max_size=30), min_size=3, max_size=3), min_size=1, max_size=5))
def test_what_is_written_is_read_back_and_is_never_a_formula(rows: list[list[str]]) -> None:
    data = write_csv(["a", "b", "c"], rows)
    for line in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"):
        for cell in line:
            assert not cell.lstrip(" ")[:1] or cell.lstrip(" ")[0] not in tabular.FORMULA
    write_xlsx(["a", "b", "c"], rows)


@given(st.binary(max_size=400))
def test_whatever_bytes_come_are_a_table_or_refused(data: bytes) -> None:
    try:
        sheet = read(data)
    except TableRefused:
        return
    assert all(len(row) == len(sheet.header) for row in sheet.rows)


def test_rows_keep_the_numbers_that_a_spreadsheet_shows():
    sheet = read("El. paštas\n\na@x.lt\n;;\nb@x.lt\n".encode())
    assert [(number, row[0]) for number, row in sheet.numbered()] == [(3, "a@x.lt"), (5, "b@x.lt")]


def test_a_picture_under_the_name_of_a_table_is_refused():
    with pytest.raises(TableRefused, match="no table"):
        read(bytes(range(256)) * 40)
