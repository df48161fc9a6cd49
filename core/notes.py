"""What colleagues write to each other beside a conversation; in a table that nothing sends from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Text, bindparam, delete, exists, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from core.conversations import Conversation, Message
from core.db import Base, Id
from core.errors import InputRefused
from core.moves import Move
from core.reading import ConversationRead
from core.staff import StaffMember
from core.tasks import Task, TaskState

LONGEST = 10_000


class Note(Base):
    """A private note; no message, no delivery, and nothing refers to it."""

    __tablename__ = "note"

    id: Mapped[Id]
    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("conversation.id", ondelete="CASCADE"), index=True
    )
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    text: Mapped[str] = mapped_column(Text)
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())
    removed_at: Mapped[datetime | None]

    staff_member: Mapped[StaffMember] = relationship()
    mentions: Mapped[list[NoteMention]] = relationship(back_populates="note", order_by="NoteMention.staff_id")


class NoteMention(Base):
    """A colleague called by name in a note, and the task that tells them."""

    __tablename__ = "note_mention"

    note_id: Mapped[int] = mapped_column(ForeignKey("note.id", ondelete="CASCADE"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(
        ForeignKey("staff_member.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id", ondelete="SET NULL"))

    note: Mapped[Note] = relationship(back_populates="mentions")
    staff_member: Mapped[StaffMember] = relationship()


def mentioned(text: str, names: Mapping[int, str]) -> set[int]:
    """Who is called by ``@`` and their whole name, or by ``@`` and a first name that only one of them has.

    `names` are the colleagues by id who may be called; letters' case makes no difference.
    """
    said = " ".join(text.casefold().split())
    firsts = [name.casefold().split()[0] for name in names.values() if name.split()]
    found: set[int] = set()
    for number, name in sorted(names.items(), key=lambda item: -len(item[1])):
        whole = " ".join(name.casefold().split())
        if not whole:
            continue
        first = whole.split()[0]
        ways = [whole, first] if firsts.count(first) == 1 else [whole]
        if any(re.search(rf"(?<!\w)@{re.escape(way)}(?!\w)", said) for way in ways):
            found.add(number)
    return found


def write(
    session: Session,
    conversation: Conversation,
    text: str,
    *,
    by: StaffMember,
    callable_names: Mapping[int, str],
    titles: Mapping[int, str],
) -> Note:
    """Put a note beside a conversation. Whoever it calls gets a task, and the conversation is new to them.

    `callable_names` are the colleagues who may see the conversation, `titles` their tasks' titles by id.
    Raises InputRefused for an empty note or one over 10,000 characters.
    """
    kept = text.strip()
    if not kept:
        raise InputRefused("The note is empty.")
    if len(kept) > LONGEST:
        raise InputRefused("The note is too long.", cure=f"At most {LONGEST} characters.")
    note = Note(conversation_id=conversation.id, staff_id=by.id, text=kept)
    session.add(note)
    session.flush()
    for number in sorted(mentioned(kept, callable_names) - {by.id}):
        task = Task(
            title=titles[number],
            kind="mention",
            assignee_id=number,
            conversation_id=conversation.id,
            contact_id=conversation.contact_id,
            account_id=conversation.account_id,
        )
        session.add(task)
        session.flush()
        session.add(NoteMention(note_id=note.id, staff_id=number, task_id=task.id))
        session.execute(
            delete(ConversationRead).where(
                ConversationRead.staff_id == number, ConversationRead.conversation_id == conversation.id
            )
        )
    session.flush()
    return note


def remove(session: Session, note: Note) -> None:
    """Take a note away, with the tasks it made where they still wait; it is kept, but shown to nobody."""
    note.removed_at = func.now()
    _bring_tasks(session, note, TaskState.OPEN, TaskState.CANCELLED)


def restore(session: Session, note: Note) -> None:
    """Show a note again that was taken away."""
    note.removed_at = None
    _bring_tasks(session, note, TaskState.CANCELLED, TaskState.OPEN)


def _bring_tasks(session: Session, note: Note, before: TaskState, after: TaskState) -> None:
    for mention in note.mentions:
        task = session.get(Task, mention.task_id) if mention.task_id is not None else None
        if task is not None and task.state == before:
            task.state = after
            task.settled_at = None if after == TaskState.OPEN else func.now()
    session.flush()


_JOINED = select(Move.from_id).where(
    Move.into_id == bindparam("number"),
    Move.undone_at.is_(None),
    ~exists().where(Message.conversation_id == Move.from_id),
)
_OF_CONVERSATION = (
    select(Note)
    .where(
        or_(Note.conversation_id == bindparam("number"), Note.conversation_id.in_(_JOINED)),
        Note.removed_at.is_(None),
    )
    .order_by(Note.written_at, Note.id)
)


def of(session: Session, conversation_id: int) -> Sequence[Note]:
    """The notes beside a conversation, and beside those that were joined into it, oldest first."""
    return session.scalars(_OF_CONVERSATION, {"number": conversation_id}).all()
