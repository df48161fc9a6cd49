"""Values are checked against what is declared and shown in the local form of the language."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates import limits
from templates.errors import MissingValues, WrongValue
from templates.grammar import Names
from templates.localforms import LANGUAGES, plural, salutation
from templates.placeholders import PLACEHOLDERS
from templates.rendered import render_email
from templates.values import context, show
from tests.templates.factories import values

NBSP = "\u00a0"


def shown(name: str, value: object, language: str = "en", currency: str = "EUR") -> object:
    return show(PLACEHOLDERS[name], value, language, currency)


def names(*used: str, needed: tuple[str, ...] = ()) -> Names:
    return Names(frozenset(used), frozenset(needed))


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ru", f"3{NBSP}450,00{NBSP}€"), ("lt", f"3{NBSP}450,00{NBSP}€"), ("en", "€3,450.00")],
)
def test_a_sum_has_the_form_of_the_language(language: str, expected: str) -> None:
    assert shown("deal.sum", Decimal(3450), language) == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ru", f"22 ноября 2026{NBSP}г."), ("lt", "2026 m. lapkričio 22 d."), ("en", "22 November 2026")],
)
def test_a_date_is_written_in_words(language: str, expected: str) -> None:
    assert (
        str(shown("document.date", date(2026, 11, 22), language)).replace(" ", " ").replace("\u202f", NBSP)
        == expected
    )


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ru", "26 ноября 2026 г. в 10:05"),
        ("lt", "2026 m. lapkričio 26 d. 10.05 val."),
        ("en", "26 November 2026 at 10:05"),
    ],
)
def test_a_moment_is_said_in_its_own_zone(language: str, expected: str) -> None:
    assert shown("demo.starts", datetime(2026, 11, 26, 10, 5, tzinfo=UTC), language) == expected


def test_a_quantity_loses_needless_zeros_and_a_rate_gets_its_sign() -> None:
    assert shown("deal.lines[].quantity", Decimal("2.50"), "lt") in ("2,5", "2,50")
    assert shown("deal.lines[].quantity", 1200, "ru") == f"1{NBSP}200"
    assert shown("deal.vat_rate", 21, "en") == "21%"


def test_the_currency_is_that_of_the_same_group() -> None:
    given_values = {"deal": {"sum": 100, "currency": "USD"}, "invoice": {"sum": 100}}
    made = context("t", names("deal.sum", "invoice.sum"), given_values, "en")
    assert made == {"deal": {"sum": "US$100.00"}, "invoice": {"sum": "€100.00"}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client.name", 5),
        ("client.name", object()),
        ("client.name", ["a"]),
        ("client.name", "x" * (limits.VALUE_CHARS + 1)),
        ("deal.sum", 3.5),
        ("deal.sum", "many"),
        ("deal.sum", Decimal("NaN")),
        ("deal.sum", Decimal("Infinity")),
        ("deal.sum", 10**15),
        ("deal.sum", True),
        ("invoice.days_late", -1),
        ("invoice.days_late", "9"),
        ("document.date", "2026-11-22"),
        ("demo.starts", datetime(2026, 11, 26, 10, 0)),  # noqa: DTZ001 - a moment without a zone is the fault
        ("links.demo", "javascript:alert(1)"),
        ("links.demo", "https://x.example/\" onclick='x"),
        ("links.demo", "//x.example"),
        ("links.demo", "https://"),
        ("links.demo", "https://x.example/a b"),
        ("deal.currency", "euro"),
        ("company.logo", "https://x.example/logo.png"),
        ("company.logo", "data:image/svg+xml;base64,PHN2Zz4="),
        ("company.logo", "data:image/png;base64,@@@"),
        ("company.logo", "data:image/png;base64,AAAAA"),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(WrongValue) as raised:
        shown(name, value)
    assert raised.value.placeholder == name


@pytest.mark.parametrize(
    "values_given",
    [{"deal": "x"}, {"deal": {"lines": "abc"}}, {"deal": {"lines": [1]}}, {"deal": {"lines": [{}] * 501}}],
)
def test_a_list_must_be_a_short_list_of_dicts(values_given: dict[str, object]) -> None:
    with pytest.raises(WrongValue):
        context("t", names("deal.lines", "deal.lines[].product"), values_given, "en")


def test_a_list_may_not_be_enormous_in_all() -> None:
    items = [{"product": "x" * 90_000}] * 10
    with pytest.raises(WrongValue):
        context("t", names("deal.lines", "deal.lines[].product"), {"deal": {"lines": items}}, "en")


def test_all_missing_values_are_named_at_once() -> None:
    with pytest.raises(MissingValues) as raised:
        render_email(
            "commercial_offer", "lt", values("lt", document__number=None, deal__total="  ", deal__lines=[])
        )
    assert raised.value.missing == ("deal.lines", "deal.total", "document.number")
    assert "email/commercial_offer/lt" in raised.value.message


def test_a_line_without_its_price_holds_the_offer() -> None:
    with pytest.raises(MissingValues) as raised:
        render_email(
            "commercial_offer", "en", values(deal__lines=[{"product": "T5", "quantity": 1, "sum": 5}])
        )
    assert raised.value.missing == ("deal.lines[].price",)


def test_an_optional_value_that_is_absent_is_empty_text() -> None:
    made = context("t", names("client.company", needed=()), {}, "en")
    assert made == {"client": {"company": ""}}


def test_values_a_template_does_not_use_are_not_looked_at() -> None:
    assert render_email("answer", "en", values(deal__sum="nonsense")).text


def test_line_breaks_cannot_reach_a_subject() -> None:
    mail = render_email("answer", "en", values(answer__subject="Price\r\nBcc: all@example.com\nX: y"))
    assert mail.subject == "Price Bcc: all@example.com X: y"


@given(st.text(max_size=300), st.sampled_from(LANGUAGES))
def test_any_name_gives_one_clean_line(name: str, language: str) -> None:
    line = str(shown("client.name", name, language))
    assert len(line.splitlines()) <= 1
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\x00\x1b")
    line.encode("utf-8")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**12))
def test_a_sum_keeps_its_digits_in_every_language(amount: Decimal) -> None:
    for language in LANGUAGES:
        digits = "".join(filter(str.isdigit, str(shown("deal.sum", amount, language))))
        assert int(digits) == int(amount * 100)


@pytest.mark.parametrize(
    ("language", "name", "said", "expected"),
    [
        ("ru", "", "", "Здравствуйте!"),
        ("ru", "Ирина Соколова", "", "Здравствуйте, Ирина Соколова!"),
        ("ru", "Иванов Иван Петрович", "", "Здравствуйте, Иван Петрович!"),
        ("ru", "Анна Сергеевна Белова", "", "Здравствуйте, Анна Сергеевна!"),
        ("ru", "Роман Абрамович", "", "Здравствуйте, Роман Абрамович!"),
        ("ru", "ООО «Склад»", "", "Здравствуйте!"),
        ("ru", "ИВАНОВ И. П.", "", "Здравствуйте!"),
        ("ru", "info@example.com", "", "Здравствуйте!"),
        ("ru", "Иванов Иван Петрович", "Иван", "Здравствуйте, Иван!"),
        ("lt", "Jonas Petraitis", "", "Laba diena,"),
        ("lt", "Jonas Petraitis", "Jonai", "Laba diena, Jonai,"),
        ("en", "Helen Carter", "", "Dear Helen Carter,"),
        ("en", "Ирина Соколова", "", "Hello,"),
        ("en", "sales", "", "Hello,"),
        ("en", "Sales Team 2", "", "Hello,"),
        ("en", "Baltic Storage Ltd", "", "Hello,"),
        ("en", "", "Ms Carter", "Dear Ms Carter,"),
    ],
)
def test_a_letter_opens_without_guessing(language: str, name: str, said: str, expected: str) -> None:
    assert salutation(language, name, said) == expected


@pytest.mark.parametrize(
    ("language", "count", "expected"),
    [
        ("ru", 1, "день"),
        ("ru", 2, "дня"),
        ("ru", 5, "дней"),
        ("ru", 11, "дней"),
        ("ru", 21, "день"),
        ("ru", 112, "дней"),
        ("lt", 1, "diena"),
        ("lt", 2, "dienos"),
        ("lt", 10, "dienų"),
        ("lt", 11, "dienų"),
        ("lt", 21, "diena"),
        ("lt", 0, "dienų"),
        ("en", 1, "day"),
        ("en", 2, "days"),
        ("en", 0, "days"),
    ],
)
def test_a_count_takes_the_right_word_form(language: str, count: int, expected: str) -> None:
    forms = {"ru": ("день", "дня", "дней"), "lt": ("diena", "dienos", "dienų"), "en": ("day", "days")}
    assert plural(count, language, forms[language]) == expected
