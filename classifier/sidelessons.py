"""What teaches signal, urgency and products: shipped letters and phrases, and what staff said of messages."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classifier import rules
from classifier.classify import INTEREST, SIGNAL, URGENCY
from classifier.heads import FEWEST, SENDERS, Question, Row
from classifier.starter import Example, examples, signal_phrases
from classifier.text import Text, features_of, plain
from core.catalogue import Product
from core.conversations import Message
from core.intents import Signal
from core.labels import Classification, Correction, Field

MOST = 5_000
"""So many of the newest judged messages teach about products."""

SENDER_SHARE = 0.05
SENDER_LEAST = 3
"""No sender gives more of the rows than this share; so many are always allowed."""


def signal_question(rows: Sequence[Example], groups: Sequence[int], taught: Sequence[Row] = ()) -> Question:
    """The deal's signal: letters with their groups, phrases, and what staff corrected."""
    letters = [
        Row(
            features_of(plain(one.text)),
            ((one.signal or Signal.NONE).value,),
            group=int(group),
        )
        for one, group in zip(rows, groups, strict=True)
    ]
    first = max((row.group for row in letters), default=0) + 1
    own = [Row(row.text, row.labels, row.sender, first + number) for number, row in enumerate(taught)]
    said = [(features_of(phrase), signal) for phrase, signal in signal_phrases()]
    return Question(SIGNAL, [*letters, *own], said)


def signals_taught(session: Session) -> list[Row]:
    """Messages whose signal staff corrected, bounded by sender."""
    return _taught(session, Field.SIGNAL)


def urgency_question(session: Session, rows: Sequence[Example]) -> Question:
    """The urgency: what staff said of messages beside shipped letters, whose urgency their words decide.

    Nothing is asked before `FEWEST` messages were corrected, of at least `SENDERS` senders.
    """
    taught = _taught(session, Field.URGENCY)
    question = Question(URGENCY, target=0.95)
    if len(taught) < FEWEST or len({row.sender for row in taught}) < SENDERS:
        return question
    letters = [plain(one.text) for one in rows]
    said = [
        (one.urgency or rules.urgency(rules.unmarked(text.lower())).value)
        for one, text in zip(rows, letters, strict=True)
    ]
    question.rows = [
        Row(features_of(text), (str(value),), group=number)
        for number, (text, value) in enumerate(zip(letters, said, strict=True))
    ]
    question.rows += [
        Row(row.text, row.labels, row.sender, len(letters) + number) for number, row in enumerate(taught)
    ]
    return question


def _taught(session: Session, field: Field) -> list[Row]:
    newest = (
        select(func.max(Correction.id))
        .where(Correction.field == field, Correction.undone_at.is_(None))
        .group_by(Correction.message_id)
    )
    found = session.execute(
        select(Correction.value, Message)
        .join(Message, Message.id == Correction.message_id)
        .where(Correction.id.in_(newest))
        .order_by(Correction.message_id)
    )
    return bounded(
        [Row(text_of(message), (value or "",), message.sender.lower()) for value, message in found]
    )


def interest_question(session: Session, rows: Sequence[Example] | None = None) -> Question:
    """Products: messages that staff added products to or took them from, other judged messages, and shipped
    letters as what speaks of no product; names and synonyms of the catalogue as examples."""
    added: dict[int, set[str]] = {}
    touched: set[int] = set()
    for message_id, field, value in session.execute(
        select(Correction.message_id, Correction.field, Correction.value)
        .where(
            Correction.field.in_((Field.INTEREST_ADDED, Field.INTEREST_REMOVED, Field.INTENT)),
            Correction.undone_at.is_(None),
        )
        .order_by(Correction.id)
    ):
        touched.add(message_id)
        if field is Field.INTEREST_ADDED and value:
            added.setdefault(message_id, set()).add(value)
        elif field is Field.INTEREST_REMOVED and value:
            added.get(message_id, set()).discard(value)
    question = Question(INTEREST, many=True)
    if not added:
        return question
    chosen = sorted(touched, reverse=True)[:MOST]
    found = session.execute(
        select(Message, Classification.interests)
        .outerjoin(Classification, Classification.message_id == Message.id)
        .where(Message.id.in_(chosen))
        .order_by(Message.id)
    )
    taught = []
    for message, interests in found:
        said = {str(one[0]) for one in interests or ()} | added.get(message.id, set())
        taught.append(Row(text_of(message), tuple(sorted(said)), message.sender.lower()))
    kept = bounded(taught)
    empty = [
        Row(features_of(plain(one.text)), (), "shipped") for one in (examples() if rows is None else rows)
    ]
    senders = {sender: number for number, sender in enumerate(dict.fromkeys(row.sender for row in kept))}
    question.rows = [Row(row.text, row.labels, row.sender, senders[row.sender]) for row in kept]
    question.rows += [
        Row(row.text, row.labels, row.sender, len(senders) + number) for number, row in enumerate(empty)
    ]
    question.always = [
        (features_of(" ".join((*product.names.values(), *_words(product)))), product.key)
        for product in session.scalars(select(Product).order_by(Product.id))
    ]
    return question


def bounded(rows: Sequence[Row]) -> list[Row]:
    """The rows with each sender's newest only, up to the cap; later rows are newer."""
    limit = max(SENDER_LEAST, int(len(rows) * SENDER_SHARE))
    counted: dict[str, int] = {}
    kept: list[Row] = []
    for row in reversed(rows):
        counted[row.sender] = counted.get(row.sender, 0) + 1
        if not row.sender or counted[row.sender] <= limit:
            kept.append(row)
    return kept[::-1]


def text_of(message: Message) -> str:
    """A message as its features are counted: subject and what was newly written."""
    return features_of(plain(Text(message.subject, message.reply or message.text, message.channel.value)))


def _words(product: Product) -> list[str]:
    return [word for words in product.terms.values() for word in words]
