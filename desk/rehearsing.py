"""A rehearsal as a whole: its parts in order, and what it found in words, for the screen and the command."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import pipelineversions, rehearsal, rehearsal_routing, rehearsal_stages
from core.config import Settings
from core.i18n import N_, Texts
from core.pipelinespec import EVENTS, FIELDS
from core.rehearsal import Change, Code, Happening, Kind, Report, Row, Tell
from core.rehearsal_stages import Courses
from core.sequences import StepKind
from desk import templatenames, wording
from desk.templatewords import name as template_name
from outbound import steprehearsal
from outbound.sequences import house_of

KINDS: dict[Kind, str] = {
    Kind.ROUTED: N_("Letter given to"),
    Kind.MOVED: N_("Deal in stage"),
    Kind.SENT: N_("Sent"),
    Kind.BEGUN: N_("Follow-up begun"),
    Kind.HANDED: N_("Deal worked on by"),
}
"""What a row is about."""
ICONS: dict[Kind, str] = {
    Kind.ROUTED: "user-circle",
    Kind.MOVED: "arrows-right-left",
    Kind.SENT: "send",
    Kind.BEGUN: "history",
    Kind.HANDED: "users",
}
CHANNELS: dict[str, str] = {
    StepKind.EMAIL: N_("letter “%(name)s”"),
    StepKind.SMS: N_("SMS “%(name)s”"),
    StepKind.VOICE: N_("call by machine “%(name)s”"),
    StepKind.FAX: N_("fax “%(name)s”"),
}
NOTHING = N_("nothing")
HEADER = (
    N_("When"), N_("Client"), N_("Person"), N_("Deal"), N_("About"), N_("What"), N_("Was"), N_("Would be"),
    N_("By the rules in force"), N_("Differs"), N_("By the change"),
)  # fmt: skip
"""Columns of the file."""


def quiet(_what: str, _done: int, _of: int) -> None:
    """Tell nobody how far it is."""


def run(
    engine: sa.Engine,
    settings: Settings,
    change_of: Callable[[Session], Change],
    *,
    days: int = 30,
    deals: Sequence[int] = (),
    letters: Sequence[int] = (),
    seconds: float = rehearsal.MOST_SECONDS,
    tell: Tell = quiet,
) -> Report:
    """Play a part of the past and say what it comes to; the database is only read.

    Raises InputRefused for a change or a choice that cannot be played.
    """
    with rehearsal.snapshot(engine) as session:
        change = change_of(session)
        report = Report(rehearsal.scope_of(session, days, deals, letters), ends=time.monotonic() + seconds)
        report.templates = templatenames.own(session)
        if change.nothing or change.routing is not None:
            team_of = {one.name: one.team for one in settings.mailboxes}
            rehearsal_routing.play(
                session, report, change.routing, lambda name: team_of.get(name) or "", tell
            )
        courses = Courses()
        if change.nothing or change.pipelines:
            courses = rehearsal_stages.play(session, report, change, tell)
        if change.nothing or change.pipelines or change.followups:
            steprehearsal.play(session, report, change, courses, house_of(settings), tell)
    report.rows.sort(key=lambda row: (row.at, row.client.name), reverse=True)
    return report


def chosen(report: Report, show: str, kind: str = "") -> list[Row]:
    """The rows of a filter: ``all``, ``differ`` (from what was) or ``change`` (what the change makes)."""
    rows = [row for row in report.rows if not kind or row.kind == kind]
    if show == "all":
        return rows
    return [row for row in rows if (row.by_change if show == "change" else row.differs)]


def said(happening: Happening | None, report: Report, language: Texts) -> str:
    """What happened, in words."""
    _ = language.gettext
    if happening is None:
        return _(NOTHING)
    name = happening.names.get(language.language) or happening.names.get("en", "")
    match happening.code:
        case Code.PERSON:
            return name
        case Code.QUEUE:
            return _("queue of the team %(team)s", team=name) if name else _("the common queue")
        case Code.STAGE if happening.why:
            return _("“%(stage)s”, by itself (%(why)s)", stage=name, why=_event(happening.why, language))
        case Code.STAGE:
            return _("“%(stage)s”", stage=name)
        case Code.PROPOSED:
            return _("“%(stage)s” is proposed", stage=name)
        case Code.NOT_NEXT:
            return _("stays: “%(stage)s” may not follow", stage=name)
        case Code.LACKS:
            lacking = ", ".join(_(FIELDS[one]) if one in FIELDS else one for one in happening.why.split(", "))
            return _("stays, it lacks: %(what)s", what=lacking)
        case Code.GONE:
            return _("the stage “%(stage)s” is gone", stage=name)
        case Code.TASK:
            text = _("task “%(name)s”", name=name) + _whose(happening, language)
        case Code.UNSENT:
            return _("cannot be sent: %(name)s", name=_document(happening.key, report, language))
        case Code.FOLLOW_UP:
            names = report.followups.get(happening.key, {})
            return names.get(language.language) or names.get("en") or happening.key
        case _:
            kind, _sign, template = happening.key.rpartition(":")
            text = _(CHANNELS[kind or StepKind.EMAIL], name=_document(template, report, language))
    return f"{text}, {language.moment(happening.at)}" if happening.at is not None else text


def _whose(task: Happening, language: Texts) -> str:
    if task.who is None:
        return ""
    _ = language.gettext
    away = " (" + _("%(who)s was away", who=task.away) + ")" if task.away else ""
    return f": {task.who or _('nobody')}{away}"


def _document(template: str, report: Report, language: Texts) -> str:
    return template_name(report.templates.get(template, {}), template, language)


def _event(why: str, language: Texts) -> str:
    event = why.partition(": ")[2]
    if event in EVENTS:
        return language.gettext(EVENTS[event])
    from core.intents import Intent, intent_name

    return intent_name(event, language.language) if event in Intent.__members__.values() else event


def why(happening: Happening | None, language: Texts) -> str:
    """By which rule a letter went to somebody, in words; empty for anything else."""
    if happening is None or happening.code not in {Code.PERSON, Code.QUEUE} or not happening.why:
        return ""
    queued = happening.code is Code.QUEUE
    given = SimpleNamespace(
        rule=happening.why,
        name=None if queued else happening.names.get("en"),
        team=happening.names.get("en" if queued else "team") or None,
        by=None,
    )
    return wording.sentence(given, language)


def cells(row: Row, report: Report, language: Texts) -> list[Any]:
    """A row as cells of a table, in the order of `HEADER`."""
    _ = language.gettext
    yes = {True: _("yes"), False: ""}
    return [
        language.moment(row.at),
        row.client.name,
        row.client.person,
        f"S-{row.client.deal_id}" if row.client.deal_id else "",
        row.client.subject,
        _(KINDS[row.kind]),
        said(row.was, report, language),
        said(row.would, report, language),
        said(row.now, report, language),
        yes[row.differs],
        yes[row.by_change],
    ]


def draft_change(session: Session, key: str) -> Change:
    """The change that a draft of a pipeline makes. Raises NotFound, and InputRefused for a faulty one."""
    from core.errors import NotFound
    from core.rehearsal_file import checked
    from desk.commands.pipelines import templates

    draft = pipelineversions.draft(session, key)
    if draft is None:
        raise NotFound
    document = checked(draft.document, pipelineversions.known(session, templates(session)))
    return Change(pipelines={key: document})
