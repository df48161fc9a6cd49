"""A file from a colleague's computer reaches the client's server whole, under its own name."""

from __future__ import annotations

import email
import email.policy

from sqlalchemy import update

from core import enclosures, outbox, staff
from core.context import Context
from core.conversations import Conversation
from core.enclosures import Enclosure, Place
from core.outbox import Purpose
from outbound.compose import Composer
from outbound.pages import Pages
from tests.outbound.conftest import Company, draft, send_all, smtp_channel
from tests.servers_smtp import RecordingServer

NAME = "Техническое задание, лист №1.xlsx"
BYTES = bytes(range(256)) * 4_000


def _queued(context: Context, number: int = 1) -> None:
    with context.transaction() as session:
        member = staff.add(session, email=f"ona{number}@example.lt", name="Ona")
        talk = Conversation(subject="Siurbliai")
        session.add(talk)
        session.flush()
        place = Place(member.id, conversation_id=talk.id)
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        made = enclosures.add(session, place, name=NAME, content_type=kind, data=BYTES)
        letter = draft(number, conversation_id=talk.id, automatic=False, purpose=Purpose.ANSWER)
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


def test_letters_with_heavy_files_go_one_at_a_time(company: Company) -> None:
    context = company()
    for number in (1, 2):
        _queued(context, number)
    with context.transaction() as session:
        session.execute(update(Enclosure).values(size=15_000_000))
    taken: list[int] = []
    for owner in ("w1", "w2"):
        page, _ = Pages(context, Composer(context.settings), owner).prepare(range(1, 10), 5)
        assert page is not None
        taken += [one.id for one in page.letters]
    assert len(taken) == len(set(taken)) == 2
