"""Finding again what was said, by the words of every message.

The words of a message are written a moment after it (`search_waiting` says of which that is still due), so
that taking letters in never waits for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    DDL,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    any_,
    bindparam,
    cast,
    delete,
    event,
    exists,
    func,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, TSVECTOR, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.accounts import Account, Contact
from core.conversations import Attachment, Conversation, Message
from core.db import Base
from core.outbox import Delivery

PAGE = 30
"""Conversations found at once."""

ROUNDS = (400, 1_600, 2_000, 2_000)
"""How many of the newest messages with the words are looked at, and how many more each time where too few of
them may be seen; what is older is searched when somebody asks to go on."""


class MessageWords(Base):
    """The words that one message is found by."""

    __tablename__ = "message_words"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)
    happened_at: Mapped[datetime]
    """The message's own, so that the newest can be taken without reading the messages."""
    words: Mapped[Any] = mapped_column(TSVECTOR)

    __table_args__ = (
        Index("ix_message_words_words", "words", postgresql_using="gin"),
        Index("ix_message_words_newest", text("happened_at DESC"), text("message_id DESC")),
    )


class SearchWaiting(Base):
    """A message whose words are not written yet; a trigger on ``message`` adds it."""

    __tablename__ = "search_waiting"

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), primary_key=True)


TRIGGER = (
    """
CREATE OR REPLACE FUNCTION message_to_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_waiting (message_id) SELECT id FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
""",
    """
CREATE OR REPLACE TRIGGER message_to_search AFTER INSERT ON message
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION message_to_search()
""",
)
"""Whoever writes a message, and however many at once, its words will be written."""

for _statement in TRIGGER:
    event.listen(SearchWaiting.__table__, "after_create", DDL(_statement.replace("%", "%%")))

UNSAID = "acknowledgement"
"""Template of what says nothing that the client's letter does not say; it would hide what people wrote."""

MARKED = "ĄČĘĖĮŠŲŪŽąčęėįšųūžÄÖÜÕÅØÉÓĀĒĢĪĶĻŅäöüõåøéóāēģīķļņŁłŻżŚśĆćŃńЁё"
PLAIN = "ACEEISUUZaceeisuuzAOUOAOEOAEGIKLNaouoaoeoaegiklnLlZzSsCcNnЕе"


def folded(column: Any) -> ColumnElement[str]:
    """A name in lower case with plain letters, as an expression that an index can hold."""
    return func.lower(func.translate(column, text(f"'{MARKED}'"), text(f"'{PLAIN}'")))


