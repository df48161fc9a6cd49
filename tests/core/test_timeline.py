"""One list of everything with a client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func
from sqlalchemy.orm import Session

from core import meetings, timeline
from core.accounts import Contact
from core.campaigns import Campaign
from core.catalogue import ProductInterest
from core.outbox import Delivery, DeliveryState
from core.tasks import Task
from core.timeline_parts import Sort
from tests.core.people import client, colleague, deal_with_lines, letter


def test_letters_deals_tasks_and_interests_stand_in_one_list(session: Session) -> None:
    contact = client(session)
    message = letter(session, contact)
    deal = deal_with_lines(session, contact)
    session.add(Task(title="Call", contact_id=contact.id, account_id=contact.account_id))
    session.add(
        ProductInterest(
            product=deal.lines[0].product,
            contact_id=contact.id,
            account_id=contact.account_id,
            message_id=message.id,
        )
    )
    session.flush()
    kinds = {event.kind for event in timeline.history(session, contact=contact)}
    assert kinds == {"message_in", "stage_change", "task", "interest"}


def test_a_colleagues_letter_is_in_the_accounts_history(session: Session) -> None:
    ona = client(session)
    letter(session, client(session, "jonas@vandenis.lt", "Jonas"), rfc_id="2@vandenis.lt")
    assert [event.kind for event in timeline.history(session, contact=ona)] == ["message_in"]


def test_another_clients_letter_is_not(session: Session) -> None:
    letter(session, client(session, "kitas@kitur.lt"), rfc_id="3@kitur.lt")
    assert timeline.history(session, contact=client(session)) == []


def test_a_mailings_letter_stands_in_the_clients_history_once_it_went(session: Session) -> None:
    contact = Contact(name="Ona")
    campaign = Campaign(name="Rudens pasiūlymas")
    session.add_all([contact, campaign])
    session.flush()
    for number, settled in ((1, func.now()), (2, None)):
        session.add(
            Delivery(
                key=f"c:{number}", token=f"t{number}", address="ona@example.lt", address_key="ona@example.lt",
                contact_id=contact.id, campaign_id=campaign.id, subject=f"Laiškas {number}",
                state=DeliveryState.SENT, settled_at=settled,
            )
        )  # fmt: skip
    session.flush()
    events = timeline.history(session, contact=contact)
    assert [(one.kind, one.title, one.detail, str(one.state)) for one in events] == [
        ("mailing", "Laiškas 1", "Rudens pasiūlymas", "sent")
    ]


def test_a_meeting_and_what_was_said_to_it_stand_in_the_history(session: Session) -> None:
    contact = client(session)
    organizer = colleague(session)
    start = datetime(2026, 12, 1, 9, tzinfo=UTC)
    plan = meetings.Plan("Demo", start, start + timedelta(hours=1))
    invited = meetings.Invited("ona@vandenis.lt", "Ona", contact_id=contact.id)
    made = meetings.plan(session, plan, [invited], organizer=organizer, host="example.lt")
    session.add(
        meetings.MeetingEvent(
            meeting_id=made.id, deed=meetings.Deed.ANSWERED, answer=meetings.Answer.ACCEPTED, who="Ona"
        )
    )
    session.flush()
    events = timeline.history(session, contact=contact, sorts=[Sort.MEETINGS])
    assert {(one.kind, one.state) for one in events} == {("meeting", "planned"), ("meeting", "accepted")}


def test_a_long_letter_is_shown_cut_and_says_so(session: Session) -> None:
    contact = client(session)
    letter(session, contact).reply = "word " * 100
    session.flush()
    assert timeline.history(session, contact=contact)[0].detail.endswith("word word …")
