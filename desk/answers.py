"""What an answer can be written from, and how it will read: the templates staff choose among, and the
preview."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import letters
from core.accounts import Channel
from core.approvalasks import BETWEEN, Cause, asked_by
from core.config_sections import Company
from core.conversations import Conversation
from core.copies import Reader
from core.deals import Deal
from core.outbox import EXPIRY, Delivery, Draft
from core.staff import StaffMember
from outbound import placing
from outbound.sender import company_values
from templates import rendered
from templates.catalogue import Catalogue
from templates.library import shelf_of
from templates.rendered import Document, RenderedEmail
from templates.segments import segments_of

NEEDS_DEAL = frozenset({"technical_proposal", "commercial_offer"})


def write(
    session: Session,
    conversation: Conversation,
    staff: StaffMember,
    *,
    body: str,
    subject: str = "",
    template: str = "answer",
    language: str | None = None,
    key: str = "",
    files: Sequence[int] = (),
    copies: Sequence[Reader] = (),
    approver: str = "",
    leaves: datetime | None = None,
) -> Draft:
    """The draft of an answer, with what its template needs of the deal.

    ``files`` are those of the library it brings as links, ``copies`` who else gets it, ``approver`` is whose
    word the writer wants first; ``leaves`` when it is to go out, where not at once.
    Raises NoAddress, NothingToOffer, and InputRefused when nothing was written.
    """
    draft = letters.answer(
        session,
        conversation,
        staff,
        key=key or f"preview-{secrets.token_hex(4)}",
        body=body,
        subject=subject,
        language=language,
        template=template,
        copies=copies,
    )
    deal = session.get(Deal, conversation.deal_id) if conversation.deal_id is not None else None
    if template in NEEDS_DEAL and (deal is None or not deal.lines):
        raise letters.NothingToOffer
    values: dict[str, Any] = dict(draft.values)
    if deal is not None:
        today = leaves.date() if leaves else session.execute(select(func.current_date())).scalar_one()
        values |= {
            "deal": letters.deal_values(deal, draft.language, today),
            "product": letters.product_values(deal, draft.language),
            "proposal": letters.proposal_values(deal, draft.language),
        }
    documents = [template] if template in letters.DOCUMENTS else []
    asked = letters.approver_of(deal, template) if deal is not None else ""
    if leaves is not None:
        draft = dataclasses.replace(draft, due_at=leaves, expires_at=leaves + EXPIRY)
    return dataclasses.replace(
        draft,
        values=values,
        documents=documents,
        files=list(files),
        approver=BETWEEN.join(filter(None, (asked, asked_by(Cause.HAND, approver)))),
    )


def draft_of(delivery: Delivery) -> Draft:
    """What a delivery was queued with."""
    names = set(Draft.__dataclass_fields__) - {"files", "copies", "approver"}
    return Draft(**{name: getattr(delivery, name) for name in names})


@dataclass(frozen=True, slots=True)
class Words:
    """What will reach the client, in the form of its channel."""

    channel: Channel
    subject: str
    text: str
    language: str
    parts: int | None = None
    """In how many parts an SMS is sent, which is what it costs."""


def words(session: Session, draft: Draft, company: Company, today: date) -> Words:
    """The words of a draft as they will be sent: a letter's, a text's, or what a call says.

    Raises what `templates.rendered` raises.
    """
    if draft.channel == Channel.FAX and draft.documents:
        # Its document goes alone; what stood beside it a gateway would print as well.
        return Words(draft.channel, draft.subject, "", draft.language)
    if draft.channel not in (Channel.SMS, Channel.VOICE):
        letter = preview(session, draft, company, today)
        return Words(draft.channel, letter.subject, letter.text, letter.language)
    text, language, kind = draft.body, draft.language, draft.channel.value
    if draft.template is not None:
        shelf = _shelf(session, draft, company, kind, draft.template)
        values = _values(draft, company, today)
        made = rendered.render_text(kind, draft.template, draft.language, values, shelf)
        text, language = made.text, made.language
    parts = segments_of(text).count if draft.channel == Channel.SMS else None
    return Words(draft.channel, "", text, language, parts)


def preview(session: Session, draft: Draft, company: Company, today: date) -> RenderedEmail:
    """How a draft will read, by the texts that its sender's letters take.

    Raises what `templates.rendered.render_email` raises.
    """
    key = draft.template
    if key is None:
        return RenderedEmail(draft.subject, draft.body, "", draft.language)
    values = _values(draft, company, today)
    return rendered.render_email(key, draft.language, values, _shelf(session, draft, company, "email", key))


def preview_document(session: Session, draft: Draft, key: str, company: Company, today: date) -> Document:
    """One of its documents, as yet without a number. Raises what `templates.rendered.render_document`
    raises.
    """
    catalogue = _shelf(session, draft, company, "document", key)
    return rendered.render_document(key, draft.language, _values(draft, company, today, "–"), catalogue)


def _shelf(session: Session, draft: Draft, company: Company, kind: str, key: str) -> Catalogue:
    return shelf_of(session, draft.staff_id, kind=kind, key=key, default_language=company.default_language)


def _values(draft: Draft, company: Company, today: date, number: str = "…") -> dict[str, dict[str, Any]]:
    """What the placeholders stand for, as when it is composed; ``number`` stands for one not given yet."""
    return placing.template_values(
        draft.values,
        company_values(company),
        staff={"name": company.name, "email": company.email},
        document={"number": number, "date": today},
        links={"unsubscribe": "https://example.com/unsubscribe"},
    )
