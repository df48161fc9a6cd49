"""What conditions say is kept for a while, and whoever is shown it reads of when it is.

Beside no company whose transaction stays open over several tests: keeping writes rows that both would hold.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from core import segments_kept
from core.accounts import Contact
from core.segments_language import parse


def test_a_kept_answer_says_of_when_it_is_and_is_given_anew_when_asked(session: Session) -> None:
    tree = parse({"version": 1, "group": "all", "of": [{"fact": "language", "values": ["lt"], "not": True}]})
    session.add(Contact(name="Ona", language="ru"))
    session.flush()
    first = segments_kept.count(session, tree, large=0)
    session.add(Contact(name="Jonas", language="en"))
    session.flush()
    again = segments_kept.count(session, tree, large=0)
    assert again == first
    assert again.as_of is not None
    segments_kept.forget(session, tree)
    assert segments_kept.count(session, tree, large=0).size.people == first.size.people + 1
    assert segments_kept.count(session, tree).as_of is None, "a small company is always asked"
