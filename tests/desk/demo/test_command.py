"""`frontdesk demo` as it is given at the command line, where it does not come to a demonstration."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from desk.cli import main


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0), capsys.readouterr().err.strip()


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    code, told = said(["demo", "--folder", str(tmp_path)], capsys)
    assert (code, told) == (
        1, f"frontdesk: {tmp_path} is not empty. Name a new folder, or leave --folder out.",
    )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_an_empty_letter_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    code, told = said(["demo", "send"], capsys)
    assert (code, told) == (1, "frontdesk: The letter is empty. Write something, or pipe it in.")
