"""What a person wants to get from us: topics and channels they may allow or refuse, each with its proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.consent import (
    Consent,
    Scope,
    Suppression,
    SuppressionReason,
    Topic,
    address_key,
    suppress,
    suppression_of,
)
from core.errors import InputRefused

CHANNELS = (Channel.EMAIL, Channel.SMS)
TOPICS = (Topic.OFFERS, Topic.NEWS, Topic.EVENTS)
Wish = tuple[Channel, Topic]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody at an address wants."""

    address: str
    contact_id: int | None
    """None where nobody of that address is on record: all can be stopped then, and nothing chosen."""
    channels: tuple[Channel, ...]
    """Those on which we could reach them."""
    wanted: Mapping[Wish, bool]
    """Whether each topic may come on each channel."""
    closed: bool
    """Nothing may be sent to the address at all: it bounced or complained."""


def contact_of(session: Session, address: str) -> Contact | None:
    """Who has the e-mail address, with or without a ``+tag``."""
    key = address_key(Channel.EMAIL, address)
    query = (
        select(Contact)
        .join(ContactPoint, ContactPoint.contact_id == Contact.id)
        .where(ContactPoint.kind == PointKind.EMAIL, ContactPoint.key == key)
        .order_by(Contact.id)
        .limit(1)
    )
    return session.scalar(query)


def of(session: Session, address: str) -> Wishes:
    """What the owner of an e-mail address wants; what they did not refuse counts as wanted."""
    contact = contact_of(session, address)
    mail = suppression_of(session, Channel.EMAIL, address)
    channels = [Channel.EMAIL]
    said: dict[tuple[str, str], bool] = {}
    phones: list[str] = []
    if contact is not None:
        phones = [point.value for point in contact.points if point.kind == PointKind.PHONE]
        if phones:
            channels.append(Channel.SMS)
        query = select(Consent).where(Consent.contact_id == contact.id).order_by(Consent.id)
        said = {(str(one.channel), one.purpose): one.granted for one in session.scalars(query)}
    stopped = {
        Channel.EMAIL: mail is not None,
        Channel.SMS: any(suppression_of(session, Channel.SMS, number) for number in phones),
    }
    wanted = {
        (channel, topic): not stopped[channel]
        and said.get((channel, Topic.MARKETING), True)
        and said.get((channel, topic), True)
        for channel in channels
        for topic in TOPICS
    }
    closed = mail is not None and mail.scope == Scope.EVERYTHING
    return Wishes(address, contact.id if contact else None, tuple(channels), wanted, closed)


def state(session: Session, address: str, wanted: Iterable[Wish], *, proof: str) -> Wishes:
    """Write down what the owner of an address wants now: everything that is not named is refused.

    ``proof`` says what shows it; what they said before is not written again. An opt-out of mailings that
    they made before ends with their first yes; a bounce or a complaint does not. Raises InputRefused for an
    unknown wish.
    """
    chosen = set(wanted)
    before = of(session, address)
    if unknown := chosen - set(before.wanted):
        raise InputRefused(f"Nobody asked about {sorted(map(str, unknown))}.")
    if before.contact_id is None:
        if not chosen:
            _stop(session, Channel.EMAIL, address, proof)
        return of(session, address)
    contact = session.get_one(Contact, before.contact_id)
    for channel in before.channels:
        addresses = [address] if channel == Channel.EMAIL else _phones(contact)
        if any((channel, topic) in chosen for topic in TOPICS):
            for one in addresses:
                _open(session, channel, one)
        else:
            for one in addresses:
                _stop(session, channel, one, proof)
    latest = {
        (str(one.channel), one.purpose): one.granted
        for one in session.scalars(
            select(Consent).where(Consent.contact_id == contact.id).order_by(Consent.id)
        )
    }
    for channel, topic in before.wanted:
        now = (channel, topic) in chosen
        if latest.get((channel, topic)) is not now:
            session.add(
                Consent(contact_id=contact.id, channel=channel, purpose=topic, granted=now, proof=proof)
            )
        if now and latest.get((channel, Topic.MARKETING)) is False:
            latest[channel, Topic.MARKETING] = True
            session.add(
                Consent(
                    contact_id=contact.id, channel=channel, purpose=Topic.MARKETING, granted=True, proof=proof
                )
            )
    session.flush()
    return of(session, address)


def _phones(contact: Contact) -> list[str]:
    return [point.value for point in contact.points if point.kind == PointKind.PHONE]


def _stop(session: Session, channel: Channel, address: str, proof: str) -> None:
    suppress(
        session,
        channel,
        address,
        scope=Scope.MARKETING,
        reason=SuppressionReason.UNSUBSCRIBED,
        source=proof,
    )


def _open(session: Session, channel: Channel, address: str) -> None:
    """Take back what the person themselves closed, and nothing else."""
    session.execute(
        delete(Suppression).where(
            Suppression.channel == channel,
            Suppression.address == address_key(channel, address),
            Suppression.scope == Scope.MARKETING,
            Suppression.reason == SuppressionReason.UNSUBSCRIBED,
        )
    )
    session.expire_all()
