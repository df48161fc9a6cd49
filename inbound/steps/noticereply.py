"""Noticereply: a colleague's answer to a notice of ours becomes a private note, never a client's letter."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from core import notes, outbox
from core.conversations import Conversation
from core.notifications import StaffNotice
from core.outbox import Delivery, Draft, Purpose
from core.staff import StaffMember
from inbound.steps.screen import tokens_in
from inbound.work import Batch, Item

REFUSAL: Final = {
    "en": (
        "Your reply was not delivered",
        "Hello,\n\nyou replied to a notice that speaks of several conversations, so your words could not be "
        "put beside any one of them, and no client has seen them.\n\nPlease open the conversation at the "
        "desk and write there: {url}\n",
    ),
    "ru": (
        "Ваш ответ не доставлен",
        "Здравствуйте!\n\nВы ответили на уведомление сразу о нескольких переписках, поэтому ваши слова "
        "нельзя отнести к одной из них; никто из клиентов их не видел.\n\nОткройте нужную переписку "
        "на рабочем месте и напишите там: {url}\n",
    ),
    "lt": (
        "Jūsų atsakymas nepristatytas",
        "Laba diena,\n\natsakėte į pranešimą apie kelis susirašinėjimus, todėl Jūsų žodžių nebuvo galima "
        "priskirti nė vienam iš jų; klientai jų nematė.\n\nAtsiverkite reikiamą susirašinėjimą darbo vietoje "
        "ir parašykite ten: {url}\n",
    ),
}
"""Subject and text of the answer to a reply that has no place."""


def run(batch: Batch) -> None:
    """End the way of letters by which colleagues answer notices; whatever a machine of theirs says is kept
    and not looked at."""
    items = [item for item in batch.on_their_way() if item.staff_id is not None]
    keys = {
        id(item): tokens_in([*item.reading.in_reply_to, *reversed(item.reading.references)]) for item in items
    }
    wanted = {key for found in keys.values() for key in found}
    ours = outbox.by_token(batch.session, wanted) if wanted else {}
    for item in items:
        delivery = next((ours[key] for key in keys[id(item)] if key in ours), None)
        if delivery is not None and delivery.purpose == Purpose.STAFF:
            _answered(batch, item, delivery)


def _answered(batch: Batch, item: Item, delivery: Delivery) -> None:
    member = batch.session.get(StaffMember, item.staff_id)
    words = item.reading.written.strip()
    if member is None or item.machine is not None or not words:
        item.ignore("noticereply", "an answer to a notice of ours that says nothing")
        return
    about = set(
        batch.session.scalars(
            select(StaffNotice.conversation_id).where(
                StaffNotice.delivery_id == delivery.id, StaffNotice.conversation_id.is_not(None)
            )
        )
    )
    conversation = batch.session.get(Conversation, about.pop()) if len(about) == 1 else None
    if conversation is not None and delivery.address == item.sender:
        notes.write(
            batch.session, conversation, words[: notes.LONGEST], by=member, callable_names={}, titles={}
        )
        item.ignore("noticereply", f"a colleague's note beside conversation {conversation.id}")
        return
    _refuse(batch, item, member)
    item.ignore("noticereply", "an answer to a notice about several conversations; its writer is told")


def _refuse(batch: Batch, item: Item, member: StaffMember) -> None:
    """At most one in seven days goes to anybody (RFC 3834 section 2)."""
    if not outbox.may_answer_automatically(batch.session, member.email):
        return
    subject, text = REFUSAL[member.language.value]
    batch.drafts.append(
        Draft(
            key=f"noticereply:{item.raw.id}",
            address=member.email,
            purpose=Purpose.STAFF,
            recipient_name=member.name,
            language=member.language.value,
            subject=subject,
            body=text.format(url=batch.tools.settings.company.public_url.rstrip("/")),
            in_reply_to=item.reading.message_id or None,
            priority=4,
        )
    )
