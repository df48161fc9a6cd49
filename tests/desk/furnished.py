"""One thing of every kind beside each conversation of the company, by the names that addresses give them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import (
    absences,
    campaign_verbs,
    demofiles,
    imports,
    lists,
    recordings,
    savedviews,
    segments,
    sequences,
)
from core import templatelibrary_verbs as library
from core.accounts import Account, Contact, ContactPoint, PointKind
from core.approvalasks import Approval, Cause, asked_by
from core.calls import Call, CallState, Recording, RecordingState
from core.conversations import Attachment, Conversation, Message
from core.deals import open_deal
from core.fileasks import DemoLink
from core.labels import Correction, Field
from core.meetings import Attendee, Meeting
from core.moves import Move
from core.notes import Note
from core.outbox import Delivery, DeliveryState, Draft, Purpose, queue
from core.payments import DeliveryNote, Payment
from core.segments_language import parse
from core.sequences import Enrolment
from core.staff import StaffMember
from core.suggestions import Suggestion, SuggestionKind
from core.tasks import Task
from core.templatelibrary import TemplateScope
from tests.factories import World

OWNERS = {
    "own": "agent",
    "team": "mate",
    "other": "other",
    "none": None,
    "curated": "other",
    "support": "support",
}
"""Who has each conversation."""
FAR = datetime(2031, 1, 16, 8, tzinfo=UTC)

Ids = dict[str, int]


def furnish(session: Session, world: World) -> dict[str, Ids]:
    """Put everything there; gives the ids by conversation."""
    return {talk: _beside(session, world, talk) for talk in OWNERS}


def _beside(session: Session, world: World, name: str) -> Ids:
    talk = session.get_one(Conversation, world.talks[name].id)
    owner = OWNERS[name]
    staff_id = world.staff[owner].id if owner else None
    by = staff_id or world.staff["head"].id
    if talk.contact is None:
        talk.contact = Contact(name="Lina Petraitė", language="lt")
        session.add(talk.contact)
        session.flush()
    if talk.deal_id is None:
        made = open_deal(
            session, contact=talk.contact, title=f"Sandoris {name}", owner_id=staff_id, reason="inquiry"
        )
        session.flush()
        talk.deal_id = made.id
    contact_id, deal_id = talk.contact.id, talk.deal_id
    message_id = session.scalars(sa.select(Message.id).where(Message.conversation_id == talk.id)).first()
    assert message_id is not None
    spoken = Message(conversation_id=talk.id, contact_id=contact_id, direction="in", channel="voice")
    attachment = Attachment(
        message_id=message_id, name="Planas.pdf", content_type="application/pdf", size=3, part="2"
    )
    client, contact = _client(session, talk, name)
    twin = Conversation(
        subject="Atskirtas laiškas",
        contact_id=contact_id,
        account_id=client.id,
        assignee_id=staff_id,
        team_id=talk.team_id,
    )
    session.add_all([spoken, attachment, twin])
    session.flush()
    call = Call(
        provider="twilio", sid=f"CA-{name}", state=CallState.ANSWERED, caller="+37061100001",
        contact_id=contact_id, conversation_id=talk.id, message_id=spoken.id, staff_id=staff_id,
        seconds=61, started_at=sa.func.now() - timedelta(minutes=3), ended_at=sa.func.now(),
    )  # fmt: skip
    session.add(call)
    session.flush()
    recording = Recording(call_id=call.id, sid=f"RE-{name}", state=RecordingState.COMPLETED, seconds=61)
    session.add(recording)
    session.flush()
    recordings.keep_sound(session, recording.id, [b"ID3" * 20], media_type="audio/mpeg", most=10**6)
    rows: dict[str, Task | Note | Suggestion | Move | Correction | Payment | DeliveryNote] = {
        "task": Task(title=f"Darbas {name}", assignee_id=staff_id, conversation_id=talk.id),
        "note": Note(conversation_id=talk.id, staff_id=by, text=f"Pastaba {name}"),
        "suggestion": Suggestion(
            contact_id=contact_id, message_id=message_id, kind=SuggestionKind.POSITION, value=f"Vadovė {name}"
        ),
        "move": Move(
            from_id=talk.id, into_id=twin.id, message_ids=[], thread_ids=[], delivery_ids=[], task_ids=[],
            call_ids=[], staff_id=by,
        ),
        "correction": Correction(message_id=message_id, staff_id=by, field=Field.INTENT, value="order"),
        "payment": Payment(deal_id=deal_id, amount=Decimal(10), paid_on=date(2026, 5, 4), number=f"P-{name}"),
        "delivery_note": DeliveryNote(deal_id=deal_id, delivered_on=date(2026, 5, 4), number=f"V-{name}"),
    }  # fmt: skip
    session.add_all(rows.values())
    session.flush()
    person = session.get_one(StaffMember, by)
    queued = _delivery(session, talk, by, DeliveryState.QUEUED)
    _own_template(session, by, name)
    return {
        "conversation": talk.id,
        "account": client.id,
        "contact": contact.id,
        "point": contact.points[0].id,
        "message": message_id,
        "spoken": spoken.id,
        "attachment": attachment.id,
        "deal": deal_id,
        "call": call.id,
        "recording": recording.id,
        "enrolment": _enrolment(session, contact_id, deal_id),
        "queued": queued,
        "link": _link(session, talk, queued, name),
        "approval": _approval(session, talk, by, world.staff["admin"].email),
        **_meeting(session, talk, by, name),
        "uncertain": _delivery(session, talk, by, DeliveryState.UNCERTAIN),
        "view": savedviews.save(session, by, f"Vaizdas {name}", "mine", {}).id,
        "absence": _absence(session, person, name),
        **{kind: row.id for kind, row in rows.items()},
    }


def _client(session: Session, talk: Conversation, name: str) -> tuple[Account, Contact]:
    """A client who is seen by whom the conversation is: with the same curator, and the twin's."""
    client = Account(
        name=f"Sandoris {name}, UAB", curator=talk.account.curator if talk.account else None, source="mail"
    )
    point = ContactPoint(kind=PointKind.EMAIL, value=f"{name}@sandoris.example")
    contact = Contact(name="Lina Petraitė", language="lt", account=client, points=[point])
    session.add(contact)
    session.flush()
    return client, contact


