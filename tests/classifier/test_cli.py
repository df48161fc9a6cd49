"""The classifier's commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from classifier.cli import classifier, classify
from classifier.evaluation import evaluate
from classifier.report import FIGURES, WORDS, page
from classifier.supply import add_folders, add_rows, text_of
from core.errors import InputRefused
from core.labels import LabelExample
from tests.classifier.test_automatic import ROWS, TESTS

MAIL = b"""From: ona@x.lt
Subject: =?utf-8?q?Kiek_kainuoja_siurblys=3F?=
Content-Type: text/plain; charset=windows-1257
Content-Transfer-Encoding: 8bit

""" + "Laba diena, prašome atsiųsti kainą.".encode("cp1257")


def opened(session: Session) -> dict[str, object]:
    """What the desk hands to the commands."""

    @contextmanager
    def transaction() -> Iterator[Session]:
        yield session

    return {"transaction": transaction}


def test_text_on_standard_input_is_classified_as_json() -> None:
    done = CliRunner().invoke(classify, ["--json"], input="Please remove me from your mailing list")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert found["intent"] == "unsubscribe"
    assert found["reasons"][0]["kind"] == "rule"
    assert found["file"] == "-"


def test_mail_and_text_files_are_classified_in_order(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(MAIL)
    (tmp_path / "b.txt").write_text("Отпишите меня от рассылки", encoding="utf-8")
    done = CliRunner().invoke(classify, ["--json", str(tmp_path / "a.eml"), str(tmp_path / "b.txt")])
    first, second = map(json.loads, done.output.splitlines())
    assert (first["language"], first["alternatives"][0]["intent"]) == ("lt", "price_request")
    assert second["intent"] == "unsubscribe"


def test_mail_with_a_broken_charset_is_still_read() -> None:
    broken = MAIL.replace(b"windows-1257", b"no-such-charset").replace(b"=?utf-8?q?", b"=?bad?q?")
    assert "Laba diena" in text_of(broken, "x.eml").body


def test_one_file_trains_and_another_is_answered(tmp_path: Path) -> None:
    for name, rows in (("train", ROWS), ("test", TESTS)):
        lines = [json.dumps({"text": row.text, "label": row.label}) for row in rows]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    arguments = ["evaluate", "--train", str(tmp_path / "train.jsonl"), "--test", str(tmp_path / "test.jsonl")]
    arguments += ["--json", "--predictions", str(tmp_path / "p.jsonl"), "--page", str(tmp_path / "p.html")]
    done = CliRunner().invoke(classifier, arguments)
    assert done.exit_code == 0, done.output
    figures = json.loads(done.output)
    assert figures["accuracy"] == 1.0
    assert {"accuracy_at_80", "accuracy_at_90", "oos_recall_keep_95", "auroc", "ece"} <= figures.keys()
    assert len((tmp_path / "p.jsonl").read_text().splitlines()) == len(TESTS)
    assert "<svg" in (tmp_path / "p.html").read_text()


def test_where_answers_cannot_be_written_is_found_out_before_training(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,x\nb,y\n")
    file = str(tmp_path / "a.csv")
    arguments = [
        "evaluate",
        "--train",
        file,
        "--test",
        file,
        "--predictions",
        str(tmp_path / "no" / "p.jsonl"),
    ]
    done = CliRunner().invoke(classifier, arguments)
    assert isinstance(done.exception, InputRefused)


def test_remarks_stand_beside_the_figures_not_among_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,x\nb,y\nc,\n")
    (tmp_path / "b.csv").write_text("text,label\na,x\nc,unseen\n")
    arguments = ["evaluate", "--train", str(tmp_path / "a.csv"), "--test", str(tmp_path / "b.csv"), "--json"]
    done = CliRunner().invoke(classifier, arguments)
    assert json.loads(done.stdout)["rows"] == 2
    assert "unseen" in done.stderr


def test_explaining_a_letter_shows_words() -> None:
    done = CliRunner().invoke(
        classifier, ["explain", "-", "--label", "price_request"], input="Какая цена насоса?"
    )
    assert done.exit_code == 0, done.output
    assert "цена" in done.output


def test_versions_and_rollback_speak_of_the_shipped_model(session: Session) -> None:
    listed = CliRunner().invoke(classifier, ["versions"], obj=opened(session))
    assert "Only the shipped classifier" in listed.output
    back = CliRunner().invoke(classifier, ["rollback"], obj=opened(session))
    assert "shipped" in back.output


def test_labelled_rows_and_old_folders_become_examples(session: Session, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\nhow much,price_request\n")
    assert add_rows(session, tmp_path / "rows.csv") == 1
    (tmp_path / "box" / "orders").mkdir(parents=True)
    (tmp_path / "box" / "orders" / "1.eml").write_bytes(MAIL)
    assert add_folders(session, tmp_path / "box") == 1
    kept = {example.intent: example.text for example in session.scalars(select(LabelExample))}
    assert kept["price_request"] == "how much"
    assert "prašome" in kept["orders"]


def test_the_report_is_one_page_that_asks_nothing_from_outside() -> None:
    result = evaluate(ROWS, TESTS)
    for language in ("en", "ru", "lt"):
        made = page(result, language, [("2026-W01", 0.8, 10), ("2026-W02", 0.9, 12)])
        assert WORDS[language]["title"] in made
        assert made.count("<svg") == 3
        assert 'class="matrix"' in made
        assert "http" not in made
        assert "<script" not in made
        assert "macro_f1" not in made


def test_the_report_has_the_same_words_in_every_language() -> None:
    for table in (WORDS, FIGURES):
        assert {frozenset(words) for words in table.values()} == {frozenset(table["en"])}
