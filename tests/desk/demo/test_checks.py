"""The checks of the scene find what they are there to find."""

from __future__ import annotations

from dataclasses import replace

from core.outbox import DeliveryState
from desk.demo import checks
from desk.demo.correspondence import Letter
from desk.demo.observed import Counts, Outgoing, Seen

LETTER = Letter("lt/1.eml", ("sales",), "acknowledged", "lt", "inquiry")
GOOD = Seen(
    LETTER, 1, state="understood", message_id=1, language="lt", intent="inquiry", confidence=0.9,
    assignee="Rasa", rule="topic_team", answers=("sent",),
)  # fmt: skip
SENT = Outgoing(1, "acknowledgement:1", DeliveryState.SENT, "ona@imone.example", "Re", "acknowledgement", 1)
BALANCED = Counts(
    appended=3,
    origins=3,
    raw=2,
    by_state={"stored": 0, "understood": 1, "ignored": 0, "quarantined": 1},
    filed=1,
)


def test_a_letter_that_went_as_it_must_is_in_order() -> None:
    assert checks.of_letters([GOOD]) == []


def test_a_wrong_topic_is_found() -> None:
    assert checks.of_letters([replace(GOOD, intent="order")]) != []


def test_silence_about_one_letter_of_many_is_in_order_and_then_nothing_is_acknowledged() -> None:
    silent = replace(GOOD, intent=None, answers=())
    assert checks.of_letters([GOOD, GOOD, silent]) == []
    assert checks.of_letters([GOOD, GOOD, replace(silent, answers=("sent",))]) != []


def test_silence_about_most_letters_is_found() -> None:
    assert checks.of_letters(
        [GOOD, replace(GOOD, intent=None, answers=()), replace(GOOD, intent=None, answers=())]
    )


def test_a_wrong_language_a_lost_letter_a_doubled_one_and_one_without_a_colleague_are_found() -> None:
    for fault in (
        {"language": "ru"},
        {"times": 0},
        {"times": 2},
        {"assignee": ""},
        {"answers": ("sent", "sent")},
    ):
        assert checks.of_letters([replace(GOOD, **fault)]) != []


def test_a_machine_that_was_filed_or_ignored_without_a_reason_is_found() -> None:
    machine = replace(
        GOOD, letter=replace(LETTER, treatment="machine"), times=0, state="ignored", reason="a list"
    )
    assert checks.of_letters([machine]) == []
    assert checks.of_letters([replace(machine, reason="")]) != []
    assert checks.of_letters([replace(machine, times=1, state="understood")]) != []


def test_what_cannot_be_read_must_be_in_quarantine() -> None:
    broken = replace(GOOD, letter=replace(LETTER, treatment="quarantined"), times=0, state="quarantined")
    assert checks.of_letters([broken]) == []
    assert checks.of_letters([replace(broken, state="")]) != []


def test_a_delivery_sent_twice_never_or_uncertain_is_found() -> None:
    assert checks.of_deliveries([SENT], []) == []
    for fault in ({"taken": 2}, {"taken": 0}, {"state": DeliveryState.UNCERTAIN}):
        assert checks.of_deliveries([replace(SENT, **fault)], []) != []


def test_a_letter_at_the_relay_that_is_on_no_record_is_found() -> None:
    assert checks.of_deliveries([SENT], ["x@y"]) != []


def test_numbers_that_do_not_add_up_are_found() -> None:
    assert checks.of_counts(BALANCED, distinct=2, quarantined=1) == []
    assert checks.of_counts(replace(BALANCED, origins=2), distinct=2, quarantined=1) != []
    assert checks.of_counts(BALANCED, distinct=3, quarantined=1) != []
    assert checks.of_counts(BALANCED, distinct=2, quarantined=0) != []
    assert checks.of_counts(replace(BALANCED, filed=2), distinct=2, quarantined=1) != []


def test_books_that_do_not_add_up_are_passed_on() -> None:
    assert checks.of_ledger(0) == []
    assert checks.of_ledger(1) != []
