"""A company's own model beside ours."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

from sqlalchemy.orm import Session

from classifier.classify import Classifier, Text
from classifier.inforce import ClassifierInForce
from classifier.labeller import MemoryLabeller, Opinion, ProgramLabeller, asked_beside, beside

KNOWN = frozenset(Classifier.load().model.labels)
VAGUE = Text("", "Laba diena, rašau dėl ano mūsų reikalo")
CLEAR = Text("", "Please remove me from your mailing list")

ECHO = """
import json, sys
for line in sys.stdin:
    print(json.dumps({"label": "order", "confidence": 0.97, "seen": json.loads(line)["body"]}))
"""


def test_it_is_believed_only_where_ours_keeps_silent() -> None:
    vague, clear = Classifier.load().classify([VAGUE, CLEAR])
    assert beside(vague, Opinion("order", 0.97), KNOWN).intent == "order"
    assert beside(clear, Opinion("order", 0.97), KNOWN) is clear


def test_it_is_not_believed_when_unsure_or_about_labels_of_its_own() -> None:
    vague = Classifier.load().classify([VAGUE])[0]
    assert beside(vague, Opinion("order", 0.5), KNOWN) is vague
    assert beside(vague, Opinion("horoscope", 0.99), KNOWN) is vague
    assert beside(vague, None, KNOWN) is vague


def test_the_twin_answers_by_words() -> None:
    twin = MemoryLabeller({"reikalo": Opinion("meeting", 0.95)})
    assert twin.label([VAGUE, CLEAR]) == [Opinion("meeting", 0.95), None]
    assert len(twin.asked) == 2


def test_a_program_answers_line_by_line() -> None:
    program = ProgramLabeller((sys.executable, "-c", ECHO))
    assert program.label([VAGUE, CLEAR]) == [Opinion("order", 0.97)] * 2


def test_a_program_that_fails_is_late_or_babbles_has_no_opinion() -> None:
    for code, seconds in (
        ("raise SystemExit(1)", 20.0),
        ("import time; time.sleep(60)", 0.5),
        ("print('{')", 20.0),
    ):
        program = ProgramLabeller((sys.executable, "-c", code), timeout=seconds)
        assert program.label([VAGUE]) == [None]
    assert ProgramLabeller(("/nothing/there",)).label([VAGUE]) == [None]


def test_a_program_with_unbelievable_answers_has_no_opinion() -> None:
    code = 'print(\'{"label": 5, "confidence": 2}\')'
    assert ProgramLabeller((sys.executable, "-c", code)).label([VAGUE]) == [None]


def test_only_what_ours_keeps_silent_on_is_shown_to_it() -> None:
    twin = MemoryLabeller({"reikalo": Opinion("meeting", 0.95)})
    ours = Classifier.load().classify([CLEAR, VAGUE, Text("", "?")])
    told = asked_beside(ours, [CLEAR, VAGUE, Text("", "?")], twin, KNOWN)
    assert [one.intent for one in told] == ["unsubscribe", "meeting", None]
    assert twin.asked == [VAGUE]


def test_a_program_that_failed_is_left_alone_for_a_while(tmp_path: Path) -> None:
    tried = tmp_path / "tried"
    program = ProgramLabeller(
        (sys.executable, "-c", f"open({str(tried)!r}, 'a').write('x'); raise SystemExit(1)")
    )
    for _ in range(2):
        assert program.label([VAGUE]) == [None]
    assert tried.read_text() == "x"


def test_the_classifier_in_force_asks_it_where_it_is_given(session: Session) -> None:
    twin = MemoryLabeller({"reikalo": Opinion("meeting", 0.95)})
    for other, intent in ((twin, "meeting"), (None, None)):
        running = ClassifierInForce(lambda: nullcontext(session), other=other)
        assert running.classify([VAGUE])[0].intent == intent
