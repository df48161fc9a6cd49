"""What a person wants to get from us: topics and channels they may allow or refuse, each with its proof."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, null, select, update
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

TOPICS = (Topic.OFFERS, Topic.NEWS, Topic.EVENTS)
WHOLE = frozenset({Channel.VOICE, Channel.FAX})
"""Channels that are wanted or not, whatever it is about: follow-ups go by them, and mailings never."""
POINTS = {
    Channel.EMAIL: PointKind.EMAIL,
    Channel.SMS: PointKind.PHONE,
    Channel.VOICE: PointKind.PHONE,
    Channel.FAX: PointKind.FAX,
}
"""Where each channel reaches somebody, in the order in which they are asked."""
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


def topics_of(channel: Channel) -> tuple[Topic, ...]:
    """What may be chosen on a channel."""
    return (Topic.MARKETING,) if channel in WHOLE else TOPICS


def contact_of(session: Session, address: str) -> Contact | None:
    """Who has the e-mail address, with or without a ``+tag``, or the number of a fax."""
    if is_number(address):
        theirs = ContactPoint.kind.in_([PointKind.FAX, PointKind.PHONE]), ContactPoint.value == address
    else:
        theirs = ContactPoint.kind == PointKind.EMAIL, ContactPoint.key == address_key(Channel.EMAIL, address)
    query = (
        select(Contact)
        .join(ContactPoint, ContactPoint.contact_id == Contact.id)
        .where(*theirs)
        .order_by(Contact.id)
        .limit(1)
    )
    return session.scalar(query)


def is_number(address: str) -> bool:
    """Whether that is a number in E.164 form, and so no address of mail."""
    return address.startswith("+") and "@" not in address


def of(session: Session, address: str) -> Wishes:
    """What the owner of an e-mail address wants; what they did not refuse counts as wanted. Of a fax number
    only whether more faxes may come is known: a machine has many readers.
    """
    if is_number(address):
        stop = suppression_of(session, Channel.FAX, address)
        closed = stop is not None and stop.scope == Scope.EVERYTHING
        return Wishes(address, None, (Channel.FAX,), {(Channel.FAX, Topic.MARKETING): stop is None}, closed)
    return _known(session, contact_of(session, address), address)


def of_contact(session: Session, contact: Contact) -> Wishes:
    """What a contact wants, on every channel that reaches them."""
    return _known(session, contact, contact.email or "")


def _known(session: Session, contact: Contact | None, address: str) -> Wishes:
    mail = suppression_of(session, Channel.EMAIL, address) if address else None
    said = _said(session, contact) if contact is not None else {}
    reached = {channel: _addresses(contact, kind) if contact else [] for channel, kind in POINTS.items()}
    reached[Channel.EMAIL] = [address] if address else []
    channels = [channel for channel, addresses in reached.items() if addresses]
    stopped = {
        channel: any(suppression_of(session, channel, one) for one in reached[channel])
        for channel in channels
    }
    wanted = {
        (channel, topic): not stopped[channel]
        and said.get((channel, Topic.MARKETING), True)
        and said.get((channel, topic), True)
        for channel in channels
        for topic in topics_of(channel)
    }
    closed = mail is not None and mail.scope == Scope.EVERYTHING
    return Wishes(address, contact.id if contact else None, tuple(channels), wanted, closed)


def _said(session: Session, contact: Contact) -> dict[tuple[str, str], bool]:
    """A contact's last word on each topic and channel."""
    query = select(Consent).where(Consent.contact_id == contact.id).order_by(Consent.id)
    return {(str(one.channel), one.purpose): one.granted for one in session.scalars(query)}


