"""What happens once the first letters are understood: an answer, an offer, a reply to it, and a bounce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import outbox, stages
from core.accounts import Contact, find_by_email
from core.conversations import Conversation, Direction, Message
from core.deals import Deal, Stage, open_deals
from core.outbox import Delivery, DeliveryState
from core.staff import StaffMember
from desk import answers
from desk.demo import people, replies
from desk.demo.observed import OUT, rfc_id_of
from desk.demo.servers import Sent
from desk.demo.world import World

ANSWER = (
    "Thank you for your request. All six pumps are in stock and can leave within ten working days.\n\n"
    "The offer follows in a separate letter."
)
REPLY = "Thank you, the offer suits us. Please send the contract."


@dataclass(frozen=True, slots=True)
class Told:
    """What happened in one step, in a sentence, and what of it went wrong."""

    text: str
    wrong: tuple[str, ...] = ()


def _address() -> str:
    return people.company()["showpiece"]


def _conversation(session: Session) -> Conversation:
    """The one with the client whose letter is answered."""
    query = (
        select(Conversation)
        .join(Message, Message.conversation_id == Conversation.id)
        .where(Message.sender == _address(), Message.direction == Direction.IN)
        .order_by(Message.id.desc())
        .limit(1)
    )
    return session.scalars(query).one()


def _deal(session: Session, contact: Contact) -> Deal:
    return open_deals(session, [contact.account_id] if contact.account_id else [], [contact.id])[-1]


def _handler(session: Session, conversation: Conversation) -> StaffMember:
    return conversation.assignee or people.colleague(session, "emma")


def _leaves(world: World, delivery_id: int) -> str | None:
    """Wait until a delivery is settled; what is wrong with it, or None where the relay took it."""
    state: list[tuple[DeliveryState, str | None]] = []

    def settled(session: Session) -> bool:
        row = session.execute(
            select(Delivery.state, Delivery.error, Delivery.settled_at).where(Delivery.id == delivery_id)
        ).one()
        state[:] = [(row.state, row.error)]
        return row.settled_at is not None

    world.wait_until("the letter has left", settled)
    found, error = state[0]
    return None if found in OUT else f"it is {found.value}: {error or 'no reason given'}"


def _as_sent(world: World, delivery_id: int) -> Sent:
    """What the relay got for a delivery."""
    with world.transaction() as session:
        rfc_id = session.scalar(select(Delivery.rfc_id).where(Delivery.id == delivery_id))
    return next(one for one in world.servers.sent if rfc_id_of(one.data) == rfc_id)


def _deliver(world: World, mailbox: str, letter: bytes) -> None:
    """One more letter for us."""
    world.servers.deliver(mailbox, letter)
    world.appended += 1
    world.distinct += 1


def _arrives(world: World, mailbox: str, letter: bytes) -> Message:
    """Deliver a letter and wait until it is filed."""
    _deliver(world, mailbox, letter)
    query = select(Message).where(Message.rfc_id == rfc_id_of(letter))
    world.wait_until("the letter is filed", lambda session: session.scalar(query) is not None)
    with world.transaction() as session:
        return session.scalars(query).one()


def _acknowledgement(world: World, number: int) -> Delivery | None:
    """One of the acknowledgements to others than the client of the offer."""
    with world.transaction() as session:
        return session.scalar(
            select(Delivery)
            .where(Delivery.template == "acknowledgement", Delivery.address != _address())
            .order_by(Delivery.id)
            .offset(number)
            .limit(1)
        )


def answer_letter(world: World) -> Told:
    """A colleague answers the client in their own words."""
    with world.transaction() as session:
        conversation = _conversation(session)
        staff = _handler(session, conversation)
        draft = answers.write(session, conversation, staff, body=ANSWER, key="demo:answer")
        delivery_id = outbox.queue(session, draft)
        conversation.waiting = False
        told = f"{staff.name} answers {_address()}: “{ANSWER.partition('.')[0]}.”"
    if delivery_id is None:
        return Told(told, ("the answer was not queued",))
    if fault := _leaves(world, delivery_id):
        return Told(told, (f"the answer did not leave: {fault}",))
    letter = message_from_bytes(_as_sent(world, delivery_id).data, policy=policy.compat32)
    return Told(told, () if letter["In-Reply-To"] else ("the answer does not refer to the client's letter",))


def send_offer(world: World) -> Told:
    """The deal enters the stage of the commercial offer, and the offer goes out as a PDF."""
    with world.transaction() as session:
        contact = find_by_email(session, _address())
        assert contact is not None  # noqa: S101 - the client came with the company
        deal = _deal(session, contact)
        stage = session.scalars(
            select(Stage).where(Stage.pipeline_id == deal.pipeline_id, Stage.key == "commercial_offer")
        ).one()
        staff = _handler(session, _conversation(session))
        _, delivery_id = stages.enter_stage(session, deal, stage, staff=staff, reason="asked for a price")
        told = f"{staff.name} moves “{deal.title}” to “{stage.name('en')}”"
    if delivery_id is None:
        return Told(told, ("entering the stage sent nothing",))
    if fault := _leaves(world, delivery_id):
        return Told(told, (f"the offer did not leave: {fault}",))
    sent = _as_sent(world, delivery_id)
    files = [
        (part.get_filename() or "", part.get_payload(decode=True))
        for part in message_from_bytes(sent.data, policy=policy.default).walk()
        if part.get_content_type() == "application/pdf"
    ]
    if len(files) != 1 or not isinstance(files[0][1], bytes) or not files[0][1].startswith(b"%PDF-"):
        return Told(told, ("the offer went out without its PDF",))
    name, content = files[0]
    return Told(f"{told}; {name} ({len(content) / 1000:.0f} kB) goes out with it")


def client_replies(world: World) -> Told:
    """The client answers the newest letter, the offer; the answer joins its conversation."""
    with world.transaction() as session:
        offer = session.scalars(
            select(Delivery)
            .where(Delivery.address == _address(), Delivery.state.in_(OUT))
            .order_by(Delivery.id.desc())
            .limit(1)
        ).one()
        delivery_id, name, conversation_id = offer.id, offer.recipient_name, offer.conversation_id
        mailbox = people.mailboxes()[offer.mailbox or "sales"]
    letter = replies.reply_to(
        _as_sent(world, delivery_id).data, sender=_address(), name=name, mailbox=mailbox, words=REPLY
    )
    filed = _arrives(world, mailbox, letter)
    told = f"{name} replies: “{REPLY.partition('.')[0]}.”"
    if filed.conversation_id != conversation_id:
        return Told(told, ("the reply did not join the conversation",))
    if filed.reply.strip() != REPLY:
        return Told(told, (f"of the reply {filed.reply!r} was taken for new",))
    with world.transaction() as session:
        again = session.scalar(select(Delivery.id).where(Delivery.key == f"acknowledgement:{filed.id}"))
        if again is not None:
            return Told(told, ("the reply was acknowledged, and it is not the first letter",))
    return Told(f"{told}, which joins conversation {conversation_id}")


def machine_answers(world: World) -> Told:
    """A client's mail program answers our acknowledgement; it is filed there, and nobody answers it."""
    delivery = _acknowledgement(world, 1)
    if delivery is None:
        return Told("A machine answers", ("there is no acknowledgement it could answer",))
    mailbox = people.mailboxes()[delivery.mailbox or "sales"]
    letter = replies.automatic_reply_to(
        _as_sent(world, delivery.id).data, sender=delivery.address, mailbox=mailbox
    )
    filed = _arrives(world, mailbox, letter)
    told = f"{delivery.address}'s mail program says that they are away"
    if filed.machine is None:
        return Told(told, ("the automatic reply was taken for a person's",))
    if filed.conversation_id != delivery.conversation_id:
        return Told(told, ("the automatic reply did not join its conversation",))
    return Told(f"{told}, which is filed as {filed.machine.replace('_', ' ')} and answered by nobody")


def letter_bounces(world: World) -> Told:
    """A server abroad reports that one of our letters could not be delivered."""
    delivery = _acknowledgement(world, 0)
    if delivery is None:
        return Told("A letter of ours bounces", ("there is no acknowledgement that could",))
    sent = _as_sent(world, delivery.id)
    mailbox = people.mailboxes()[delivery.mailbox or "sales"]
    report = replies.bounce_of(sent.data, returns_to=sent.sender or mailbox, recipient=delivery.address)
    _deliver(world, mailbox, report)

    def bounced(session: Session) -> bool:
        state = session.scalar(select(Delivery.state).where(Delivery.id == delivery.id))
        return state == DeliveryState.BOUNCED

    world.wait_until("the bounce has settled its delivery", bounced)
    return Told(
        f"Our letter to {delivery.address} cannot be delivered, and its delivery is marked as bounced"
    )


STEPS: tuple[Callable[[World], Told], ...] = (
    answer_letter,
    send_offer,
    client_replies,
    machine_answers,
    letter_bounces,
)
"""The steps in their order."""
