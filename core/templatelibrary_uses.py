"""Which version of a template went to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from core.accounts import Account, Contact
from core.conversations import Conversation
from core.outbox import Delivery, DeliveryState
from core.outbox_history import as_json
from core.templatelibrary import Template, TemplateScope, TemplateUse, TemplateVersion


@dataclass(frozen=True, slots=True)
class Use:
    """What a delivery was made of; see the columns of TemplateUse."""

    delivery_id: int
    kind: str
    key: str
    language: str
    version_id: int | None
    digest: str


_RECORD = text("""
insert into template_use (delivery_id, kind, key, language, version_id, digest)
select delivery_id, kind, key, language, version_id, digest
from json_to_recordset(cast(:rows as json))
  as v (delivery_id bigint, kind text, key text, language text, version_id bigint, digest text)
on conflict (delivery_id, kind, key) do update
set language = excluded.language, version_id = excluded.version_id, digest = excluded.digest
""")


def record(session: Session, uses: Sequence[Use]) -> None:
    """Write down what deliveries were made of; of one that is composed again, the last time counts."""
    if uses:
        rows = [{name: getattr(one, name) for name in Use.__dataclass_fields__} for one in uses]
        session.execute(_RECORD, {"rows": as_json(rows)})


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery of a template."""

    delivery_id: int
    state: DeliveryState
    at: datetime
    recipient: str
    """Name of who got it, else the address."""
    account: str
    conversation_id: int | None
    language: str
    number: int | None
    """Version, None for the shipped text."""
    scope: TemplateScope | None
    digest: str


def sent(
    session: Session,
    kind: str,
    key: str,
    *,
    among: ColumnElement[bool],
    version_id: int | None = None,
    limit: int = 100,
    before: int | None = None,
) -> list[Sent]:
    """The newest deliveries of a template whose conversation fulfils ``among``; of one version or of all.

    ``before`` is the id of the last delivery of the page before.
    """
    query = (
        select(
            Delivery.id, Delivery.state, func.coalesce(Delivery.settled_at, Delivery.created_at),
            Delivery.recipient_name, Delivery.address, Account.name, Delivery.conversation_id,
            TemplateUse.language, TemplateVersion.number, Template.scope, TemplateUse.digest,
        )
        .join(Delivery, Delivery.id == TemplateUse.delivery_id)
        .outerjoin(TemplateVersion, TemplateVersion.id == TemplateUse.version_id)
        .outerjoin(Template, Template.id == TemplateVersion.template_id)
        .outerjoin(Conversation, Conversation.id == Delivery.conversation_id)
        .outerjoin(Contact, Contact.id == Delivery.contact_id)
        .outerjoin(Account, Account.id == Contact.account_id)
        .where(TemplateUse.kind == kind, TemplateUse.key == key, among)
        .order_by(TemplateUse.delivery_id.desc())
        .limit(limit)
    )  # fmt: skip
    if version_id is not None:
        query = query.where(TemplateUse.version_id == version_id)
    if before is not None:
        query = query.where(TemplateUse.delivery_id < before)
    return [
        Sent(found, state, at, name or address, account or "", conversation, language, number, scope, digest)
        for found, state, at, name, address, account, conversation, language, number, scope, digest in (
            session.execute(query)
        )
    ]


def counts(session: Session, kind: str, key: str) -> dict[int | None, int]:
    """How many deliveries were made of each version of a template; None is the shipped text."""
    query = (
        select(TemplateUse.version_id, func.count())
        .where(TemplateUse.kind == kind, TemplateUse.key == key)
        .group_by(TemplateUse.version_id)
    )
    return dict(session.execute(query).all())
