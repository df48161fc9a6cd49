"""Two clients made one, and taken apart exactly as they were."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import defaults, merging
from core.accounts import Account, AccountDomain, BuyingRole, Contact, ContactPoint, PointKind
from core.campaigns import Campaign, CampaignRecipient
from core.catalogue import Product, ProductInterest
from core.contactfacts import ContactIntent
from core.conversations import Conversation, Direction, Message
from core.db import models
from core.deals import Deal
from core.duplicates import Pair
from core.errors import Conflict, IllegalTransition, InputRefused, NotFound
from core.lists import ContactList, ContactListMember
from core.pipelines import default_pipeline, first_stage
from core.sequences import Enrolment, EnrolmentState, EnrolmentStep, Sequence
from core.suggestions import Suggestion, SuggestionKind
from core.tasks import Task

NOT_COMPARED = {"client_merge", "audit_entry", "search_waiting"}
START = datetime(2026, 1, 1, tzinfo=UTC)

Rows = dict[str, list[str]]


def rows(session: Session) -> Rows:
    """Every row of every table as text, read in one go."""
    session.flush()
    parts = [
        sa.select(
            sa.literal(table.name), sa.cast(sa.func.to_jsonb(sa.literal_column(f'"{table.name}"')), sa.Text)
        ).select_from(table)
        for table in models().sorted_tables
        if table.name not in NOT_COMPARED
    ]
    found: Rows = {}
    for name, row in session.execute(sa.union_all(*parts)):
        found.setdefault(name, []).append(row)
    return {name: sorted(each) for name, each in found.items()}


_numbers = itertools.count(1)

contact_plan = st.fixed_dictionaries(
    {
        "points": st.sets(st.sampled_from(["a@x.lt", "b@x.lt", "+37061234567", "+37061234568"]), max_size=3),
        "lists": st.sets(st.sampled_from([0, 1])),
        "products": st.sets(st.sampled_from([0, 1])),
        "intents": st.sets(st.sampled_from(["inquiry", "order"])),
        "tags": st.lists(st.sampled_from(["vip", "seminar"]), unique=True),
        "enrolled": st.sampled_from([None, EnrolmentState.ACTIVE, EnrolmentState.FINISHED]),
        "mailed": st.booleans(),
        "letters": st.integers(0, 2),
        "position": st.sampled_from(["", "Buyer"]),
        "role": st.sampled_from([None, BuyingRole.CHAMPION]),
        "hint": st.booleans(),
    }
)
account_plan = st.fixed_dictionaries(
    {
        "contacts": st.lists(contact_plan, min_size=1, max_size=3),
        "code": st.sampled_from([None, "302", "303"]),
        "industry": st.sampled_from([None, "Heating"]),
        "employees": st.sampled_from([None, 12]),
        "domain": st.booleans(),
        "deal": st.booleans(),
        "days": st.sampled_from([None, 3, 9]),
        "tags": st.lists(st.sampled_from(["key", "north"]), unique=True),
    }
)


class World:
    """What the plans refer to."""

    def __init__(self, session: Session) -> None:
        defaults.install(session)
        self.lists = [ContactList(name=f"List {n}") for n in (0, 1)]
        self.products = [Product(key=f"p{n}", names={"en": f"P{n}"}) for n in (0, 1)]
        self.campaign = Campaign(name="Autumn")
        session.add_all([*self.lists, *self.products, self.campaign])
        session.flush()
        self.sequence = session.scalars(sa.select(Sequence)).first()
        self.pipeline = default_pipeline(session)


def put(session: Session, world: World, plan: dict) -> Account:
    """An account as a plan describes it."""
    number = next(_numbers)
    days = plan["days"]
    account = Account(
        name=f"Firm {number}", code=plan["code"], industry=plan["industry"], employees=plan["employees"],
        tags=plan["tags"], first_contact_at=START + timedelta(days=days) if days else None,
        domains=[AccountDomain(domain=f"d{number}.lt")] if plan["domain"] else [],
    )  # fmt: skip
    session.add(account)
    for one in plan["contacts"]:
        put_contact(session, world, account, one)
    if plan["deal"]:
        stage = first_stage(session, world.pipeline.id)
        session.add(Deal(account=account, contact=account.contacts[0], pipeline=world.pipeline, stage=stage))
    session.add(Task(title="Call", account_id=account.id, contact_id=account.contacts[0].id))
    session.flush()
    return account


def put_contact(session: Session, world: World, account: Account, plan: dict) -> Contact:
    """A contact as a plan describes it, with everything that hangs on one."""
    contact = Contact(
        account=account, name=f"Person {next(_numbers)}", position=plan["position"], tags=plan["tags"],
        buying_role=plan["role"],
        points=[
            ContactPoint(kind=PointKind.EMAIL if "@" in value else PointKind.PHONE, value=value)
            for value in sorted(plan["points"])
        ],
    )  # fmt: skip
    session.add(contact)
    session.flush()
    session.add_all(
        ContactListMember(list_id=world.lists[n].id, contact_id=contact.id) for n in plan["lists"]
    )
    session.add_all(
        ContactIntent(contact_id=contact.id, intent=one, last_at=START + timedelta(days=next(_numbers) % 5))
        for one in plan["intents"]
    )
    message = None
    for _letter in range(plan["letters"]):
        conversation = Conversation(subject="Hello", contact=contact, account=account)
        message = Message(conversation=conversation, contact=contact, direction=Direction.IN)
        session.add_all([conversation, message])
    session.flush()
    for n in plan["products"]:
        session.add(
            ProductInterest(
                product_id=world.products[n].id, contact_id=contact.id, account_id=account.id,
                message_id=message.id if message else None,
            )
        )  # fmt: skip
    if plan["hint"]:
        session.add(Suggestion(contact_id=contact.id, kind=SuggestionKind.POSITION, value="Director"))
    if plan["mailed"]:
        session.add(CampaignRecipient(campaign_id=world.campaign.id, contact_id=contact.id))
        world.campaign.contact_ids = [*world.campaign.contact_ids, contact.id]
    if plan["enrolled"] is not None and world.sequence is not None:
        enrolment = Enrolment(
            sequence_id=world.sequence.id, sequence_key=world.sequence.key, contact_id=contact.id,
            state=plan["enrolled"], due_at=START,
        )  # fmt: skip
        session.add(enrolment)
        session.flush()
        session.add(EnrolmentStep(enrolment_id=enrolment.id, position=1, outcome="done"))
    session.flush()
    return contact


@pytest.fixture
def world(session: Session) -> World:
    return World(session)


PLAIN: dict = {
    "points": set(), "lists": set(), "products": set(), "intents": set(), "tags": [], "enrolled": None,
    "mailed": False, "letters": 0, "position": "", "role": None, "hint": False,
}  # fmt: skip
FIRM: dict = {
    "contacts": [PLAIN], "code": None, "industry": None, "employees": None, "domain": True, "deal": False,
    "days": None, "tags": [],
}  # fmt: skip


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.tuples(account_plan, account_plan))
def test_two_clients_merged_and_taken_apart_are_the_same_rows(
    session: Session, world: World, plans: tuple[dict, dict]
) -> None:
    with session.begin_nested() as trial:
        one, other = (put(session, world, plan) for plan in plans)
        before = rows(session)
        made = merging.merge(session, Pair.ACCOUNT, one.id, other.id, staff_id=None)
        assert session.get(Account, other.id) is None
        merging.take_back(session, made.id, staff_id=None)
        after = rows(session)
        assert {name for name in after | before if after.get(name) != before.get(name)} == set()
        trial.rollback()
    session.expire_all()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.tuples(contact_plan, contact_plan))
def test_two_contacts_merged_and_taken_apart_are_the_same_rows(
    session: Session, world: World, plans: tuple[dict, dict]
) -> None:
    with session.begin_nested() as trial:
        account = put(session, world, FIRM)
        one, other = (put_contact(session, world, account, plan) for plan in plans)
        before = rows(session)
        made = merging.merge(session, Pair.CONTACT, one.id, other.id, staff_id=None)
        assert session.get(Contact, other.id) is None
        merging.take_back(session, made.id, staff_id=None)
        after = rows(session)
        assert {name for name in after | before if after.get(name) != before.get(name)} == set()
        trial.rollback()
    session.expire_all()


def test_everything_of_the_other_client_belongs_to_the_one_that_stays(session: Session, world: World) -> None:
    full = PLAIN | {"points": {"a@x.lt"}, "letters": 2, "products": {0}}
    one = put(session, world, FIRM)
    other = put(session, world, FIRM | {"contacts": [full], "deal": True, "industry": "Heating", "days": 3})
    merging.merge(session, Pair.ACCOUNT, one.id, other.id, staff_id=None, reason="phone")
    assert len(one.contacts) == 2
    assert one.industry == "Heating"
    assert one.first_contact_at == START + timedelta(days=3)
    talks = session.scalars(sa.select(Conversation.account_id)).all()
    assert set(talks) == {one.id}
    assert session.scalars(sa.select(Deal.account_id)).all() == [one.id]


def test_a_letter_that_came_in_between_stays_with_the_survivor(session: Session, world: World) -> None:
    one, other = put(session, world, FIRM), put(session, world, FIRM)
    made = merging.merge(session, Pair.ACCOUNT, one.id, other.id, staff_id=None)
    talk = Conversation(subject="New", account_id=one.id)
    session.add(talk)
    session.flush()
    merging.take_back(session, made.id, staff_id=None)
    session.refresh(talk)
    assert talk.account_id == one.id
    assert session.get_one(Account, other.id).domains[0].domain.startswith("d")


def test_what_was_filled_and_changed_since_stays_changed(session: Session, world: World) -> None:
    one = put(session, world, FIRM)
    other = put(session, world, FIRM | {"industry": "Heating", "employees": 12})
    made = merging.merge(session, Pair.ACCOUNT, one.id, other.id, staff_id=None)
    one.industry = "Cooling"
    session.flush()
    merging.take_back(session, made.id, staff_id=None)
    assert (one.industry, one.employees) == ("Cooling", None)


def test_a_client_in_two_live_follow_ups_of_one_kind_keeps_one(session: Session, world: World) -> None:
    running = PLAIN | {"enrolled": EnrolmentState.ACTIVE}
    account = put(session, world, FIRM | {"contacts": [running, running]})
    one, other = account.contacts
    merging.merge(session, Pair.CONTACT, one.id, other.id, staff_id=None)
    live = session.scalars(sa.select(Enrolment).where(Enrolment.state == EnrolmentState.ACTIVE)).all()
    assert [enrolment.contact_id for enrolment in live] == [one.id]


def test_merges_are_taken_back_in_their_order(session: Session, world: World) -> None:
    one, two, three = (put(session, world, FIRM) for _ in range(3))
    before = rows(session)
    first = merging.merge(session, Pair.ACCOUNT, one.id, two.id, staff_id=None)
    second = merging.merge(session, Pair.ACCOUNT, three.id, one.id, staff_id=None)
    assert merging.living(session, Pair.ACCOUNT, two.id) == three.id
    with pytest.raises(Conflict):
        merging.take_back(session, first.id, staff_id=None)
    merging.take_back(session, second.id, staff_id=None)
    merging.take_back(session, first.id, staff_id=None)
    assert rows(session) == before


def test_a_merge_is_taken_back_once(session: Session, world: World) -> None:
    one, other = put(session, world, FIRM), put(session, world, FIRM)
    made = merging.merge(session, Pair.ACCOUNT, one.id, other.id, staff_id=None)
    merging.take_back(session, made.id, staff_id=None)
    with pytest.raises(IllegalTransition):
        merging.take_back(session, made.id, staff_id=None)


def test_a_client_is_not_merged_with_itself_nor_with_nobody(session: Session, world: World) -> None:
    one = put(session, world, FIRM)
    with pytest.raises(InputRefused):
        merging.merge(session, Pair.ACCOUNT, one.id, one.id, staff_id=None)
    with pytest.raises(NotFound):
        merging.merge(session, Pair.ACCOUNT, one.id, 10**9, staff_id=None)


def test_a_list_that_was_deleted_meanwhile_is_left_out_and_nothing_else(
    session: Session, world: World
) -> None:
    listed = PLAIN | {"lists": {0}}
    account = put(session, world, FIRM | {"contacts": [listed, listed]})
    one, other = account.contacts
    made = merging.merge(session, Pair.CONTACT, one.id, other.id, staff_id=None)
    session.execute(sa.delete(ContactListMember))
    session.execute(sa.delete(ContactList).where(ContactList.id == world.lists[0].id))
    merging.take_back(session, made.id, staff_id=None)
    assert session.get(Contact, other.id) is not None
    assert session.scalars(sa.select(ContactListMember)).all() == []