def _enrolment(session: Session, contact_id: int, deal_id: int) -> int:
    running = session.scalar(sa.select(Enrolment.id).where(Enrolment.contact_id == contact_id))
    if running is not None:
        return running
    sequence = sequences.current(session, "after_offer")
    assert sequence is not None
    return sequences.enrol(session, sequence, contact_id=contact_id, deal_id=deal_id, due_at=FAR).id


def _delivery(session: Session, talk: Conversation, by: int, state: DeliveryState) -> int:
    draft = Draft(
        key=f"answer:furnished:{talk.id}:{state}", address="klientas@x.example", purpose=Purpose.ANSWER,
        automatic=False, conversation_id=talk.id, contact_id=talk.contact_id, staff_id=by, template="answer",
        language="lt", subject=talk.subject, body="Ačiū.",
    )  # fmt: skip
    number = queue(session, draft)
    assert number is not None
    session.get_one(Delivery, number).state = state
    session.flush()
    return number


def _approval(session: Session, talk: Conversation, by: int, approver: str) -> int:
    """A letter of whoever has the conversation that waits for an administrator's word."""
    draft = Draft(
        key=f"answer:asked:{talk.id}", address="klientas@x.example", purpose=Purpose.ANSWER, automatic=False,
        conversation_id=talk.id, contact_id=talk.contact_id, staff_id=by, template="answer", language="lt",
        subject=talk.subject, body="Ačiū.", approver=asked_by(Cause.HAND, f"person:{approver}"),
    )  # fmt: skip
    number = queue(session, draft)
    return session.scalars(sa.select(Approval.id).where(Approval.delivery_id == number)).one()


