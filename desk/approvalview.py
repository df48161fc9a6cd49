"""What waits for a word, as whoever decides reads it: as it will be sent, and why it waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import approvalreads, approvals, enclosures, outbox_copies
from core.approvalasks import Approval, ApprovalState, Cause
from core.approvaldoubts import CHANGED, OUT_OF_DATE, Doubt, doubt
from core.config_sections import Company
from core.copies import Reader
from core.deals import Deal
from core.enclosures import Enclosure
from core.errors import FrontdeskError, NotFound
from core.i18n import N_, Texts
from core.outbox import Delivery
from core.sessions import SignedIn
from core.staff import Role, StaffMember, Team
from desk import answers, colleagues
from desk.access import LEADERS

STATES: dict[ApprovalState, tuple[str, str]] = {
    ApprovalState.WAITING: (N_("waits"), "yellow"),
    ApprovalState.APPROVED: (N_("approved"), "green"),
    ApprovalState.RETURNED: (N_("returned"), "orange"),
    ApprovalState.OUTDATED: (N_("out of date"), "red"),
    ApprovalState.WITHDRAWN: (N_("withdrawn"), "secondary"),
}
"""Name and colour of each state."""
CAUSES: dict[Cause, str] = {
    Cause.TEMPLATE: N_("Letters of this kind need approval."),
    Cause.STAGE: N_("The stage says that its letter needs approval."),
    Cause.OFFER: N_("The deal says that its offers need approval."),
    Cause.STEP: N_("This step of a follow-up needs approval."),
    Cause.HAND: N_("Whoever wrote it asks for approval."),
}
ROLES: dict[Role, str] = {
    Role.HEAD: N_("The head of sales"),
    Role.ADMIN: N_("An administrator"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One question with everything beside it."""

    approval: Approval
    delivery: Delivery
    words: answers.Words | None
    fault: FrontdeskError | None
    """Why it cannot be shown."""
    doubt: Doubt | None
    deal: Deal | None
    asker: StaffMember | None
    decider: StaffMember | None
    may_decide: bool
    mine: bool
    by_hand: bool
    """A person wrote its words, so that they can be changed here."""
    others: list[str]
    """Names of whoever is asked."""
    copies: list[Reader]
    """Who else gets it."""
    enclosed: list[Enclosure]
    """Files from the writer's computer that go with it."""
    seen: str
    """What tells this state of the letter from the next."""


def leads(viewer: SignedIn) -> bool:
    """Whether somebody may decide for everybody."""
    return viewer.role in LEADERS


def find(session: Session, viewer: SignedIn, approval_id: int) -> Approval:
    """A question that somebody has to do with; leaders see them all. Raises NotFound."""
    query = select(Approval).where(Approval.id == approval_id)
    if not leads(viewer):
        query = query.where(approvalreads.concerns(viewer.staff_id))
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


def read(session: Session, viewer: SignedIn, approval_id: int, company: Company) -> Shown:
    """One question as its page shows it. Raises NotFound."""
    approval = find(session, viewer, approval_id)
    delivery = session.get_one(Delivery, approval.delivery_id)
    today: date = session.execute(select(func.current_date())).scalar_one()
    words, fault = None, None
    try:
        words = answers.words(session, answers.draft_of(delivery), company, today)
    except FrontdeskError as error:
        fault = error
    open_still = approval.state in (ApprovalState.WAITING, ApprovalState.RETURNED)
    return Shown(
        approval=approval,
        delivery=delivery,
        words=words,
        fault=fault,
        doubt=doubt(session, approval, delivery) if open_still else None,
        deal=session.get(Deal, delivery.deal_id) if delivery.deal_id is not None else None,
        asker=session.get(StaffMember, approval.asker_id) if approval.asker_id is not None else None,
        decider=session.get(StaffMember, approval.decided_by) if approval.decided_by is not None else None,
        may_decide=approvals.may_decide(approval, viewer.staff_id, leads=leads(viewer)),
        mine=approval.asker_id in (viewer.staff_id, None),
        by_hand=approvals.written_by_hand(delivery),
        others=names(session, approval.approver_ids),
        copies=outbox_copies.readers(session, delivery.id),
        enclosed=enclosures.of_delivery(session, delivery.id),
        seen=approvals.words_of(delivery),
    )


def names(session: Session, ids: Sequence[int]) -> list[str]:
    """What some colleagues are called."""
    query = select(StaffMember.name).where(StaffMember.id.in_(ids)).order_by(StaffMember.name)
    return list(session.scalars(query))


def note_text(approval: Approval, language: Texts) -> str:
    """What is said of a decision: a colleague's words, or why it went out of date."""
    if approval.decided_by is not None or not approval.note:
        return approval.note
    reasons = OUT_OF_DATE | CHANGED
    return language.gettext(reasons[approval.note]) if approval.note in reasons else approval.note


def approver_choices(session: Session, language: Texts) -> list[tuple[str, str]]:
    """Whose word can be asked for: the head of sales, the client's curator, teams, and everybody by name."""
    choices = [(f"role:{role.value}", language.gettext(name)) for role, name in ROLES.items()]
    choices += [
        ("curator", language.gettext("The client’s curator")),
        ("owner", language.gettext("The deal’s owner")),
    ]
    teams = session.scalars(select(Team.name).order_by(Team.name))
    choices += [(f"team:{name}", language.gettext("Team “%(team)s”", team=name)) for name in teams]
    return choices + people(session)


def people(session: Session, but: int | None = None) -> list[tuple[str, str]]:
    """Colleagues whose word can be asked for."""
    return colleagues.approvers(colleagues.active(session), but)


def row_values(session: Session, viewer: SignedIn, which: Any, limit: int = 100) -> list[Any]:
    """Rows of a list of questions: each with its letter, the client and who asks."""
    rows = session.execute(approvalreads.listing().where(which).limit(limit)).all()
    numbers = {one.asker_id for one, _, _ in rows} | {one.decided_by for one, _, _ in rows}
    names = session.execute(select(StaffMember.id, StaffMember.name).where(StaffMember.id.in_(numbers)))
    staff = dict(names.all())
    return [
        (approval, delivery, account or delivery.recipient_name or delivery.address, staff)
        for approval, delivery, account in rows
    ]


FAULTS: tuple[str, ...] = (
    N_("Others were asked for their word on this letter."),
    N_("That was decided already."),
    N_("Say what should be different."),
    N_("Write a few words for whoever asked."),
    N_("Only who decided may take it back."),
    N_("There is nothing to take back."),
    N_("Its words are the template’s."),
    N_("Return it with a note."),
    N_("The letter is empty."),
    N_("Only who asked may ask again."),
    N_("Only a returned letter is asked about again."),
    N_("Only who asked may withdraw it."),
    N_("Choose whose word is needed."),
    N_("Nobody stands in for themselves."),
    N_("Choose somebody else."),
    N_("The sum must not be negative."),
    N_("The file is empty."),
    N_("The file is larger than 50 MB."),
    N_("Make it smaller, or send a part of it."),
    N_("Programs are not sent to clients."),
    N_("Pack it into a ZIP archive."),
    N_("This very file is in the library already."),
    N_("The library is full."),
    N_("Remove files that nobody needs any more."),
    N_("A link holds between 1 and 365 days."),
)
"""What is told of approvals and files when something cannot be done, for translators."""
