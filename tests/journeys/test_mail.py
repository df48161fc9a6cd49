"""A letter in, an answer and an offer out, the client's reply back: real servers, the real service."""

from __future__ import annotations

import email
import email.policy
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import db, defaults, ledger, letters, outbox, staff
from core.catalogue import Product
from core.config import load_settings
from core.conversations import Conversation, Direction, Message
from core.deals import Deal, DealLine, Stage
from core.intake import IntakeState, Mailbox, RawMessage, RawOrigin
from core.localdb import LocalDatabase
from core.outbox import Delivery, DeliveryState
from core.sequences import Enrolment, EnrolmentState, StopReason
from core.staff import StaffMember
from core.stages import enter_stage
from desk.demo.programs import SETTINGS_FILE, Program
from tests.journeys.mailhouse import DOMAIN, MailHouse, debian, packaged
from tests.ports import free_port

pytestmark = pytest.mark.long

PATIENCE = 300.0

LETTERS = {
    "lt": (
        "Kainos užklausa",
        "Laba diena,\n\nkiek kainuotų 10 siurblių CR-10? Prašome pateikti kainas.\n\nPagarbiai\nOna",
    ),
    "ru": (
        "Запрос цены",
        "Здравствуйте!\n\nСколько стоят 10 насосов CR-10? Пришлите, пожалуйста, цены.\n\nС уважением,\nИван",
    ),
    "en": (
        "Price request",
        "Hello,\n\nplease quote 10 pumps CR-10 with your best price.\n\nBest regards,\nMary",
    ),
}
CLIENTS = {"lt": "Ona <ona@vandenis.test>", "ru": "Иван <ivan@nasos.test>", "en": "Mary <mary@pumps.test>"}


@dataclass
class World:
    """A house at work."""

    mail: MailHouse
    engine: sa.Engine
    service: Program

    def wait_for(self, what: str, ready: Callable[[Session], bool]) -> None:
        """Until something is so in the database; fails with its name when patience ends."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with db.transaction(self.engine) as session:
                if ready(session):
                    return
            time.sleep(0.2)
        pytest.fail(f"After {PATIENCE:.0f} s still not: {what}\n{self.service.last_words()}")

    def received(self, expected: int) -> list[EmailMessage]:
        """The letters clients got, once there are so many."""
        deadline = time.monotonic() + PATIENCE
        while len(found := self.mail.received()) < expected and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(found) == expected, f"{self._deliveries()}\n{self.service.last_words()}"
        return [email.message_from_bytes(one, policy=email.policy.default) for one in found]

    def _deliveries(self) -> list[str]:
        with db.transaction(self.engine) as session:
            rows = session.execute(sa.select(Delivery.key, Delivery.state, Delivery.error, Delivery.reply))
            return [" ".join(map(str, row)) for row in rows]


@pytest.fixture(
    params=[
        pytest.param("debian", marks=[pytest.mark.dovecot, pytest.mark.postfix, pytest.mark.root]),
        "packaged",
    ]
)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A migrated database, three agents, a product, mail servers and the whole service."""
    with ExitStack() as stack:
        mail = stack.enter_context(debian() if request.param == "debian" else packaged())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fdw")))
        (folder / SETTINGS_FILE).write_text(
            f'data_dir = "{folder / "data"}"\n\n[company]\nname = "Šiaurės siurbliai"\n\n'
            f"[limits]\nimap_poll_seconds = 2\n\n[desk]\nport = {free_port()}\n{mail.settings()}",
            encoding="utf-8",
        )
        (folder / SETTINGS_FILE).chmod(0o600)
        database = LocalDatabase(load_settings(folder / SETTINGS_FILE).data_dir / "database")
        engine = db.make_engine(database.ensure(), application="journey")
        stack.callback(database.stop)
        stack.callback(engine.dispose)
        db.migrate(engine)
        with db.transaction(engine) as session:
            _people_and_products(session)
        yield World(mail, engine, stack.enter_context(Program(folder, "serve")))


def _people_and_products(session: Session) -> None:
    defaults.install(session)
    for name, language in (("Rasa", "lt"), ("Андрей", "ru"), ("Emma", "en")):
        staff.add(
            session,
            email=f"{language}@{DOMAIN}",
            name=name,
            speaks=[language],
            team="Sales",
            position="Sales",
        )
    session.add(
        Product(
            key="pump-cr",
            names={"en": "Pump CR-10", "ru": "Насос CR-10", "lt": "Siurblys CR-10"},
            summaries={"en": "Lifts water.", "ru": "Поднимает воду.", "lt": "Kelia vandenį."},
            articles=["CR-10"],
            price=Decimal(480),
        )
    )