def take_waiting(session: Session, limit: int) -> list[int]:
    """Take messages whose words are due, the newest first; theirs is done when the transaction commits."""
    due = (
        select(SearchWaiting.message_id)
        .order_by(SearchWaiting.message_id.desc())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = delete(SearchWaiting).where(SearchWaiting.message_id.in_(due.scalar_subquery()))
    return sorted(session.scalars(taken.returning(SearchWaiting.message_id)))


def is_waiting(session: Session) -> bool:
    """Whether the words of any message are due."""
    return bool(session.scalar(select(exists().select_from(SearchWaiting))))


def texts_of(session: Session, message_ids: Sequence[int]) -> dict[int, tuple[datetime, list[str]]]:
    """What messages are found by: time, and subject, people, what is new in the text, names of files.

    Acknowledgements are left out.
    """
    files = (
        select(func.array_agg(Attachment.name))
        .where(Attachment.message_id == Message.id)
        .correlate(Message)
        .scalar_subquery()
    )
    query = select(
        Message.id,
        Message.happened_at,
        Message.subject,
        Message.sender_name,
        Message.sender,
        Message.recipients,
        _new_text(),
        Message.signature,
        files,
    ).where(
        Message.id.in_(message_ids),
        ~exists().where(Delivery.id == Message.delivery_id, Delivery.template == UNSAID),
    )
    found: dict[int, tuple[datetime, list[str]]] = {}
    for number, at, subject, name, sender, recipients, body, signature, names in session.execute(query):
        people = [part for pairs in recipients.values() for pair in pairs for part in pair if part]
        found[number] = (at, [subject, name, sender, *people, *(names or ()), body, signature])
    return found


def write_words(session: Session, rows: Iterable[tuple[int, datetime, list[str]]]) -> None:
    """Write the words of messages: id, time and lexemes of each."""
    given = [{"number": number, "at": at, "lexemes": list(words)} for number, at, words in rows]
    if not given:
        return
    words = func.array_to_tsvector(bindparam("lexemes", type_=ARRAY(Message.text.type)))
    statement = insert(MessageWords).values(
        message_id=bindparam("number"), happened_at=bindparam("at"), words=words
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[MessageWords.message_id], set_={"words": statement.excluded.words}
        ),
        given,
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for."""

    match: str = ""
    """A tsquery in PostgreSQL's own writing; see `matching`. Empty for everything, of one client only."""
    without: str = ""
    """A tsquery; what answers it is left out. It is asked of what was found, never of everything: the words
    that few letters lack are no way to find a letter."""
    phrases: tuple[str, ...] = ()
    """Words that must stand in a row, folded."""
    since: datetime | None = None
    before: tuple[datetime, int] | None = None
    """Only what is older than this message: its time and id."""
    account_id: int | None = None
    channel: str | None = None
    direction: str | None = None
    with_files: bool = False


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def matching(terms: Iterable[tuple[str, str]]) -> str:
    """A tsquery: all `terms`, each a lexeme and, where it may go on, its beginning."""
    parts: list[str] = []
    for lexeme, beginning in terms:
        ways = [_quoted(lexeme)] + ([f"{_quoted(beginning)}:*"] if beginning else [])
        parts.append(f"({' | '.join(ways)})")
    return " & ".join(parts)


def any_of(lexemes: Iterable[str]) -> str:
    """A tsquery that one of the words is enough for."""
    return " | ".join(map(_quoted, lexemes))


_LETTERS = {
    plain: "".join(
        [plain, plain.upper(), *(m for m, p in zip(MARKED, PLAIN, strict=True) if p.lower() == plain)]
    )
    for plain in {letter.lower() for letter in PLAIN}
}
"""Every way in which a folded letter may stand in a text."""


def _in_a_row(phrase: str) -> str:
    """A regular expression for folded words in a row, whatever their marks, case and white space.

    An expression compares a letter in a tenth of the time that `translate` needs to fold it.
    """
    words = (
        "".join(
            f"[{_LETTERS.get(sign, sign + sign.upper())}]"
            if sign.isalpha()
            else "\\" + sign
            if not sign.isalnum()
            else sign
            for sign in word
        )
        for word in phrase.split()
    )
    return r"[\s\u00a0]+".join(words)


@dataclass(frozen=True, slots=True)
class Found:
    """One message that answers."""

    message_id: int
    conversation_id: int
    happened_at: datetime
    subject: str
    text: str
    """The subject and what is new in it."""
    sender: str
    direction: str
    channel: str
    state: str
    account: str
    contact: str


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found, newest first, and where to go on when there may be more."""

    found: list[Found]
    on: tuple[datetime, int] | None = None
    """Time and id of the message after which the search goes on; None when all was looked at."""
    stopped: bool = False
    """It stopped at a bound before the page was full."""


def _new_text() -> ColumnElement[str]:
    return func.coalesce(func.nullif(Message.reply, ""), Message.text)


def _newest(wanted: Wanted, before: tuple[datetime, int] | None, limit: int) -> Select[datetime, int]:
    query = select(MessageWords.happened_at, MessageWords.message_id)
    if wanted.match:
        query = query.where(MessageWords.words.op("@@")(cast(literal(wanted.match), TSQUERY)))
    if wanted.since is not None:
        query = query.where(MessageWords.happened_at >= wanted.since)
    if before is not None:
        query = query.where(tuple_(MessageWords.happened_at, MessageWords.message_id) < tuple_(*before))
    if wanted.account_id is not None:
        # A client's messages are few: they are named, and the words only compared.
        theirs = select(Message.id).join(Conversation).where(Conversation.account_id == wanted.account_id)
        query = query.where(MessageWords.message_id == any_(func.array(theirs.scalar_subquery())))
    return query.order_by(MessageWords.happened_at.desc(), MessageWords.message_id.desc()).limit(limit)


def _seen(
    session: Session, wanted: Wanted, message_ids: Sequence[int], may_see: ColumnElement[bool]
) -> dict[int, int]:
    """Of these messages, newest first, the first of each conversation that may be seen: conversation id →
    message id.

    Asked in steps, each by its index: joined, PostgreSQL would read every conversation there is.
    """
    among = select(Message.id, Message.conversation_id).where(_is_one_of(Message.id, message_ids))
    talks: dict[int, int] = {row.id: row.conversation_id for row in session.execute(among)}
    open_to_them = set(
        session.scalars(
            select(Conversation.id).where(_is_one_of(Conversation.id, set(talks.values())), may_see)
        )
    )
    left = [one for one in message_ids if talks.get(one) in open_to_them]
    conditions = _conditions(wanted)
    if conditions and left:
        answering = set(session.scalars(select(Message.id).where(_is_one_of(Message.id, left), *conditions)))
        left = [one for one in left if one in answering]
    found: dict[int, int] = {}
    for message_id in left:
        found.setdefault(talks[message_id], message_id)
    return found


def _is_one_of(column: Any, ids: Iterable[int]) -> ColumnElement[bool]:
    return column == any_(literal(list(ids), ARRAY(Message.id.type)))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What is asked of each message beyond its words."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.channel is not None:
        conditions.append(Message.channel == wanted.channel)
    if wanted.direction is not None:
        conditions.append(Message.direction == wanted.direction)
    if wanted.without:
        unwanted = MessageWords.words.op("@@")(cast(literal(wanted.without), TSQUERY))
        conditions.append(~exists().where(MessageWords.message_id == Message.id, unwanted))
    for phrase in wanted.phrases:
        said = func.concat_ws(" ", Message.subject, Message.sender_name, _new_text())
        conditions.append(said.op("~")(_in_a_row(phrase)))
    if wanted.with_files:
        conditions.append(exists().where(Attachment.message_id == Message.id))
    return conditions


def _shown(session: Session, message_ids: Sequence[int]) -> list[Found]:
    query = (
        select(
            Message.id,
            Message.conversation_id,
            Message.happened_at,
            Message.subject,
            func.left(_new_text(), 20_000),
            func.coalesce(func.nullif(Message.sender_name, ""), Message.sender),
            Message.direction,
            Message.channel,
            Conversation.state,
            func.coalesce(Account.name, ""),
            func.coalesce(Contact.name, ""),
        )
        .join(Conversation, Conversation.id == Message.conversation_id)
        .outerjoin(Account, Account.id == Conversation.account_id)
        .outerjoin(Contact, Contact.id == Conversation.contact_id)
        .where(Message.id.in_(message_ids))
        .order_by(Message.happened_at.desc(), Message.id.desc())
    )
    return [Found(*row) for row in session.execute(query)]


def find(
    session: Session,
    wanted: Wanted,
    may_see: ColumnElement[bool],
    *,
    page: int = PAGE,
    rounds: Sequence[int] = ROUNDS,
) -> Searched:
    """The newest message of each conversation that answers, among those that `may_see` lets through."""
    seen: dict[int, int] = {}
    place = wanted.before
    for limit in rounds:
        newest = list(session.execute(_newest(wanted, place, limit)))
        for conversation_id, message_id in _seen(
            session, wanted, [row.message_id for row in newest], may_see
        ).items():
            seen.setdefault(conversation_id, message_id)
        place = (newest[-1].happened_at, newest[-1].message_id) if len(newest) == limit else None
        if place is None or len(seen) > page:
            break
    found = _shown(session, list(seen.values())[:page])
    if len(seen) > page:
        return Searched(found, on=(found[-1].happened_at, found[-1].message_id))
    return Searched(found, on=place, stopped=place is not None)
