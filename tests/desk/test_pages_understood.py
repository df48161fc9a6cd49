"""How a letter was understood is put right by one click: it shows at once, can be undone, and is a lesson."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from core.calls import Call
from core.catalogue import Product, ProductInterest
from core.conversations import Conversation, Message
from core.db import transaction
from core.labelbook import rename_label
from core.labels import Classification, Correction
from tests.desk.conftest import SignedIn
from tests.factories import World

HTMX = {"hx-request": "true"}


@pytest.fixture
def letter(engine: sa.Engine, world: World) -> int:
    """A letter of the agent's own client: its number."""
    with transaction(engine) as session:
        number = session.scalars(
            sa.select(Message.id).where(
                Message.conversation_id == world.talks["own"].id, Message.direction == "in"
            )
        ).one()
        known = session.scalar(sa.select(Classification).where(Classification.message_id == number))
        if known is None:
            known = Classification(message_id=number, abstained=True)
            session.add(known)
        known.urgency, known.signal, known.language = "normal", "none", "en"
        session.flush()
        return number


def said(engine: sa.Engine, number: int) -> dict[str, str | None]:
    with transaction(engine) as session:
        known = session.scalars(sa.select(Classification).where(Classification.message_id == number)).one()
        return {
            "urgency": known.urgency.value,
            "signal": known.signal.value,
            "language": known.language,
        }


@pytest.mark.parametrize(
    ("field", "value", "before"),
    [("urgency", "high", "normal"), ("signal", "objection_price", "none"), ("language", "ru", "en")],
)
def test_one_click_puts_it_right_and_another_takes_it_back(
    signed_in: SignedIn, engine: sa.Engine, letter: int, field: str, value: str, before: str
) -> None:
    browser = signed_in("agent")
    answer = browser.post(f"/messages/{letter}/understood/{field}", data={"value": value}, headers=HTMX)
    assert said(engine, letter)[field] == value
    browser.post(json.loads(answer.headers["hx-trigger"])["toast"]["undo"], headers=HTMX)
    assert said(engine, letter)[field] == before


def test_an_urgent_letter_makes_its_conversation_urgent(
    signed_in: SignedIn, engine: sa.Engine, world: World, letter: int
) -> None:
    browser = signed_in("agent")
    browser.post(f"/messages/{letter}/understood/urgency", data={"value": "high"}, headers=HTMX)
    with transaction(engine) as session:
        assert session.get_one(Conversation, world.talks["own"].id).urgency == "high"
    assert 'value="high" aria-pressed="true"' in browser.get(f"/conversations/{world.talks['own'].id}").text


def test_a_product_is_added_and_taken_away_for_the_client_too(
    signed_in: SignedIn, engine: sa.Engine, letter: int
) -> None:
    browser = signed_in("agent")
    with transaction(engine) as session:
        key = session.scalars(sa.select(Product.key).where(Product.active).order_by(Product.key)).first()
    noted = sa.select(sa.func.count()).where(ProductInterest.message_id == letter)
    noted = noted.where(ProductInterest.product_id == Product.id, Product.key == key)
    counts = []
    for field in ("interest_added", "interest_removed"):
        answer = browser.post(f"/messages/{letter}/understood/{field}", data={"value": key}, headers=HTMX)
        with transaction(engine) as session:
            counts.append(session.scalar(noted))
    browser.post(json.loads(answer.headers["hx-trigger"])["toast"]["undo"], headers=HTMX)
    with transaction(engine) as session:
        counts.append(session.scalar(noted))
        in_force = sa.select(sa.func.count()).where(Correction.undone_at.is_(None))
        assert (counts, session.scalar(in_force)) == ([1, 0, 1], 1)


@pytest.mark.parametrize(("field", "value"), [("urgency", "very"), ("language", "pl"), ("weight", "9")])
def test_what_a_field_cannot_be_is_refused(
    signed_in: SignedIn, engine: sa.Engine, letter: int, field: str, value: str
) -> None:
    answer = signed_in("agent").post(
        f"/messages/{letter}/understood/{field}", data={"value": value}, headers=HTMX
    )
    assert answer.status_code in (404, 422)
    with transaction(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Correction)) == 0


def test_a_call_is_put_right_on_its_own_page(
    signed_in: SignedIn, engine: sa.Engine, world: World, letter: int
) -> None:
    with transaction(engine) as session:
        call = session.scalars(sa.select(Call).order_by(Call.id)).first()
        if call is None:
            call = Call(
                provider="memory", sid="CA1", direction="in", caller="+37060000001", called="+37052000000"
            )
            session.add(call)
        call.conversation_id, call.message_id = world.talks["own"].id, letter
        call.note = "Wants the pump this week."
        session.flush()
        number = call.id
    text = signed_in("agent").get(f"/calls/{number}").text
    assert f'action="/messages/{letter}/understood/urgency"' in text


def test_the_trail_of_a_letter_uses_the_company_s_own_name_of_a_label(
    signed_in: SignedIn, engine: sa.Engine, world: World, letter: int
) -> None:
    with transaction(engine) as session:
        rename_label(session, "order", {"en": "Purchase order", "ru": "Заявка", "lt": "Pirkimas"})
        session.get_one(Message, letter).trail = [{"step": "classify", "reason": "order 0.91"}]
    languages = {"en": "Purchase order 0.91", "ru": "Заявка 0.91", "lt": "Pirkimas 0.91"}
    text = signed_in("agent").get(f"/conversations/{world.talks['own'].id}").text
    assert any(name in text for name in languages.values())