def _letter(sender: str, subject: str, text: str, number: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, f"sales@{DOMAIN}", subject
    message["Message-ID"] = f"<{number}@client.test>"
    message["Date"] = formatdate()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def _understood(session: Session) -> int:
    query = sa.select(sa.func.count()).where(RawMessage.state == IntakeState.UNDERSTOOD)
    return session.scalar(query) or 0


def _conversation(session: Session, language: str) -> Conversation:
    return session.scalars(sa.select(Conversation).where(Conversation.language == language)).one()


def test_from_the_first_letter_to_the_answer_to_our_offer(world: World) -> None:
    for number, (language, (subject, text)) in enumerate(LETTERS.items()):
        box = "support" if language == "en" else "sales"
        world.mail.deliver(box, _letter(CLIENTS[language], subject, text, f"first-{number}"))
    world.wait_for("three letters understood", lambda session: _understood(session) == 3)

    _each_went_to_who_speaks_its_language(world)
    _each_was_acknowledged(world.received(3))
    _the_answer_arrives_in_its_thread(world)
    offer = _the_offer_arrives_as_a_pdf(world)
    _the_clients_reply_joins_and_ends_the_follow_up(world, offer)

    with db.transaction(world.engine) as session:
        books = ledger.balance(session)
    assert books.sound, books.as_dict()
    assert books.incoming == {"stored": 0, "understood": 4, "ignored": 0, "quarantined": 0}


def _each_went_to_who_speaks_its_language(world: World) -> None:
    with db.transaction(world.engine) as session:
        found = {
            talk.language: (talk.intent, talk.assignee.name if talk.assignee else None)
            for talk in session.scalars(sa.select(Conversation))
        }
        assert found == {
            "lt": ("price_request", "Rasa"),
            "ru": ("price_request", "Андрей"),
            "en": ("price_request", "Emma"),
        }
        assert session.scalar(sa.select(sa.func.count()).select_from(Deal)) == 3
        by_mailbox = (
            sa.select(Mailbox.name, sa.func.count())
            .join(RawOrigin, RawOrigin.mailbox_id == Mailbox.id)
            .group_by(Mailbox.name)
        )
        assert dict(session.execute(by_mailbox).all()) == {"sales": 2, "support": 1}


def _each_was_acknowledged(received: list[EmailMessage]) -> None:
    assert {str(letter["In-Reply-To"]) for letter in received} == {
        f"<first-{n}@client.test>" for n in range(3)
    }
    assert {str(letter["Auto-Submitted"]) for letter in received} == {"auto-replied"}
    bodies = {letter.get_body(("plain",)).get_content() for letter in received}  # pyright: ignore[reportOptionalMemberAccess]
    assert any("gavome" in body.lower() for body in bodies)
    assert any("получили" in body.lower() for body in bodies)
    assert any("reached us" in body.lower() for body in bodies)


def _the_answer_arrives_in_its_thread(world: World) -> None:
    with db.transaction(world.engine) as session:
        talk = _conversation(session, "ru")
        andrej = session.scalars(sa.select(StaffMember).where(StaffMember.name == "Андрей")).one()
        text = "Здравствуйте, Иван!\n\nЦена одного насоса — 480 евро."
        outbox.queue(session, letters.answer(session, talk, andrej, key="one", body=text))
    letter = world.received(4)[-1]
    body = letter.get_body(("plain",))
    assert body is not None
    assert "480 евро" in body.get_content()
    assert "<first-1@client.test>" in str(letter["References"])
    assert "Auto-Submitted" not in letter


def _the_offer_arrives_as_a_pdf(world: World) -> EmailMessage:
    with db.transaction(world.engine) as session:
        talk = _conversation(session, "lt")
        deal = session.get_one(Deal, talk.deal_id)
        product = session.scalars(sa.select(Product)).one()
        deal.lines.append(DealLine(product=product, quantity=Decimal(10), price=Decimal(480)))
        session.flush()
        stage = session.scalars(sa.select(Stage).where(Stage.key == "commercial_offer")).one()
        enter_stage(session, deal, stage, staff=talk.assignee)
    letter = world.received(5)[-1]
    (pdf,) = letter.iter_attachments()
    assert pdf.get_content_type() == "application/pdf"
    assert pdf.get_payload(decode=True)[:5] == b"%PDF-"  # pyright: ignore[reportIndexIssue]
    body = letter.get_body(("plain",))
    assert body is not None
    assert "KP-" in f"{letter['Subject']} {body.get_content()} {pdf.get_filename()}"
    return letter


def _the_clients_reply_joins_and_ends_the_follow_up(world: World, offer: EmailMessage) -> None:
    ours = str(offer["Message-ID"])
    reply = "Ačiū, kaina tinka. Prašome atsiųsti sutartį."
    headers = {"In_Reply_To": ours, "References": ours}
    world.mail.deliver("sales", _letter(CLIENTS["lt"], f"Re: {offer['Subject']}", reply, "reply", **headers))
    world.wait_for("the reply understood", lambda session: _understood(session) == 4)
    with db.transaction(world.engine) as session:
        talk = _conversation(session, "lt")
        directions = [message.direction for message in talk.messages]
        assert directions.count(Direction.IN) == 2
        delivery = session.scalars(sa.select(Delivery).where(Delivery.rfc_id == ours.strip("<>"))).one()
        assert delivery.state == DeliveryState.DELIVERED
        last = session.scalars(sa.select(Message).where(Message.rfc_id == "reply@client.test")).one()
        assert last.conversation_id == talk.id
        enrolment = session.scalars(sa.select(Enrolment)).one()
        assert (enrolment.state, enrolment.stop_reason) == (EnrolmentState.STOPPED, StopReason.REPLY)
