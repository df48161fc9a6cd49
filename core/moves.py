"""Letters a person puts into another conversation, and back: joining what was set beside, separating."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import outbox_copies
from core.calls import Call
from core.conversations import Conversation, ConversationState, Message, ThreadId
from core.db import Base, Id
from core.errors import IllegalTransition, InputRefused, NotFound
from core.outbox import Delivery
from core.tasks import Task


class Move(Base):
    """Letters of one conversation put into another, by whom, and whether that was taken back."""

    __tablename__ = "conversation_move"

    id: Mapped[Id]
    from_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    into_id: Mapped[int] = mapped_column(ForeignKey("conversation.id"), index=True)
    message_ids: Mapped[list[int]]
    thread_ids: Mapped[list[str]]
    """Message-IDs that lead into the other conversation since then."""
    delivery_ids: Mapped[list[int]]
    task_ids: Mapped[list[int]]
    call_ids: Mapped[list[int]]
    beside_id: Mapped[int | None]
    """What the emptied conversation was set beside, so that the question can be asked again."""
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    moved_at: Mapped[datetime] = mapped_column(server_default=func.now())
    undone_at: Mapped[datetime | None]


def join(session: Session, source: Conversation, into: Conversation, *, staff_id: int) -> Move:
    """Put everything of one conversation into another, and settle the emptied one.

    Raises InputRefused where both are one, or where the first holds nothing.
    """
    if source.id == into.id:
        raise InputRefused("A conversation cannot be joined to itself.")
    _lock(session, source, into)
    numbers = list(session.scalars(select(Message.id).where(Message.conversation_id == source.id)))
    if not numbers:
        raise InputRefused("There is no letter in it any more.")
    move = Move(
        from_id=source.id,
        into_id=into.id,
        message_ids=numbers,
        thread_ids=list(
            session.scalars(select(ThreadId.rfc_id).where(ThreadId.conversation_id == source.id))
        ),
        delivery_ids=_of(session, Delivery, source.id),
        task_ids=_of(session, Task, source.id),
        call_ids=_of(session, Call, source.id),
        beside_id=source.beside_id,
        staff_id=staff_id,
    )
    _carry(session, move, source.id, into.id)
    into.waiting = into.waiting or source.waiting
    if source.state == ConversationState.OPEN:
        into.state = ConversationState.OPEN
    into.last_message_at = max(into.last_message_at, source.last_message_at)
    source.state, source.waiting, source.beside_id = ConversationState.DONE, False, None
    session.add(move)
    session.flush()
    return move


def separate(session: Session, message: Message, *, staff_id: int) -> Move:
    """Give one letter a conversation of its own, with the contact who wrote it.

    Raises InputRefused where it is alone already.
    """
    source = session.get_one(Conversation, message.conversation_id)
    _lock(session, source)
    others = select(exists().where(Message.conversation_id == source.id, Message.id != message.id))
    if not session.scalar(others):
        raise InputRefused("This letter already has a conversation of its own.")
    account_id = message.contact.account_id if message.contact is not None else None
    fresh = Conversation(
        subject=message.subject,
        topic_key=source.topic_key if message.subject == source.subject else "",
        channel=message.channel,
        contact_id=message.contact_id,
        account_id=account_id,
        assignee_id=source.assignee_id,
        team_id=source.team_id,
        language=message.language or source.language,
        mailbox=source.mailbox,
        waiting=message.direction == "in",
        last_message_at=message.happened_at,
    )
    session.add(fresh)
    session.flush()
    move = Move(
        from_id=source.id,
        into_id=fresh.id,
        message_ids=[message.id],
        thread_ids=[message.rfc_id] if message.rfc_id else [],
        delivery_ids=list(outbox_copies.ids_with_copies(session, message.delivery_id)),
        task_ids=[],
        call_ids=[],
        beside_id=None,
        staff_id=staff_id,
    )
    _carry(session, move, source.id, fresh.id)
    session.add(move)
    session.flush()
    return move


def take_back(session: Session, move_id: int) -> Move:
    """Put back what was moved; what came since stays where it came. Raises NotFound and IllegalTransition."""
    move = session.get(Move, move_id, with_for_update=True)
    if move is None:
        raise NotFound
    if move.undone_at is not None:
        raise IllegalTransition("Somebody has already done that.")
    source = session.get_one(Conversation, move.from_id)
    into = session.get_one(Conversation, move.into_id)
    _lock(session, source, into)
    _carry(session, move, move.into_id, move.from_id)
    move.undone_at = session.scalar(select(func.now()))
    source.state = ConversationState.OPEN
    source.beside_id = move.beside_id
    _settle(session, source)
    _settle(session, into)
    session.flush()
    return move


def keep_apart(session: Session, conversation: Conversation) -> int | None:
    """Answer the question that it shall stay a conversation of its own; returns what it was set beside."""
    before, conversation.beside_id = conversation.beside_id, None
    session.flush()
    return before


_LAST = (
    select(Move)
    .where((Move.from_id == bindparam("number")) | (Move.into_id == bindparam("number")))
    .where(Move.undone_at.is_(None))
    .order_by(Move.id.desc())
    .limit(5)
)


def last_moves(session: Session, conversation_id: int) -> Sequence[Move]:
    """What was put into or out of a conversation and not taken back, the newest first."""
    return session.scalars(_LAST, {"number": conversation_id}).all()


def _lock(session: Session, *conversations: Conversation) -> None:
    """Rows are locked in the order of their numbers, so that two such deeds never wait for each other."""
    for one in sorted(conversations, key=lambda conversation: conversation.id):
        session.refresh(one, with_for_update={"of": Conversation})


def _of(session: Session, table: type[Delivery] | type[Task] | type[Call], conversation_id: int) -> list[int]:
    return list(session.scalars(select(table.id).where(table.conversation_id == conversation_id)))


def _carry(session: Session, move: Move, source: int, into: int) -> None:
    """Change the conversation of everything the move names; ids of letters lead there from now on."""
    for table, numbers in (
        (Message, move.message_ids),
        (Delivery, move.delivery_ids),
        (Task, move.task_ids),
        (Call, move.call_ids),
    ):
        if numbers:
            session.execute(
                update(table)
                .where(table.id.in_(numbers), table.conversation_id == source)
                .values(conversation_id=into)
            )
    if move.thread_ids:
        session.execute(
            delete(ThreadId).where(ThreadId.conversation_id == source, ThreadId.rfc_id.in_(move.thread_ids))
        )
        missing = select(ThreadId.rfc_id).where(ThreadId.conversation_id == into)
        fresh = set(move.thread_ids) - set(session.scalars(missing))
        if fresh:
            session.execute(
                insert(ThreadId), [{"rfc_id": one, "conversation_id": into} for one in sorted(fresh)]
            )


def _settle(session: Session, conversation: Conversation) -> None:
    """Who waits and since when, from the letters that are in it now."""
    query = (
        select(Message.direction, Message.happened_at, Message.machine)
        .where(Message.conversation_id == conversation.id)
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
    )
    newest = session.execute(query).first()
    if newest is None:
        conversation.state, conversation.waiting = ConversationState.DONE, False
        return
    conversation.waiting = newest.direction == "in" and newest.machine is None
    conversation.last_message_at = newest.happened_at


__all__ = ["Move", "join", "keep_apart", "last_moves", "separate", "take_back"]
