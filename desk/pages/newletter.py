"""The first letter to a client: written without one of theirs to answer, in a conversation it begins."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.di import Provide
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import demofiles, enclosures, letters, outbox, unsent
from core.accounts import Account, Channel, Contact
from core.consent import address_key, suppressed
from core.errors import FrontdeskError, InputRefused
from core.limits import LETTER_FILES_BYTES
from core.notices import open_alarms
from core.staff import StaffMember
from desk import answercopies, answers, approvalview, live, templatechoice
from desk.access import WORKERS
from desk.clientview import client_for, contact_of
from desk.forms import Form, one_time_key
from desk.given import Filled, Transaction
from desk.pages import sendlater
from desk.pages.answer import approver_of, choice_of, files_of
from desk.pages.enclosing import enclose
from desk.pages.inbox import rail
from desk.render import PageRequest, page, reader
from desk.threads import in_thread
from desk.uploads import ENCLOSED_LIMIT, Enclosed, enclosed

NEEDS_DEAL = answers.NEEDS_DEAL | {"acknowledgement"}
"""Letters that say something of a deal, or of a letter that came."""
WORDS = ("subject", "body", "copies", "template", "language")
"""Fields of the form that are kept while somebody writes."""


def _readers(session: Session, account: Account) -> list[tuple[Contact, str, bool]]:
    """The client's contacts who have an address: each with it, and whether nothing may be sent there."""
    found = [(one, one.email) for one in account.contacts if one.email]
    stops = suppressed(session, Channel.EMAIL, [address_key(Channel.EMAIL, email) for _, email in found])
    return [(one, email, _stopped(stops.get(address_key(Channel.EMAIL, email)))) for one, email in found]


def _stopped(stop: Any) -> bool:
    return stop is not None and stop.scope == "everything"


def _templates(request: PageRequest, session: Session) -> dict[str, str]:
    offered = templatechoice.for_answers(session, request.scope["user"], reader(request))
    return {key: name for key, name in offered.items() if key not in NEEDS_DEAL}


