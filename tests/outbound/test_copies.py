"""A letter with copies leaves once for each of its readers, the same for all, each with a fate of its own."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from sqlalchemy import func, select

from core import consent, outbox, outbox_copies, staff
from core.accounts import Account, Channel, Contact, ContactPoint, PointKind
from core.approvalasks import Cause, asked_by
from core.consent import Scope, SuppressionReason
from core.context import Context
from core.conversations import Conversation, Message, participants
from core.copies import Reader
from core.documents import Document, DocumentSending
from core.ledger import balance
from core.outbox import Delivery, DeliveryState, Draft, Purpose
from tests.outbound.conftest import Company, draft, queue, send_all, smtp_channel, states
from tests.servers_smtp import RecordingServer

ONA, JONAS, PETRAS = "ona@imone.example", "jonas@imone.example", "petras@kita.example"
COPIES = (Reader("Jonas Jonaitis", JONAS), Reader("Пётр, директор", PETRAS))


def _answer(context: Context, number: int = 1, **given: object) -> Draft:
    with context.transaction() as session:
        talk = Conversation(subject="Siurbliai")
        session.add(talk)
        session.flush()
        talk_id = talk.id
    return draft(
        number, ONA, recipient_name="Ona", conversation_id=talk_id, automatic=False, purpose=Purpose.ANSWER,
        **{"copies": COPIES, **given},
    )  # fmt: skip


def _letters(smtp: RecordingServer) -> dict[str, EmailMessage]:
    """What the server took, by whom it was for; nobody got it twice."""
    found: dict[str, EmailMessage] = {}
    for one in smtp.received:
        (reader,) = one.recipients
        assert reader not in found
        parsed = email.message_from_bytes(one.data, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        found[reader] = parsed
    return found


async def test_each_reader_gets_the_same_letter_in_an_envelope_of_their_own(
    company: Company, smtp: RecordingServer
) -> None:
    context = company(smtp.port)
    queue(context, _answer(context))
    await send_all(context, smtp_channel(context))
    letters = _letters(smtp)
    assert set(letters) == {ONA, JONAS, PETRAS}
    for field in ("Message-ID", "To", "Cc", "Subject"):
        assert len({str(one[field]) for one in letters.values()}) == 1
    to, cc = letters[PETRAS]["To"].addresses, letters[ONA]["Cc"].addresses
    assert [(one.display_name, one.addr_spec) for one in to] == [("Ona", ONA)]
    assert [(one.display_name, one.addr_spec) for one in cc] == [(one.name, one.address) for one in COPIES]
    assert len({one.get_content() for one in letters.values()}) == 1
    with context.transaction() as session:
        assert outbox.counts(session)["sent"] == 3
        assert balance(session).sound


async def test_history_holds_one_letter_and_whoever_was_copied_takes_part(
    company: Company, smtp: RecordingServer
) -> None:
    context = company(smtp.port)
    queue(context, _answer(context))
    await send_all(context, smtp_channel(context))
    with context.transaction() as session:
        message = session.scalars(select(Message)).one()
        assert [address for _, address in message.recipients["cc"]] == [JONAS, PETRAS]
        assert {ONA, JONAS, PETRAS} <= participants(session, [message.conversation_id])[
            message.conversation_id
        ]


async def test_one_refused_copy_leaves_the_others_alone(company: Company, smtp: RecordingServer) -> None:
    context = company(smtp.port)
    smtp.refusals[JONAS] = "550 5.1.1 nobody here"
    queue(context, _answer(context))
    await send_all(context, smtp_channel(context))
    assert states(context) == {ONA: "sent", JONAS: "refused", PETRAS: "sent"}


async def test_whom_nothing_may_be_sent_to_gets_no_copy_and_is_not_named(
    company: Company, smtp: RecordingServer
) -> None:
    context = company(smtp.port)
    with context.transaction() as session:
        consent.suppress(
            session,
            Channel.EMAIL,
            JONAS,
            scope=Scope.EVERYTHING,
            reason=SuppressionReason.BOUNCED,
            source="x",
        )
    queue(context, _answer(context))
    await send_all(context, smtp_channel(context))
    assert states(context) == {ONA: "sent", JONAS: "suppressed", PETRAS: "sent"}
    assert JONAS not in str(_letters(smtp)[ONA]["Cc"])


async def test_who_opts_out_after_it_was_queued_gets_no_copy(company: Company, smtp: RecordingServer) -> None:
    context = company(smtp.port)
    queue(context, _answer(context))
    with context.transaction() as session:
        consent.suppress(
            session, Channel.EMAIL, PETRAS, scope=Scope.EVERYTHING, reason=SuppressionReason.UNSUBSCRIBED,
            source="x",
        )  # fmt: skip
    await send_all(context, smtp_channel(context))
    assert states(context) == {ONA: "sent", JONAS: "sent", PETRAS: "suppressed"}
    assert [[one.addr_spec for one in _letters(smtp)[reader]["Cc"].addresses] for reader in (ONA, JONAS)] == [
        [JONAS],
        [JONAS],
    ]


async def test_who_had_the_letter_before_they_opted_out_is_still_named(
    company: Company, smtp: RecordingServer
) -> None:
    context = company(smtp.port)
    queue(context, _answer(context))
    with context.transaction() as session:
        for reader in (ONA, PETRAS):
            session.scalars(
                select(Delivery).where(Delivery.address == reader)
            ).one().state = DeliveryState.SENT
            consent.suppress(
                session, Channel.EMAIL, reader, scope=Scope.EVERYTHING, reason=SuppressionReason.UNSUBSCRIBED,
                source="x",
            )  # fmt: skip
    await send_all(context, smtp_channel(context))
    (letter,) = _letters(smtp).values()
    assert [one.addr_spec for one in letter["To"].addresses] == [ONA]
    assert [one.addr_spec for one in letter["Cc"].addresses] == [JONAS, PETRAS]


async def test_a_letter_that_its_own_reader_may_not_have_is_copied_to_nobody(
    company: Company, smtp: RecordingServer
) -> None:
    context = company(smtp.port)
    queue(context, _answer(context))
    with context.transaction() as session:
        consent.suppress(
            session, Channel.EMAIL, ONA, scope=Scope.EVERYTHING, reason=SuppressionReason.COMPLAINED,
            source="x",
        )  # fmt: skip
    await send_all(context, smtp_channel(context))
    assert smtp.received == []
    assert states(context) == {ONA: "suppressed", JONAS: "cancelled", PETRAS: "cancelled"}


async def test_a_letter_and_its_copies_carry_one_document(company: Company, smtp: RecordingServer) -> None:
    context = company(smtp.port)
    queue(
        context,
        _answer(context, template="brochure", documents=["brochure"], values={"client": {"name": "Ona"}}),
    )
    await send_all(context, smtp_channel(context))
    assert {len(list(one.iter_attachments())) for one in _letters(smtp).values()} == {1}
    with context.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Document)) == 1
        assert session.scalar(select(func.count()).select_from(DocumentSending)) == 3


async def test_copies_wait_for_the_same_word_and_leave_with_it(
    company: Company, smtp: RecordingServer
) -> None:
    context = company(smtp.port)
    with context.transaction() as session:
        head = staff.add(session, email="head@example.lt", name="Rasa", role=staff.Role.HEAD)
        session.flush()
        spec = asked_by(Cause.HAND, f"person:{head.email}")
    (number,) = queue(context, _answer(context, approver=spec))
    await send_all(context, smtp_channel(context))
    assert set(states(context).values()) == {"held"}
    with context.transaction() as session:
        outbox_copies.settle(session, number, DeliveryState.QUEUED)
    await send_all(context, smtp_channel(context))
    assert set(_letters(smtp)) == {ONA, JONAS, PETRAS}


async def test_taking_back_a_letter_takes_back_all_that_has_not_left(
    company: Company, smtp: RecordingServer
) -> None:
    context = company(smtp.port)
    (number,) = queue(context, _answer(context))
    with context.transaction() as session:
        assert outbox_copies.settle(session, number, DeliveryState.CANCELLED) == []
    await send_all(context, smtp_channel(context))
    assert smtp.received == []
    assert set(states(context).values()) == {"cancelled"}


def test_a_copy_that_has_left_is_told_of_when_the_letter_is_taken_back(context: Context) -> None:
    (number,) = queue(context, _answer(context))
    with context.transaction() as session:
        gone = session.scalars(select(Delivery).where(Delivery.address == JONAS)).one()
        gone.state = DeliveryState.SENT
        session.flush()
        assert [one.address for one in outbox_copies.settle(session, number, DeliveryState.CANCELLED)] == [
            JONAS
        ]
    assert states(context) == {ONA: "cancelled", JONAS: "sent", PETRAS: "cancelled"}


def test_a_letter_queued_twice_has_its_copies_once(context: Context) -> None:
    letter = _answer(context)
    assert len(queue(context, letter)) == 1
    assert queue(context, letter) == []
    assert len(states(context)) == 3


def test_a_copy_is_its_contacts_and_takes_their_name(context: Context) -> None:
    with context.transaction() as session:
        account = Account(name="UAB Įmonė")
        person = Contact(name="Jonas iš kortelės", account=account)
        person.points.append(ContactPoint(kind=PointKind.EMAIL, value=JONAS))
        session.add(person)
        session.flush()
        wanted = person.id
    (number,) = queue(context, _answer(context, copies=[Reader("", JONAS)]))
    with context.transaction() as session:
        assert outbox_copies.readers(session, number) == [Reader("Jonas iš kortelės", JONAS)]
        assert session.scalar(select(Delivery.contact_id).where(Delivery.address == JONAS)) == wanted
