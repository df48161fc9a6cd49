"""What is done with a client as a whole: merged and kept apart, a deal opened, data handed out."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import audit, deals, dossier, duplicates, handover, merging, pipelines
from core.accounts import Contact
from core.deals import Initiative
from core.duplicates import Pair
from core.errors import InputRefused, NotFound
from core.merging import ClientMerge
from core.pipelines import Pipeline
from desk import clientview, live
from desk.access import LEADERS, SALES
from desk.clientview import client_for, contact_of
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.clientcard import told
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from desk.threads import in_thread


@get("/clients/{account_id:int}/merge", enter=SALES)
@in_thread
def ask_merge(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[str]:
    """Two clients side by side, before they become one."""
    viewer = request.scope["user"]
    number = request.query_params.get("other", "")
    if not number.isdecimal() or len(number) > 18:
        raise NotFound
    account, other = client_for(session, viewer, account_id), client_for(session, viewer, int(number))
    return sheet(
        request, session, "client_merge.html", account=account, other=other,
        sides=[(one, clientview.read(session, viewer, one)) for one in (account, other)],
    )  # fmt: skip


@post("/clients/{account_id:int}/merge", enter=SALES)
@in_thread
def merge(
    request: PageRequest, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[Any]:
    """Make another client part of this one; one must be allowed to see both."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    other = client_for(session, viewer, form.number("other") or 0)
    made = merging.merge(
        session, Pair.ACCOUNT, account.id, other.id, staff_id=viewer.staff_id, reason=form.line("reason")
    )
    said = reader(request).gettext("“%(name)s” is part of this client now.", name=made.gone_name)
    return told(request, session, account_id, said, f"merges/{made.id}/undo")


@post("/clients/{account_id:int}/contacts/merge", enter=SALES)
@in_thread
def merge_contacts(
    request: PageRequest, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[Any]:
    """Make two of the client's contacts one."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    stays = contact_of(session, account, form.number("stays"))
    gone = contact_of(session, account, form.number("gone"))
    made = merging.merge(
        session, Pair.CONTACT, stays.id, gone.id, staff_id=viewer.staff_id, reason=form.line("reason")
    )
    said = reader(request).gettext("The two contacts are one now.")
    return told(request, session, account_id, said, f"merges/{made.id}/undo")


@post("/clients/{account_id:int}/merges/{merge_id:int}/undo", enter=SALES)
@in_thread
def undo_merge(
    request: PageRequest, session: Transaction, account_id: FromPath[int], merge_id: FromPath[int]
) -> Response[Any]:
    """They are two after all; what came since stays here."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    made = session.get(ClientMerge, merge_id)
    if made is None or made.account_id != account.id:
        raise NotFound
    made = merging.take_back(session, merge_id, staff_id=viewer.staff_id)
    return told(
        request, session, account_id, reader(request).gettext("“%(name)s” is back.", name=made.gone_name)
    )


def _pair(session: Session, request: PageRequest, form: Form, account_id: int) -> tuple[Pair, int, int]:
    """Two records of which one is the client or its contact; NotFound where one may not see them."""
    account = client_for(session, request.scope["user"], account_id)
    one, other = form.number("one"), form.number("other")
    if one is None or other is None:
        raise NotFound
    if form.line("kind") == Pair.CONTACT:
        contact_of(session, account, one)
        contact_of(session, account, other)
        return Pair.CONTACT, one, other
    if one != account.id:
        raise NotFound
    return Pair.ACCOUNT, one, other


@post("/clients/{account_id:int}/apart", enter=SALES)
@in_thread
def apart(
    request: PageRequest, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[Any]:
    """They are two; do not show them as likely one again."""
    kind, one, other = _pair(session, request, form, account_id)
    duplicates.keep_apart(session, kind, one, other, staff_id=request.scope["user"].staff_id)
    said = reader(request).gettext("They stay two.")
    return told(request, session, account_id, said, "together", kind=kind.value, one=one, other=other)


@post("/clients/{account_id:int}/together", enter=SALES)
@in_thread
def together(
    request: PageRequest, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[Any]:
    """They may be one after all."""
    kind, one, other = _pair(session, request, form, account_id)
    duplicates.bring_together(session, kind, one, other)
    return told(request, session, account_id, reader(request).gettext("They are shown again."))


@get("/clients/{account_id:int}/deal", enter=SALES)
@in_thread
def ask_deal(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[str]:
    """The form of a deal opened by hand, with who else is at work with the client."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    return sheet(
        request,
        session,
        "client_deal.html",
        place=f"/clients/{account_id}/deal",
        whom=account.name,
        people=account.contacts,
        roads=pipelines.active(session),
        others=[one for one in handover.at_work(session, account.id) if one.staff_id != viewer.staff_id],
    )


def deal_asked(session: Session, form: Form) -> tuple[Pipeline | None, Initiative | None]:
    """The pipeline and the initiative that a form names. Raises InputRefused for one that there is not."""
    road, initiative = form.line("pipeline"), form.line("initiative")
    pipeline = pipelines.current(session, road) if road else None
    if (road and (pipeline is None or not pipeline.active)) or (
        initiative and initiative not in Initiative.__members__.values()
    ):
        raise InputRefused("That is none of the choices.")
    return pipeline, Initiative(initiative) if initiative else None


@post("/clients/{account_id:int}/deal", enter=SALES)
@in_thread
def open_deal(
    request: PageRequest, session: Transaction, form: Filled, account_id: FromPath[int]
) -> Response[Any]:
    """Open a deal with the client."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    number = form.number("contact_id")
    contact: Contact | None = contact_of(session, account, number) if number is not None else None
    pipeline, initiative = deal_asked(session, form)
    deal = deals.open_deal(
        session,
        contact=contact,
        account=account,
        title=form.line("title", longest=300) or account.name,
        source=form.line("source", longest=200) or "hand",
        owner_id=viewer.staff_id,
        reason="opened by hand",
        pipeline=pipeline,
        initiative=initiative,
        event=form.line("event"),
    )
    live.announce(session, "deal", -account_id)
    said = reader(request).gettext("The deal is open.")
    return done(request, said, go=f"/deals/{deal.id}", events=("client", "deal", "asked"))


@get("/clients/{account_id:int}/export", enter=LEADERS)
@in_thread
def export(request: PageRequest, session: Transaction, account_id: FromPath[int]) -> Response[bytes]:
    """Everything kept of the client, as a ZIP of JSON, letters and documents."""
    viewer = request.scope["user"]
    account = client_for(session, viewer, account_id)
    data = dossier.pack(session, account)
    audit.note(session, viewer.staff_id, "exported", "client", account.id, account.name)
    return Response(
        data,
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="client-{account.id}.zip"',
            "cache-control": "no-store",
        },
    )


ROUTES = (
    ask_merge, merge, merge_contacts, undo_merge, apart, together, ask_deal, open_deal, export,
)  # fmt: skip
