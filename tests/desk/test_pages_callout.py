"""Calling a client by click and answering by SMS, at the desk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from core import notices, outbox, phoneevents
from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.config import Settings, load_settings
from core.consent import Scope, SuppressionReason, suppress
from core.conversations import Conversation, Direction, Message
from core.db import transaction
from core.i18n import texts
from core.outbox import Delivery, Draft
from core.phoneevents import EventKind, Told
from core.phoneorders import OrderKind, PhoneOrder
from core.spending import REFUSALS, Cap
from core.staff import StaffMember
from tests.desk.conftest import Browser, SignedIn
from tests.factories import World
from tests.twilio_local.exchange import ACCOUNT, TOKEN

HTMX = {"hx-request": "true"}
MOBILE, DESK_PHONE, PREMIUM = "+37061234567", "+37052123456", "+37090012345"


@pytest.fixture
def desk_settings(tmp_path: Path) -> Settings:
    """A company with a telephone."""
    return load_settings(
        data_dir=tmp_path,
        company={"name": "Šiaurės siurbliai", "public_url": "https://desk.example"},
        twilio={"account_sid": ACCOUNT, "auth_token": TOKEN, "numbers": ["+37052000000"]},
        phone={"fax_gateway": "{number}@fax.example.lt"},
    )


@pytest.fixture
def talk(engine: sa.Engine, world: World) -> int:
    """A conversation of the agent's with a client who has three numbers and wrote an SMS."""
    number = world.talks["own"].id
    with transaction(engine) as session:
        found = session.get_one(Conversation, number)
        contact = session.get_one(Contact, found.contact_id)
        for value in (MOBILE, DESK_PHONE, PREMIUM):
            if value not in {point.value for point in contact.points}:
                contact.points.append(ContactPoint(kind=PointKind.PHONE, value=value))
        session.add(
            Message(
                conversation_id=number, contact_id=contact.id, direction=Direction.IN, channel=Channel.SMS,
                sender=MOBILE, text="Sveiki", reply="Sveiki",
            )
        )  # fmt: skip
        for colleague in session.scalars(select(StaffMember)):
            colleague.phone = "+37060000001"
    return number


@pytest.fixture
def agent(signed_in: SignedIn) -> Iterator[Browser]:
    """The agent's browser."""
    return signed_in("agent")  # type: ignore[return-value]


def queued(engine: sa.Engine, channel: Channel) -> list[Delivery]:
    with transaction(engine) as session:
        found = list(session.scalars(select(Delivery).where(Delivery.channel == channel)))
        session.expunge_all()
        return found


def test_sms_is_queued_for_the_number_the_client_wrote_from(
    agent: Browser, engine: sa.Engine, talk: int
) -> None:
    page = agent.get(f"/conversations/{talk}").text
    assert 'id="sms"' in page
    answer = agent.post(
        f"/conversations/{talk}/sms", data={"key": "k1", "number": MOBILE, "body": "Ačiū!"}, headers=HTMX
    )
    assert answer.status_code == 200, answer.text
    (one,) = queued(engine, Channel.SMS)
    assert (one.address, one.body, one.automatic, one.conversation_id) == (MOBILE, "Ačiū!", False, talk)
    assert "Ačiū!" in agent.get(f"/conversations/{talk}").text


def test_second_press_sends_no_second_sms(agent: Browser, engine: sa.Engine, talk: int) -> None:
    for _ in range(2):
        agent.post(
            f"/conversations/{talk}/sms", data={"key": "k1", "number": MOBILE, "body": "Ačiū"}, headers=HTMX
        )
    assert len(queued(engine, Channel.SMS)) == 1


def test_parts_are_counted_and_plain_letters_offered_for_lithuanian(agent: Browser, talk: int) -> None:
    body = "Ą" * 71
    shown = agent.post(f"/conversations/{talk}/sms/count", data={"body": body}, headers=HTMX).text
    assert "2 dalys" in shown
    assert "Be diakritinių ženklų: 1 dalis" in shown
    plain = agent.post(f"/conversations/{talk}/sms/plain", data={"body": body}, headers=HTMX)
    assert "A" * 71 in plain.text
    assert plain.headers["hx-trigger"] == "counted"
    russian = agent.post(f"/conversations/{talk}/sms/count", data={"body": "ж" * 71}, headers=HTMX).text
    assert "Be diakritinių" not in russian


