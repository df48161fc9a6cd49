"""A fax is a letter to a gateway with the PDF in it, and only to countries that we call."""

from __future__ import annotations

import threading
from dataclasses import replace
from email import message_from_bytes

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox, phoneorders, spending
from core.accounts import Channel
from core.config import load_settings
from core.consent import Scope, suppression_of
from core.context import Context
from core.errors import ConfigurationError
from core.outbox import Delivery, Draft, Purpose
from core.phoneorders import OrderKind, PhoneOrder
from core.spending import SpendingRefused
from outbound import faxjobs
from outbound.channels.fax import Fax, MailGateway, MemoryFax, NoFax, fax_sender_of
from outbound.channels.memory import MemoryChannel
from outbound.unsubscribe import Unsubscriber
from tests.outbound.conftest import Company

FAX = Fax("fax:1", "8 5 212 3456", "commercial_offer", "lt", recipient_name="UAB „Vandenis“")


async def send_faxes(context: Context, channel: MemoryChannel, **dialling: int) -> Context:
    """Send every fax that is due; returns the company with its gateway and caps."""
    phone = context.settings.phone.model_copy(update={"fax_gateway": "{number}@fax.example.lt"})
    caps = context.settings.dialling.model_copy(update=dialling)
    settings = context.settings.model_copy(update={"phone": phone, "dialling": caps})
    told = Context(settings, context.engine)
    await faxjobs.dispatcher(told, channel).main(threading.Event(), until_idle=True)
    return told


def test_fax_is_queued_as_a_letter_to_the_gateway_with_its_document(session: Session) -> None:
    settings = load_settings(None, phone={"fax_gateway": "{number}@fax.example.lt"})
    outbox.queue(session, fax_sender_of(settings).draft(FAX))
    queued = session.scalars(select(Delivery)).one()
    assert (queued.channel, queued.address) == (Channel.FAX, "+37052123456")
    assert (queued.documents, queued.automatic) == (["commercial_offer"], False)


async def test_fax_leaves_as_a_letter_to_the_gateway_with_its_pdf_once(company: Company) -> None:
    context, channel = company(), MemoryChannel()
    values = {"client": {"name": "Ona", "company": "UAB „Vandenis“"}, "product": {"name": "Aura 25-60"}}
    fax = replace(FAX, document="brochure", values=values)
    for _ in range(2):
        with context.transaction() as session:
            outbox.queue(session, MailGateway("{number}@fax.example.lt", ["LT"]).draft(fax))
    await send_faxes(context, channel)
    with context.transaction() as session:
        queued = session.scalars(select(Delivery)).one()
        assert (queued.state, queued.error) == ("sent", None)
        order = session.scalars(select(PhoneOrder)).one()
        assert (order.kind, order.number, order.units) == (OrderKind.FAX, "+37052123456", 1)
        assert phoneorders.open_ones(session) == []
    (letter,) = channel.sent
    assert letter.recipients == ("37052123456@fax.example.lt",)
    message = message_from_bytes(letter.data)
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds.count("application/pdf") == 1


async def test_link_in_a_fax_stops_faxes_to_the_number_and_its_letter_offers_the_gateway_none(
    company: Company,
) -> None:
    context, channel = company(), MemoryChannel()
    draft = Draft(
        key="f", address="+37052123456", channel=Channel.FAX, template="follow_up", language="lt",
        purpose=Purpose.MARKETING, automatic=False, values={"client": {"name": "Ona"}},
    )  # fmt: skip
    with context.transaction() as session:
        outbox.queue(session, draft)
    settings = (await send_faxes(context, channel)).settings
    message = message_from_bytes(channel.sent[0].data)
    assert (message["to"], message["list-unsubscribe"]) == ("<37052123456@fax.example.lt>", None)
    (plain,) = (part for part in message.walk() if part.get_content_type() == "text/plain")
    words = plain.get_payload(decode=True).decode()  # pyright: ignore[reportAttributeAccessIssue] - bytes
    token = words.partition("/unsubscribe/")[2].split()[0]
    links = Unsubscriber(settings.signing_key(), settings.company.public_url)
    with context.transaction() as session:
        assert links.follow(session, token) == "+37052123456"
        stop = suppression_of(session, Channel.FAX, "+37052123456")
        assert stop is not None
        assert stop.scope == Scope.MARKETING


async def test_cap_holds_a_fax_back_with_its_reason_and_refuses_a_person(company: Company) -> None:
    context, channel = company(), MemoryChannel()
    values = {"client": {"name": "Ona", "company": "UAB „Vandenis“"}, "product": {"name": "Aura 25-60"}}
    gateway = MailGateway("{number}@fax.example.lt", ["LT"])
    with context.transaction() as session:
        for key in ("1", "2"):
            fax = replace(FAX, key=key, document="brochure", values=values)
            outbox.queue(session, gateway.draft(fax))
    capped = await send_faxes(context, channel, faxes_to_number_a_day=1)
    assert len(channel.sent) == 1
    with context.transaction() as session:
        held = session.scalars(select(Delivery).where(Delivery.state == "deferred")).one()
        assert held.error == "the cap of 1 faxes to this number in a day is reached"
        with pytest.raises(SpendingRefused):
            spending.insist(session, capped.settings, Channel.FAX, "+37052123456", 1)


def test_faxes_are_called_off_where_no_gateway_is_set(session: Session) -> None:
    outbox.queue(session, MailGateway("{number}@fax.example.lt", ["LT"]).draft(FAX))
    assert faxjobs.call_off(session) == 1
    assert session.scalars(select(Delivery.state)).one() == "cancelled"


@pytest.mark.parametrize("number", ["", "112", "+19005551234", "+881612345678", "abc", "+370900123456"])
def test_number_that_may_not_be_called_gets_no_fax(number: str) -> None:
    with pytest.raises(NoFax):
        MailGateway("{number}@fax.example.lt", ["LT"]).draft(Fax("fax:2", number, "brochure", "en"))


def test_fax_without_a_gateway_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError):
        fax_sender_of(load_settings(None))


def test_twin_keeps_what_it_was_given() -> None:
    twin = MemoryFax()
    assert twin.draft(FAX).key == FAX.key
    assert twin.sent == [FAX]
