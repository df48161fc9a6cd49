"""An invitation out, its bytes as calendar programs get them, and the answers of three programs back."""

from __future__ import annotations

import email
import email.policy
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from icalendar import Calendar
from sqlalchemy.orm import Session, selectinload

from core import clock, db, defaults, meetings, meetings_mail, staff
from core.config import Settings, load_settings
from core.conversations import Conversation, Message
from core.localdb import LocalDatabase
from core.meetings import Answer, Invited, Meeting, Plan
from core.meetings_ical import Method
from core.staff import StaffMember
from desk.demo.programs import SETTINGS_FILE, Program
from tests.inbound.calendarletters import apple, google, outlook
from tests.inbound.posting import letter
from tests.journeys.mailhouse import DOMAIN, MailHouse, packaged
from tests.ports import free_port

pytestmark = pytest.mark.long

PATIENCE = 300.0
OURS = f"sales@{DOMAIN}"
PEOPLE = {
    "ona@vandenis.test": ("Ona Petraitė", google),
    "petras@vandenis.test": ("Petras Jonaitis", outlook),
    "rita@vandenis.test": ("Rita Kalnė", apple),
}
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=4)


@dataclass
class House:
    """A house at work."""

    mail: MailHouse
    engine: sa.Engine
    service: Program
    settings: Settings

    def until(self, what: str, ready: Callable[[Session], object]) -> None:
        """Wait until something is so in the database; fails with its name when patience ends."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with db.transaction(self.engine) as session:
                if ready(session):
                    return
            time.sleep(0.2)
        pytest.fail(f"After {PATIENCE:.0f} s still not: {what}\n{self.service.last_words()}")

    def invitations(self) -> dict[str, EmailMessage]:
        """The letters with an invitation that came to people outside, by address, once all are there."""
        deadline = time.monotonic() + PATIENCE
        found: dict[str, EmailMessage] = {}
        while len(found) < len(PEOPLE) and time.monotonic() < deadline:
            for raw in self.mail.received():
                one = email.message_from_bytes(raw, policy=email.policy.default)
                if any(part.get_content_type() == "text/calendar" for part in one.walk()):
                    found[one["To"].addresses[0].addr_spec] = one
            time.sleep(0.2)
        return found


@pytest.fixture
def house() -> Iterator[House]:
    """A migrated database with one colleague, mail servers and the whole service."""
    with ExitStack() as stack:
        mail = stack.enter_context(packaged())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fdm")))
        (folder / SETTINGS_FILE).write_text(
            f'data_dir = "{folder / "data"}"\n\n[company]\nname = "Šiaurės siurbliai"\n\n'
            f"[limits]\nimap_poll_seconds = 2\n\n[desk]\nport = {free_port()}\n{mail.settings()}",
            encoding="utf-8",
        )
        (folder / SETTINGS_FILE).chmod(0o600)
        settings = load_settings(folder / SETTINGS_FILE)
        database = LocalDatabase(settings.data_dir / "database")
        engine = db.make_engine(database.ensure(), application="journey")
        stack.callback(database.stop)
        stack.callback(engine.dispose)
        db.migrate(engine)
        with db.transaction(engine) as session:
            defaults.install(session)
            staff.add(session, email=f"rasa@{DOMAIN}", name="Rasa", speaks=["lt"], team="Sales")
        yield House(mail, engine, stack.enter_context(Program(folder, "serve")), settings)


def _invite(house: House) -> Meeting:
    with db.transaction(house.engine) as session:
        talk = session.scalars(sa.select(Conversation)).one()
        rasa = session.scalars(sa.select(StaffMember)).one()
        planned = meetings_mail.house_of(house.settings)
        meeting = meetings.plan(
            session,
            Plan(
                "Siurblių demonstracija", START, START + timedelta(minutes=45), place="https://meet.example/x"
            ),
            [Invited(address, name) for address, (name, _) in PEOPLE.items()],
            organizer=rasa,
            host=planned.host,
            conversation=talk,
            mailbox=talk.mailbox,
        )
        meetings_mail.send(session, meeting, Method.REQUEST, planned, by=rasa, now=clock.now())
        return meeting


def _is_an_invitation(one: EmailMessage, meeting: Meeting) -> None:
    """What calendar programs look for (RFC 6047): the last alternative, its method, and the file."""
    kinds = [part.get_content_type() for part in one.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar",
        "application/ics",
    ]  # fmt: skip
    part = next(part for part in one.walk() if part.get_content_type() == "text/calendar")
    assert (part["Content-Type"].params["method"], part.get_content_charset()) == ("REQUEST", "utf-8")
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    calendar = Calendar.from_ical(data)
    event: Any = next(iter(calendar.walk("VEVENT")))
    assert (str(calendar["METHOD"]), str(event["UID"]), int(event["SEQUENCE"])) == ("REQUEST", meeting.uid, 0)
    assert str(event["ORGANIZER"]) == f"mailto:{OURS}"
    assert {str(who).removeprefix("mailto:") for who in event["ATTENDEE"]} == set(PEOPLE)
    assert event.decoded("DTSTART") == START
    assert "Auto-Submitted" not in one
    assert str(one["Subject"]).startswith("Kvietimas: Siurblių demonstracija")


def test_an_invitation_is_accepted_from_three_calendar_programs(house: House) -> None:
    text = "Laba diena,\n\nkiek kainuotų 10 siurblių CR-10? Prašome pateikti kainas.\n\nPagarbiai\nOna"
    house.mail.deliver("sales", letter(sender="Ona Petraitė <ona@vandenis.test>", to=OURS, text=text))
    house.until("the letter understood", lambda session: session.scalar(sa.select(Conversation.id)))
    meeting = _invite(house)
    letters = house.invitations()
    assert set(letters) == set(PEOPLE)
    for one in letters.values():
        _is_an_invitation(one, meeting)
    for address, (_, program) in PEOPLE.items():
        house.mail.deliver("sales", program(meeting, address, "ACCEPTED", to=OURS))

    def all_said_yes(session: Session) -> bool:
        found = session.scalars(sa.select(Meeting).options(selectinload(Meeting.attendees))).one()
        return all(one.answer == Answer.ACCEPTED for one in found.attendees)

    house.until("everybody's yes", all_said_yes)
    with db.transaction(house.engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Conversation)) == 1
        heard = session.scalars(sa.select(Message.machine).where(Message.machine == "calendar")).all()
        assert len(heard) == len(PEOPLE)
