"""What staff correct is learnt, within bounds, and a worse version never replaces a better one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from classifier import store
from classifier.classify import Classifier, Text
from classifier.history import by_week, from_corrections
from classifier.inforce import ClassifierInForce, corrected_lately
from classifier.learning import NothingToLearn, Outcome, due, judge, retrain, train, version_name
from classifier.material import ODD_SIZE, Lesson, Material, capped, gather, odd_batches
from classifier.review import Doubt, ordered, queue
from classifier.versions import rollback, versions
from core.errors import InputRefused, NotFound
from core.labels import (
    Classification,
    Correction,
    Field,
    IntentLabel,
    LabelExample,
    VersionState,
    active_version,
    correct,
    held_out,
    undo,
)
from tests.classifier.letters import colleague, judged, message

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)


def lessons() -> list[Lesson]:
    """A small school: two labels that words tell apart."""
    price = [f"kiek kainuoja prekė {chr(97 + n)}" for n in range(12)]
    fault = [f"neveikia įrenginys {chr(97 + n)}" for n in range(12)]
    return [Lesson(text, "price_request") for text in price] + [
        Lesson(text, "support_problem") for text in fault
    ]


def school(judges: list[Lesson] | None = None, **kwargs: object) -> Material:
    """Material for a quick retraining."""
    return Material(lessons=lessons(), judges=judges or [], **kwargs)  # pyright: ignore[reportArgumentType]


def good() -> list[Lesson]:
    """Judging rows that the small school answers rightly."""
    return [Lesson(f"kiek kainuoja dalis {n}", "price_request") for n in range(15)] + [
        Lesson(f"neveikia dalis {n}", "support_problem") for n in range(15)
    ]


def test_a_correction_is_a_lesson_with_who_and_when(session: Session) -> None:
    rasa = colleague(session)
    letter = judged(session, "Kiek kainuoja siurblys?", "price_request", rasa)
    made = session.scalars(select(Correction)).one()
    assert (made.staff_id, made.value, made.sender) == (rasa.id, "price_request", letter.sender)
    assert made.made_at is not None
    known = session.scalars(select(Classification)).one()
    assert (known.intent, known.abstained) == ("price_request", False)


def test_a_correction_taken_back_teaches_nothing(session: Session) -> None:
    judged(session, "Kiek kainuoja?", "price_request", colleague(session))
    undo(session, session.scalars(select(Correction.id)).one())
    assert gather(session, starter=[]).corrections == 0
    assert session.scalars(select(Classification)).one().intent is None


def test_a_value_that_a_field_cannot_have_is_refused(session: Session) -> None:
    letter = message(session, "labas")
    rasa = colleague(session)
    with pytest.raises(InputRefused):
        correct(session, letter.id, Field.URGENCY, "extreme", staff_id=rasa.id)
    with pytest.raises(NotFound):
        correct(session, letter.id + 1000, Field.INTENT, "order", staff_id=rasa.id)


def test_one_in_five_corrected_messages_judges_and_never_teaches() -> None:
    share = sum(held_out(number) for number in range(10_000)) / 10_000
    assert 0.18 < share < 0.22


def test_no_sender_teaches_more_than_one_row_in_a_hundred() -> None:
    flood = [Lesson(f"buy now {n}", "price_request", sender="spam@x.lt") for n in range(1000)]
    rows = [*(Lesson(f"letter {n}", "other", sender=f"s{n}@x.lt") for n in range(200)), *flood]
    kept, lost = capped(rows)
    mine = [row for row in kept if row.sender == "spam@x.lt"]
    assert len(mine) <= 12
    assert lost == {"spam@x.lt": 1000 - len(mine)}
    assert mine[-1].text == "buy now 999"


def test_a_flood_of_like_corrections_is_shown_and_left_out() -> None:
    rows = [
        Lesson(f"t{n}", "order", staff_id=1, message_id=n, made_at=NOW + timedelta(minutes=n))
        for n in range(40)
    ]
    found = odd_batches(rows)
    assert len(found) == 1
    assert found[0].label == "order"
    assert len(found[0].messages) >= ODD_SIZE


def test_a_day_of_ordinary_corrections_is_not_odd() -> None:
    rows = [
        Lesson(f"t{n}", ("order", "delivery", "other")[n % 3], staff_id=1, message_id=n, made_at=NOW)
        for n in range(60)
    ]
    assert odd_batches(rows) == []


def test_merged_and_retired_labels_are_taught_as_what_stands_for_them(session: Session) -> None:
    session.add_all(
        [
            IntentLabel(key="tender", names={"en": "Tender"}, description="an invitation to a tender"),
            IntentLabel(key="rfq", names={}, merged_into="price_request"),
            IntentLabel(key="old", names={}, active=False),
            LabelExample(intent="rfq", text="request for quotation"),
            LabelExample(intent="old", text="nothing"),
            LabelExample(intent="tender", text="we invite you to the tender"),
        ]
    )
    session.flush()
    taught = gather(session, starter=[])
    assert {row.label for row in taught.lessons} == {"tender", "price_request"}


def test_the_first_own_version_is_put_in_force(session: Session) -> None:
    outcome = retrain(session, material=school(good()))
    assert outcome.verdict.accepted
    version = active_version(session)
    assert version is not None
    assert version.name == outcome.version.name
    assert store.load(version.model).labels == ("price_request", "support_problem")


def test_a_worse_version_is_kept_and_refused(session: Session) -> None:
    retrain(session, material=school(good()))
    present = active_version(session)
    swapped = {"price_request": "support_problem", "support_problem": "price_request"}
    poisoned = Material(lessons=[Lesson(row.text, swapped[row.label]) for row in lessons()], judges=good())
    outcome = retrain(session, material=poisoned)
    assert not outcome.verdict.accepted
    assert outcome.version.state is VersionState.REFUSED
    assert active_version(session) is present


def test_one_point_lower_is_chance_and_two_are_not() -> None:
    model = train(lessons())
    rows = good() * 10
    lies = [Lesson(row.text, "order") for row in rows]
    better = judge(model, model, rows)
    assert better.accepted
    assert judge(model, train([*lessons(), *lies[:60]]), rows).accepted


def test_the_same_lessons_are_not_trained_on_twice(session: Session) -> None:
    retrain(session, material=school(good()))
    with pytest.raises(NothingToLearn):
        retrain(session, material=school(good()))
    assert version_name(lessons()) == version_name(lessons()[::-1])


def two_versions(session: Session) -> tuple[Outcome, Outcome]:
    """An own version and a later one that is as good."""
    first = retrain(session, material=school(good()))
    more = Material(lessons=[*lessons(), Lesson("kiek kainuoja pristatymas", "price_request")], judges=good())
    return first, retrain(session, material=more)


def test_rolling_back_returns_to_the_version_before(session: Session) -> None:
    first, second = two_versions(session)
    assert [version.name for version in versions(session)] == [second.version.name, first.version.name]
    assert rollback(session) == first.version.name
    assert active_version(session) is first.version


def test_rolling_back_the_first_version_returns_to_the_shipped_one(session: Session) -> None:
    retrain(session, material=school(good()))
    assert rollback(session) == "shipped"
    assert active_version(session) is None


def test_a_version_is_chosen_by_name(session: Session) -> None:
    first, second = two_versions(session)
    assert rollback(session, first.version.name) == first.version.name
    assert second.version.state is VersionState.RETIRED
    with pytest.raises(NotFound):
        rollback(session, "own-nothing")


def test_retraining_is_due_after_many_corrections_or_a_day(session: Session) -> None:
    assert due(session) is None
    judged(session, "Kiek kainuoja?", "price_request", colleague(session))
    assert due(session) is not None
    retrain(session, material=school(good()))
    assert due(session) is None


def test_workers_follow_what_is_in_force(session: Session) -> None:
    class Same:
        def __enter__(self) -> Session:
            return session

        def __exit__(self, *_: object) -> None:
            session.flush()

    running = ClassifierInForce(Same, look_every=0.0)
    assert running.version.startswith("shipped-")
    outcome = retrain(session, material=school(good()))
    assert running.version == outcome.version.name
    rollback(session)
    assert running.version.startswith("shipped-")


def test_what_is_remembered_is_the_newest_by_the_label_that_stands_now(session: Session) -> None:
    rasa = colleague(session)
    letter = judged(session, "Kiek kainuoja siurblys?", "order", rasa)
    judged(session, "Kada atvyksite?", "meeting", rasa)
    correct(session, letter.id, Field.INTENT, "price_request", staff_id=rasa.id)
    session.add(IntentLabel(key="meeting", names={}, merged_into="other"))
    session.flush()
    assert [label for _, label in corrected_lately(session)] == ["other", "price_request"]


def test_of_two_letters_alike_the_one_corrected_last_is_followed() -> None:
    known = Classifier.load()
    known.remember([("dėl ano mūsų reikalo vakar", label) for label in ("order", "meeting")])
    assert known.classify([Text("", "Dėl ano mūsų reikalo vakar")])[0].intent == "meeting"


def test_a_batch_that_looks_odd_changes_nothing_at_once_either(session: Session) -> None:
    rasa = colleague(session)
    for number in range(ODD_SIZE):
        judged(session, f"laiškas {number}", "order", rasa)
    assert corrected_lately(session) == []


def test_accuracy_by_week_follows_the_last_word_and_merged_labels(session: Session) -> None:
    rasa = colleague(session)
    letter = message(session, "a")
    session.add(Classification(message_id=letter.id, intent="meeting", alternatives=[["meeting", 0.9]]))
    session.flush()
    correct(session, letter.id, Field.INTENT, "order", staff_id=rasa.id)
    correct(session, letter.id, Field.INTENT, "other", staff_id=rasa.id)
    session.add(IntentLabel(key="meeting", names={}, merged_into="other"))
    session.flush()
    (week,) = by_week(session)
    assert (week.right, week.wrong) == (1, 0)
    assert from_corrections(session).figures["accuracy"] == 1.0


def test_another_precision_makes_another_version(session: Session) -> None:
    first = retrain(session, material=school(good()))
    again = retrain(session, material=school(good()), target=0.8)
    assert first.version.name != again.version.name


def test_accuracy_by_week_counts_what_was_said_before_anybody_touched_it(session: Session) -> None:
    rasa = colleague(session)
    right = judged(session, "a", "order", rasa)
    correct(session, right.id, Field.INTENT, "order", staff_id=rasa.id)
    (week,) = by_week(session)
    assert (week.right, week.wrong, week.silent) == (0, 0, 1)
    assert week.accuracy is None
    assert from_corrections(session).rows == 1


def test_close_calls_and_rare_labels_are_asked_first() -> None:
    from collections import Counter

    clear = Doubt(1, "order", 0.8, 0.1)
    close = Doubt(2, "order", 0.4, 0.38)
    rare = Doubt(3, "tender", 0.4, 0.38)
    asked = ordered([clear, close, rare], Counter({"order": 100}))
    assert [one.message_id for one in asked] == [3, 2, 1]
    assert "few examples of tender" in asked[0].reason


def test_one_sender_does_not_fill_the_review_queue() -> None:
    from collections import Counter

    flood = [Doubt(number, "order", 0.4, 0.4, "spam@x.lt") for number in range(1, 50)]
    other = Doubt(99, "order", 0.7, 0.2, "ona@x.lt")
    assert 99 in [one.message_id for one in ordered([*flood, other], Counter())[:4]]


def test_the_queue_holds_what_nobody_judged_yet(session: Session) -> None:
    letter = message(session, "hm")
    session.add(
        Classification(message_id=letter.id, abstained=True, alternatives=[["order", 0.4], ["other", 0.3]])
    )
    judged(session, "Kiek kainuoja?", "price_request", colleague(session))
    assert [one.message_id for one in queue(session)] == [letter.id]


def test_thousands_of_rows_are_learnt_and_judged_by_one_part() -> None:
    rows = [Lesson(f"kiek kainuoja prekė {n}", "price_request") for n in range(1600)]
    rows += [Lesson(f"neveikia įrenginys {n}", "support_problem") for n in range(1600)]
    model = train(rows)
    assert model.notes["held_accuracy"] == 1.0
    assert model.labels[int(model.probabilities(["neveikia įrenginys"])[0].argmax())] == "support_problem"