def test_sms_begins_from_a_template_filled_in_for_the_client(agent: Browser, talk: int) -> None:
    choices = agent.get(f"/conversations/{talk}/sms/templates", headers=HTMX).text
    assert 'value="missed_call"' in choices
    filled = agent.post(
        f"/conversations/{talk}/sms/fill", data={"template": "missed_call", "language": "lt"}, headers=HTMX
    )
    assert "Šiaurės siurbliai: nespėjome atsiliepti" in filled.text
    assert filled.headers["hx-trigger"] == "counted"
    own = agent.post(f"/conversations/{talk}/sms/fill", data={"template": "", "body": "Mano"}, headers=HTMX)
    assert ">Mano</textarea>" in own.text


def test_template_that_needs_what_is_not_known_says_what_and_none_other_is_taken(
    agent: Browser, talk: int
) -> None:
    data = {"template": "demo_reminder", "language": "lt"}
    lacking = agent.post(f"/conversations/{talk}/sms/fill", data=data, headers=HTMX)
    assert lacking.status_code == 422
    assert "demo.starts" in lacking.text + str(lacking.headers)
    data["template"] = "no_such_template"
    assert agent.post(f"/conversations/{talk}/sms/fill", data=data, headers=HTMX).status_code == 422


def test_document_goes_by_fax_through_the_gateway_once(agent: Browser, engine: sa.Engine, talk: int) -> None:
    assert f"/conversations/{talk}/fax" in agent.get(f"/conversations/{talk}").text
    assert "fax-number" in agent.get(f"/conversations/{talk}/fax", headers=HTMX).text
    data = {"key": "f1", "number": "8 5 212 3456", "document": "brochure", "language": "lt"}
    for _ in range(2):
        assert agent.post(f"/conversations/{talk}/fax", data=data, headers=HTMX).status_code == 200
    with transaction(engine) as session:
        faxes = session.scalars(select(Delivery).where(Delivery.channel == Channel.FAX)).all()
        assert [(one.address, one.documents, one.automatic) for one in faxes] == [
            ("+37052123456", ["brochure"], False)
        ]


@pytest.mark.parametrize("number", [PREMIUM, "+881612345678", "112", "abc", ""])
def test_fax_to_a_number_that_may_not_be_called_is_refused(
    agent: Browser, engine: sa.Engine, talk: int, number: str
) -> None:
    data = {"key": "f2", "number": number, "document": "brochure", "language": "lt"}
    assert agent.post(f"/conversations/{talk}/fax", data=data, headers=HTMX).status_code == 422
    with transaction(engine) as session:
        assert session.scalar(select(Delivery.id).where(Delivery.channel == Channel.FAX)) is None


def test_fax_beyond_its_cap_is_refused_with_a_clear_sentence(
    agent: Browser, engine: sa.Engine, talk: int
) -> None:
    data = {"number": DESK_PHONE, "document": "brochure", "language": "lt"}
    with transaction(engine) as session:
        for number in range(5):
            draft = Draft(key=f"old:{number}", address=DESK_PHONE, channel=Channel.FAX)
            delivery_id = outbox.queue(session, draft)
            session.execute(sa.update(Delivery).where(Delivery.id == delivery_id).values(state="sent"))
            order = PhoneOrder(
                delivery_id=delivery_id, kind=OrderKind.FAX, channel=Channel.FAX, number=DESK_PHONE,
                dialled=DESK_PHONE, units=1,
            )  # fmt: skip
            session.add(order)
    answer = agent.post(f"/conversations/{talk}/fax", data={"key": "f9", **data}, headers=HTMX)
    assert answer.status_code == 422
    told = json.loads(answer.headers["hx-trigger"])["toast"]["text"]
    assert told.startswith(texts("lt").gettext(REFUSALS[Cap.NUMBER][0]))


