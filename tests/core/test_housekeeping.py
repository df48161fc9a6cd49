"""The daily chores: what has ended is forgotten, and what still counts stays."""

from __future__ import annotations

import sqlalchemy as sa

from core import enclosures, housekeeping, sessions, staff
from core.context import Context
from core.enclosures import Enclosure, Place
from core.jobs import enqueue
from core.sessions import DeskSession, LoginAttempt


def test_sessions_that_ended_and_attempts_that_count_no_more_are_removed(context: Context) -> None:
    with context.transaction() as session:
        member = staff.add(session, email="ona@example.lt", name="Ona")
        for agent in ("yesterday's", "today's"):
            sessions.open_session(session, member, agent=agent)
        for address in ("an-hour-ago@example.lt", "now@example.lt"):
            sessions.note_attempt(session, address, "127.0.0.1")
        session.execute(
            sa.update(DeskSession)
            .where(DeskSession.agent == "yesterday's")
            .values(seen_at=sa.text("now() - interval '1 day'"))
        )
        session.execute(
            sa.update(LoginAttempt)
            .where(LoginAttempt.address == "an-hour-ago@example.lt")
            .values(tried_at=sa.text("now() - interval '1 hour'"))
        )
    housekeeping.prune_log(context)
    with context.transaction() as session:
        assert session.scalars(sa.select(DeskSession.agent)).all() == ["today's"]
        assert session.scalars(sa.select(LoginAttempt.address)).all() == ["now@example.lt"]


def test_of_what_was_given_up_only_old_periodic_work_is_forgotten(context: Context) -> None:
    with context.transaction() as session:
        enqueue(session, "a.tick", dedupe="periodic:a.tick")
        enqueue(session, "a.kind")
        session.execute(sa.text("update pgqueuer set status = 'failed', updated = now() - interval '8 days'"))
    housekeeping.prune_log(context)
    with context.transaction() as session:
        assert session.scalars(sa.text("select entrypoint from pgqueuer")).all() == ["a.kind"]


def test_a_file_whose_letter_was_never_sent_is_forgotten(context: Context) -> None:
    with context.transaction() as session:
        member = staff.add(session, email="ona@example.lt", name="Ona")
        for name in ("old.pdf", "new.pdf"):
            enclosures.add(session, Place(member.id), name=name, content_type="", data=name.encode())
        old = sa.update(Enclosure).where(Enclosure.name == "old.pdf")
        session.execute(old.values(created_at=sa.text("now() - interval '31 days'")))
    housekeeping.prune_log(context)
    with context.transaction() as session:
        assert session.scalars(sa.select(Enclosure.name)).all() == ["new.pdf"]
