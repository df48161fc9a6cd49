"""Files as strangers save them: encodings, separators, quotation marks, and what is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.dataset import read_descriptions, read_rows, read_texts
from core.errors import InputRefused


def saved(folder: Path, name: str, content: str | bytes) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_russian_is_read_however_it_was_saved(tmp_path: Path, encoding: str) -> None:
    content = "text;label\nСколько стоит насос НС-40?;Запрос цены\n".encode(encoding)
    assert read_rows(saved(tmp_path, "a.csv", content))[0].text == "Сколько стоит насос НС-40?"


def test_lithuanian_of_old_windows_is_told_from_russian(tmp_path: Path) -> None:
    content = "text,label\nKiek kainuotų šešiolika stalų?,kaina\nGrąžinkite už čekį,grąžinimas\n"
    rows = read_rows(saved(tmp_path, "a.csv", content.encode("cp1257")))
    assert [row.text for row in rows] == ["Kiek kainuotų šešiolika stalų?", "Grąžinkite už čekį"]


def test_a_damaged_letter_does_not_make_utf_8_another_encoding(tmp_path: Path) -> None:
    content = "text,label\nСколько стоит насос\n".encode() + b"\xd0,x\n"
    assert read_rows(saved(tmp_path, "a.csv", content))[0].text.startswith("Сколько")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_separator_is_what_makes_known_columns(tmp_path: Path, mark: str) -> None:
    content = f'"id, old; new"{mark}Text{mark} Label \r\n1{mark}"a {mark} b\nc"{mark}x\r\n'
    row = read_rows(saved(tmp_path, "a.csv", content))[0]
    assert (row.text, row.label) == (f"a {mark} b\nc", "x")


@pytest.mark.parametrize("line_end", ["\u2028", "\x85", "\x0c"])
def test_rare_line_ends_inside_a_text_end_no_row(tmp_path: Path, line_end: str) -> None:
    text = f"one{line_end}two"
    made = json.dumps({"text": text, "label": "x"}, ensure_ascii=False) + "\n"
    assert read_rows(saved(tmp_path, "a.jsonl", made))[0].text == text
    assert read_rows(saved(tmp_path, "a.csv", f"text,label\n{text},x\n"))[0].label == "x"


@pytest.mark.parametrize("said", ["true", "True", "YES", "1", "1.0", "x", "да", "taip", "OOS"])
def test_yes_in_any_spelling_means_outside(tmp_path: Path, said: str) -> None:
    row = read_rows(saved(tmp_path, "a.csv", f"text,label,oos\nhi,weather,{said}\n"))[0]
    assert row.outside
    assert row.labels == ()


@pytest.mark.parametrize("said", ["false", "FALSE", "0", "", "no", "нет", "None"])
def test_no_in_any_spelling_means_ours(tmp_path: Path, said: str) -> None:
    assert read_rows(saved(tmp_path, "a.csv", f"text,label,oos\nhi,x,{said}\n"))[0].labels == ("x",)


@pytest.mark.parametrize("cell", ["a|b", "a; b", "a, b", '"[""a"", ""b""]"', "\"['a', 'b']\"", '" a ,b,"'])
def test_several_labels_of_a_cell_are_told_apart(tmp_path: Path, cell: str) -> None:
    quoted = f'"{cell}"' if "," in cell and not cell.startswith('"') else cell
    row = read_rows(saved(tmp_path, "a.csv", f"text,labels\nhi,{quoted}\n"))[0]
    assert (row.labels, row.many) == (("a", "b"), True)


def test_commas_belong_to_names_where_bars_stand_between_labels(tmp_path: Path) -> None:
    content = 'text,labels\nhi,"Billing, tax|Refund"\nho,"Billing, tax"\n'
    assert read_rows(saved(tmp_path, "a.csv", content))[1].labels == ("Billing, tax",)


def test_a_row_without_the_key_bears_no_label_where_others_bear_many(tmp_path: Path) -> None:
    content = '{"text": "a", "labels": ["x"]}\n{"text": "b"}\n'
    rows = read_rows(saved(tmp_path, "a.jsonl", content))
    assert [(row.labels, row.many) for row in rows] == [(("x",), True), ((), True)]


def test_an_empty_text_is_a_text_and_an_empty_row_none(tmp_path: Path) -> None:
    rows = read_rows(saved(tmp_path, "a.csv", "text,label\n,x\n,\n\nhi,y\n"))
    assert [(row.text, row.label) for row in rows] == [("", "x"), ("hi", "y")]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "I lost my card,card_lost\nwhere is it,card_lost\n", "'i lost my card'"),
        ("a.csv", "text,label\nhello, how are you,greet\n", "3 cells"),
        ("a.csv", 'text,label\n"never closed,x\nmore,y\n', "quotation mark"),
        ("a.csv", "text,label,oos\nhi,x,maybe\n", "'maybe'"),
        ("a.csv", "", "no rows"),
        ("a.csv", "text,label\n", "no rows"),
        ("a.csv", b"text\0label", "not text"),
        ("a.jsonl", '["a", "b"]', "not an object"),
        ("a.json", '[{"text": "a"}', "not JSON"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: str | bytes, told: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        read_rows(saved(tmp_path, name, content))
    assert told in str(refused.value)
    assert name in str(refused.value)
    assert refused.value.cure


@pytest.mark.parametrize("wrapped", ['{"data": %s}', "%s"])
def test_json_may_be_a_list_bare_or_under_a_name(tmp_path: Path, wrapped: str) -> None:
    rows = read_rows(saved(tmp_path, "a.json", wrapped % '[{"text": "a", "label": 3}, {"text": "b"}]'))
    assert [(row.text, row.label, row.known) for row in rows] == [("a", "3", True), ("b", "", False)]


def test_half_a_surrogate_can_be_written_again(tmp_path: Path) -> None:
    assert read_rows(saved(tmp_path, "a.jsonl", '{"text": "hi \\ud83d", "label": "x"}'))[0].text.encode()


def test_descriptions_may_be_rows_of_a_table(tmp_path: Path) -> None:
    path = saved(tmp_path, "d.csv", "label;description\nrefund;money back, please\n")
    assert read_descriptions(path) == {"refund": "money back, please"}


def test_a_pool_may_have_empty_rows(tmp_path: Path) -> None:
    assert read_texts(saved(tmp_path, "p.csv", "text\na\n\nb\n")) == ["a", "b"]


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.jsonl", "a.json", "a.txt"]))
def test_any_bytes_are_rows_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes, name: str
) -> None:
    path = saved(tmp_path_factory.mktemp("any"), name, raw)
    told = ""
    try:
        rows = read_rows(path)
    except InputRefused as refused:
        rows, told = [], str(refused)
    assert "\n" not in told
    assert all(row.text.encode().decode() == row.text for row in rows)
