"""What a client's history is put together from: for each kind of event one query of theirs.

All have the same columns, so that `core.timeline` can put them into one statement.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from core import downloads, meetings
from core.accounts import Channel, Contact
from core.calls import Call
from core.campaigns import Campaign
from core.catalogue import Product, ProductInterest
from core.conversations import Conversation, Direction, Message
from core.deals import Deal, Stage, StageChange
from core.demofiles import DemoFile
from core.documents import Document
from core.downloads import DemoVisit
from core.duplicates import Pair
from core.fileasks import DemoLink
from core.imports_rows import Import
from core.meetings import Meeting, MeetingEvent
from core.merging import ClientMerge
from core.notes import Note
from core.outbox import Delivery
from core.payments import DeliveryNote, Payment
from core.provenance import FieldOrigin, Origin, Subject
from core.staff import StaffMember
from core.tasks import Task

EXCERPT = 240
"""Characters of a text that are shown."""


def _excerpt(column: Any) -> ColumnElement[str]:
    return case((func.length(column) > EXCERPT, func.concat(func.left(column, EXCERPT), "…")), else_=column)


class Sort(StrEnum):
    """What somebody may want to see alone."""

    MAIL = "mail"
    CALLS = "calls"
    SMS = "sms"
    NOTES = "notes"
    DEALS = "deals"
    TASKS = "tasks"
    MEETINGS = "meetings"
    INTERESTS = "interests"
    SENDS = "sends"
    """Mailings, and sends that are no letter of a conversation: held back, queued, refused."""
    DOCUMENTS = "documents"
    MONEY = "money"
    """Payments and what was handed over for them."""
    RECORD = "record"
    """Imports and merges of the card itself."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose history it is: an account's with all its contacts, or that of a contact without one."""

    account_id: int | None
    contact_id: int | None

    def of(self, model: Any) -> ColumnElement[bool]:
        """That a row with an account and a contact is theirs."""
        if self.account_id is not None:
            return model.account_id == self.account_id
        return model.contact_id == self.contact_id

    def people(self) -> Select[*tuple[Any, ...]]:
        """Ids of the contacts."""
        if self.account_id is not None:
            return select(Contact.id).where(Contact.account_id == self.account_id)
        return select(Contact.id).where(Contact.id == self.contact_id)


def _columns(
    at: Any,
    kind: Any,
    number: Any,
    *,
    title: Any,
    detail: Any = "",
    who: Any = None,
    state: Any = None,
    talk: Any = None,
    deal: Any = None,
    task: Any = None,
) -> Select[*tuple[Any, ...]]:
    """The columns of an event, in the types that all kinds share."""
    columns: list[Any] = [
        at.label("at"),
        cast(kind if not isinstance(kind, str) else literal(kind), Text).label("kind"),
        number.label("id"),
        cast(title, Text).label("title"),
        cast(detail, Text).label("detail"),
        cast(null() if who is None else who, Text).label("who"),
        cast(null() if state is None else state, Text).label("state"),
        cast(null() if talk is None else talk, BigInteger).label("conversation_id"),
        cast(null() if deal is None else deal, BigInteger).label("deal_id"),
        cast(null() if task is None else task, BigInteger).label("task_id"),
    ]
    return select(*columns)


def _name(names: Any, language: str) -> ColumnElement[str]:
    """A name by language as its table holds it."""
    return func.coalesce(names[language].astext, names["en"].astext, "")


