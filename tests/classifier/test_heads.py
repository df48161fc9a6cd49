"""Signals and products learnt beside the intent, in one feature space."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy.orm import Session

from classifier import store
from classifier.classify import INTEREST, SIGNAL, URGENCY, Classifier, ProductTerms, Text
from classifier.heads import FEWEST, Question, Row, fit_head
from classifier.learning import train
from classifier.material import Lesson
from classifier.modelling import fit_model
from classifier.sidelessons import bounded, interest_question, signals_taught, urgency_question
from classifier.training import RECIPE
from core.catalogue import Product
from core.intents import Signal, Urgency
from core.labels import Field, correct
from tests.classifier.letters import colleague, judged, message

PUMPS = [
    "our well runs dry and water does not reach the second floor",
    "water from the well no longer reaches the upper floor",
    "how do we lift water from a well of forty metres",
    "the borehole gives too little water for the garden",
    "we need to raise water from a deep borehole",
    "there is no water pressure from our well",
]
OTHER = [
    "please send the invoice again",
    "when does the truck arrive",
    "the chairs are broken",
    "we would like to meet on friday",
    "the contract is signed",
    "send the price list please",
    "the printer has stopped",
    "thank you for the visit",
]


def _question() -> Question:
    rows = [Row(text, ("well-pump",), f"client{i}@a.lt", i) for i, text in enumerate(PUMPS)]
    rows += [Row(text, (), "other@b.lt", 50 + i) for i, text in enumerate(OTHER)]
    return Question(INTEREST, rows, [("well pump", "well-pump")], many=True, target=0.7)


def _classifier(question: Question) -> Classifier:
    texts = [*PUMPS, *OTHER]
    return Classifier(fit_model(texts, ["inquiry"] * 6 + ["other"] * 8, recipe=RECIPE, questions=[question]))


def test_a_product_is_recognised_by_words_that_staff_taught() -> None:
    pump = ProductTerms("well-pump", ("Submersible pump",))
    (labels,) = _classifier(_question()).classify([Text("", "the well gives no water upstairs")], [pump])
    assert [key for key, _sure, _why in labels.interests] == ["well-pump"]
    assert labels.interests[0][2].startswith("learnt: ")


def test_a_product_that_left_the_catalogue_is_not_recognised() -> None:
    chair = ProductTerms("chair", ("Chair",))
    (labels,) = _classifier(_question()).classify([Text("", "the well gives no water upstairs")], [chair])
    assert labels.interests == ()


def test_one_sender_teaches_nothing_about_a_product() -> None:
    question = _question()
    question.rows = [Row(row.text, row.labels, "same@a.lt", row.group) for row in question.rows]
    model = fit_model([*PUMPS, *OTHER], ["inquiry"] * 6 + ["other"] * 8, recipe=RECIPE)
    assert fit_head(model.features, question, RECIPE) is None


@pytest.mark.parametrize("count", [1, FEWEST - 1])
def test_few_examples_teach_nothing_about_a_product(count: int) -> None:
    question = _question()
    question.rows = question.rows[:count] + question.rows[6:]
    model = fit_model([*PUMPS, *OTHER], ["inquiry"] * 6 + ["other"] * 8, recipe=RECIPE)
    assert fit_head(model.features, question, RECIPE) is None


def test_heads_survive_being_stored() -> None:
    classifier = _classifier(_question())
    again = store.load(store.dump(classifier.model))
    matrix = again.features.transform(PUMPS)
    head, kept = classifier.model.heads[INTEREST], again.heads[INTEREST]
    assert np.abs(head.chances(matrix) - kept.chances(matrix)).max() < 0.01
    assert kept.many


def test_the_shipped_model_sees_a_signal_that_no_rule_knows() -> None:
    (labels,) = Classifier.load().classify([Text("", "Вы опоздали, тендер выиграл другой участник")])
    assert labels.signal is Signal.OBJECTION_COMPETITOR


def test_signal_words_in_a_letter_about_something_else_are_not_believed() -> None:
    classifier = Classifier.load()
    assert SIGNAL in classifier.model.heads
    (labels,) = classifier.classify(
        [Text("Out of office", "I am away until Monday. In urgent cases please contact my colleague.")]
    )
    assert labels.signal is not Signal.REFERRAL


def test_corrections_of_products_become_rows(session: Session) -> None:
    rasa = colleague(session)
    session.add(Product(key="pump", names={"en": "Pump"}, articles=[]))
    for number in range(3):
        made = message(session, f"{PUMPS[number]}", f"c{number}@a.lt")
        correct(session, made.id, Field.INTEREST_ADDED, "pump", staff_id=rasa.id)
    judged(session, OTHER[0], "invoice_payment", rasa)
    question = interest_question(session, [])
    assert sorted(row.labels for row in question.rows) == [(), ("pump",), ("pump",), ("pump",)]
    assert question.always == [("pump", "pump")]


def test_a_product_taken_away_teaches_that_it_was_not_meant(session: Session) -> None:
    rasa = colleague(session)
    made = message(session, PUMPS[0])
    correct(session, made.id, Field.INTEREST_ADDED, "pump", staff_id=rasa.id)
    correct(session, made.id, Field.INTEREST_REMOVED, "pump", staff_id=rasa.id)
    assert [row.labels for row in interest_question(session, []).rows] == [()]


def test_corrected_signals_become_rows(session: Session) -> None:
    rasa = colleague(session)
    made = message(session, "we are thinking about it")
    correct(session, made.id, Field.SIGNAL, "not_now", staff_id=rasa.id)
    (row,) = signals_taught(session)
    assert row.labels == ("not_now",)


def test_b64_one_sender_is_bounded_in_what_products_are_taught_by() -> None:
    rows = [Row(f"text {i}", ("pump",), "flood@evil.lt", i) for i in range(1_000)]
    rows += [Row(f"mail {i}", (), f"c{i}@a.lt", i) for i in range(100)]
    kept = bounded(rows)
    assert sum(row.sender == "flood@evil.lt" for row in kept) == 55


def test_a_version_taught_by_staff_has_both_heads() -> None:
    lessons = [Lesson(text, "inquiry") for text in PUMPS] + [Lesson(text, "other") for text in OTHER]
    signals = [Row(f"too expensive for us {i}", ("objection_price",), group=i) for i in range(8)]
    signals += [Row(f"send the file {i}", ("none",), group=20 + i) for i in range(8)]
    made = train(lessons, questions=[_question(), Question(SIGNAL, signals)])
    assert set(made.heads) == {INTEREST, SIGNAL}


def _urgent_wells() -> Question:
    rows = [Row(text, ("high",), f"client{i}@a.lt", i) for i, text in enumerate(PUMPS)]
    rows += [Row(text, ("normal",), "other@b.lt", 50 + i) for i, text in enumerate(OTHER)]
    return Question(URGENCY, rows, target=0.7)


def test_what_staff_called_urgent_is_urgent_without_any_urgent_word() -> None:
    (labels,) = _classifier(_urgent_wells()).classify([Text("", "the well gives no water upstairs")])
    assert labels.urgency is Urgency.HIGH
    assert any(one.kind == "urgency" and one.text.startswith("learnt: ") for one in labels.reasons)


def test_without_corrections_urgent_words_alone_decide() -> None:
    (labels,) = Classifier.load().classify([Text("", "the well gives no water upstairs, urgent!")])
    assert labels.urgency is Urgency.HIGH


def test_urgencies_teach_from_five_messages_of_two_senders_on(session: Session) -> None:
    rasa = colleague(session)
    sizes = []
    for number in range(FEWEST):
        made = message(session, PUMPS[number], f"c{number}@a.lt")
        correct(session, made.id, Field.URGENCY, "high", staff_id=rasa.id)
        sizes.append(len(urgency_question(session, []).rows))
    assert sizes == [0] * (FEWEST - 1) + [FEWEST]
