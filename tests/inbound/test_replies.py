"""The new part of a letter, in three languages and in every program's way of quoting."""

from __future__ import annotations

import pytest

from inbound import quoting
from tests.mail.cases import HERE, Case, read_cases

CASES = [
    pytest.param(case, id=f"{language}: {case.title}")
    for language in ("ru", "lt", "en")
    for case in read_cases(HERE / "replies" / language)
]


@pytest.mark.parametrize("case", CASES)
def test_the_reply_is_whole_and_holds_no_quotation(case: Case) -> None:
    found = quoting.split(case.text, case.html)
    for name, expected in case.expected.items():
        assert getattr(found, name) == expected, name


@pytest.mark.parametrize("case", CASES)
def test_no_word_of_a_letter_is_lost(case: Case) -> None:
    if case.html is not None:
        return
    found = quoting.split(case.text)
    kept = " ".join((found.reply, found.quoted, found.signature, found.disclaimer, found.forward))
    for word in case.text.replace(">", " ").split():
        assert word.strip("ОСПИOSK") == "" or word in kept


def test_each_language_has_enough_cases() -> None:
    counts = {language: len(list(read_cases(HERE / "replies" / language))) for language in ("ru", "lt", "en")}
    assert counts["ru"] >= 40
    assert counts["lt"] >= 40
    assert counts["en"] >= 30


def test_answers_between_questions_keep_their_context() -> None:
    found = quoting.split("On 12/03/2024 10:15, Olga wrote:\n> How many?\nFive.\n\n> When?\nMonday.\n")
    assert found.reply == "Five.\n\nMonday."
    assert "> How many?\nFive." in found.context


def test_html_is_asked_where_the_plain_text_has_no_trace_of_old_mail() -> None:
    html = (
        '<div>Yes.</div><div class="gmail_quote"><blockquote class="gmail_quote">Really?</blockquote></div>'
    )
    assert quoting.split("Yes.\n\nReally?", html).reply == "Yes."


def test_the_reason_names_what_the_old_mail_was_told_by() -> None:
    assert "separator" in quoting.split("Да.\n\n-----Исходное сообщение-----\nОт: а@б.рф\n").reason


def test_a_very_long_letter_is_split_within_its_bounds() -> None:
    found = quoting.split("line\n" * 100_000)
    assert found.reply.startswith("line")
