"""Mailings: the list, what goes to whom and when, the check before the start, and steering on the way."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.orm import Session

from core import (
    campaign_audience,
    campaign_results,
    campaign_verbs,
    clock,
    lists,
    segments,
    segments_ready,
    tabular,
)  # fmt: skip
from core.accounts import Channel
from core.campaigns import EDITABLE, HOLDING, LIVE, Campaign, CampaignState, Goal
from core.errors import Conflict, FrontdeskError, InputRefused, NotFound
from core.i18n import LANGUAGE_NAMES, Texts
from core.notices import open_alarms
from core.staff import StaffMember
from desk import charts, mailingwords, templatechoice
from desk.access import MARKETERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.imports import table_file
from desk.pages.inbox import rail
from desk.render import PageRequest, done, is_partial, page, reader
from desk.threads import in_thread
from outbound import campaignfacts
from outbound.campaigncheck import may_start
from outbound.mailingtexts import Words, template_key, twin
from outbound.sender import company_values
from templates.library import shelf_of
from templates.localforms import salutation
from templates.placeholders import samples
from templates.rendered import compile_email, render_text

VARIANTS = ("A", "B")
HOLDERS = ("client.salutation", "client.name", "client.company", "staff.name", "company.name")
"""Placeholders that are named beside a text."""
DEEDS = ("start", "pause", "resume", "cancel", "draft")


@get("/mailings", enter=MARKETERS)
@in_thread
def show_all(request: PageRequest, session: Transaction) -> Response[str]:
    """Every mailing with its state, the newest first."""
    rows = campaign_verbs.everything(session)
    return page(
        request, "mailings.html", rows=rows, states=mailingwords.STATES, alarms=open_alarms(session),
        **rail(session, request),
    )  # fmt: skip


@post("/mailings", enter=MARKETERS)
@in_thread
def add(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """A new draft."""
    language = reader(request).language
    made = campaign_verbs.create(
        session, form.line("name", longest=300), staff_id=request.scope["user"].staff_id, language=language
    )
    return _go(request, f"/mailings/{made.id}")


@get("/mailings/{mailing_id:int}", enter=MARKETERS)
@in_thread
def show_one(
    request: PageRequest, state: State, session: Transaction, mailing_id: FromPath[int]
) -> Response[str]:
    """One mailing; for htmx only how far it is."""
    campaign = campaign_verbs.get(session, mailing_id)
    if is_partial(request):
        return page(request, "mailing_progress.html", **_progress(request, session, campaign))
    t = reader(request)
    zone = ZoneInfo(state.settings.company.timezone)
    found = []
    if campaign.state in EDITABLE and not campaign.frozen_upto:
        found = campaignfacts.examine(session, campaign, state.settings)
    values: dict[str, Any] = {
        "segments": [(one.id, segments_ready.name_of(one, t)) for one in segments.in_use(session)],
        "lists": [(one.id, one.name) for one, _count in lists.all_with_counts(session)],
        "texts": {(one.variant, one.language): one for one in campaign_verbs.texts(session, campaign.id)},
        "variants": VARIANTS,
        "topics": mailingwords.TOPICS,
        "found": [(mailingwords.GRAVITIES[one.gravity], mailingwords.said(one, t)) for one in found],
        "may_start": may_start(found),
        "people": _size(session, campaign),
        "start_at": campaign.start_at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")
        if campaign.start_at
        else "",
        "editable": campaign.state in EDITABLE,
        "frozen": bool(campaign.frozen_upto),
        "happened": lambda detail: mailingwords.happened(detail, t),
        "events": campaign_verbs.events(session, campaign.id)[:12],
        "alarms": open_alarms(session),
    }
    return page(
        request, "mailing.html", **values, **_progress(request, session, campaign), **rail(session, request)
    )


def _size(session: Session, campaign: Campaign) -> int | None:
    try:
        with session.begin_nested():
            return campaign_audience.size(session, campaign)
    except (InputRefused, NotFound):
        return None


def _progress(request: PageRequest, session: Session, campaign: Campaign) -> dict[str, Any]:
    t = reader(request)
    results = campaign_results.of(session, campaign) if campaign.frozen_upto else None
    days = campaign_results.over_time(session, campaign, str(t.zone)) if results else []
    bars = [
        (
            t.short(midnight, midnight + timedelta(days=1)),
            (("chart-dot", sent), ("chart-good", replied)),
            t.gettext(
                "%(day)s: %(sent)d sent, %(replied)d replied", day=t.day(day), sent=sent, replied=replied
            ),
        )
        for day, sent, replied in days[-30:]
        for midnight in (datetime.combine(day, time.min, t.zone),)
    ]
    return {
        "one": campaign,
        "state_words": mailingwords.STATES[CampaignState(campaign.state)],
        "results": results,
        "skips": mailingwords.SKIPS,
        "chance": mailingwords.chance(campaign.winner_reason, t),
        "variants_done": campaign_results.by_variant(session, campaign) if results else [],
        "segments_done": _by_segment(session, campaign, t) if results else [],
        "chart": charts.columns(bars, t.gettext("Sent and replied by day")) if bars else "",
        "live": campaign.state in LIVE,
        "holding": campaign.state in HOLDING,
    }


def _by_segment(session: Session, campaign: Campaign, t: Texts) -> list[tuple[str, int, int]]:
    """What the segments of the letters are called, with who was reached and who answered."""
    rows = campaign_results.by_segment(session, campaign)
    if all(number is None for number, _reached, _replied in rows):
        return []
    names = {one.id: segments_ready.name_of(one, t) for one in segments.in_use(session)}
    return [
        (names.get(number or 0) or t.gettext("no segment"), reached, replied)
        for number, reached, replied in rows
    ]


@post("/mailings/{mailing_id:int}/settings", enter=MARKETERS)
@in_thread
def change(
    request: PageRequest, state: State, session: Transaction, form: Filled, mailing_id: FromPath[int]
) -> Response[Any]:
    """Other settings."""
    campaign = campaign_verbs.get(session, mailing_id)
    settings = _settings(form, campaign, ZoneInfo(state.settings.company.timezone))
    campaign_verbs.change(
        session,
        campaign,
        revision=form.number("revision") or 0,
        staff_id=request.scope["user"].staff_id,
        **settings,
    )
    return _go(request, f"/mailings/{mailing_id}")


def _settings(form: Form, campaign: Campaign, zone: ZoneInfo) -> dict[str, Any]:
    given: dict[str, Any] = {
        "name": form.line("name", longest=300),
        "pace_per_minute": form.number("pace_per_minute") or 0,
        "in_own_name": form.ticked("in_own_name"),
    }
    if campaign.frozen_upto:
        return given
    wanted = form.line("start_at")
    try:
        start_at = datetime.fromisoformat(wanted).replace(tzinfo=zone) if wanted else None
    except ValueError as error:
        raise InputRefused("That is no time.") from error
    return given | {
        "channel": form.line("channel"),
        "topic": form.line("topic"),
        "needs_consent": form.ticked("needs_consent"),
        "segment_id": form.number("segment_id"),
        "list_id": form.number("list_id"),
        "language": form.line("language"),
        "start_at": start_at,
        "local_time": form.ticked("local_time"),
        "test_percent": form.number("test_percent") or 0,
        "test_hours": form.number("test_hours") or 24,
        "goal": form.line("goal") or Goal.REPLIES.value,
    }


@get("/mailings/{mailing_id:int}/texts/{variant:str}/{language:str}", enter=MARKETERS)
@in_thread
def show_text(
    request: PageRequest,
    session: Transaction,
    mailing_id: FromPath[int],
    variant: FromPath[str],
    language: FromPath[str],
) -> Response[str]:
    """The text in one language, with how it will read."""
    campaign = campaign_verbs.get(session, mailing_id)
    if variant not in VARIANTS or language not in LANGUAGE_NAMES:
        raise NotFound
    held = {(one.variant, one.language): one for one in campaign_verbs.texts(session, campaign.id)}
    now = held.get((variant, language))
    words = Words(language, now.subject if now else "", now.body if now else "")
    if begun := request.query_params.get("from", ""):
        words = _from_template(session, request.scope["user"].staff_id, campaign, begun, language)
    return _text(request, session, campaign, variant, words, written=now is not None)


def _from_template(session: Session, staff_id: int, campaign: Campaign, key: str, language: str) -> Words:
    """The words of a template, to be gone on with. Raises NotFound where there is none in the language."""
    kind = "sms" if campaign.channel == Channel.SMS else "email"
    shelf = shelf_of(session, staff_id, kind=kind, key=key)
    if language not in shelf.languages(kind, key):
        raise NotFound("That template is not written in this language.")
    parts = shelf.source(kind, key, language).parts
    return Words(language, parts.get("subject.txt", "").strip(), parts.get("body.txt") or parts["text.txt"])


@post("/mailings/{mailing_id:int}/texts/{variant:str}/{language:str}", enter=MARKETERS)
@in_thread
def write(
    request: PageRequest,
    session: Transaction,
    form: Filled,
    mailing_id: FromPath[int],
    variant: FromPath[str],
    language: FromPath[str],
) -> Response[Any]:
    """See how it reads; keep it; or send it to myself."""
    campaign = campaign_verbs.get(session, mailing_id)
    if variant not in VARIANTS or language not in LANGUAGE_NAMES:
        raise NotFound
    words = Words(language, form.line("subject"), form.text("body"))
    act = form.line("act")
    if act not in {"save", "test"}:
        return _text(request, session, campaign, variant, words)
    staff = session.get_one(StaffMember, request.scope["user"].staff_id)
    try:
        with session.begin_nested():
            campaign_verbs.write(
                session, campaign, language, body=words.body, subject=words.subject, variant=variant,
                staff_id=staff.id,
            )  # fmt: skip
            if act == "test":
                campaignfacts.send_test(session, campaign, staff, variant=variant, language=language)
    except InputRefused as refused:
        return _text(request, session, campaign, variant, words, fault=refused)
    if act == "test":
        said = reader(request).gettext("Kept, and sent to %(address)s.", address=staff.email)
        return done(request, said, go=f"/mailings/{mailing_id}/texts/{variant}/{language}")
    return _go(request, f"/mailings/{mailing_id}")


def _text(
    request: PageRequest,
    session: Session,
    campaign: Campaign,
    variant: str,
    words: Words,
    *,
    written: bool = False,
    fault: FrontdeskError | None = None,
) -> Response[str]:
    kind = "sms" if campaign.channel == Channel.SMS else "email"
    values: dict[str, Any] = {
        "one": campaign,
        "texts": templatechoice.for_texts(session, request.scope["user"], reader(request), kind),
        "variant": variant,
        "words": words,
        "tongue": LANGUAGE_NAMES[words.language],
        "written": written,
        "fault": fault,
        "editable": campaign.state in EDITABLE,
        "holders": _holders(words.language),
        **_read(campaign, words, company_values(request.app.state.settings.company)),
    }
    if is_partial(request):
        return page(request, "mailing_preview.html", **values)
    return page(request, "mailing_text.html", **values, alarms=open_alarms(session), **rail(session, request))


def _holders(language: str) -> list[tuple[str, str]]:
    """What differs from recipient to recipient, each with how it may read."""
    known = samples(language)
    client = known["client"]
    client["salutation"] = salutation(
        language, str(client.get("name", "")), str(client.get("addressed_as", ""))
    )
    return [
        (name, str(known[group].get(rest, "")))
        for name in HOLDERS
        for group, _, rest in [name.partition(".")]
    ]


def _read(campaign: Campaign, words: Words, company: dict[str, Any]) -> dict[str, Any]:
    """How the words read to a client who is made up; or why they cannot be filled in."""
    given: dict[str, Any] = {"shown_subject": "", "shown": "", "broken": None}
    if not words.body.strip():
        return given
    catalogue, key = twin({0: words}), template_key(0)
    values = samples(words.language) | {"company": company}
    try:
        if campaign.channel == Channel.SMS:
            shown = render_text("sms", key, words.language, values, catalogue)
            return given | {"shown": shown.text}
        letter = compile_email(key, words.language, catalogue).render(values)
    except FrontdeskError as error:
        return given | {"broken": error}
    return given | {"shown_subject": letter.subject, "shown": letter.text}


@post("/mailings/{mailing_id:int}/deeds/{deed:str}", enter=MARKETERS)
@in_thread
def steer(
    request: PageRequest,
    state: State,
    session: Transaction,
    form: Filled,
    mailing_id: FromPath[int],
    deed: FromPath[str],
) -> Response[Any]:
    """Start it, hold it, let it go on, end it, or take it back to be changed."""
    if deed not in DEEDS:
        raise NotFound
    campaign = campaign_verbs.get(session, mailing_id, lock=True)
    staff_id, now = request.scope["user"].staff_id, clock.now()
    match deed:
        case "start":
            if form.number("revision") not in (None, campaign.revision):
                raise Conflict
            if not may_start(campaignfacts.examine(session, campaign, state.settings)):
                raise InputRefused("Something found by the check stands in the way.")
            campaign_verbs.start(session, campaign, now=now, staff_id=staff_id)
        case "pause":
            campaign_verbs.pause(session, campaign, staff_id=staff_id)
        case "resume":
            campaign_verbs.resume(session, campaign, now=now, staff_id=staff_id)
        case "cancel":
            campaign_verbs.cancel(session, campaign, staff_id=staff_id)
        case _:
            campaign_verbs.back_to_draft(session, campaign, staff_id=staff_id)
    return _go(request, f"/mailings/{mailing_id}")


@post("/mailings/{mailing_id:int}/copy", enter=MARKETERS)
@in_thread
def copy(request: PageRequest, session: Transaction, mailing_id: FromPath[int]) -> Response[Any]:
    """A new draft like it."""
    campaign = campaign_verbs.get(session, mailing_id)
    name = reader(request).gettext("%(name)s (copy)", name=campaign.name)[:120]
    made = campaign_verbs.copy(session, campaign, name, staff_id=request.scope["user"].staff_id)
    return _go(request, f"/mailings/{made.id}")


@get("/mailings/{mailing_id:int}/recipients", enter=MARKETERS)
@in_thread
def download(request: PageRequest, session: Transaction, mailing_id: FromPath[int]) -> Response[bytes]:
    """Every recipient with what became of them, as a file."""
    campaign = campaign_verbs.get(session, mailing_id)
    t = reader(request)
    rows = mailingwords.recipients(campaign_results.recipients(session, campaign), t)
    header = [t.gettext(title) for title in mailingwords.COLUMNS]
    return table_file(tabular.write_csv(header, rows), f"mailing-{mailing_id}.csv")


def _go(request: PageRequest, place: str) -> Response[Any]:
    if is_partial(request):
        return Response("", status_code=200, headers={"hx-redirect": place})
    return Redirect(place, status_code=303)


ROUTES = (show_all, add, show_one, change, show_text, write, steer, copy, download)
