"""How a template reads before it is saved: with sample values or with those of a client one knows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from core import letters
from core.accounts import Account, Contact
from core.config_sections import Company
from core.conversations import Conversation
from core.deals import Deal
from core.errors import FrontdeskError
from core.sessions import SignedIn
from core.staff import StaffMember
from core.templatelibrary import TemplatePreview
from desk.access import MARKETERS, SALES, WORKERS, visible
from outbound.placing import template_values
from outbound.sender import company_values
from templates.catalogue import Catalogue
from templates.document import pdf_of
from templates.examining import Finding, examine
from templates.placeholders import samples
from templates.rendered import preview
from templates.segments import Segments, segments_of
from templates.unit import Source

CLIENTS = 12
"""Clients offered at once."""
KEPT = 8
"""Previews of one colleague that their frames may still ask for."""

Values = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Read:
    """A template filled in, or what is wrong with it."""

    findings: list[Finding] = field(default_factory=list)
    fault: FrontdeskError | None = None
    """It is sound, but cannot be filled in with these values."""
    subject: str = ""
    text: str = ""
    html: str = ""
    segments: Segments | None = None
    pdf: bytes = b""
    pages: int = 0
    sampled: tuple[str, ...] = ()
    """Groups of placeholders that it uses and that stand for a sample, where a client was chosen."""


@dataclass(frozen=True, slots=True)
class _Single(Catalogue):
    """The catalogue of one unsaved text."""

    only: Source | None = None

    def source(self, kind: str, key: str, language: str) -> Source:
        """That text. It is asked for nothing else."""
        del kind, key, language
        if self.only is None:
            raise LookupError
        return self.only


def read(source: Source, values: Values | None, company: Company, today: date) -> Read:
    """Check a text and fill it in, all in the bounded child; `values` of a client, else samples."""
    findings = examine(source)
    if findings:
        return Read(findings)
    whole: dict[str, Any] = samples(source.language) | {"company": company_values(company)}
    whole["document"] = {"number": whole["document"]["number"], "date": today}
    whole |= values or {}
    made = Read()
    try:
        filled = preview(source.kind, source.key, source.language, _Single(only=source), whole)
        if source.kind == "document":
            pdf = pdf_of(
                filled.parts["body.html"], title=filled.parts["title.txt"], author=company.name,
                language=source.language, dated=today,
            )  # fmt: skip
            made.pdf, made.pages = pdf.content, pdf.pages
    except FrontdeskError as error:
        made.fault = error
        return made
    made.subject = filled.parts.get("subject.txt") or filled.parts.get("title.txt", "")
    made.text = filled.parts.get("body.txt") or filled.parts.get("text.txt", "")
    made.html = filled.parts.get("body.html", "") if source.kind == "email" else ""
    if source.kind == "sms":
        made.text = made.text.replace("\u00a0", " ").replace("\u202f", " ").strip()
        made.segments = segments_of(made.text)
    if values is not None:
        groups = {path.partition(".")[0] for path in filled.used}
        made.sampled = tuple(sorted(groups - set(values) - {"company", "links", "document"}))
    return made


def clients(session: Session, viewer: SignedIn, wanted: str = "") -> list[tuple[int, str]]:
    """Clients that somebody may see a template with, by what they typed, else those they last dealt with."""
    query = select(Contact.id, Contact.name, Account.name).outerjoin(
        Account, Account.id == Contact.account_id
    )
    if viewer.role not in MARKETERS:
        if viewer.role not in WORKERS:
            return []
        known = select(Conversation.contact_id).where(visible(viewer), Conversation.contact_id.is_not(None))
        query = query.where(Contact.id.in_(known))
    if wanted:
        like = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = query.where(Contact.name.ilike(like) | Account.name.ilike(like))
    rows = session.execute(query.order_by(Contact.id.desc()).limit(CLIENTS)).all()
    return [
        (found, " · ".join(filter(None, (name, account))) or f"#{found}") for found, name, account in rows
    ]


def values_of(
    session: Session, viewer: SignedIn, contact_id: int, language: str, company: Company, today: date
) -> dict[str, dict[str, Any]] | None:
    """What is known of a client, as far as this person may see it; None where they may not see them at all.

    Marketing sees whose letter it is and nothing of their letters or deals.
    """
    contact = session.scalar(
        select(Contact).where(Contact.id == contact_id).options(joinedload(Contact.account))
    )
    conversation = session.scalar(
        select(Conversation)
        .where(Conversation.contact_id == contact_id, visible(viewer))
        .order_by(Conversation.last_message_at.desc())
        .limit(1)
    )
    if contact is None or (conversation is None and viewer.role not in MARKETERS):
        return None
    staff = session.get_one(StaffMember, viewer.staff_id)
    stored: dict[str, Any] = {
        "client": letters.client_values(contact),
        "staff": letters.staff_values(staff),
    }
    if conversation is not None:
        last = letters.last_incoming(session, conversation.id)
        stored["conversation"] = {
            "subject": conversation.subject,
            "number": str(conversation.id),
            "quoted": last.reply if last else "",
        }
        if last is not None:
            stored["message"] = {"received": last.happened_at.date().isoformat()}
        deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
        if deal is not None and viewer.role in SALES:
            stored |= {
                "deal": letters.deal_values(deal, language, today),
                "product": letters.product_values(deal, language),
                "proposal": letters.proposal_values(deal, language),
            }
    return template_values({name: group for name, group in stored.items() if group}, company_values(company))


def keep(session: Session, viewer: SignedIn, content_type: str, data: bytes) -> str:
    """Keep how a text reads for the frame that shows it; the same bytes keep their name."""
    token = f"{viewer.staff_id}-{hashlib.sha256(data).hexdigest()[:32]}"
    row = insert(TemplatePreview).values(
        token=token, staff_id=viewer.staff_id, content_type=content_type, data=data
    )
    session.execute(
        row.on_conflict_do_update(index_elements=[TemplatePreview.token], set_={"made_at": func.now()})
    )
    newest = (
        select(TemplatePreview.token)
        .where(TemplatePreview.staff_id == viewer.staff_id)
        .order_by(TemplatePreview.made_at.desc())
        .limit(KEPT)
    )
    session.execute(
        delete(TemplatePreview).where(
            TemplatePreview.staff_id == viewer.staff_id, TemplatePreview.token.not_in(newest)
        )
    )
    return token
