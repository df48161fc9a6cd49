"""The audit log in the reader's words: what kind of thing, what was done with it, and each value's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from core.approvaldoubts import CHANGED, OUT_OF_DATE
from core.audit import AuditEntry
from core.deals import Stage
from core.i18n import LANGUAGE_NAMES, N_, Texts
from core.pipelines import Pipeline
from core.staff import StaffMember
from desk import (
    approvalview,
    clientwords,
    housewords,
    labelnames,
    movewords,
    segmentoptions,
    templatenames,
    wording,
)

NOTHING = housewords.NOTHING

HEARD = (N_("a letter came from it"), N_("an SMS came from it"), N_("a call came from it"))
"""Why an address that had been given up was opened again, as `core.heardfrom` writes it."""

DEEDS: dict[str, str] = {
    "added": N_("added"),
    "changed": N_("changed"),
    "removed": N_("removed"),
    "ordered": N_("put in another order"),
    "invited": N_("invited"),
    "password": N_("given a new password"),
    "deactivated": N_("deactivated"),
    "reactivated": N_("brought back"),
    "published": N_("put in force"),
    "put_away": N_("put away"),
    "merged": N_("merged with another"),
    "separated": N_("separated again"),
    "exported": N_("handed out as a file"),
    "taken_back": N_("moved back at once"),
} | {state.value: name for state, (name, _colour) in approvalview.STATES.items()}
KINDS: dict[str, str] = {
    "staff": N_("Colleague"),
    "team": N_("Team"),
    "territory": N_("Territory"),
    "absence": N_("Absence"),
    "routing": N_("Routing"),
    "pipeline": N_("Pipeline"),
    "label": N_("Label"),
    "classifier": N_("Classifier"),
    "client": N_("Client"),
    "suppression": N_("Closed address"),
    "voice": N_("Voice of the telephone"),
    "contact": N_("Contact"),
    "template": N_("Template"),
    "deal": N_("Deal"),
    "approval": N_("Letter that waits for a word"),
    "approval_rule": N_("Rule of approval"),
    "file": N_("File for clients"),
    "link": N_("Link to a file"),
}
FIELDS: dict[str, str] = clientwords.FIELDS | {
    "email": N_("E-mail"),
    "phone": N_("Telephone"),
    "fax": N_("Fax"),
    "client": N_("Client"),
    "wishes": N_("Wants"),
    "proof": N_("How it is known"),
    "role": N_("Role"),
    "language": N_("Language"),
    "speaks": N_("Speaks with clients"),
    "topics": N_("Topics"),
    "industries": N_("Industries"),
    "team": N_("Team"),
    "staff": N_("Colleague"),
    "countries": N_("Countries"),
    "regions": N_("Regions"),
    "first_day": N_("First day"),
    "last_day": N_("Last day"),
    "deputy": N_("Stands in"),
    "active": N_("In force"),
    "conditions": N_("Conditions"),
    "order": N_("Order"),
    "deals_moved": N_("Deals moved"),
    "names": N_("Names"),
    "description": N_("Description"),
    "letters": N_("Letters"),
    "into": N_("Into"),
    "corrections": N_("Corrections"),
    "version": N_("Version"),
    "approver": N_("Needs the word of"),
    "least_total": N_("From a sum of"),
    "conversations_returned": N_("Conversations returned to the queue"),
    "stage": N_("Stage"),
    "reason": N_("Reason"),
    "state": N_("State"),
    "note": N_("Note"),
    "subject": N_("Subject"),
    "body": N_("Words"),
    "voice": N_("Voice"),
    "channel": N_("Channel"),
    "why": N_("Reason"),
    "rows": N_("Rows"),
    "faulty": N_("Rows with a fault"),
    "added": N_("added"),
    "title": N_("Title"),
    "days": N_("Days a link holds"),
    "templates": N_("Templates"),
    "size": N_("Size"),
    "recipient": N_("To whom"),
    "until": N_("Holds until"),
    "merged": N_("Merged into it"),
    "separated": N_("Separated from it"),
    "not_restored": N_("Could not be restored"),
}
FIELDS_OF: dict[tuple[str, str], str] = {("staff", "language"): N_("Language of the screens")}
"""Names that one kind of thing gives to a field of its own."""
HIDDEN = frozenset({"merged_id", "separated_id", "account_id"})
"""Numbers that tell a reader nothing beside the name."""


class Words:
    """Puts entries into words for one reader; names are looked up once, where an entry needs them."""

    def __init__(self, session: Session, engine: Engine, language: Texts) -> None:
        self._session = session
        self._engine = engine
        self._language = language

    def title(self, entry: AuditEntry) -> str:
        """What the thing is called."""
        name, told = entry.name, self._language.gettext
        match entry.kind:
            case "routing":
                known = housewords.RULES.get(name)
                return told(known[0]) if known else ""
            case "approval":
                key, colon, who = name.partition(": ")
                return f"{self._template(key)}: {who}" if colon else name
            case "approval_rule" | "template":
                return self._template(name)
            case "pipeline":
                return self._pipelines.get(name, name)
            case "label":
                return labelnames.name(self._engine, name, self._language.language)
            case "voice":
                return LANGUAGE_NAMES.get(name, name)
            case "classifier":
                return self._version(name) if entry.deed == "published" else ""
        return name

    def changes(self, entry: AuditEntry) -> list[tuple[str, str | None, str | None]]:
        """The values that changed: what each is called, as it was and as it became."""
        before, after = self._values(entry, entry.before), self._values(entry, entry.after)
        names = [*before, *(name for name in after if name not in before)]
        found = [(name, before.get(name), after.get(name)) for name in names]
        return [one for one in found if {one[1], one[2]} - {None, NOTHING}]

    def _values(self, entry: AuditEntry, values: Mapping[str, Any] | None) -> dict[str, str]:
        told = self._language.gettext
        return {
            told(FIELDS_OF.get((entry.kind, key)) or FIELDS.get(key, key)): self._value(key, value)
            for key, value in (values or {}).items()
            if key not in HIDDEN
        }

    def _value(self, key: str, value: Any) -> str:
        told = self._language.gettext
        if value is None or value in ("", [], {}):
            return NOTHING
        if isinstance(value, bool):
            return told(N_("yes")) if value else told(N_("no"))
        if isinstance(value, Mapping):
            return housewords.when(value, self._language)
        if isinstance(value, list):
            return ", ".join(self._value(key, one) for one in value)
        text = str(value)
        worded = self._by_key.get(key)
        if worded is not None:
            return worded(text)
        return self._dated(text)

    @cached_property
    def _by_key(self) -> Mapping[str, Callable[[str], str]]:
        told, language = self._language.gettext, self._language
        return {
            "role": lambda text: told(housewords.ROLES.get(text, text)),
            "topics": lambda text: labelnames.name(self._engine, text, language.language),
            "into": lambda text: labelnames.name(self._engine, text, language.language),
            "language": lambda text: LANGUAGE_NAMES.get(text, text),
            "speaks": lambda text: LANGUAGE_NAMES.get(text, text),
            "order": lambda text: told(housewords.RULES[text][0]) if text in housewords.RULES else text,
            "stage": lambda text: self._stages.get(text, text),
            "reason": lambda text: movewords.in_words(
                text, told, lambda key: labelnames.name(self._engine, key, language.language)
            ),
            "state": lambda text: told(DEEDS.get(text, text)),
            "note": lambda text: told((OUT_OF_DATE | CHANGED).get(text, text)),
            "approver": lambda text: self._approvers.get(text, text),
            "buying_role": lambda text: told(wording.POINTS.get(text, text)),
            "curator_id": lambda text: self._people.get(text, text),
            "templates": self._template,
            "version": self._version,
            "why": lambda text: told(wording.SUPPRESSIONS.get(text, text)),
            "channel": lambda text: told(segmentoptions.CHANNELS.get(text, text)),
        }

    def _dated(self, text: str) -> str:
        """A day or a moment as the reader writes it, anything else as it is."""
        if len(text) < len("2026-01-01") or text[4:5] != "-":
            return text
        try:
            if len(text) == len("2026-01-01"):
                return self._language.day(date.fromisoformat(text))
            return self._language.moment(datetime.fromisoformat(text))
        except ValueError:
            return text

    def _template(self, key: str) -> str:
        bare = key.removeprefix("email/")
        return templatenames.name(self._engine, bare, self._language)

    def _version(self, text: str) -> str:
        return self._language.gettext(N_("came with frontdesk")) if text == "shipped" else text

    @cached_property
    def _stages(self) -> dict[str, str]:
        return self._named(select(Stage.names))

    @cached_property
    def _pipelines(self) -> dict[str, str]:
        return self._named(select(Pipeline.names))

    def _named(self, query: Any) -> dict[str, str]:
        """By the English name, under which the log keeps it, the reader's."""
        mine = self._language.language
        rows = self._session.scalars(query)
        return {names["en"]: names[mine] for names in rows if names.get("en") and names.get(mine)}

    @cached_property
    def _people(self) -> dict[str, str]:
        rows = self._session.execute(select(StaffMember.id, StaffMember.name))
        return {str(number): name for number, name in rows}

    @cached_property
    def _approvers(self) -> dict[str, str]:
        return dict(approvalview.approver_choices(self._session, self._language))
