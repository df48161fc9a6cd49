"""What goes out by telephone stands in the history of whom it goes to."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core import byphone, letters
from core.accounts import Channel, Contact, ContactPoint, PointKind
from core.conversations import Conversation
from core.staff import StaffMember


def _contact(session: Session, name: str, number: str) -> Contact:
    contact = Contact(name=name, points=[ContactPoint(kind=PointKind.PHONE, value=number)])
    session.add(contact)
    session.flush()
    return contact


def test_sms_without_a_deal_never_stands_in_the_history_of_another_client(session: Session) -> None:
    ona, jonas = _contact(session, "Ona", "+37061100001"), _contact(session, "Jonas", "+37061100002")
    session.add(Conversation(subject="Jono reikalai", contact=jonas))
    session.flush()
    assert letters.conversation_of(session, None, ona) is None
    draft = byphone.automatic(session, ona, Channel.SMS, template="missed_call", key="1")
    assert session.get_one(Conversation, draft.conversation_id).contact_id == ona.id
    again = byphone.automatic(session, ona, Channel.SMS, template="missed_call", key="2")
    assert again.conversation_id == draft.conversation_id


def test_own_telephone_is_dialled_however_it_was_written() -> None:
    assert byphone.own_number(StaffMember(phone="8 5 200 0011")) == "+37052000011"
