"""What words alone decide: sure intents, urgency, what is said of a deal."""

from __future__ import annotations

import pytest

from classifier.rules import bounded_urgency, signal, sure_intent, unmarked, urgency
from core.intents import Intent, Signal, Urgency


def folded(text: str) -> str:
    """As the classifier hands texts to rules."""
    return unmarked(text.lower())


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Please remove me from your mailing list", Intent.UNSUBSCRIBE),
        ("Отпишите меня, пожалуйста", Intent.UNSUBSCRIBE),
        ("Išbraukite mane iš sąrašo", Intent.UNSUBSCRIBE),
        ("STOP", Intent.UNSUBSCRIBE),
        ("I am out of the office until Monday", Intent.OUT_OF_OFFICE),
        ("Нахожусь в отпуске до 14 августа", Intent.OUT_OF_OFFICE),
        ("Šiuo metu atostogauju", Intent.OUT_OF_OFFICE),
    ],
)
def test_sure_phrases_decide_the_intent(text: str, intent: Intent) -> None:
    found = sure_intent(folded(text))
    assert found is not None
    assert found.value == intent


def test_an_unsubscribe_line_in_a_far_footer_decides_nothing() -> None:
    assert sure_intent(folded("Please quote 5 pumps. " * 60 + "Unsubscribe me")) is None


def test_please_stop_the_pump_is_no_opt_out() -> None:
    assert sure_intent(folded("Please stop the delivery of order 5")) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Срочно нужен насос", Urgency.HIGH),
        ("не срочно, когда будет время", Urgency.LOW),
        ("Linija stovi, skubiai reikia meistro", Urgency.HIGH),
        ("Neskubu, atsakykite kai galėsite", Urgency.LOW),
        ("We need it ASAP", Urgency.HIGH),
        ("There is no rush", Urgency.LOW),
        ("Send the price list", Urgency.NORMAL),
    ],
)
def test_urgency_is_read_from_words(text: str, value: Urgency) -> None:
    assert urgency(folded(text)).value == value


def test_urgent_a_hundred_times_weighs_as_urgent_once() -> None:
    assert urgency(folded("URGENT! " * 100)).weight == urgency(folded("URGENT!")).weight


def test_a_sender_who_always_cries_urgent_is_answered_like_others() -> None:
    assert bounded_urgency(Urgency.HIGH, 0) == (Urgency.HIGH, "")
    value, reason = bounded_urgency(Urgency.HIGH, 3)
    assert value is Urgency.NORMAL
    assert "3" in reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Для нас слишком дорого", Signal.OBJECTION_PRICE),
        ("Mums per brangu", Signal.OBJECTION_PRICE),
        ("We went with another supplier", Signal.OBJECTION_COMPETITOR),
        ("Вернёмся к этому вопросу осенью", Signal.NOT_NOW),
        ("Kol kas neaktualu", Signal.NOT_NOW),
        ("Please contact my colleague Jonas", Signal.REFERRAL),
        ("Нас всё устраивает, согласны", Signal.POSITIVE),
        ("Not interested, thank you", Signal.NEGATIVE),
    ],
)
def test_what_is_said_of_a_deal_is_read_from_words(text: str, value: Signal) -> None:
    found = signal(folded(text))
    assert found is not None
    assert found.value == value


def test_an_ordinary_letter_says_nothing_of_a_deal() -> None:
    assert signal(folded("Пришлите, пожалуйста, каталог")) is None
