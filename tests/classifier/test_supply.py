"""A company's own letters: whose labels they are, what is stored once, and what is no letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classifier.ownlabels import MOST, keys_of
from classifier.supply import add_folders, add_rows
from core.errors import InputRefused
from core.labelbook import add_label, labels
from core.labels import LabelExample


def test_a_label_is_known_by_its_name_in_any_language_and_spelling(session: Session) -> None:
    add_label(session, {"lt": "Grąžinimas", "en": "Return of goods"})
    said = ["price_request", "Price request", "PRICE-REQUEST", "Запрос цены", "grąžinimas"]
    found = keys_of(session, said)
    assert {found[one] for one in said[:4]} == {"price_request"}
    assert found["grąžinimas"] == "return_of_goods"


def test_an_unknown_label_of_a_file_can_be_renamed_and_merged_like_any_other(session: Session) -> None:
    found = keys_of(session, ["card_lost", "Возврат тары", "17"])
    entries = {one.key: one for one in labels(session)}
    assert entries[found["card_lost"]].name("en") == "Card lost"
    assert entries[found["Возврат тары"]].names == {"ru": "Возврат тары"}
    assert entries[found["17"]].own


def test_two_names_that_are_spelled_alike_in_latin_stay_two_labels(session: Session) -> None:
    found = keys_of(session, ["Sąskaita", "Saskaita"])
    assert len(set(found.values())) == 2


def test_a_column_of_other_things_is_not_taken_for_labels(session: Session) -> None:
    with pytest.raises(InputRefused, match="different labels"):
        keys_of(session, [f"ticket {number}" for number in range(MOST + 1)])


def test_the_same_file_given_twice_teaches_once(session: Session, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label,oos\nhow much,Price request,\nnice weather,,yes\n")
    assert add_rows(session, tmp_path / "a.csv") == 2
    assert add_rows(session, tmp_path / "a.csv") == 0
    assert set(session.scalars(select(LabelExample.intent))) == {"price_request", "other"}


def test_a_row_with_several_labels_teaches_no_intent(session: Session, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,labels\nhow much,order|delivery\n")
    with pytest.raises(InputRefused, match="row 1 has several labels"):
        add_rows(session, tmp_path / "a.csv")


def test_what_is_neither_mail_nor_text_in_a_folder_is_left_out(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "box" / "Complaint"
    folder.mkdir(parents=True)
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF")
    (folder / "empty.eml").write_bytes(b"From: a@b.lt\n\n")
    (folder / "1.txt").write_text("The goods came broken")
    assert add_folders(session, tmp_path / "box") == 1
    assert session.scalar(select(func.max(LabelExample.intent))) == "complaint"


def test_a_mailbox_is_read_as_mail_programs_keep_it(session: Session, tmp_path: Path) -> None:
    letter = b"From: a@b.lt\nSubject: Hello\n\n"
    box = (
        b"From a@b.lt Mon\n"
        + letter
        + b"How much is it?\nFrom us.\n\nFrom c@d.lt Tue\n"
        + letter
        + b"And that?\n"
    )
    (tmp_path / "Prices.mbox").write_bytes(box)
    (tmp_path / "Prices.msf").write_text("an index")
    (tmp_path / ".Complaint" / "cur").mkdir(parents=True)
    (tmp_path / ".Complaint" / "cur" / "17:2,S").write_bytes(letter + b"It came broken")
    (tmp_path / ".Complaint" / "dovecot-uidlist").write_text("3 V1 N2")
    assert add_folders(session, tmp_path) == 3
    kept = session.execute(select(LabelExample.intent, LabelExample.text)).all()
    assert {tuple(row) for row in kept} == {
        ("prices", "How much is it?\nFrom us."),
        ("prices", "And that?"),
        ("complaint", "It came broken"),
    }
