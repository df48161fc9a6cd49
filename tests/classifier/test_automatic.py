"""Training that chooses for itself, judged on texts it has not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from classifier.automatic import spoken_name, train
from classifier.dataset import Row
from classifier.evaluation import as_text, evaluate, prediction_rows, remarks
from classifier.manylabels import Meanings
from core.errors import InputRefused

PRICE = [
    "how much is {}",
    "price of {} please",
    "what does {} cost",
    "quote for {}",
    "cost of {}",
    "your price for {}",
]
FAULT = ["{} is broken", "{} does not work", "error with {}", "{} stopped", "my {} leaks", "{} fails again"]
THINGS = ["the pump", "a valve", "this motor", "our filter", "the press"]
ROWS = [Row(form.format(thing), ("price",)) for form in PRICE for thing in THINGS]
ROWS += [Row(form.format(thing), ("fault",)) for form in FAULT for thing in THINGS]
STRANGERS = [
    Row(text, outside=True) for text in ("nice weather today", "happy birthday", "who won the match", "sing")
]
TESTS = [
    Row("what would the compressor cost", ("price",)),
    Row("compressor broken, does not work", ("fault",)),
]


def test_new_texts_get_their_label() -> None:
    result = evaluate(ROWS, TESTS)
    assert result.figures["accuracy"] == 1.0
    assert result.figures["oos_recall_keep_95"] is None


def test_training_twice_gives_the_same_answers() -> None:
    first, second = (train(ROWS).answer([row.text for row in TESTS]) for _ in range(2))
    assert first.said == second.said
    assert (first.probabilities == second.probabilities).all()


def test_strangers_look_less_like_ours() -> None:
    result = evaluate([*ROWS, *STRANGERS], [*TESTS, Row("happy weather, who won", outside=True)])
    assert result.figures["auroc"] == 1.0
    assert all(said != ("oos",) for said in result.answers.said)


def test_texts_without_labels_may_teach() -> None:
    pool = [f"{thing} leaks and leaks" for thing in THINGS] + [
        f"cheap offer cost {thing}" for thing in THINGS
    ]
    assert evaluate(ROWS[::3], TESTS, pool=pool).figures["accuracy"] == 1.0


def test_a_text_may_bear_several_labels_or_none() -> None:
    words = {"pump": "about a pump", "price": "asks how much it costs", "urgent": "wants it at once"}
    rows = [
        Row(f"{first} {second}", tuple(label for label in (a, b) if label), many=True)
        for first, a in (("pump leaks", "pump"), ("hello there", ""), ("the pumps", "pump"), ("good day", ""))
        for second, b in (
            ("what price", "price"),
            ("urgent please", "urgent"),
            ("thanks", ""),
            ("costs?", "price"),
        )
    ]
    tests = [
        Row("pump, what price", ("pump", "price"), many=True),
        Row("good day thanks", (), many=True),
    ]
    result = evaluate(rows, tests, descriptions=words)
    assert set(result.answers.said[0]) == {"pump", "price"}
    assert result.answers.said[1] == ()
    assert 0.0 <= (result.figures["ece"] or 0.0) <= 1.0


def test_words_common_to_all_descriptions_mean_nothing() -> None:
    told = {
        label: f"is the intent to {label} something"
        for label in ("affirm", "deny", "repeat", "cancel", "greet")
    }
    meant = Meanings.of(sorted(told), told)
    assert all("intent" not in words for words in meant.stems)


def test_one_label_a_row_is_believed_although_the_file_could_say_several() -> None:
    rows = [replace(row, many=True) for row in ROWS]
    assert all(len(said) == 1 for said in evaluate(rows, TESTS).answers.said)


@pytest.mark.parametrize(
    "rows",
    [
        [Row("a", ("x",), many=True), Row("b", ("x",), many=True)],
        [Row("a", ("x",), many=True), Row("", ("x", "y"), many=True), Row("c", (), many=True)],
        [Row("a", ("x",)), Row("a", ("y",))],
        [Row("", ("x",)), Row("", ("y",)), Row("?", ("z",))],
        [*ROWS[:3], Row("only once", ("rare",)), Row("stranger", outside=True)],
    ],
)
def test_hardly_any_rows_still_give_an_answer(rows: list[Row]) -> None:
    answers = train(rows).answer(["a", "", "something else"])
    assert len(answers.said) == 3
    assert ((answers.confidence >= 0) & (answers.confidence <= 1)).all()


def test_rows_without_a_label_teach_nothing_and_are_not_judged() -> None:
    told = remarks([*ROWS, Row("what")], [*TESTS, Row("what"), Row("a parrot", ("bird",))])
    assert [one.split(":")[0][:20] for one in told] == [
        "Training rows withou",
        "Test rows without a ",
        "Labels of the test t",
    ]
    result = evaluate([*ROWS, Row("what")], [*TESTS, Row("what")])
    assert result.figures["accuracy"] == 1.0
    assert len(prediction_rows([*TESTS, Row("what")], result.answers)) == 3


def test_a_test_of_strangers_alone_is_measured() -> None:
    result = evaluate([*ROWS, *STRANGERS], STRANGERS)
    assert result.figures["auroc"] is None
    assert len(result.answers.said) == len(STRANGERS)


def test_a_pool_that_is_not_used_is_told() -> None:
    rows = [replace(ROWS[0], many=True), Row("both", ("price", "fault"), many=True)]
    assert "pool" in remarks(rows, rows, ["a"])[0]
    assert not remarks([replace(row, many=True) for row in ROWS], ROWS, ["a"])


def test_a_test_without_labels_is_refused() -> None:
    with pytest.raises(InputRefused, match="No test row"):
        evaluate(ROWS, [Row("what")])


def test_a_column_of_numbers_is_not_taken_for_labels() -> None:
    with pytest.raises(InputRefused, match="different labels"):
        train([Row("text", (str(number),)) for number in range(2_001)])


def test_one_in_twenty_of_ours_lies_below_the_border() -> None:
    model = train([*ROWS, *STRANGERS])
    assert (model.answer([row.text for row in ROWS]).inside >= 0).mean() > 0.9


def test_one_label_alone_is_refused() -> None:
    with pytest.raises(InputRefused, match="two different labels"):
        train([Row("a", ("x",)), Row("b", ("x",))])


def test_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(InputRefused):
        train([])


@pytest.mark.parametrize(
    ("label", "name"),
    [("card_payment_fee", "card payment fee"), ("FindConnection", "find connection"), ("17", ""), ("C4", "")],
)
def test_a_label_is_read_as_words(label: str, name: str) -> None:
    assert spoken_name(label) == name


def test_every_answer_can_be_written_down() -> None:
    result = evaluate(ROWS, TESTS)
    written = prediction_rows(TESTS, result.answers)
    assert [row["labels"] for row in written] == [["price"], ["fault"]]
    assert [row["true"] for row in written] == [["price"], ["fault"]]
    assert all(0 <= row["confidence"] <= 1 for row in written)
    written_out = as_text(result)
    for part in ("accuracy", "true (rows) and said (columns)", "answered  right", "said to be sure"):
        assert part in written_out
    assert {
        "accuracy",
        "macro_f1",
        "micro_f1",
        "ece",
        "train_seconds",
        "ms_per_message",
    } <= result.as_data().keys()
