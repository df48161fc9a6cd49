"""What the telephone may spend: countries, kinds of line, and caps counted from our own orders."""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from core import outbox, spending
from core.accounts import Channel
from core.config import Settings, load_settings
from core.db import transaction
from core.outbox import DeliveryState, Draft
from core.phoneorders import OrderKind, PhoneOrder
from core.spending import Cap, Caps, Ruling, SpendingRefused, Spent, rule

COUNTRIES = frozenset({"LT", "LV", "EE", "PL"})
CAPS = Caps(COUNTRIES, to_number=10, to_block=30, a_day=100, a_month=500, longest=4)
MOBILE = "+37061234567"


@pytest.fixture
def settings() -> Settings:
    """Settings with small caps."""
    rules = {"sms_to_number_a_day": 4, "sms_to_block_a_day": 6, "sms_a_day": 10, "sms_a_month": 12}
    return load_settings(None, dialling=rules)


@pytest.mark.parametrize(
    "number",
    [
        "+19005551234",
        "+37090012345",
        "+78091234567",
        "+449098790000",
        "+88163123456",
        "+8821612345678",
        "+25261234567",
        "+5352123456",
        "+6797001234",
        "+37190012345",
        "112",
        "+112",
        "88005553535",
        "+3706123456٧",
        "+370612345ab",
        "",
    ],
)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
def test_premium_satellite_far_and_odd_numbers_are_refused(number: str, channel: Channel) -> None:
    """B57."""
    assert rule(channel, number, 1, CAPS, Spent()).cap is Cap.LINE


def test_sms_to_a_desk_telephone_is_refused_and_a_call_is_not() -> None:
    assert rule(Channel.SMS, "+37052123456", 1, CAPS, Spent()).cap is Cap.LINE
    assert rule(Channel.VOICE, "+37052123456", 1, CAPS, Spent()).yes


@pytest.mark.parametrize(
    ("spent", "cap"),
    [
        (Spent(), None),
        (Spent(to_number=8), None),
        (Spent(to_number=9), Cap.NUMBER),
        (Spent(to_block=29), Cap.BLOCK),
        (Spent(a_day=99), Cap.DAY),
        (Spent(a_month=499), Cap.MONTH),
    ],
)
def test_each_cap_holds_to_the_last_part(spent: Spent, cap: Cap | None) -> None:
    assert rule(Channel.SMS, MOBILE, 2, CAPS, spent).cap is cap


def test_reasons_are_sentences_that_name_the_number_that_counts() -> None:
    assert rule(Channel.SMS, MOBILE, 1, CAPS, Spent(a_day=100)) == Ruling(
        Cap.DAY, "the cap of 100 parts of SMS in a day is reached"
    )
    assert rule(Channel.VOICE, MOBILE, 1, CAPS, Spent(to_number=10)).reason == (
        "the cap of 10 calls to this number in a day is reached"
    )


amounts = st.integers(0, 600)


@given(
    st.sampled_from([Channel.SMS, Channel.VOICE]),
    st.integers(1, 8),
    st.builds(Spent, amounts, amounts, amounts, amounts),
)
def test_what_is_allowed_never_passes_any_cap(channel: Channel, units: int, spent: Spent) -> None:
    ruling = rule(channel, MOBILE, units, CAPS, spent)
    each = units if channel == Channel.SMS else 1
    within = (
        units <= CAPS.longest
        and spent.to_number + each <= CAPS.to_number
        and spent.to_block + each <= CAPS.to_block
        and spent.a_day + units <= CAPS.a_day
        and spent.a_month + units <= CAPS.a_month
    )
    assert ruling.yes is within


@given(st.text(max_size=25))
def test_no_text_at_all_is_called_unless_it_is_a_number_of_an_allowed_country(text: str) -> None:
    if rule(Channel.VOICE, text, 1, CAPS, Spent()).yes:
        assert text.startswith(("+370", "+371", "+372", "+48"))


@given(st.lists(st.builds(Spent, amounts, amounts, amounts, amounts), min_size=2, max_size=2))
def test_more_spent_never_allows_more(two: list[Spent]) -> None:
    less, more = two
    both = Spent(*(max(one, other) for one, other in zip(astuple(less), astuple(more), strict=True)))
    if rule(Channel.SMS, MOBILE, 1, CAPS, both).yes:
        assert rule(Channel.SMS, MOBILE, 1, CAPS, less).yes


def spend(
    session: Session, number: str, units: int, state: DeliveryState, ago: timedelta = timedelta()
) -> None:
    key = f"{number}:{units}:{state}:{ago}:{session.scalar(sa.select(sa.func.count(PhoneOrder.id)))}"
    delivery_id = outbox.queue(session, Draft(key=key, address=number, channel=Channel.SMS, body="x"))
    assert delivery_id is not None
    session.execute(sa.update(outbox.Delivery).where(outbox.Delivery.id == delivery_id).values(state=state))
    session.add(
        PhoneOrder(
            delivery_id=delivery_id, kind=OrderKind.SMS, channel=Channel.SMS, number=number, dialled=number,
            text="x", units=units, ordered_at=sa.func.now() - ago,
        )
    )  # fmt: skip
    session.flush()


def test_spending_is_counted_over_number_block_day_and_month(session: Session, settings: Settings) -> None:
    """B57 and B58."""
    spend(session, MOBILE, 2, DeliveryState.SENT)
    spend(session, MOBILE, 1, DeliveryState.UNCERTAIN, timedelta(hours=23))
    spend(session, MOBILE, 4, DeliveryState.DELIVERED, timedelta(days=3))
    spend(session, "+37061239999", 1, DeliveryState.TRANSMITTING)
    spend(session, MOBILE, 9, DeliveryState.REFUSED)
    spend(session, MOBILE, 9, DeliveryState.DEFERRED)
    spend(session, MOBILE, 9, DeliveryState.DELIVERED, timedelta(days=31))
    assert spending.spent_on(session, Channel.SMS, MOBILE) == Spent(3, 4, 4, 8)
    assert spending.ask(session, settings, Channel.SMS, MOBILE, 2).cap is Cap.NUMBER
    assert spending.ask(session, settings, Channel.SMS, "+37061230001", 3).cap is Cap.BLOCK
    also = [("+37060000001", 4)]
    assert spending.ask(session, settings, Channel.SMS, "+37060000002", 3, also).cap is Cap.BLOCK
    assert (
        spending.ask(session, settings, Channel.SMS, "+37067000002", 3, [("+37068000001", 4)]).cap is Cap.DAY
    )
    assert spending.ask(session, settings, Channel.SMS, "+37067000002", 3).yes


def test_a_person_is_told_which_rule_forbids_it(session: Session, settings: Settings) -> None:
    with pytest.raises(SpendingRefused, match="its country or the kind of line is not allowed"):
        spending.insist(session, settings, Channel.SMS, "+12025550123", 1)
    spend(session, MOBILE, 4, DeliveryState.SENT)
    with pytest.raises(SpendingRefused, match="This number has had as much from us in a day"):
        spending.insist(session, settings, Channel.SMS, MOBILE, 1)


def test_two_workers_never_both_take_the_last_of_a_cap(engine: sa.Engine) -> None:
    with transaction(engine) as first, transaction(engine) as second:
        spending.alone(first)
        assert not second.scalar(sa.text("select pg_try_advisory_xact_lock(:key)"), {"key": spending.LOCK})
