"""A fax is a letter to a gateway with the PDF in it, and only to countries that we call."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox
from core.config import load_settings
from core.errors import ConfigurationError
from core.outbox import Delivery
from outbound.channels.fax import Fax, MailGateway, MemoryFax, NoFax, fax_sender_of
from outbound.channels.memory import MemoryChannel
from tests.outbound.conftest import Company, send_all

FAX = Fax("fax:1", "8 5 212 3456", "commercial_offer", "lt", recipient_name="UAB „Vandenis“")


def test_fax_is_queued_as_a_letter_to_the_gateway_with_its_document(session: Session) -> None:
    settings = load_settings(None, phone={"fax_gateway": "{number}@fax.example.lt"})
    outbox.queue(session, fax_sender_of(settings).draft(FAX))
    queued = session.scalars(select(Delivery)).one()
    assert (queued.address, queued.documents) == ("37052123456@fax.example.lt", ["commercial_offer"])
    assert queued.automatic is False


async def test_fax_leaves_as_a_letter_to_the_gateway_with_its_pdf_once(company: Company) -> None:
    context, channel = company(), MemoryChannel()
    values = {"client": {"name": "Ona", "company": "UAB „Vandenis“"}, "product": {"name": "Aura 25-60"}}
    fax = replace(FAX, document="brochure", values=values)
    for _ in range(2):
        with context.transaction() as session:
            outbox.queue(session, MailGateway("{number}@fax.example.lt", ["LT"]).draft(fax))
    await send_all(context, channel)
    with context.transaction() as session:
        queued = session.scalars(select(Delivery)).one()
        assert (queued.state, queued.error) == ("sent", None)
    (letter,) = channel.sent
    assert letter.recipients == ("37052123456@fax.example.lt",)
    message = message_from_bytes(letter.data)
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds.count("application/pdf") == 1


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