def _page(
    request: PageRequest,
    session: Session,
    account: Account,
    form: Form,
    fault: FrontdeskError | None = None,
) -> Response[str]:
    viewer = request.scope["user"]
    readers = _readers(session, account)
    chosen = form.number("contact_id")
    first = next((one for one, _, stopped in readers if not stopped), None)
    contact = next((one for one, _, stopped in readers if one.id == chosen and not stopped), first)
    return page(
        request,
        "letter_new.html",
        status=422 if fault else 200,
        account=account,
        readers=readers,
        contact=contact,
        given=form,
        fault=fault,
        templates=_templates(request, session),
        files=demofiles.offered(session),
        enclosures=enclosures.waiting(session, enclosures.Place(viewer.staff_id, account_id=account.id)),
        enclosure_bytes=LETTER_FILES_BYTES,
        approver_people=approvalview.people(session, but=viewer.staff_id),
        copying=answercopies.Offer(
            form.text("copies"),
            (),
            answercopies.of_client(session, account.id, without={contact.email or ""}),
        )
        if contact
        else None,
        form_key=one_time_key(),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@get("/clients/{account_id:int}/letter", enter=WORKERS)
@in_thread
def show(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[str]:
    """The form, for the contact that the address names or the first who can be written to."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    chosen = request.query_params.get("contact", "")
    begun = unsent.first_of(session, viewer.staff_id, account_id)
    fields = {name: getattr(begun, name) or "" for name in WORDS} if begun else {}
    kept_for = str(begun.contact_id or "") if begun else ""
    fields["contact_id"] = chosen if chosen.isdecimal() else kept_for
    return _page(request, session, account, Form(fields))


def _write(
    request: PageRequest, session: Session, account: Account, form: Form, *, key: str = ""
) -> outbox.Draft:
    """The letter as the form has it, in a conversation that is begun where it is to be sent."""
    viewer = request.scope["user"]
    template, language = choice_of(request, session, form)
    if template in NEEDS_DEAL:
        raise InputRefused("That template does not exist.")
    contact = contact_of(session, account, form.number("contact_id"))
    staff = session.get_one(StaffMember, viewer.staff_id)
    subject = form.line("subject", longest=300)
    talk = letters.first_conversation(contact, staff, subject, language=language)
    if key:
        if not subject:
            raise InputRefused("A letter needs a subject.", cure="Write what it is about.")
        session.add(talk)
        session.flush()
    return answers.write(
        session,
        talk,
        staff,
        body=form.text("body"),
        subject=subject,
        template=template,
        language=language,
        key=key,
        files=files_of(session, form) if key else (),
        copies=answercopies.given(request.app.state.settings, form) if key else (),
        approver=approver_of(session, form, viewer.staff_id) if key else "",
        leaves=sendlater.chosen(request.app.state.settings, form) if key else None,
    )


def _key(account_id: int, staff_id: int, form: Form) -> str:
    """The intention of one form, by which it goes out once."""
    return f"first:{account_id}:{staff_id}:{form.line('key', longest=64)}"


def _keep(request: PageRequest, session: Session, account: Account, form: Form) -> bool:
    """Keep what is written so far. Raises NotFound for a contact of another client."""
    staff_id = request.scope["user"].staff_id
    template, language = choice_of(request, session, form)
    words = {
        "contact_id": contact_of(session, account, form.number("contact_id")).id,
        "subject": form.line("subject", longest=300),
        "body": form.text("body"),
        "copies": form.text("copies"),
        "template": template,
        "language": language,
    }
    key = f"answer:{_key(account.id, staff_id, form)}"
    return unsent.keep_first(session, staff_id, account.id, words, key=key)


@post("/clients/{account_id:int}/letter/preview", enter=WORKERS, status_code=200)
@in_thread
def preview(
    request: PageRequest, state: State, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[str]:
    """How the letter will read; nothing is begun by looking, and what is written is kept meanwhile."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    letter, fault, kept = None, None, False
    try:
        kept = _keep(request, session, account, form)
    except FrontdeskError as error:
        fault = error
    if fault is None and (form.line("template") not in {"", "answer"} or form.text("body").strip()):
        try:
            draft = _write(request, session, account, form)
            today = session.execute(select(func.current_date())).scalar_one()
            letter = answers.preview(session, draft, state.settings.company, today)
        except FrontdeskError as error:
            fault = error
    copied, copies_fault = answercopies.shown(session, state.settings, form)
    return page(
        request,
        "preview.html",
        letter=letter,
        fault=fault,
        products_at=None,
        kept=kept,
        copied=copied,
        copies_fault=copies_fault,
    )


@post(
    "/clients/{account_id:int}/letter",
    enter=WORKERS,
    request_max_body_size=ENCLOSED_LIMIT,
    dependencies={"uploads": Provide(enclosed)},
)
@in_thread
def send(
    request: PageRequest, session: Transaction, form: Filled, uploads: Enclosed, account_id: FromPath[int]
) -> Response[Any]:
    """Begin the conversation and queue the letter; a second press leads to the same conversation."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    if not form.line("key", longest=64):
        raise InputRefused("The form is too old.", cure="Load the page again.")
    key = _key(account_id, viewer.staff_id, form)
    known = session.scalar(
        select(outbox.Delivery.conversation_id).where(outbox.Delivery.key == f"answer:{key}")
    )
    if known is not None:
        return Redirect(f"/conversations/{known}", status_code=303)
    try:
        with session.begin_nested():
            draft = _write(request, session, account, form, key=key)
            delivery_id = outbox.queue(session, draft)
            if delivery_id is not None:
                place = enclosures.Place(viewer.staff_id, account_id=account_id)
                enclose(session, place, form, delivery_id, uploads)
        unsent.forget_first(session, viewer.staff_id, account_id)
    except FrontdeskError as fault:
        return _page(request, session, account, form, fault)
    live.announce(session, "answer", draft.conversation_id, viewer.staff_id)
    return Redirect(f"/conversations/{draft.conversation_id}", status_code=303)


ROUTES = (show, preview, send)