def _messages(channels: Collection[Channel], name: str) -> Callable[[Whose, str], Select[*tuple[Any, ...]]]:
    def part(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
        theirs = whose.of(Conversation)
        if whose.account_id is None:
            theirs = or_(theirs, Message.contact_id == whose.contact_id)
        way = case((Message.direction == Direction.IN, f"{name}_in"), else_=f"{name}_out")
        sender = func.coalesce(StaffMember.name, func.nullif(Message.sender_name, ""), Message.sender)
        return (
            _columns(
                Message.happened_at, way, Message.id, title=Message.subject,
                detail=_excerpt(Message.reply), who=sender,
                state=func.coalesce(cast(Delivery.state, Text), cast(Call.state, Text)),
                talk=Message.conversation_id,
            )
            .select_from(Message)
            .join(Conversation, Conversation.id == Message.conversation_id)
            .outerjoin(StaffMember, Message.staff_id == StaffMember.id)
            .outerjoin(Delivery, Message.delivery_id == Delivery.id)
            .outerjoin(Call, Call.message_id == Message.id)
            .where(theirs, Message.channel.in_(channels))
        )  # fmt: skip

    return part


def _notes(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    return (
        _columns(Note.written_at, "note", Note.id, title=_excerpt(Note.text), who=StaffMember.name,
                 talk=Note.conversation_id)
        .select_from(Note)
        .join(Conversation, Conversation.id == Note.conversation_id)
        .join(StaffMember, StaffMember.id == Note.staff_id)
        .where(whose.of(Conversation), Note.removed_at.is_(None))
    )  # fmt: skip


def _stage_changes(whose: Whose, language: str) -> Select[*tuple[Any, ...]]:
    return (
        _columns(StageChange.changed_at, "stage_change", StageChange.id, title=_name(Stage.names, language),
                 detail=StageChange.reason, who=StaffMember.name, deal=Deal.id)
        .select_from(StageChange)
        .join(Deal, StageChange.deal_id == Deal.id)
        .join(Stage, StageChange.to_stage_id == Stage.id)
        .outerjoin(StaffMember, StageChange.staff_id == StaffMember.id)
        .where(whose.of(Deal))
    )  # fmt: skip


def _closings(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    return (
        _columns(Deal.closed_at, func.concat("deal_", Deal.outcome), Deal.id, title=Deal.title,
                 detail=Deal.close_note, who=StaffMember.name, deal=Deal.id)
        .select_from(Deal)
        .outerjoin(StaffMember, Deal.closed_by == StaffMember.id)
        .where(whose.of(Deal), Deal.outcome.is_not(None))
    )  # fmt: skip


def _tasks(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    return (
        _columns(Task.created_at, "task", Task.id, title=Task.title, who=StaffMember.name, state=Task.state,
                 talk=Task.conversation_id, deal=Task.deal_id, task=Task.id)
        .select_from(Task)
        .outerjoin(StaffMember, Task.assignee_id == StaffMember.id)
        .where(whose.of(Task))
    )  # fmt: skip


def _meetings(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    """What happened to meetings, and what those who were invited said."""
    said = case((MeetingEvent.deed == meetings.Deed.ANSWERED, MeetingEvent.answer), else_=None)
    return (
        _columns(MeetingEvent.happened_at, "meeting", MeetingEvent.id, title=Meeting.title,
                 who=func.coalesce(func.nullif(MeetingEvent.who, ""), StaffMember.name),
                 state=func.coalesce(cast(said, Text), cast(MeetingEvent.deed, Text)),
                 talk=Meeting.conversation_id, deal=Meeting.deal_id)
        .select_from(MeetingEvent)
        .join(Meeting)
        .outerjoin(StaffMember, MeetingEvent.staff_id == StaffMember.id)
        .where(or_(whose.of(Meeting), Meeting.contact_id.in_(whose.people())))
    )  # fmt: skip


def _interests(whose: Whose, language: str) -> Select[*tuple[Any, ...]]:
    return (
        _columns(ProductInterest.created_at, "interest", ProductInterest.id,
                 title=_name(Product.names, language), detail=ProductInterest.reason, who=StaffMember.name,
                 talk=Message.conversation_id)
        .select_from(ProductInterest)
        .join(Product)
        .outerjoin(StaffMember, ProductInterest.staff_id == StaffMember.id)
        .outerjoin(Message, ProductInterest.message_id == Message.id)
        .where(whose.of(ProductInterest))
    )  # fmt: skip


def _mailings(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    """Letters of mailings that went out; in a conversation only once somebody answers."""
    return (
        _columns(Delivery.settled_at, "mailing", Delivery.id,
                 title=func.coalesce(func.nullif(Delivery.subject, ""), Campaign.name), detail=Campaign.name,
                 state=Delivery.state)
        .select_from(Delivery)
        .join(Campaign, Campaign.id == Delivery.campaign_id)
        .where(Delivery.contact_id.in_(whose.people()))
    )  # fmt: skip


def _sends(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    """Sends that became no letter of a conversation."""
    whole = aliased(Delivery)
    return (
        _columns(func.coalesce(Delivery.settled_at, Delivery.created_at), "delivery", Delivery.id,
                 title=Delivery.subject, detail=Delivery.address, who=StaffMember.name, state=Delivery.state,
                 talk=Delivery.conversation_id)
        .select_from(Delivery)
        .outerjoin(StaffMember, Delivery.staff_id == StaffMember.id)
        .where(
            Delivery.contact_id.in_(whose.people()),
            Delivery.campaign_id.is_(None),
            ~exists().where(Message.delivery_id == Delivery.id),
            # A copy stands in the history of whoever does not see the letter itself there.
            ~exists().where(whole.id == Delivery.copy_of_id, whole.contact_id.in_(whose.people())),
        )
    )  # fmt: skip


def _documents(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    sent = select(Delivery.id).where(Delivery.contact_id.in_(whose.people()))
    return _columns(
        Document.created_at, "document", Document.id, title=Document.title,
        detail=func.coalesce(Document.number, Document.filename), deal=Document.deal_id,
    ).where(
        or_(Document.deal_id.in_(select(Deal.id).where(whose.of(Deal))), Document.delivery_id.in_(sent))
    )  # fmt: skip


def _downloads(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    """Files that were downloaded by a link of ours, machines left out."""
    return (
        _columns(DemoVisit.at, "download", DemoVisit.id, title=DemoFile.title, who=DemoLink.recipient)
        .select_from(DemoVisit)
        .join(DemoLink)
        .join(DemoFile)
        .where(
            DemoLink.contact_id.in_(whose.people()),
            DemoVisit.deed == downloads.Deed.DOWNLOADED,
            DemoVisit.visitor != downloads.Visitor.MACHINE,
        )
    )  # fmt: skip


def _payments(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    return (
        _columns(Payment.created_at, "payment", Payment.id, title=Payment.number, detail=Payment.amount,
                 who=StaffMember.name, state=Deal.currency, deal=Deal.id)
        .select_from(Payment)
        .join(Deal, Deal.id == Payment.deal_id)
        .outerjoin(StaffMember, Payment.staff_id == StaffMember.id)
        .where(whose.of(Deal), Payment.undone_at.is_(None))
    )  # fmt: skip


def _goods(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    return (
        _columns(DeliveryNote.created_at, "goods", DeliveryNote.id, title=DeliveryNote.number,
                 detail=DeliveryNote.note, who=StaffMember.name, deal=Deal.id)
        .select_from(DeliveryNote)
        .join(Deal, Deal.id == DeliveryNote.deal_id)
        .outerjoin(StaffMember, DeliveryNote.staff_id == StaffMember.id)
        .where(whose.of(Deal), DeliveryNote.undone_at.is_(None))
    )  # fmt: skip


def _imports(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    """Imports that made or filled the card, each once, as what it wrote tells."""
    theirs = (FieldOrigin.subject == Subject.CONTACT) & FieldOrigin.subject_id.in_(whose.people())
    if whose.account_id is not None:
        mine = (FieldOrigin.subject == Subject.ACCOUNT) & (FieldOrigin.subject_id == whose.account_id)
        theirs = or_(theirs, mine)
    wrote = (
        select(FieldOrigin.import_id, func.min(FieldOrigin.at).label("at"))
        .where(theirs, FieldOrigin.origin == Origin.IMPORT, FieldOrigin.import_id.is_not(None))
        .group_by(FieldOrigin.import_id)
        .subquery()
    )
    return (
        _columns(wrote.c.at, "import", Import.id, title=Import.filename, who=StaffMember.name)
        .select_from(wrote)
        .join(Import, Import.id == wrote.c.import_id)
        .outerjoin(StaffMember, StaffMember.id == Import.staff_id)
    )


def _merges(whose: Whose, _language: str) -> Select[*tuple[Any, ...]]:
    mine = (
        ClientMerge.account_id == whose.account_id
        if whose.account_id is not None
        else (ClientMerge.kind == Pair.CONTACT) & (ClientMerge.stays_id == whose.contact_id)
    )
    return (
        _columns(ClientMerge.merged_at, "merge", ClientMerge.id, title=ClientMerge.gone_name,
                 detail=ClientMerge.reason, who=StaffMember.name,
                 state=case((ClientMerge.undone_at.is_(None), null()), else_="undone"))
        .select_from(ClientMerge)
        .outerjoin(StaffMember, ClientMerge.staff_id == StaffMember.id)
        .where(mine)
    )  # fmt: skip


PARTS: tuple[tuple[Sort, Callable[[Whose, str], Select[*tuple[Any, ...]]]], ...] = (
    (Sort.MAIL, _messages((Channel.EMAIL, Channel.FAX), "message")),
    (Sort.CALLS, _messages((Channel.VOICE,), "call")),
    (Sort.SMS, _messages((Channel.SMS,), "sms")),
    (Sort.NOTES, _notes),
    (Sort.DEALS, _stage_changes),
    (Sort.DEALS, _closings),
    (Sort.TASKS, _tasks),
    (Sort.MEETINGS, _meetings),
    (Sort.INTERESTS, _interests),
    (Sort.SENDS, _mailings),
    (Sort.SENDS, _sends),
    (Sort.DOCUMENTS, _documents),
    (Sort.DOCUMENTS, _downloads),
    (Sort.MONEY, _payments),
    (Sort.MONEY, _goods),
    (Sort.RECORD, _imports),
    (Sort.RECORD, _merges),
)
"""What a history is put together from."""
