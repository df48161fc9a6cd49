"""The sheet of a deal: its products with quantity and price, what the client needs, and the terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.orm import Session

from core import catalogue, deals, documents, offers
from core.catalogue import Product
from core.deals import Deal, DealClosed, DealLine, Stage
from core.errors import InputRefused, NotFound
from core.offers import Terms
from core.values import Money
from desk import approvalview
from desk.access import SALES
from desk.figures import read_number, write_number
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.deal import at_talk
from desk.pages.dealdeeds import At, at_page, move_sheet, stage_of
from desk.pages.sheets import sheet
from desk.render import PageRequest, done, reader
from desk.threads import in_thread

LONGEST = 5_000
"""Characters of what is written about a deal."""


@get("/conversations/{conversation_id:int}/deal", enter=SALES)
@in_thread
def show_deal(
    request: PageRequest,
    session: Transaction,
    conversation_id: FromPath[int],
    then: FromQuery[int | None] = None,
) -> Response[str]:
    """The deal to be worked on; `then` is the stage to which somebody was about to move it."""
    return _show(request, session, at_talk(session, request, conversation_id), then)


@get("/deals/{deal_id:int}/goods", enter=SALES)
@in_thread
def show_goods(
    request: PageRequest, session: Transaction, deal_id: FromPath[int], then: FromQuery[int | None] = None
) -> Response[str]:
    """The same from the deal's own page."""
    return _show(request, session, at_page(session, request, deal_id), then)


def _show(request: PageRequest, session: Session, at: At, then: int | None) -> Response[str]:
    onward = stage_of(session, at.deal, then) if then is not None else None
    return _sheet(request, session, at, onward=onward)


@post("/conversations/{conversation_id:int}/deal", enter=SALES, status_code=200)
@in_thread
def save_deal(
    request: PageRequest, state: State, session: Transaction, form: Filled, conversation_id: FromPath[int]
) -> Response[Any]:
    """Save everything on the sheet at once, add a chosen product, take out one, and go where asked."""
    return _keep(request, state, session, form, at_talk(session, request, conversation_id))


@post("/deals/{deal_id:int}/goods", enter=SALES, status_code=200)
@in_thread
def save_goods(
    request: PageRequest, state: State, session: Transaction, form: Filled, deal_id: FromPath[int]
) -> Response[Any]:
    """The same from the deal's own page."""
    return _keep(request, state, session, form, at_page(session, request, deal_id))


def _keep(request: PageRequest, state: State, session: Session, form: Form, at: At) -> Response[Any]:
    deal = at.deal
    onward = stage_of(session, deal, then) if (then := form.number("then")) is not None else None
    offers.open_for_changes(session, deal)
    try:
        with session.begin_nested():
            _save(session, form, deal, reader(request).language)
            if "approver" in form.fields:
                viewer = request.scope["user"]
                approver, leads = form.line("approver", longest=300), approvalview.leads(viewer)
                offers.set_approver(session, deal, approver, by=viewer.staff_id, leads=leads)
    except DealClosed:
        raise
    except InputRefused as fault:
        return _sheet(request, session, at, onward=onward, form=form, fault=fault)
    at.told(session)
    if form.line("do") == "move" and onward is not None:
        if request.headers.get("hx-request") != "true":
            return Redirect(f"{at.page}/move?stage={onward.id}", status_code=303)
        return move_sheet(request, state, session, at, onward)
    if form.line("do") in {"add", "remove"} or form.line("remove"):
        return _sheet(request, session, at, onward=onward)
    text = reader(request).gettext("The deal is saved.")
    return done(request, text, go=at.page, events=("conversation", "asked"))


def _save(session: Session, form: Form, deal: Deal, language: str) -> None:
    removed = form.number("remove")
    for line in list(deal.lines):
        if line.id == removed:
            offers.remove_line(session, deal, line)
        elif f"quantity_{line.id}" in form.fields:
            quantity = _number(form, f"quantity_{line.id}", language)
            price = _number(form, f"price_{line.id}", language)
            offers.change_line(line, quantity=quantity, price=price)
    if (chosen := form.number("product_id")) is not None:
        product = session.get(Product, chosen)
        if product is None:
            raise NotFound
        quantity = _number(form, "quantity", language) if form.line("quantity") else Decimal(1)
        price = _number(form, "price", language) if form.line("price") else None
        offers.add_line(session, deal, product, quantity=quantity, price=price)
    if "title" in form.fields:
        terms = Terms(
            title=form.line("title", longest=300),
            need=form.text("need", longest=LONGEST).strip(),
            solution=form.text("solution", longest=LONGEST).strip(),
            payment_terms=form.text("payment_terms", longest=LONGEST).strip(),
            delivery_terms=form.text("delivery_terms", longest=LONGEST).strip(),
            vat_rate=_number(form, "vat_rate", language),
        )
        offers.set_terms(deal, terms)
    session.flush()


def _number(form: Form, name: str, language: str) -> Decimal:
    try:
        return read_number(form.line(name, longest=40), language)
    except InputRefused as fault:
        form.faults[name] = fault.message
        raise


def _sheet(
    request: PageRequest,
    session: Session,
    at: At,
    *,
    onward: Stage | None = None,
    form: Form | None = None,
    fault: InputRefused | None = None,
) -> Response[str]:
    """The sheet as the deal stands; after a fault, with what was typed."""
    deal = at.deal
    if deal.outcome is not None:
        raise deals.DealClosed
    language, viewer = reader(request), request.scope["user"]
    typed = form.fields if form is not None else {}
    net = deal.total
    vat = net.times(deal.vat_rate / Decimal(100))

    def price_of(product: Product) -> str:
        fits = product.price is not None and (product.currency == deal.currency or not deal.lines)
        return write_number(product.price, language.language, 2) if fits and product.price is not None else ""

    def field(name: str, value: Decimal | str, places: int = 0) -> str:
        if name in typed:
            return typed[name]
        return value if isinstance(value, str) else write_number(value, language.language, places)

    def money(amount: Money) -> str:
        return language.money(amount.amount, amount.currency)

    return sheet(
        request,
        session,
        "deal_sheet.html",
        at=at,
        deal=deal,
        lines=list[DealLine](deal.lines),
        products=catalogue.active_products(session),
        approver_choices=approvalview.approver_choices(session, language),
        may_set_approver=offers.may_set_approver(
            session, deal, viewer.staff_id, leads=approvalview.leads(viewer)
        ),
        sendings=documents.of_deal(session, deal.id),
        price_of=price_of,
        field=field,
        money=money,
        net=net,
        vat=vat,
        onward=onward,
        fault=fault,
        wrong=form.faults if form is not None else {},
    )


ROUTES = (show_deal, save_deal, show_goods, save_goods)
