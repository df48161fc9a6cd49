"""Addresses, numbers and money in their normal forms."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputRefused
from core.values import (
    BadAddress,
    BadPhone,
    Money,
    is_email,
    is_free_mail,
    normal_email,
    normal_phone,
    suppression_key,
)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Ona@Imone.LT", "ona@imone.lt"),
        (" <ona@imone.lt> ", "ona@imone.lt"),
        ("info@įmonė.lt", "info@xn--mon-zpa48b.lt"),
        ("ИВАН@компания.рф", "иван@xn--80aaz9bcik4f.xn--p1ai"),
        ("a+news@x.lt", "a+news@x.lt"),
        ("ona@imone.lt.", "ona@imone.lt"),
    ],
)
def test_an_address_is_compared_in_its_normal_form(written: str, normal: str) -> None:
    if normal.startswith("иван"):
        normal = "иван@" + "компания.рф".encode("idna").decode()
    if "xn--mon" in normal:
        normal = "info@" + "įmonė.lt".encode("idna").decode()
    assert normal_email(written) == normal


@pytest.mark.parametrize(
    "written",
    ["", "ona", "@imone.lt", "ona@", "ona@imone", "a b@x.lt", "a@x..lt", "a\n@x.lt", ".a@x.lt", "a@-x.lt"],
)
def test_what_is_no_address_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(BadAddress, match=r"name@company\.com"):
        normal_email(written)


@given(st.text(max_size=80))
def test_a_normal_address_stays_as_it_is(text: str) -> None:
    if is_email(text):
        assert normal_email(normal_email(text)) == normal_email(text)


@given(st.emails())
def test_a_real_address_never_holds_a_line_break_or_space(address: str) -> None:
    if is_email(address):
        assert not set(normal_email(address)) & set(" \r\n\t<>,;")


def test_an_opt_out_with_a_tag_stops_the_mailbox() -> None:
    assert suppression_key("Ona+Naujienos@imone.lt") == suppression_key("ona@imone.lt")


@pytest.mark.parametrize("domain", ["gmail.com", "mail.ru", "YANDEX.RU", "inbox.lt"])
def test_free_mail_stands_for_no_company(domain: str) -> None:
    assert is_free_mail(domain)


@pytest.mark.parametrize(
    ("written", "region", "normal"),
    [
        ("8 612 34567", "LT", "+37061234567"),
        ("+370 (612) 34567", "LT", "+37061234567"),
        ("8 (495) 123-45-67", "RU", "+74951234567"),
        ("+44 20 7946 0958", "LT", "+442079460958"),
    ],
)
def test_a_number_is_kept_in_e164(written: str, region: str, normal: str) -> None:
    assert normal_phone(written, region) == normal


@pytest.mark.parametrize("written", ["", "12", "no number", "+370 1"])
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(BadPhone):
        normal_phone(written)


@given(
    st.decimals(min_value=-(10**9), max_value=10**9, places=4),
    st.decimals(min_value=-(10**9), max_value=10**9, places=4),
)
def test_money_adds_in_cents(first: Decimal, second: Decimal) -> None:
    total = Money(first) + Money(second)
    assert total.amount == Money(first).amount + Money(second).amount
    assert total.amount == total.amount.quantize(Decimal("0.01"))


def test_half_a_cent_rounds_up() -> None:
    assert Money(Decimal("0.125")).amount == Decimal("0.13")


def test_two_currencies_do_not_add() -> None:
    with pytest.raises(InputRefused):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")
