"""Thread: which conversation a letter belongs to, or that it begins one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from core import outbox, outbox_copies
from core.bulk import among, new_ids
from core.conversations import Conversation, ConversationState, Message, conversations_of_ids
from core.errors import IllegalTransition
from core.outbox import Delivery, DeliveryState
from core.values import BadAddress, email_domain, is_free_mail, normal_email
from inbound.authenticity import Verdict
from inbound.reading import Pair
from inbound.steps.screen import tokens_in
from inbound.subjects import kind as mark_of
from inbound.subjects import normal as topic_of
from inbound.work import Batch, Item, Talk

MOST_REFERENCES: Final = 30
"""References looked up of one letter: the newest ones."""

BY_SUBJECT: Final = timedelta(days=30)
"""How long an answer without references may be told by its subject and sender."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the conversations a letter refers to it joins, or why none."""

    talk: Talk | None
    reason: str
    warning: str | None = None
    beside: Talk | None = None
    """The conversation it refers to without its sender taking part in it."""


def choose(
    item: Item, referred: Iterable[Talk], topic: str, own_domains: Collection[str] = frozenset()
) -> Choice:
    """Decide among the conversations a letter refers to, the nearest first.

    Only who takes part may join: somebody who learnt an id of ours would else write into a client's history.
    A new subject under an old id begins a new topic. An address of `own_domains` that is no colleague's says
    nothing for itself, because they take part in every conversation: our mail server must confirm it.
    """
    foreign: Talk | None = None
    renamed = False
    for talk in referred:
        if not _belongs(item, talk, own_domains):
            foreign = foreign or talk
        elif topic and talk.topics and topic not in talk.topics and not item.machine:
            renamed = True
        else:
            return Choice(talk, "answers a letter of this conversation")
    if renamed:
        return Choice(None, "an old thread with a new subject: a new topic")
    if foreign is not None:
        return Choice(
            None,
            "refers to a conversation its sender takes no part in",
            "refers_to_foreign_conversation",
            foreign,
        )
    return Choice(None, "begins a conversation")


def _belongs(item: Item, talk: Talk, own_domains: Collection[str]) -> bool:
    if item.staff_id is not None or item.sender in talk.people:
        return True
    if item.person is not None:
        if item.person.id == talk.contact_id:
            return True
        company = item.person.company
        if company is not None and company.id == talk.account_id:
            return True
    domain = email_domain(item.sender or "")
    if not domain or is_free_mail(domain):
        return False
    if domain in own_domains:
        return item.checks is not None and item.checks.verdict(domain) is Verdict.CONFIRMED
    return domain in {email_domain(one) for one in talk.people}


def run(batch: Batch) -> None:
    """Find each letter's conversation; letters of one batch see those before them."""
    items = list(batch.on_their_way())
    refs = {id(item): references(item) for item in items}
    known = _talks_of_ids(batch, {rfc_id for found in refs.values() for rfc_id in found})
    deliveries = _answered(batch, items)
    by_subject = _open_talks_of(batch, items)
    load(batch, {one for item in items for one in (item.joins, item.beside) if one is not None})
    ids = iter(new_ids(batch.session, Conversation, len(items)))
    own_domains = {email_domain(address) for address in batch.tools.own_addresses()}
    for item in items:
        reading = item.reading
        topic = topic_of(reading.subject)
        delivery = deliveries.get(id(item))
        referred = [talk for rfc_id in refs[id(item)] for talk in known.get(rfc_id, ())]
        if delivery is not None and delivery.conversation_id in batch.talks:
            referred.insert(0, batch.talks[delivery.conversation_id])
            if topic == topic_of(delivery.subject):
                referred[0].topics.add(topic)
        choice = choose(item, referred, topic, own_domains)
        if item.joins in batch.talks:
            choice = Choice(batch.talks[item.joins], "answers an invitation of this conversation")
        if choice.talk is None and not referred and item.sender and mark_of(reading.subject) == "reply":
            same = by_subject.get((item.sender, topic)) if len(topic) > 3 else None
            if same is not None and _lately(item, same):
                choice = Choice(same, "an answer without references, told by subject and sender")
        if choice.warning:
            item.warnings.append(choice.warning)
        if item.machine and choice.talk is None:
            item.ignore("thread", f"{item.machine}: belongs to no conversation ({reading.machine_reason})")
            continue
        item.note("thread", choice.reason)
        item.talk = choice.talk or _begin(batch, item, next(ids), topic)
        if choice.talk is None and not item.machine:
            item.talk.beside_id = choice.beside.id if choice.beside is not None else item.beside
        _join(batch, item, item.talk, topic, refs[id(item)], known)
        if item.sender:
            by_subject.setdefault((item.sender, topic), item.talk)
        if delivery is not None and (
            item.talk.id == delivery.conversation_id or _answers_a_mailing(item, delivery)
        ):
            _has_arrived(batch, item, delivery)


def _lately(item: Item, talk: Talk) -> bool:
    """Whether the conversation was alive shortly before the letter came; letters of old times come late."""
    return talk.last_message_at is None or abs(item.came_at - talk.last_message_at) < BY_SUBJECT


def references(item: Item) -> list[str]:
    """Message-IDs a letter refers to, the nearest first, and its own, which others may have referred to."""
    reading = item.reading
    nearest = dict.fromkeys([*reading.in_reply_to[:3], *reversed(reading.references)])
    own = [reading.message_id] if reading.message_id else []
    return [*list(nearest)[:MOST_REFERENCES], *own]


