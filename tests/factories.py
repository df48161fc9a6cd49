"""Builders of staff, clients and letters for tests of whole screens."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from core import staff
from core.accounts import Account, AccountDomain, BuyingRole, Contact, ContactPoint, PointKind
from core.catalogue import Product
from core.clock import now
from core.conversations import Attachment, Conversation, ConversationState, Direction, Message
from core.intake import IntakeState, RawMessage
from core.labels import Classification
from core.routing import Assignment
from core.staff import Role, StaffMember
from core.values import Language

PASSWORD = "correct horse battery"

_numbers = itertools.count(1)


@dataclass
class World:
    """Everything `company` made, by short names."""

    staff: dict[str, StaffMember] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    talks: dict[str, Conversation] = field(default_factory=dict)
    products: dict[str, Product] = field(default_factory=dict)
    raws: dict[str, RawMessage] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=dict)


STAFF = {
    "agent": ("Rūta Kazlauskienė", Role.AGENT, "Sales", Language.LT, ["lt", "en"]),
    "mate": ("Алексей Морозов", Role.AGENT, "Sales", Language.RU, ["ru", "lt"]),
    "other": ("Giedrius Stonkus", Role.AGENT, "Accounts", Language.LT, ["lt", "ru"]),
    "support": ("Tomas Petrauskas", Role.SUPPORT, "Support", Language.EN, ["en", "lt"]),
    "marketing": ("Inga Varnaitė", Role.MARKETING, "Marketing", Language.LT, ["lt"]),
    "head": ("Helen Marsh", Role.HEAD, "Sales", Language.EN, ["en", "ru"]),
    "admin": ("Ops", Role.ADMIN, None, Language.EN, ["en"]),
}

_hashes: dict[str, str] = {}


def password_hash() -> str:
    """The hash of `PASSWORD`, made with the least effort, so that tests do not wait for it."""
    if PASSWORD not in _hashes:
        _hashes[PASSWORD] = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    return _hashes[PASSWORD]


def add_staff(session: Session, world: World) -> None:
    """One person of each role, and a colleague in the same team and in another."""
    for key, (name, role, team, language, speaks) in STAFF.items():
        one = staff.add(
            session,
            email=f"{key}@siurbliai.example",
            name=name,
            role=role,
            language=language,
            speaks=speaks,
            team=team,
            position={"agent": "Pardavimų vadybininkė", "mate": "Менеджер по продажам"}.get(key, ""),
            phone="+37052000001",
        )
        one.password_hash = password_hash()
        world.staff[key] = one
    session.flush()


def raw_letter(
    subject: str, sender: str, text: str, *, html: str | None = None, pdf: str | None = None
) -> bytes:
    """A letter's bytes."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = sender, "sales@siurbliai.example", subject
    letter["Message-ID"] = f"<{next(_numbers)}@factory.example>"
    letter.set_content(text)
    if html:
        letter.add_alternative(html, subtype="html")
    if pdf:
        letter.add_attachment(b"%PDF-1.4 sample", maintype="application", subtype="pdf", filename=pdf)
    return letter.as_bytes()


def keep_raw(
    session: Session, data: bytes, state: IntakeState = IntakeState.UNDERSTOOD, **more: object
) -> RawMessage:
    """A raw message with those bytes."""
    raw = RawMessage(
        content_key=hashlib.sha256(data + str(next(_numbers)).encode()).digest(),
        data=data,
        size=len(data),
        state=state,
        source="sales",
        **more,
    )
    session.add(raw)
    session.flush()
    return raw


def talk(
    session: Session,
    *,
    subject: str,
    text: str,
    contact: Contact | None = None,
    assignee: StaffMember | None = None,
    team_id: int | None = None,
    language: str = "en",
    intent: str | None = "inquiry",
    confidence: float = 0.93,
    urgency: str = "normal",
    hours: float = 1.0,
    quoted: str = "",
    signature: str = "",
    html: str | None = None,
    pdf: str | None = None,
    state: ConversationState = ConversationState.OPEN,
) -> Conversation:
    """A conversation with one letter from a client, `hours` ago."""
    at = now() - timedelta(hours=hours)
    sender = contact.email if contact else "stranger@nowhere.example"
    name = contact.name if contact else "Unknown"
    conversation = Conversation(
        subject=subject,
        contact=contact,
        account=contact.account if contact else None,
        assignee=assignee,
        team_id=team_id if team_id is not None else (assignee.team_id if assignee else None),
        language=language,
        intent=intent,
        urgency=urgency,
        state=state,
        mailbox="sales",
        last_message_at=at,
        created_at=at,
    )
    session.add(conversation)
    session.flush()
    raw = keep_raw(session, raw_letter(subject, f"{name} <{sender}>", text, html=html, pdf=pdf))
    message = Message(
        conversation_id=conversation.id,
        contact_id=contact.id if contact else None,
        direction=Direction.IN,
        raw_id=raw.id,
        rfc_id=f"{next(_numbers)}@factory.example",
        subject=subject,
        sender_name=name,
        sender=sender or "",
        recipients={"to": [["Sales", "sales@siurbliai.example"]]},
        text=text + quoted,
        reply=text,
        quoted=quoted,
        signature=signature,
        has_html=html is not None,
        language=language,
        trail=[
            {"step": "screen", "reason": "written by a person"},
            {"step": "recognise", "reason": f"{sender} is known"},
            {"step": "thread", "reason": "a new topic"},
        ],
        happened_at=at,
    )
    session.add(message)
    session.flush()
    if pdf:
        session.add(
            Attachment(
                message_id=message.id, name=pdf, content_type="application/pdf", size=184_320, part="2"
            )
        )
    session.add(
        Classification(
            message_id=message.id,
            language=language,
            intent=intent,
            confidence=confidence if intent else 0.31,
            alternatives=[[intent or "inquiry", confidence], ["price_request", 0.05], ["meeting", 0.02]],
            reasons=[{"kind": "word", "text": word, "weight": 1.0} for word in text.split()[2:5]],
            abstained=intent is None,
        )
    )
    session.add(
        Assignment(
            conversation_id=conversation.id,
            staff_id=assignee.id if assignee else None,
            team_id=conversation.team_id,
            rule="curates_account" if assignee else "nobody_here",
            assigned_at=at,
        )
    )
    session.flush()
    return conversation


def add_client(
    session: Session,
    world: World,
    key: str,
    company: str,
    person: str,
    *,
    language: str,
    position: str = "",
    curator: str | None = None,
    industry: str = "",
    region: str = "",
) -> Contact:
    """An account with one contact."""
    account = Account(
        name=company,
        code="30" + str(next(_numbers)).zfill(7),
        industry=industry or None,
        region=region or None,
        curator=world.staff[curator] if curator else None,
        source="mail",
        domains=[AccountDomain(domain=f"{key}.example")],
    )
    contact = Contact(
        account=account,
        name=person,
        position=position,
        language=language,
        buying_role=BuyingRole.DECISION_MAKER,
        source="mail",
        points=[
            ContactPoint(kind=PointKind.EMAIL, value=f"info@{key}.example"),
            ContactPoint(kind=PointKind.PHONE, value="+37061234567"),
        ],
    )
    session.add(contact)
    session.flush()
    world.accounts[key] = account
    return contact
