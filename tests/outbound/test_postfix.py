"""Letters go through Debian's Postfix over TLS, and arrive as they were composed."""

from __future__ import annotations

import email
from collections.abc import Callable, Iterator
from email import policy

import pytest
from sqlalchemy import select

from core.context import Context
from core.outbox import Delivery, Purpose
from outbound.channels.smtp import SmtpChannel
from tests.outbound.conftest import draft, queue, send_all
from tests.servers_smtp import Postfix, postfix

pytestmark = [pytest.mark.postfix, pytest.mark.root]


@pytest.fixture
def relay() -> Iterator[Postfix]:
    """A Postfix of our own."""
    with postfix() as running:
        yield running


async def test_letters_in_three_languages_arrive_once_each_over_tls(
    company: Callable[..., Context], relay: Postfix
):
    context = company(relay.port, security="starttls", ca_file=relay.ca_file)
    assert context.settings.relay is not None
    names = {"ru": "Мария Иванова", "lt": "Ona Ąžuolė", "en": "Mary Brown"}
    queue(
        context,
        *(
            draft(
                number,
                recipient_name=name,
                template="follow_up",
                language=language,
                purpose=Purpose.MARKETING,
                values={"client": {"name": name}, "staff": {"name": "Jonas Jonaitis"}},
            )
            for number, (language, name) in enumerate(names.items())
        ),
        *(draft(number, body=".\n..\nFrom the start\n.\n") for number in range(10, 20)),
    )
    await send_all(context, SmtpChannel(context.settings.relay, context.settings.limits))
    letters = [email.message_from_bytes(raw, policy=policy.default) for raw in relay.letters(13)]
    assert len(letters) == 13
    with context.transaction() as session:
        rows = session.execute(select(Delivery.rfc_id, Delivery.state, Delivery.template)).all()
    assert {f"<{rfc_id}>" for rfc_id, _, _ in rows} == {str(letter["Message-ID"]) for letter in letters}
    assert {str(state) for _, state, _ in rows} == {"sent"}
    mailings = [letter for letter in letters if letter["List-Unsubscribe"]]
    assert len(mailings) == 3
    for letter in mailings:
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert not any(part.defects for part in letter.walk())
    assert {str(letter["To"].addresses[0].display_name) for letter in mailings} == set(names.values())
    plain = [letter.get_content() for letter in letters if not letter["List-Unsubscribe"]]
    assert plain == [".\n..\nFrom the start\n.\n"] * 10
