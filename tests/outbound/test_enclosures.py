"""A file from a colleague's computer reaches the client's server whole, under its own name."""

from __future__ import annotations

import email
import email.policy

from core import enclosures, outbox, staff
from core.context import Context
from core.conversations import Conversation
from core.enclosures import Place
from core.outbox import Purpose
from tests.outbound.conftest import Company, draft, send_all, smtp_channel
from tests.servers_smtp import RecordingServer

NAME = "Техническое задание, лист №1.xlsx"
BYTES = bytes(range(256)) * 4_000


def _queued(context: Context) -> None:
    with context.transaction() as session:
        member = staff.add(session, email="ona@example.lt", name="Ona")
        talk = Conversation(subject="Siurbliai")
        session.add(talk)
        session.flush()
        place = Place(member.id, conversation_id=talk.id)
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        made = enclosures.add(session, place, name=NAME, content_type=kind, data=BYTES)
        letter = draft(1, conversation_id=talk.id, automatic=False, purpose=Purpose.ANSWER)
        delivery_id = outbox.queue(session, letter)
        assert delivery_id is not None
        enclosures.enclose(session, place, {made.id}, delivery_id)


async def test_a_file_with_a_cyrillic_name_arrives_whole(company: Company, smtp: RecordingServer) -> None:
    context = company(smtp.port)
    _queued(context)
    await send_all(context, smtp_channel(context))
    (received,) = smtp.received
    parsed = email.message_from_bytes(received.data, policy=email.policy.default)
    (part,) = parsed.iter_attachments()
    assert part.get_filename() == NAME
    assert part.get_content() == BYTES
