"""A letter that waits for somebody's word: approved, returned with a note, edited, found out of date."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from core import approvers, audit, fileasks, letters, outbox_copies
from core.approvalasks import TRANSITIONS, Approval, ApprovalState
from core.approvaldoubts import Doubt, deal_groups, doubt
from core.approvers import Whose
from core.conversations import Conversation, Direction, Message
from core.deals import Deal
from core.errors import Conflict, IllegalTransition, InputRefused, NotAllowed, NotFound
from core.outbox import Delivery, DeliveryState

LONGEST_NOTE = 1_000
"""Characters of a note."""


def _bring(approval: Approval, state: ApprovalState) -> None:
    if state not in TRANSITIONS[approval.state]:
        raise IllegalTransition(f"A question that is {approval.state} cannot become {state}.")
    approval.state = state


def may_decide(approval: Approval, staff_id: int, *, leads: bool) -> bool:
    """Whether somebody's word counts: who was asked, and who leads; never one's own."""
    return staff_id in approval.approver_ids or (leads and staff_id != approval.asker_id)


def held(session: Session, approval_id: int) -> tuple[Approval, Delivery]:
    """A question with its letter, held for a decision. Raises NotFound."""
    approval = session.scalar(select(Approval).where(Approval.id == approval_id).with_for_update())
    if approval is None:
        raise NotFound
    session.refresh(approval)
    return approval, session.get_one(Delivery, approval.delivery_id)


def words_of(delivery: Delivery) -> str:
    """Tells one state of a letter from the next: its words, what fills it in, and what it brings."""
    whole = [delivery.subject, delivery.body, delivery.values, delivery.documents]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()[:20]


def approve(
    session: Session,
    approval_id: int,
    *,
    by: int,
    leads: bool = False,
    note: str = "",
    seen: str | None = None,
    not_before: datetime | None = None,
) -> Approval:
    """Let a letter go; it leaves after `letters.UNDO`, not before the time its writer chose, and
    ``not_before`` a moment where one is given.

    What is out of date is told instead, and not sent.

    ``seen`` is what `words_of` told of the letter that was read; None where there was no reading. Look at the
    state of what is returned. Raises NotAllowed, IllegalTransition, and Conflict where it was changed since.
    """
    approval, delivery = held(session, approval_id)
    _allowed(approval, by, leads)
    if approval.state != ApprovalState.WAITING:
        raise IllegalTransition("That was decided already.")
    session.refresh(delivery)
    if seen is not None and seen != words_of(delivery):
        raise Conflict("The letter was changed meanwhile.", cure="Read it again.")
    found = doubt(session, approval, delivery)
    if found is not None:
        tell(session, approval, delivery, found)
        return approval
    if delivery.files:
        delivery.files = fileasks.renewed(session, delivery.files)
    _redate(session, delivery)
    now = session.execute(select(func.now())).scalar_one()
    wait = max(letters.UNDO, delivery.due_at - now, (not_before or now) - now)
    outbox_copies.settle(
        session, delivery.id, DeliveryState.QUEUED, detail="approved", staff_id=by, wait=wait
    )
    if delivery.conversation_id is not None and not delivery.automatic:
        session.execute(
            update(Conversation)
            .where(Conversation.id == delivery.conversation_id)
            .values(waiting=False, last_message_at=func.now())
        )
    _let_follow_ups_go_on(session, delivery)
    _decided(session, approval, ApprovalState.APPROVED, by, note)
    return approval


def _redate(session: Session, delivery: Delivery) -> None:
    """An offer binds from the day on which it leaves."""
    deal = delivery.values.get("deal") or {}
    if "valid_until" not in deal:
        return
    today = session.execute(select(func.current_date())).scalar_one()
    until = (today + letters.OFFER_HOLDS).isoformat()
    delivery.values = {**delivery.values, "deal": {**deal, "valid_until": until}}


def _allowed(approval: Approval, by: int, leads: bool) -> None:
    if not may_decide(approval, by, leads=leads):
        raise NotAllowed("Others were asked for their word on this letter.")


def _decided(session: Session, approval: Approval, state: ApprovalState, by: int | None, note: str) -> None:
    before = approval.state
    _bring(approval, state)
    approval.note = note.strip()[:LONGEST_NOTE]
    approval.decided_by = by
    approval.decided_at = session.execute(select(func.now())).scalar_one()
    session.flush()
    audit.note(
        session,
        by,
        state.value,
        "approval",
        approval.id,
        _name(session, approval),
        before={"state": before},
        after={"state": state, "note": approval.note},
    )


def _name(session: Session, approval: Approval) -> str:
    delivery = session.get_one(Delivery, approval.delivery_id)
    return f"{delivery.template or 'letter'}: {delivery.recipient_name or delivery.address}"


def give_back(session: Session, approval_id: int, note: str, *, by: int, leads: bool = False) -> Approval:
    """Return a letter to whoever asked, saying why. Raises InputRefused without a note, NotAllowed,
    IllegalTransition.
    """
    if not note.strip():
        raise InputRefused("Say what should be different.", cure="Write a few words for whoever asked.")
    approval, _delivery = held(session, approval_id)
    _allowed(approval, by, leads)
    _decided(session, approval, ApprovalState.RETURNED, by, note)
    return approval


def take_back(session: Session, approval_id: int, *, by: int) -> Approval:
    """Take back one's own word while the letter has not left. Raises NotAllowed, IllegalTransition."""
    approval, delivery = held(session, approval_id)
    if approval.decided_by != by:
        raise NotAllowed("Only who decided may take it back.")
    if approval.state == ApprovalState.APPROVED:
        outbox_copies.settle(session, delivery.id, DeliveryState.HELD, detail="word taken back", staff_id=by)
        _let_wait_again(session, delivery)
    elif approval.state != ApprovalState.RETURNED:
        raise IllegalTransition("There is nothing to take back.")
    _decided(session, approval, ApprovalState.WAITING, by, "")
    approval.decided_by = approval.decided_at = None
    session.flush()
    return approval