def _meeting(session: Session, talk: Conversation, by: int, name: str) -> Ids:
    coming = Attendee(contact_id=talk.contact_id, name="Lina Petraitė", address=f"{name}@sandoris.example")
    meeting = Meeting(
        uid=f"furnished-{name}", title=f"Sandoris {name}", starts_at=FAR, ends_at=FAR + timedelta(hours=1),
        organizer_id=by, conversation_id=talk.id, attendees=[coming],
    )  # fmt: skip
    session.add(meeting)
    session.flush()
    return {"meeting": meeting.id, "attendee": coming.id}


def _link(session: Session, talk: Conversation, delivery_id: int, name: str) -> int:
    """A file of the library that went to the client as a link."""
    file = demofiles.add(
        session, title=f"Sandoris {name}", filename="Kainos.pdf", content_type="application/pdf",
        data=f"%PDF {name}".encode(),
    )  # fmt: skip
    link = DemoLink(
        key=f"furnished-{name}", file_id=file.id, delivery_id=delivery_id, contact_id=talk.contact_id,
        recipient="klientas@x.example", language="lt", expires_at=FAR,
    )  # fmt: skip
    session.add(link)
    session.flush()
    return link.id


def _own_template(session: Session, staff_id: int, name: str) -> None:
    """A template that a colleague made for themselves."""
    place = library.Place("email", f"own_{name}", TemplateScope.MINE, staff_id=staff_id)
    words = {"subject.txt": f"Sandoris {name}", "body.txt": "{{ client.salutation }}"}
    library.save(session, place, "lt", words, base=0, by=staff_id, names={"lt": f"Sandoris {name}"})


def _absence(session: Session, person: StaffMember, name: str) -> int:
    first = date(2030, 1, 1) + timedelta(days=30 * list(OWNERS).index(name))
    return absences.add(session, person, first, first, by=person.id).id


def marketing_rooms(session: Session, world: World) -> Ids:
    """A list, a segment, a mailing with its text, and a file that is being imported; gives their ids."""
    by = world.staff["marketing"].id
    contact = world.talks["own"].contact
    assert contact is not None
    kept = lists.add(session, "Parodos lankytojai", staff_id=by)
    lists.put_on(session, kept.id, [contact.id])
    tree = parse({"version": 1, "group": "all", "of": [{"fact": "region", "values": ["Vilnius"]}]})
    segment = segments.add(session, "Vilniaus klientai", tree, staff_id=by)
    mailing = campaign_verbs.create(session, "Ruduo", staff_id=by, language="lt", list_id=kept.id)
    campaign_verbs.write(
        session,
        mailing,
        "lt",
        subject="Rudens pasiūlymas",
        body="Laba diena, {{ client.name }}!",
        staff_id=by,
    )
    file = "Vardas;El. paštas\nOna;ona@nauja.example\n;blogas\n".encode()
    uploaded = imports.upload(session, "Mugė.csv", file, staff_id=by)
    session.flush()
    return {"list": kept.id, "segment": segment.id, "mailing": mailing.id, "import": uploaded.id}


ASKED = {"move": "?stage=4", "edit": "?field=name", "merge": "?other={account}"}
"""What an address must say besides."""


def address_of(path: str, own: Ids, world: World) -> str:
    """A route's address with something that there is."""
    given = {
        **{f"{kind}_id": number for kind, number in own.items()},
        "staff_id": world.staff["mate"].id,
        "raw_id": world.raws["stuck"].id,
        "delivery_id": own["uncertain" if path.startswith("/uncertain") else "queued"],
        "entry_id": own["payment" if "/payments/" in path else "delivery_note"],
        "message_id": own["spoken" if path.startswith("/calls/of") else "message"],
    }
    words = {"variant": "A", "language": "lt"}
    named = {"/pipelines": "b2b", "/sequences": "after_offer", "/classifier": "order", "/templates": "answer"}
    words["kind"] = "email"
    words["key"] = next((key for room, key in named.items() if path.startswith(room)), "")
    words["stage"] = "demo"
    words["field"] = "urgency"
    for name, value in (given | words).items():
        path = re.sub(rf"\{{{name}:\w+\}}", str(value), path)
    path = re.sub(r"\{\w+:int\}", "1", path)
    return path + ASKED.get(path.rpartition("/")[2], "").format_map(own)
