"""Labelled texts from files of several forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.dataset import read_descriptions, read_rows, read_texts
from core.errors import InputRefused


def written(folder: Path, name: str, content: str) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_csv_with_semicolons_and_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, "a.csv", "\ufefftext;label\nкакая цена;price\n"))
    assert [(row.text, row.label) for row in rows] == [("какая цена", "price")]


def test_json_lines_with_one_label_are_read(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, "a.jsonl", '{"text": "hi", "label": "greet"}\n\n'))
    assert rows[0].label == "greet"
    assert not rows[0].many


def test_several_labels_make_rows_that_may_bear_many(tmp_path: Path) -> None:
    content = '{"text": "a", "labels": ["x", "y"]}\n{"text": "b", "labels": []}\n'
    rows = read_rows(written(tmp_path, "a.jsonl", content))
    assert rows[0].labels == ("x", "y")
    assert rows[1].many
    assert rows[1].labels == ()


def test_labels_in_one_csv_cell_are_separated_by_bars(tmp_path: Path) -> None:
    assert read_rows(written(tmp_path, "a.csv", "text,labels\nhi,x|y\n"))[0].labels == ("x", "y")


@pytest.mark.parametrize("mark", ['"oos": true', '"oos": 1', '"label": "oos"', '"label": "out_of_scope"'])
def test_rows_from_outside_are_known_by_flag_or_label(tmp_path: Path, mark: str) -> None:
    row = read_rows(written(tmp_path, "a.jsonl", '{"text": "hi", ' + mark + "}\n"))[0]
    assert row.outside
    assert row.labels == ()


def test_subject_and_body_are_one_text(tmp_path: Path) -> None:
    assert (
        read_rows(written(tmp_path, "a.csv", "subject,body,label\nPump,How much?,price\n"))[0].text
        == "Pump\nHow much?"
    )


def test_a_row_without_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="row 2"):
        read_rows(written(tmp_path, "a.jsonl", '{"text": "a", "label": "x"}\n{"label": "x"}\n'))


@pytest.mark.parametrize("content", ["{bad", '{"text": "a"}\nnot json\n'])
def test_what_is_not_json_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputRefused, match="not JSON"):
        read_rows(written(tmp_path, "a.jsonl", content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="nothing"):
        read_rows(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    "content",
    ['{"a": "first"}', '{"a": {"description": "first"}}', '{"intents": {"a": {"description": "first"}}}'],
)
def test_descriptions_are_read_in_any_of_their_forms(tmp_path: Path, content: str) -> None:
    assert read_descriptions(written(tmp_path, "d.json", content)) == {"a": "first"}


def test_a_pool_may_be_plain_text(tmp_path: Path) -> None:
    assert read_texts(written(tmp_path, "pool.txt", "one\n\ntwo\n")) == ["one", "two"]