def state(session: Session, address: str, wanted: Iterable[Wish], *, proof: str) -> Wishes:
    """Write down what the owner of an address wants now: everything that is not named is refused.

    ``proof`` says what shows it; what they said before is not written again. An opt-out of mailings that
    they made before ends with their first yes; a bounce or a complaint does not. Raises InputRefused for an
    unknown wish.
    """
    contact = contact_of(session, address) if not is_number(address) else None
    if contact is not None:
        return _state(session, contact, address, [address], set(wanted), proof)
    chosen, before = set(wanted), of(session, address)
    _check(chosen, before)
    if not chosen:
        _stop(session, Channel.FAX if is_number(address) else Channel.EMAIL, address, proof)
    return of(session, address)


def state_of(session: Session, contact: Contact, wanted: Iterable[Wish], *, proof: str) -> Wishes:
    """The same of a contact, with all their addresses, as they told a colleague."""
    addresses = _addresses(contact, PointKind.EMAIL)
    return _state(session, contact, contact.email or "", addresses, set(wanted), proof)


def refuse_mail(session: Session, address: str, *, proof: str) -> None:
    """The owner of an address wants no more mailings by e-mail, whichever address of theirs is used next."""
    _refuse(session, Channel.EMAIL, address, proof)


def refuse_faxes(session: Session, number: str, *, proof: str) -> None:
    """The owner of a number wants no more faxes that they did not ask for."""
    _refuse(session, Channel.FAX, number, proof)


def _refuse(session: Session, channel: Channel, address: str, proof: str) -> None:
    _stop(session, channel, address, proof)
    contact = contact_of(session, address)
    if contact is not None and _said(session, contact).get((channel, Topic.MARKETING)) is not False:
        session.add(_word(contact, channel, Topic.MARKETING, False, proof))
        session.flush()


def _check(chosen: set[Wish], before: Wishes) -> None:
    if unknown := chosen - set(before.wanted):
        raise InputRefused(f"Nobody asked about {sorted(map(str, unknown))}.")


def _state(
    session: Session, contact: Contact, address: str, mails: Sequence[str], chosen: set[Wish], proof: str
) -> Wishes:
    before = _known(session, contact, address)
    _check(chosen, before)
    for channel in before.channels:
        addresses = mails if channel == Channel.EMAIL else _addresses(contact, POINTS[channel])
        wants = any(chosen_channel == channel for chosen_channel, _ in chosen)
        for one in addresses:
            if wants:
                _open(session, channel, one)
            else:
                _stop(session, channel, one, proof)
    latest = _said(session, contact)
    for channel, topic in before.wanted:
        now = (channel, topic) in chosen
        if latest.get((channel, topic)) is not now:
            latest[channel, topic] = now
            session.add(_word(contact, channel, topic, now, proof))
        if now and latest.get((channel, Topic.MARKETING)) is False:
            latest[channel, Topic.MARKETING] = True
            session.add(_word(contact, channel, Topic.MARKETING, True, proof))
    session.flush()
    return _known(session, contact, address)


def _word(contact: Contact, channel: Channel, topic: Topic, granted: bool, proof: str) -> Consent:
    return Consent(contact_id=contact.id, channel=channel, purpose=topic, granted=granted, proof=proof)


def _addresses(contact: Contact, kind: PointKind) -> list[str]:
    return [point.value for point in contact.points if point.kind == kind]


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
    """Take back what the person themselves closed, and nothing else.

    Who pressed 9 has no key that takes it back, so their word does; STOP by SMS ends with their START.
    """
    closed = [Scope.MARKETING, Scope.EVERYTHING] if channel == Channel.VOICE else [Scope.MARKETING]
    theirs = Suppression.channel == channel, Suppression.address == address_key(channel, address)
    session.execute(
        delete(Suppression).where(
            *theirs,
            Suppression.scope.in_(closed),
            Suppression.reason == SuppressionReason.UNSUBSCRIBED,
        )
    )
    asked = Suppression.wish["reason"].astext == SuppressionReason.UNSUBSCRIBED
    session.execute(update(Suppression).where(*theirs, asked).values(wish=null()))
    session.expire_all()