def test_voice_is_chosen_by_who_leads_heard_by_a_call_to_oneself_and_taken_back(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    head = signed_in("head")
    page = head.get("/voices").text
    assert "Google Standard B" in page
    assert "Šiaurės siurbliai" in page
    data = {"voice": "Google.lt-LT-Standard-B"}
    answer = head.post("/voices/lt", data=data, headers=HTMX)
    undo = json.loads(answer.headers["hx-trigger"])["toast"]["values"]
    assert undo == {"voice": "Google.lt-LT-Standard-A"}
    for _ in range(2):
        heard = head.post("/voices/lt/hear", data={"template": "follow_up"}, headers=HTMX)
        assert heard.status_code == 200, heard.text
    (one,) = queued(engine, Channel.VOICE)
    assert (one.address, one.values, one.purpose) == ("+37060000001", data, "staff")
    assert one.body.startswith("Laba diena! Skambina įmonė Šiaurės siurbliai.")
    assert head.post("/voices/lt", data={"voice": "Polly.Tatyana"}, headers=HTMX).status_code == 422
    assert signed_in("agent").get("/voices").status_code == 403


def test_numbers_of_ours_stand_with_their_state_and_what_was_spent(agent: Browser, engine: sa.Engine) -> None:
    page = agent.get("/mailboxes").text
    assert "+37052000000" in page
    assert "Dar negauta nė vieno pranešimo" in page
    with transaction(engine) as session:
        told = [
            Told(f"t:{n}", "twilio", EventKind.SMS_IN, f"SM{n}", {"called": "+37052000000"}, {}, source)
            for n, source in enumerate(["webhook"] * 5 + ["list"] * 4)
        ]
        phoneevents.keep(session, told)
    assert "Dalis pranešimų nepasiekia" in agent.get("/mailboxes").text
    with transaction(engine) as session:
        notices.raise_alarm(session, "webhooks_refused", "twilio", "20 webhooks in a row")
    assert "Pranešimai atmetami" in agent.get("/mailboxes").text


def test_call_is_queued_that_rings_the_colleague_first(agent: Browser, engine: sa.Engine, talk: int) -> None:
    sheet = agent.get(f"/conversations/{talk}/ring", headers=HTMX).text
    assert MOBILE in sheet
    answer = agent.post(f"/conversations/{talk}/ring", data={"key": "k2", "number": MOBILE}, headers=HTMX)
    assert "+37060000001" in answer.headers["hx-trigger"]
    (one,) = queued(engine, Channel.VOICE)
    assert (one.address, one.values["staff"]["phone"], one.automatic) == (MOBILE, "+37060000001", False)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (PREMIUM, REFUSALS[Cap.LINE][0]),
        ("+37061111119", "That number is not the client's."),
    ],
)
def test_number_that_may_not_be_called_is_refused_with_a_clear_sentence(
    agent: Browser, engine: sa.Engine, talk: int, number: str, said: str
) -> None:
    answer = agent.post(f"/conversations/{talk}/ring", data={"key": "k", "number": number}, headers=HTMX)
    assert answer.status_code >= 400
    told = json.loads(answer.headers["hx-trigger"])["toast"]["text"]
    assert told.startswith(texts("lt").gettext(said))
    assert queued(engine, Channel.VOICE) == []


def test_who_asked_us_to_stop_is_not_written_to(agent: Browser, engine: sa.Engine, talk: int) -> None:
    with transaction(engine) as session:
        suppress(
            session, Channel.SMS, MOBILE, scope=Scope.EVERYTHING, reason=SuppressionReason.UNSUBSCRIBED,
            source="test",
        )  # fmt: skip
    answer = agent.post(
        f"/conversations/{talk}/sms", data={"key": "k", "number": MOBILE, "body": "x"}, headers=HTMX
    )
    assert answer.status_code >= 400
    assert queued(engine, Channel.SMS) == []


def test_who_wants_no_mailings_is_answered_all_the_same(agent: Browser, engine: sa.Engine, talk: int) -> None:
    with transaction(engine) as session:
        for channel in (Channel.SMS, Channel.VOICE):
            suppress(
                session, channel, MOBILE, scope=Scope.MARKETING, reason=SuppressionReason.UNSUBSCRIBED,
                source="test",
            )  # fmt: skip
    assert "sms-fold" in agent.get(f"/conversations/{talk}").text
    assert "suppression list" not in agent.get(f"/conversations/{talk}").text
    for road in ("sms", "ring"):
        given = {"key": "k", "number": MOBILE, "body": "Ačiū"}
        assert agent.post(f"/conversations/{talk}/{road}", data=given, headers=HTMX).status_code < 300
    assert [len(queued(engine, channel)) for channel in (Channel.SMS, Channel.VOICE)] == [1, 1]


def test_number_that_does_not_work_is_told_from_one_whose_owner_said_no(
    agent: Browser, engine: sa.Engine, talk: int
) -> None:
    with transaction(engine) as session:
        suppress(
            session, Channel.VOICE, MOBILE, scope=Scope.EVERYTHING, reason=SuppressionReason.BOUNCED,
            source="test",
        )  # fmt: skip
    said = agent.post(f"/conversations/{talk}/ring", data={"key": "k", "number": MOBILE}, headers=HTMX)
    assert said.status_code >= 400
    told = json.loads(said.headers["hx-trigger"])["toast"]["text"]
    assert told.startswith(texts("lt").gettext("That number does not work, as we learnt when we used it."))


def test_conversation_of_another_team_cannot_be_used_to_reach_its_client(
    signed_in: SignedIn, engine: sa.Engine, talk: int
) -> None:
    browser = signed_in("support")
    for road, data in (("ring", {}), ("sms", {"body": "x"}), ("sms/count", {"body": "x"})):
        given = {"key": "k", "number": MOBILE, **data}
        assert browser.post(f"/conversations/{talk}/{road}", data=given, headers=HTMX).status_code == 404
