"""Which language a text is in."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.language import detect
from classifier.starter import examples


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Prašome atsiųsti sąskaitą", "lt"),
        ("Prasome atsiusti saskaita uz siurblius", "lt"),
        ("Please send us the invoice", "en"),
        ("Пришлите, пожалуйста, счёт", "ru"),
        ("Prishlite pozhaluysta schet na oplatu", "ru"),
        ("Skolko stoit dostavka do Minska?", "ru"),
        ("Zdravstvuyte, nam nuzhno kommercheskoe predlozhenie", "ru"),
        ("Sveiki", "lt"),
        ("ok thanks", "en"),
    ],
)
def test_our_languages_are_recognised(text: str, language: str) -> None:
    assert detect(text).language == language


@pytest.mark.parametrize(
    "text",
    [
        "Guten Tag, wir möchten gerne ein Angebot für Ihre Pumpen erhalten",
        "Dzień dobry, proszę o wycenę trzech pomp",
        "Labdien, lūdzu atsūtiet cenas sūkņiem",
        "Добрий день, надішліть, будь ласка, рахунок на її ім'я",
        "Tere, palun saatke pakkumine",
    ],
)
def test_another_language_is_not_called_ours(text: str) -> None:
    assert detect(text).language is None


@pytest.mark.parametrize("text", ["", " ", "👍", "12345 €", "???", "\u200b"])
def test_a_text_without_words_has_no_language(text: str) -> None:
    assert detect(text).language is None


def test_the_known_language_decides_where_the_text_does_not() -> None:
    assert detect("👍", hint="lt").language == "lt"


def test_the_known_language_does_not_overrule_the_text() -> None:
    assert detect("Пришлите счёт, пожалуйста", hint="lt").language == "ru"


def test_a_mixed_text_gets_its_main_language() -> None:
    text = "Sveiki, gavome jūsų laišką ir norėtume paprašyti, kad atsiųstumėte „Technical data sheet“. Ačiū!"
    assert detect(text).language == "lt"


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    found = detect(text)
    assert found.language in {None, "lt", "ru", "en"}
    assert 0.0 <= found.confidence <= 1.0
    assert found.reason


def test_shipped_letters_are_recognised() -> None:
    rows = [row for row in examples() if len(row.text.body) > 40]
    right = sum(detect(row.text.body).language == row.language for row in rows)
    assert right / len(rows) > 0.985


@pytest.mark.corpus
@pytest.mark.parametrize("marked", [True, False])
def test_public_lithuanian_sentences_are_recognised_with_and_without_marks(
    corpus: Path, marked: bool
) -> None:
    lines = (corpus / "classify" / "sib200_lit_Latn" / "train.jsonl").read_text().splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    if not marked:
        texts = ["".join(c for c in unicodedata.normalize("NFD", text) if c.isascii()) for text in texts]
    right = sum(detect(text).language == "lt" for text in texts)
    assert right / len(texts) > (0.99 if marked else 0.93)