def _let_wait_again(session: Session, delivery: Delivery) -> None:
    """The client waits again where the letter would have answered them."""
    if delivery.conversation_id is None or delivery.automatic:
        return
    newest = session.scalar(
        select(Message.direction)
        .where(
            Message.conversation_id == delivery.conversation_id,
            Message.delivery_id.is_distinct_from(delivery.id),
        )
        .order_by(Message.happened_at.desc(), Message.id.desc())
        .limit(1)
    )
    if newest == Direction.IN:
        waits = update(Conversation).where(Conversation.id == delivery.conversation_id)
        session.execute(waits.values(waiting=True))


def edit(
    session: Session, approval_id: int, *, subject: str, body: str, by: int, leads: bool = False
) -> Approval:
    """Change the words that a person wrote, before the letter leaves; who asked or is asked may do it.

    Raises NotAllowed, IllegalTransition, and InputRefused where nothing was written.
    """
    approval, delivery = held(session, approval_id)
    if approval.asker_id != by:
        _allowed(approval, by, leads)
    if approval.state not in {ApprovalState.WAITING, ApprovalState.RETURNED}:
        raise IllegalTransition("That was decided already.")
    if not written_by_hand(delivery):
        raise InputRefused("Its words are the template’s.", cure="Return it with a note.")
    if not body.strip():
        raise InputRefused("The letter is empty.", cure="Write something first.")
    before = {"subject": delivery.subject, "body": delivery.body}
    delivery.subject, delivery.body = subject.strip() or delivery.subject, body
    answer = {**(delivery.values.get("answer") or {}), "subject": delivery.subject, "text": body}
    delivery.values = {**delivery.values, "answer": answer}
    session.execute(
        update(Message)
        .where(Message.delivery_id == delivery.id)
        .values(subject=delivery.subject, text=body, reply=body)
    )
    session.flush()
    after = {"subject": delivery.subject, "body": delivery.body}
    name = _name(session, approval)
    audit.note(session, by, "changed", "approval", approval.id, name, before=before, after=after)
    return approval


def written_by_hand(delivery: Delivery) -> bool:
    """Whether a person wrote its words, so that they can be changed."""
    return delivery.template in (None, "answer")


def ask_again(session: Session, approval_id: int, *, by: int, leads: bool = False) -> Approval:
    """Ask once more about a returned letter, made anew from the deal as it stands now.

    What is of no use any more is told instead. Raises NotAllowed, IllegalTransition.
    """
    approval, delivery = held(session, approval_id)
    if approval.asker_id not in (by, None) and not leads:
        raise NotAllowed("Only who asked may ask again.")
    if approval.state != ApprovalState.RETURNED:
        raise IllegalTransition("Only a returned letter is asked about again.")
    found = doubt(session, approval, delivery)
    if found is not None and found.over:
        tell(session, approval, delivery, found)
        return approval
    deal = session.get(Deal, delivery.deal_id) if delivery.deal_id is not None else None
    if deal is not None and delivery.documents:
        groups = deal_groups(deal, delivery.language, delivery)
        delivery.values = {**delivery.values, **{name: group for name, group in groups.items() if group}}
    approval.asked_at = session.execute(select(func.now())).scalar_one()
    _decided(session, approval, ApprovalState.WAITING, by, "")
    approval.decided_by = approval.decided_at = None
    _choose(session, [approval])
    return approval


