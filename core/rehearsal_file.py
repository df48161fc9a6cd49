"""A change to be rehearsed, as a TOML file: pipelines, follow-ups, rules of routing, each only where changed.

[[pipelines]] as `core.pipelinefile` writes them; [[followups]] as `core.sequencespec` describes them; and all
rules of routing in their order, each ``kind`` once and one's own with what must hold:

    [[routing]]
    kind = "custom"
    when = { language = "ru" }
    person = "ivan@example.lt"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import pipelinefile, pipelines, routingrules, sequencespec
from core.errors import InputRefused
from core.pipelinefile import FileRefused, toml_value
from core.pipelinespec import Known, check
from core.pipelineversions import document_of
from core.rehearsal import Change, Document
from core.routingrules import FIELDS, OWN, SHIPPED, Rule
from core.sequences import Sequence
from core.staff import StaffMember, Team

TABLES = frozenset({"pipelines", "followups", "routing"})
HEAD = """\
# A change to be rehearsed: change what you like, remove what stays as it is, then: frontdesk rehearse FILE.
# Nothing of it comes into force by that.
"""
_FOLLOWUP: Mapping[str, Any] = {
    "key": "", "names": {}, "stop_on": [], "once": False, "exclusive": False, "least_gap_hours": 24,
    "note": "", "steps": [],
}  # fmt: skip
_STEP: Mapping[str, Any] = {
    "kind": "", "days": 0, "hours": 0, "template": "", "titles": {}, "window": {}, "branches": [],
}  # fmt: skip
_RULE: Mapping[str, Any] = {"kind": "", "active": True, "when": {}, "person": "", "team": ""}


def write(session: Session) -> str:
    """Everything that is in force as such a file."""
    out = [HEAD, pipelinefile.write(document_of(one) for one in pipelines.active(session))]
    for one in session.scalars(select(Sequence).where(Sequence.active).order_by(Sequence.key)):
        out += ["", "[[followups]]", *_fields(sequencespec.document_of(one), "steps")]
    people = dict(session.execute(select(StaffMember.id, StaffMember.email)).all())
    teams = dict(session.execute(select(Team.id, Team.name)).all())
    for rule in routingrules.read(session):
        row = {
            "kind": rule.kind,
            "when": dict(rule.conditions),
            "person": people.get(rule.staff_id or 0),
            "team": teams.get(rule.team_id or 0),
        }
        out += ["", "[[routing]]", *_fields(row)]
    return "\n".join(out) + "\n"


def _fields(document: Document, rows: str = "") -> Iterable[str]:
    for name, value in document.items():
        if name == rows:
            lines = ",\n".join(f"  {toml_value(_bare(one))}" for one in value)
            yield f"{name} = [\n{lines},\n]"
        elif value or isinstance(value, int):
            yield f"{name} = {toml_value(value)}"


def _bare(step: Document) -> dict[str, Any]:
    """A step without what is empty, which TOML cannot say."""
    bare: dict[str, Any] = {name: value for name, value in step.items() if value or isinstance(value, int)}
    if "branches" in bare:
        branches: list[Document] = bare["branches"]
        bare["branches"] = [
            {key: one for key, one in branch.items() if one is not None} for branch in branches
        ]
    return bare


def read(session: Session, text: str, known: Known, templates: frozenset[str] | None = None) -> Change:
    """The change that a file describes, checked. Raises FileRefused with every fault."""
    if len(text.encode("utf-8", "replace")) > pipelinefile.MOST_BYTES:
        raise FileRefused([f"The file is larger than {pipelinefile.MOST_BYTES} bytes."])
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FileRefused([f"It is not TOML: {error}."]) from error
    if not TABLES & set(data):
        raise FileRefused(["The file needs [[pipelines]], [[followups]] or [[routing]]."])
    strange = set(data) - TABLES
    roads = []
    if "pipelines" in data or strange:
        roads = pipelinefile.read(text, known, beside=TABLES - {"pipelines"})
    followups = [followup(one, templates) for one in _rows(data, "followups")]
    routing = [_rule(session, one) for one in _rows(data, "routing")]
    return Change(
        {one["key"]: one for one in roads},
        {one["key"]: one for one in followups},
        [one for one in routing if one is not None] if "routing" in data else None,
    )


def _rows(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = data.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise FileRefused([f"{name}: this must be [[{name}]]."])
    return rows


def followup(given: Mapping[str, Any], templates: frozenset[str] | None = None) -> dict[str, Any]:
    """A follow-up's document with everything that was left out, checked. Raises FileRefused."""
    document = _shaped(given, _FOLLOWUP, f"followups “{given.get('key', '')}”")
    at = f"followups “{document['key']}”"
    if not all(isinstance(one, dict) for one in document["steps"]):
        raise FileRefused([f"{at}.steps: each step is a table."])
    document["steps"] = [
        _shaped(one, _STEP, f"{at}.steps[{number}]") for number, one in enumerate(document["steps"], start=1)
    ]
    for step in document["steps"]:
        if not all(isinstance(one, dict) for one in step["branches"]):
            raise FileRefused([f"{at}.steps: a branch is a table."])
        step["template"], step["window"] = step["template"] or None, step["window"] or None
    faults = sequencespec.check(document, templates)
    if faults or not document["key"]:
        said = [f"{at}.{fault.place}: {fault.text}." for fault in faults]
        raise FileRefused(said or ["followups: each needs a key."])
    return document


def _shaped(given: Mapping[str, Any], shape: Mapping[str, Any], at: str) -> dict[str, Any]:
    faults = [f"{at}.{name}: there is no such field." for name in given if name not in shape]
    for name, value in given.items():
        wanted = type(shape.get(name))
        empty = value is None and name in {"template", "window"}
        if name in shape and not empty and type(value) is not wanted:
            faults.append(f"{at}.{name}: this is of the wrong kind.")
    if faults:
        raise FileRefused(faults)
    return {name: given.get(name, empty) for name, empty in shape.items()}


def _rule(session: Session, given: Mapping[str, Any]) -> Rule | None:
    """A rule of routing; None for one that is switched off."""
    row = _shaped(given, _RULE, "routing")
    kind, when = row["kind"], row["when"]
    if kind not in (*SHIPPED, OWN):
        raise FileRefused([f"routing: there is no rule “{kind}”."])
    if not row["active"]:
        return None
    if kind != OWN:
        return Rule(kind)
    strange = [name for name in when if name not in FIELDS]
    if strange or not when:
        raise FileRefused([f"routing.when: a rule asks for {', '.join(FIELDS)}."])
    staff_id = team_id = None
    if row["person"]:
        staff_id = session.scalar(
            select(StaffMember.id).where(StaffMember.email == row["person"].lower(), StaffMember.active)
        )
    elif row["team"]:
        team_id = session.scalar(select(Team.id).where(Team.name == row["team"]))
    if staff_id is None and team_id is None:
        raise FileRefused(["routing: a rule of your own names a colleague or a team that is here."])
    return Rule(OWN, {name: str(value) for name, value in when.items()}, staff_id, team_id)


def checked(document: Document, known: Known) -> Document:
    """A draft of a pipeline that may be played. Raises InputRefused where it is not in order."""
    faults = check(document, known)
    if faults:
        raise InputRefused(f"{faults[0].place}: {faults[0].text}.", cure="Mend the draft first.")
    return document
