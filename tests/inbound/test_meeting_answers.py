"""Answers to invitations as calendar programs write them: read, matched, counted, and heard by the deal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from core import defaults, meetings, staff
from core.accounts import Contact, ContactPoint, PointKind
from core.config import Settings
from core.context import Context
from core.conversations import Conversation, Message
from core.deals import Deal, Stage
from core.meetings import Answer, Attendee, Deed, Invited, Meeting, MeetingEvent, Plan
from core.notes import Note
from core.notifications import Kind, StaffNotice
from core.outbox import Draft, Purpose, queue
from core.tasks import Task
from inbound import meetinganswers
from tests.inbound import posting
from tests.inbound.calendarletters import apple, counter_of_all, google, outlook
from tests.inbound.posting import letter, run
from tests.mail.cases import HERE

START = datetime.now(UTC).replace(microsecond=0, second=0, minute=0) + timedelta(days=3)
ONA = "ona@vandenis.lt"


@pytest.fixture
def context(engine: sa.Engine, settings: Settings) -> Context:
    """A house in which Jonas has invited Ona, who asked for a price, to a demo."""
    context = Context(settings=posting.mail_settings(settings), engine=engine)
    with context.transaction() as session:
        posting.install(session)
        defaults.install(session)
        staff.add(session, email="jonas@siurbliai.example", name="Jonas", team="Sales", speaks=["lt", "en"])
    run(context, [letter()])
    with context.transaction() as session:
        organizer = session.scalars(sa.select(staff.StaffMember)).one()
        contact = session.scalars(sa.select(Contact)).one()
        meetings.plan(
            session,
            Plan("Siurblių demonstracija", START, START + timedelta(minutes=45)),
            [Invited(ONA, "Ona Petraitė", contact_id=contact.id)],
            organizer=organizer,
            host="siurbliai.example",
            conversation=session.scalars(sa.select(Conversation)).one(),
            deal=session.scalars(sa.select(Deal)).one(),
        )
    return context


def _meeting(context: Context) -> Meeting:
    with context.transaction() as session:
        meeting = session.scalars(sa.select(Meeting)).one()
        assert meeting.attendees is not None
        assert meeting.events is not None
        return meeting


def _ona(context: Context) -> Attendee:
    return next(one for one in _meeting(context).attendees if one.address == ONA)


@pytest.mark.parametrize("program", [google, outlook, apple])
@pytest.mark.parametrize("said", ["ACCEPTED", "DECLINED", "TENTATIVE"])
def test_an_answer_of_each_program_is_written_to_the_attendee(context: Context, program, said: str) -> None:  # type: ignore[no-untyped-def]
    run(context, [program(_meeting(context), ONA, said)])
    assert _ona(context).answer.value == said.lower()
    with context.transaction() as session:
        assert session.scalars(sa.select(Conversation)).one().state == "open"
        last = session.scalars(sa.select(Message).order_by(Message.id.desc())).first()
        assert last is not None
        assert last.machine == "calendar"
        assert "meeting" in [one["step"] for one in last.trail]


def test_who_answers_from_a_service_address_is_told_by_the_attendee_field(context: Context) -> None:
    run(context, [apple(_meeting(context), ONA, "ACCEPTED", sender="noreply@email.apple.com")])
    assert _ona(context).answer == Answer.ACCEPTED


def test_an_accepted_demo_proposes_the_stage_that_listens_to_it(context: Context) -> None:
    with context.transaction() as session:
        session.execute(sa.update(Stage).where(Stage.key == "demo").values(proposed_on=["meeting_accepted"]))
    run(context, [google(_meeting(context), ONA, "ACCEPTED")])
    with context.transaction() as session:
        deal = session.scalars(sa.select(Deal)).one()
        assert deal.proposed_stage is not None
        assert deal.proposed_stage.key == "demo"


def test_another_time_is_kept_as_proposed_and_is_a_task_of_the_organizer(context: Context) -> None:
    later = START + timedelta(hours=3)
    run(context, [outlook(_meeting(context), ONA, "TENTATIVE", method="COUNTER", start=later)])
    ona = _ona(context)
    assert (ona.answer, ona.proposed_start) == (Answer.PROPOSED, later)
    assert _meeting(context).starts_at == START
    with context.transaction() as session:
        task = session.scalars(sa.select(Task).where(Task.kind == "meeting")).one()
        assert "Ona Petraitė" in task.title


def test_the_organizer_is_to_be_told_of_an_answer_once(context: Context) -> None:
    answer = google(_meeting(context), ONA, "ACCEPTED")
    run(context, [answer])
    run(context, [answer])
    with context.transaction() as session:
        notices = session.scalars(sa.select(StaffNotice)).all()
    assert [one.kind for one in notices] == [Kind.MEETING]


def test_somebody_to_whom_the_invitation_was_forwarded_is_told_and_counts_for_nobody(
    context: Context,
) -> None:
    run(context, [google(_meeting(context), "petras@vandenis.lt", "ACCEPTED")])
    meeting = _meeting(context)
    assert _ona(context).answer == Answer.NONE
    other = next(one for one in meeting.attendees if one.address == "petras@vandenis.lt")
    assert (other.invited, other.answer) == (False, Answer.ACCEPTED)
    assert meeting.events[0].deed == Deed.FORWARDED


def test_an_answer_to_an_older_time_does_not_count(context: Context) -> None:
    old = google(_meeting(context), ONA, "ACCEPTED")
    with context.transaction() as session:
        meeting = session.scalars(sa.select(Meeting)).one()
        later = START + timedelta(days=1)
        plan = Plan(meeting.title, later, later + timedelta(minutes=45))
        assert meetings.change(session, meeting, plan, meeting.organizer)
    run(context, [old])
    assert _ona(context).answer == Answer.NONE
    assert _meeting(context).events[0].deed == Deed.OUTDATED


def test_an_earlier_answer_that_comes_later_does_not_win(context: Context) -> None:
    stamp = datetime.now(UTC).replace(microsecond=0)
    meeting = _meeting(context)
    run(context, [google(meeting, ONA, "DECLINED", stamp=stamp)])
    run(context, [google(meeting, ONA, "ACCEPTED", stamp=stamp - timedelta(minutes=5))])
    assert _ona(context).answer == Answer.DECLINED


def test_words_beside_an_answer_are_a_letter_that_somebody_reads(context: Context) -> None:
    run(context, [outlook(_meeting(context), ONA, "ACCEPTED", text="Ar galėsite parodyti ir CR-20?")])
    with context.transaction() as session:
        last = session.scalars(sa.select(Message).order_by(Message.id.desc())).first()
        assert last is not None
        assert (last.machine, last.reply) == (None, "Ar galėsite parodyti ir CR-20?")
        assert session.scalars(sa.select(Conversation)).one().waiting


def test_an_id_that_is_not_ours_makes_nothing(context: Context) -> None:
    meeting = _meeting(context)
    meeting.uid = "somebody-elses@calendar.example"
    run(context, [google(meeting, ONA, "ACCEPTED")])
    assert _ona(context).answer == Answer.NONE


def test_a_colleagues_reply_to_a_notice_is_a_private_note_and_no_lead(context: Context) -> None:
    with context.transaction() as session:
        member = session.scalars(sa.select(staff.StaffMember)).one()
        talk = session.scalars(sa.select(Conversation)).one()
        number = queue(
            session,
            Draft(key="n", address=member.email, purpose=Purpose.STAFF, subject="Naujas laiškas", body="…"),
        )
        token = session.execute(sa.text("select token from delivery where id = :id"), {"id": number}).scalar()
        session.add(
            StaffNotice(
                staff_id=member.id, kind=Kind.REPLY, key="x", conversation_id=talk.id, delivery_id=number
            )
        )
    run(
        context,
        [
            letter(
                sender="Jonas <jonas@siurbliai.example>",
                subject="Re: Naujas laiškas",
                text="Paskambinsiu rytoj.",
                message_id="<n1@siurbliai.example>",
                in_reply_to=f"<fd-{token}@siurbliai.example>",
            )
        ],
    )
    with context.transaction() as session:
        assert [one.text for one in session.scalars(sa.select(Note))] == ["Paskambinsiu rytoj."]
        assert session.scalar(sa.select(sa.func.count()).select_from(Conversation)) == 1
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 1
        assert session.scalars(sa.select(MeetingEvent.deed)).all() == [Deed.PLANNED]


def test_a_colleagues_answer_counts_and_is_no_reply_to_a_notice(context: Context) -> None:
    jonas = "jonas@siurbliai.example"
    with context.transaction() as session:
        meeting = session.scalars(sa.select(Meeting)).one()
        member = session.scalars(sa.select(staff.StaffMember)).one()
        session.add(Attendee(meeting_id=meeting.id, staff_id=member.id, name="Jonas", address=jonas))
        number = queue(
            session, Draft(key="n", address=jonas, purpose=Purpose.STAFF, subject="Siurbliai", body="…")
        )
        token = session.execute(sa.text("select token from delivery where id = :id"), {"id": number}).scalar()
    answer = google(_meeting(context), jonas, "ACCEPTED")
    run(context, [f"In-Reply-To: <fd-{token}@siurbliai.example>\r\n".encode() + answer])
    assert {one.address: one.answer for one in _meeting(context).attendees}[jonas] == Answer.ACCEPTED
    with context.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Message)) == 1


def test_a_proposal_that_repeats_all_attendees_is_its_senders(context: Context) -> None:
    with context.transaction() as session:
        meeting = session.scalars(sa.select(Meeting)).one()
        member = session.scalars(sa.select(staff.StaffMember)).one()
        session.add(Attendee(meeting_id=meeting.id, staff_id=member.id, name="Jonas", address=member.email))
    later = START + timedelta(hours=3)
    counter = outlook(_meeting(context), ONA, "TENTATIVE", method="COUNTER", start=later, text="Vėliau?")
    run(context, [counter_of_all(counter, "jonas@siurbliai.example")])
    assert (_ona(context).answer, _ona(context).proposed_start) == (Answer.PROPOSED, later)
    with context.transaction() as session:
        last = session.scalars(sa.select(Message).order_by(Message.id.desc())).first()
        assert last is not None
        assert last.reply == "Vėliau?"


@pytest.mark.parametrize(("method", "said"), [("COUNTER", "TENTATIVE"), ("REPLY", "ACCEPTED")])
def test_a_strangers_answer_in_the_name_of_an_invited_person_is_set_beside_for_somebody_to_read(
    context: Context, method: str, said: str
) -> None:
    meeting = _meeting(context)
    begin = START + timedelta(hours=3) if method == "COUNTER" else START
    given = {
        "method": method, "said": said, "uid": meeting.uid, "date": posting.NOW,
        "starts": f"{begin:%Y%m%dT%H%M%SZ}", "ends": f"{begin + timedelta(minutes=45):%Y%m%dT%H%M%SZ}",
        "stamp": f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
    }  # fmt: skip
    letter = (HERE / "meetings" / "counter-of-a-stranger.eml").read_text("utf-8").format(**given)
    run(context, [letter.replace("\n", "\r\n").encode()])
    ona = _ona(context)
    assert (ona.answer, ona.proposed_start) == (Answer.NONE, None)
    assert _meeting(context).events[0].deed == Deed.UNSURE
    with context.transaction() as session:
        assert session.scalars(sa.select(Task).where(Task.kind == "meeting")).all() == []
        ours, beside = session.scalars(sa.select(Conversation).order_by(Conversation.id)).all()
        assert beside.beside_id == ours.id
        last = session.scalars(sa.select(Message).where(Message.conversation_id == beside.id)).one()
        assert (last.machine, last.reply, last.warnings) == (None, "Siūlau vėliau.", ["answers_for_another"])


def test_an_answer_for_an_address_of_two_people_is_written_down(context: Context) -> None:
    with context.transaction() as session:
        other = Contact(name="Ona P.")
        other.points.append(ContactPoint(kind=PointKind.EMAIL, value=ONA))
        session.add(other)
    run(context, [google(_meeting(context), ONA, "ACCEPTED", stamp=datetime.now(UTC) + timedelta(days=9))])
    assert _ona(context).answer == Answer.ACCEPTED
    run(context, [google(_meeting(context), ONA, "DECLINED", stamp=datetime.now(UTC) + timedelta(hours=1))])
    assert _ona(context).answer == Answer.DECLINED


def test_what_the_database_cannot_hold_is_not_read() -> None:
    found = meetinganswers.read(
        b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:a\0b\r\nSEQUENCE:99999999999999999999\r\n"
        b"COMMENT:c\0d\r\nATTENDEE;CN=Ona;PARTSTAT=ACCEPTED:mailto:ona@vandenis.lt\r\nEND:VEVENT\r\n"
        b"END:VCALENDAR\r\n"
    )
    assert found is not None
    assert (found[1], found[2], found[6]) == ("ab", meetinganswers.HIGHEST, "cd")


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    meetinganswers.read(b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n" + data)