def _talks_of_ids(batch: Batch, rfc_ids: set[str]) -> dict[str, list[Talk]]:
    found = conversations_of_ids(batch.session, rfc_ids) if rfc_ids else {}
    load(batch, {talk_id for ids in found.values() for talk_id in ids[:5]})
    return {
        rfc_id: [batch.talks[talk_id] for talk_id in ids if talk_id in batch.talks]
        for rfc_id, ids in found.items()
    }


def load(batch: Batch, talk_ids: Iterable[int]) -> None:
    """Read conversations, with their people and topics, into the batch."""
    wanted = sorted(set(talk_ids) - set(batch.talks))
    if not wanted:
        return
    for row in batch.session.scalars(select(Conversation).where(among(Conversation.id, wanted))):
        batch.talks[row.id] = Talk(
            id=row.id,
            subject=row.subject,
            topics={row.topic_key} if row.topic_key else set(),
            people=set(),
            contact_id=row.contact_id,
            account_id=row.account_id,
            deal_id=row.deal_id,
            assignee_id=row.assignee_id,
            team_id=row.team_id,
            language=row.language,
            intent=row.intent,
            urgency=row.urgency,
            waiting=row.waiting,
            open=row.state == ConversationState.OPEN,
            mailbox=row.mailbox,
            last_message_at=row.last_message_at,
        )
        batch.session.expunge(row)
    query = select(
        Message.conversation_id, Message.sender, Message.recipients, Message.subject, Message.direction
    ).where(among(Message.conversation_id, wanted))
    for talk_id, sender, recipients, subject, _ in batch.session.execute(query):
        talk = batch.talks[talk_id]
        talk.people.add(sender)
        talk.people.update(address for pairs in recipients.values() for _, address in pairs)
        if subject:
            talk.topics.add(topic_of(subject))


def _answered(batch: Batch, items: list[Item]) -> dict[int, Delivery]:
    """The delivery each letter answers, by the reply key in what it refers to."""
    keys = {
        id(item): tokens_in([*item.reading.in_reply_to, *reversed(item.reading.references)]) for item in items
    }
    wanted = {key for found in keys.values() for key in found}
    ours = outbox.by_token(batch.session, wanted) if wanted else {}
    load(batch, {one.conversation_id for one in ours.values() if one.conversation_id is not None})
    return {
        number: next(ours[key] for key in found if key in ours)
        for number, found in keys.items()
        if any(key in ours for key in found)
    }


def _open_talks_of(batch: Batch, items: list[Item]) -> dict[tuple[str, str], Talk]:
    """Young conversations of known senders whose answers may come without references."""
    people: dict[int | None, str] = {
        item.person.id: item.sender
        for item in items
        if item.person and not item.person.new and mark_of(item.reading.subject) == "reply" and item.sender
    }
    if not people:
        return {}
    query = (
        select(Conversation.id, Conversation.contact_id, Conversation.topic_key)
        .where(among(Conversation.contact_id, people))
        .where(Conversation.last_message_at > min(item.came_at for item in items) - BY_SUBJECT)
        .order_by(Conversation.id)
    )
    rows = batch.session.execute(query).all()
    wanted = {topic_of(item.reading.subject) for item in items}
    rows = [row for row in rows if row[2] in wanted]
    load(batch, [row[0] for row in rows])
    return {(people[contact_id], topic): batch.talks[talk_id] for talk_id, contact_id, topic in rows}


def _begin(batch: Batch, item: Item, talk_id: int, topic: str) -> Talk:
    company = item.person.company if item.person else None
    talk = Talk(
        id=talk_id,
        subject=item.reading.subject[:500],
        topics={topic} if topic else set(),
        people=set(),
        topic=topic,
        contact_id=item.person.id if item.person else None,
        account_id=company.id if company else None,
        mailbox=item.raw.source,
        language=item.reading.language,
        new=True,
    )
    batch.talks[talk_id] = talk
    return talk


def _join(
    batch: Batch, item: Item, talk: Talk, topic: str, refs: list[str], known: dict[str, list[Talk]]
) -> None:
    """The letter is part of the conversation now, for the letters after it in the batch too."""
    reading = item.reading
    talk.people.update(_addresses([*reading.to, *reading.cc]))
    if item.sender:
        talk.people.add(item.sender)
    if topic:
        talk.topics.add(topic)
    foreign = "refers_to_foreign_conversation" in item.warnings
    for rfc_id in [reading.message_id] if foreign else refs:
        if rfc_id:
            batch.thread_ids.add((rfc_id, talk.id))
            talks = known.setdefault(rfc_id, [])
            if talk not in talks:
                talks.insert(0, talk)


def _addresses(pairs: Iterable[Pair]) -> set[str]:
    found = set()
    for _, address in pairs:
        try:
            found.add(normal_email(address))
        except BadAddress:
            continue
    return found


def _answers_a_mailing(item: Item, delivery: Delivery) -> bool:
    """Whether its recipient answers a mailing's letter, which is in no conversation until somebody does."""
    if delivery.conversation_id is not None or delivery.campaign_id is None or item.machine:
        return False
    known = item.person.id if item.person is not None else None
    return item.sender == delivery.address or known == delivery.contact_id


def _has_arrived(batch: Batch, item: Item, delivery: Delivery) -> None:
    """Who answers a letter has got it; of a letter with copies, whose address it is."""
    item.answers = delivery.id
    delivery = outbox_copies.meant(batch.session, delivery, [item.sender or ""]) or delivery
    if DeliveryState(delivery.state) not in {DeliveryState.SENT, DeliveryState.UNCERTAIN}:
        return
    try:
        outbox.settle(batch.session, delivery.id, DeliveryState.DELIVERED, detail="it was answered")
    except IllegalTransition:
        return
    delivery.state = DeliveryState.DELIVERED
