"""Any conditions compile and describe whom they mean; what the schema lacks is refused, saying where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import segments, segments_compile, segments_kept
from core.i18n import texts
from core.segments_compile import contacts
from core.segments_language import FACTS, SegmentRefused, dump, parse
from core.segments_sentence import sentence
from tests.core.segmented import People, conditions, holds, populate


@pytest.fixture(scope="module", params=(1, 2))
def company(request: pytest.FixtureRequest, _shared_engine: sa.Engine) -> Iterator[tuple[Session, People]]:
    """A random company, in a transaction that is rolled back."""
    with _shared_engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session, populate(session, request.param, segments.moment(session))
        outer.rollback()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_conditions_describe_whom_they_mean(data: st.DataObject, company: tuple[Session, People]) -> None:
    session, people = company
    tree = data.draw(conditions(people.staff_ids, people.list_ids))
    meant = {one.id for one in people.contacts if holds(tree, one, people)}
    parsed = parse(tree)
    assert set(session.scalars(contacts(parsed, people.now))) == meant
    assert segments.count(session, parsed) == len(meant)
    kept = segments_kept.count(session, parsed, large=0)
    assert kept.size == segments.size(session, parsed)
    assert [one.id for one in kept.people] == [one.id for one in segments.sample(session, parsed)]
    assert parse(dump(parsed)) == parsed
    for language in ("en", "ru", "lt"):
        assert sentence(parsed, texts(language)).endswith(".")


def test_every_fact_of_the_language_compiles() -> None:
    assert FACTS.keys() == segments_compile.OF_CLIENT.keys() | segments_compile.OF_CONTACT.keys()


VALID = {"version": 1, "group": "all", "of": [{"fact": "silence", "days": 3}]}
BAD: tuple[tuple[Any, str], ...] = (
    (None, "The conditions: they must be an object."),
    ({"group": "all", "of": []}, "The conditions: their version must be 1."),
    ({"version": 2, "group": "all", "of": []}, "The conditions: their version must be 1."),
    ({"version": 1, "fact": "silence", "days": 3}, "The conditions: at the top there must be a group."),
    ({"version": 1, "group": "xor", "of": []}, "The conditions: its conditions are taken together as"),
    ({"version": 1, "group": "all", "of": {}}, "The conditions: what is in the group must be a list."),
    ({"version": 1, "group": "all", "of": [], "sql": "1"}, "The conditions: 'sql' is not known in a group."),
)
BAD_LEAVES: tuple[tuple[Any, str], ...] = (
    (7, "it must be an object"),
    ({}, "neither a group nor a fact"),
    ({"fact": "password_hash", "values": ["x"]}, "nothing of that name"),
    ({"fact": ["region"], "values": ["x"]}, "nothing of that name"),
    ({"fact": "region"}, "values is missing"),
    ({"fact": "region", "values": []}, "must be a list of 1 to 100"),
    ({"fact": "region", "values": "Vilnius"}, "must be a list"),
    ({"fact": "region", "values": ["a\0b"]}, "cannot be stored"),
    ({"fact": "region", "values": ["\ud800"]}, "cannot be stored"),
    ({"fact": "region", "values": ["x" * 201]}, "at most 200"),
    ({"fact": "region", "values": ["x"], "column": "name"}, "'column' is not known here"),
    ({"fact": "silence", "days": "3; drop table contact"}, "whole number"),
    ({"fact": "silence", "days": True}, "whole number"),
    ({"fact": "silence", "days": 0}, "whole number"),
    ({"fact": "silence", "days": 3, "not": 1}, "'not' is true or false"),
    ({"fact": "language", "values": ["de"]}, "must be one of"),
    ({"fact": "wrote", "when": "within"}, "days is missing"),
    ({"fact": "outcome", "outcome": "won", "reasons": ["price"]}, "only a lost deal"),
    ({"fact": "outcome", "outcome": "won", "days": 3}, "go together"),
    ({"fact": "size"}, "least or its most"),
    ({"fact": "size", "least": 9, "most": 3}, "more than the most"),
)


@pytest.mark.parametrize(("data", "said"), BAD)
def test_what_is_no_tree_is_refused(data: Any, said: str) -> None:
    with pytest.raises(SegmentRefused) as refused:
        parse(data)
    assert said in refused.value.message


@pytest.mark.parametrize(("leaf", "said"), BAD_LEAVES)
def test_a_bad_condition_is_refused_with_its_place(leaf: Any, said: str) -> None:
    group = {"group": "any", "of": [{"fact": "silence", "days": 3}, leaf]}
    with pytest.raises(SegmentRefused) as refused:
        parse({"version": 1, "group": "all", "of": [VALID["of"][0], group]})
    assert refused.value.message.startswith("Condition 2.2: ")
    assert said in refused.value.message


def test_too_many_and_too_deep_conditions_are_refused() -> None:
    with pytest.raises(SegmentRefused, match="more than 100"):
        parse({"version": 1, "group": "all", "of": [VALID["of"][0]] * 101})
    deep: Any = {"fact": "silence", "days": 3}
    for _ in range(6):
        deep = {"group": "all", "of": [deep]}
    with pytest.raises(SegmentRefused, match="at most 5 deep"):
        parse({"version": 1, **deep})


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["version", "group", "of", "fact", "values", "days", "not", "when", "x"]),
                inner | st.sampled_from(["all", "region", "silence", "wrote"]),
            )
        ),
        max_leaves=15,
    )
)
def test_whatever_comes_is_a_tree_or_refused(data: Any) -> None:
    try:
        tree = parse(data)
    except SegmentRefused as refused:
        said = refused.message
    else:
        assert parse(dump(tree)) == tree
        said = "Condition 0: well formed"
    assert said.startswith(("The conditions: ", "Condition "))


def test_values_go_to_the_database_beside_the_statement_never_in_it(session: Session) -> None:
    evil = "Vilnius'); drop table contact; --"
    tree = parse({"version": 1, "group": "all", "of": [{"fact": "region", "values": [evil]}]})
    statement = contacts(tree, segments.moment(session)).compile()
    assert "drop table" not in str(statement)
    assert session.scalars(contacts(tree, segments.moment(session))).all() == []
