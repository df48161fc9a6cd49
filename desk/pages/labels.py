"""Labels: what messages are sorted by; added, renamed, merged and put away, with letters that show each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from sqlalchemy.orm import Session

from core import audit, labelbook
from core.errors import InputRefused, NotFound
from core.i18n import LANGUAGE_NAMES
from core.labels import IntentLabel
from core.notices import open_alarms
from desk import labelnames
from desk.access import LEADERS
from desk.forms import Form
from desk.given import Filled, Transaction
from desk.pages.inbox import rail
from desk.render import PageRequest, done, page, reader
from desk.threads import in_thread

HOME = "/classifier/labels"
BETWEEN = re.compile(r"^[ \t]*-{3}[ \t]*$", re.MULTILINE)
"""What stands between letters given together."""


@get(HOME, enter=LEADERS)
@in_thread
def show(request: PageRequest, session: Transaction) -> Response[str]:
    """All labels, and a form for another."""
    view = "labels_list.html" if request.headers.get("hx-request") == "true" else "labels.html"
    known = labelbook.labels(session)
    return page(
        request,
        view,
        labels=known,
        names={one.key: one.name(reader(request).language) for one in known},
        alarms=open_alarms(session),
        **rail(session, request),
    )


def _note(
    session: Session,
    request: PageRequest,
    deed: str,
    key: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit.note(
        session, request.scope["user"].staff_id, deed, "label", key, key, before=before, after=after
    )  # fmt: skip


@post(HOME, enter=LEADERS)
@in_thread
def add(request: PageRequest, session: Transaction, form: Filled) -> Response[Any]:
    """Add a label with a name, a sentence that says what belongs under it, and letters."""
    viewer = request.scope["user"]
    made = labelbook.add_label(session, _names(form), form.text("description", longest=2_000))
    count = labelbook.add_examples(session, made.key, _letters(form), f"staff {viewer.staff_id}")
    _note(session, request, "added", made.key, after={"names": [*made.names.values()], "letters": count})
    labelnames.forget(request.app.state.engine)
    return done(
        request,
        reader(request).gettext("The label is added. It is used from the next training on."),
        go=f"{HOME}/{made.key}",
        undo=f"{HOME}/{made.key}/away",
        events=("labels",),
    )


@get(f"{HOME}/{{key:str}}", enter=LEADERS)
@in_thread
def show_one(request: PageRequest, session: Transaction, key: FromPath[str]) -> Response[str]:
    """One label: its names, its letters, and what may be done with it."""
    known = labelbook.labels(session)
    entry = next((one for one in known if one.key == key), None)
    if entry is None:
        raise NotFound(f"There is no label {key!r}.")
    view = "label_body.html" if request.headers.get("hx-request") == "true" else "label.html"
    language = reader(request).language
    row = session.get(IntentLabel, key)
    return page(
        request,
        view,
        label=entry,
        own_names={} if row is None else row.names,
        others=[(one.key, one.name(language)) for one in known if one.key != key and one.active],
        names={one.key: one.name(language) for one in known},
        examples=labelbook.examples_of(session, key),
        alarms=open_alarms(session),
        **rail(session, request),
    )


@post(f"{HOME}/{{key:str}}", enter=LEADERS)
@in_thread
def rename(request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]) -> Response[Any]:
    """Other names and another description."""
    row = session.get(IntentLabel, key)
    before = {f"name_{language}": name for language, name in (row.names if row else {}).items()}
    before["description"] = row.description if row else ""
    named, told = _names(form), form.text("description", longest=2_000)
    labelbook.rename_label(session, key, named, told)
    was = {"names": [*row.names.values()] if row else [], "description": before["description"]}
    _note(
        session, request, "changed", key, before=was, after={"names": [*named.values()], "description": told}
    )
    labelnames.forget(request.app.state.engine)
    return done(
        request,
        reader(request).gettext("Saved."),
        go=f"{HOME}/{key}",
        undo=f"{HOME}/{key}",
        undo_values=before,
        events=("labels",),
    )


@post(f"{HOME}/{{key:str}}/merge", enter=LEADERS)
@in_thread
def merge(request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]) -> Response[Any]:
    """Let another label stand for this one."""
    into = form.line("into")
    if not into:
        raise InputRefused("Choose a label to merge it into.")
    labelbook.merge_label(session, key, into)
    _note(session, request, "merged", key, after={"into": into})
    labelnames.forget(request.app.state.engine)
    text = reader(request).gettext("Merged. What taught it teaches the other label.")
    return done(request, text, go=f"{HOME}/{key}", undo=f"{HOME}/{key}/separate", events=("labels",))


@post(f"{HOME}/{{key:str}}/separate", enter=LEADERS)
@in_thread
def separate(request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]) -> Response[Any]:
    """Let it stand for itself again."""
    del form
    labelbook.separate_label(session, key)
    _note(session, request, "separated", key)
    labelnames.forget(request.app.state.engine)
    text = reader(request).gettext("The label stands for itself again.")
    return done(request, text, go=f"{HOME}/{key}", events=("labels",))


@post(f"{HOME}/{{key:str}}/away", enter=LEADERS)
@in_thread
def away(request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]) -> Response[Any]:
    """Use it no more."""
    del form
    labelbook.put_away(session, key)
    _note(session, request, "put_away", key)
    labelnames.forget(request.app.state.engine)
    text = reader(request).gettext("Put away.")
    return done(request, text, go=f"{HOME}/{key}", undo=f"{HOME}/{key}/back", events=("labels",))


@post(f"{HOME}/{{key:str}}/back", enter=LEADERS)
@in_thread
def back(request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]) -> Response[Any]:
    """Use it again."""
    del form
    labelbook.bring_back(session, key)
    _note(session, request, "reactivated", key)
    labelnames.forget(request.app.state.engine)
    text = reader(request).gettext("The label is used again.")
    return done(request, text, go=f"{HOME}/{key}", undo=f"{HOME}/{key}/away", events=("labels",))


@post(f"{HOME}/{{key:str}}/examples", enter=LEADERS)
@in_thread
def add_letters(
    request: PageRequest, session: Transaction, form: Filled, key: FromPath[str]
) -> Response[Any]:
    """Give letters that show what it means."""
    viewer = request.scope["user"]
    letters = _letters(form)
    if not letters:
        raise InputRefused("There is no letter to add.")
    count = labelbook.add_examples(session, key, letters, f"staff {viewer.staff_id}")
    _note(session, request, "changed", key, after={"letters": count})
    text = reader(request).ngettext("%(num)d letter added.", "%(num)d letters added.", count)
    return done(request, text, go=f"{HOME}/{key}", events=("labels",))


@post("/classifier/examples/{example_id:int}/remove", enter=LEADERS)
@in_thread
def remove_letter(
    request: PageRequest, session: Transaction, form: Filled, example_id: FromPath[int]
) -> Response[Any]:
    """Take a letter away."""
    del form
    gone = labelbook.remove_example(session, example_id)
    _note(session, request, "changed", gone.intent, after={"letters": -1})
    return done(
        request,
        reader(request).gettext("The letter teaches no more."),
        go=f"{HOME}/{gone.intent}",
        undo=f"{HOME}/{gone.intent}/examples",
        undo_values={"letters": "\n".join(part for part in (gone.subject, gone.text) if part)},
        events=("labels",),
    )


def _names(form: Form) -> dict[str, str]:
    return {language: form.line(f"name_{language}", longest=200) for language in LANGUAGE_NAMES}


def _letters(form: Form) -> list[str]:
    return [one.strip() for one in BETWEEN.split(form.text("letters")) if one.strip()]


ROUTES = (show, add, show_one, rename, merge, separate, away, back, add_letters, remove_letter)