def withdraw(session: Session, approval_id: int, *, by: int, leads: bool = False) -> Approval:
    """Want the letter no more; of what is out of date, take note. Raises NotAllowed, IllegalTransition."""
    approval, delivery = held(session, approval_id)
    if approval.asker_id not in (by, None) and not leads:
        raise NotAllowed("Only who asked may withdraw it.")
    if delivery.state == DeliveryState.HELD:
        outbox_copies.settle(session, delivery.id, DeliveryState.CANCELLED, detail="withdrawn", staff_id=by)
    _let_follow_ups_go_on(session, delivery)
    _decided(session, approval, ApprovalState.WITHDRAWN, by, approval.note)
    return approval


def cancelled(session: Session, delivery_id: int, *, by: int) -> None:
    """A held letter was cancelled where it stands: nobody need decide on it any more."""
    approval = session.scalar(select(Approval).where(Approval.delivery_id == delivery_id).with_for_update())
    if approval is not None and ApprovalState.WITHDRAWN in TRANSITIONS[approval.state]:
        _decided(session, approval, ApprovalState.WITHDRAWN, by, approval.note)


def tell(session: Session, approval: Approval, delivery: Delivery, found: Doubt) -> None:
    """Bring a letter that may not leave as it is where whoever asked sees it, with the reason."""
    if not found.over:
        if approval.state == ApprovalState.WAITING:
            _decided(session, approval, ApprovalState.RETURNED, None, found.key)
        return
    if delivery.state == DeliveryState.HELD:
        gone = DeliveryState.SUPPRESSED if found.key == "opted_out" else DeliveryState.CANCELLED
        outbox_copies.settle(session, delivery.id, gone, detail=f"not approved in time: {found.key}")
    _let_follow_ups_go_on(session, delivery)
    _decided(session, approval, ApprovalState.OUTDATED, None, found.key)


_GO_ON = text("""
update enrolment e set waits_for = null, due_at = now()
from enrolment_step l
where l.delivery_id = :delivery and e.id = l.enrolment_id and e.state in ('active', 'paused')
and e.next_position > l.position
""")


def _let_follow_ups_go_on(session: Session, delivery: Delivery) -> None:
    """The next step is looked at anew: its delay counts from when the letter really leaves."""
    session.execute(_GO_ON, {"delivery": delivery.id})


def look_after(session: Session, limit: int = 200) -> int:
    """Tell what has gone out of date, and ask whoever is here today instead of who is away; how many changed.

    Called every minute; reads only what is open.
    """
    query = (
        select(Approval)
        .where(Approval.state.in_([ApprovalState.WAITING, ApprovalState.RETURNED]))
        # Returned ones may stay open for ever; in turn by chance, they keep nobody else from being looked at.
        .order_by(func.random())
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    waiting = session.scalars(query).all()
    told = 0
    for approval in waiting:
        delivery = session.get_one(Delivery, approval.delivery_id)
        found = doubt(session, approval, delivery)
        if found is not None and (found.over or approval.state == ApprovalState.WAITING):
            tell(session, approval, delivery, found)
            told += 1
    return told + _choose(session, [one for one in waiting if one.state == ApprovalState.WAITING])


def _choose(session: Session, waiting: Sequence[Approval]) -> int:
    if not waiting:
        return 0
    everybody = approvers.colleagues(session)
    changed = 0
    for approval in waiting:
        delivery = session.get_one(Delivery, approval.delivery_id)
        deal = session.get(Deal, delivery.deal_id) if delivery.deal_id is not None else None
        whose = Whose(
            approval.asker_id,
            deal.owner_id if deal else None,
            deal.account.curator_id if deal and deal.account else None,
        )
        able = [one for one in everybody if delivery.automatic or one.id != approval.asker_id]
        chosen = approvers.choose(approval.approver, able, whose)
        present = (tuple(approval.approver_ids), approval.standing_in)
        if chosen.ids and (chosen.ids, chosen.standing_in) != present:
            approval.approver_ids, approval.standing_in = list(chosen.ids), chosen.standing_in
            changed += 1
    session.flush()
    return changed
