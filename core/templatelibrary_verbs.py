"""What a person does with a template: save it as a version, restore one, delete it, bring it back, and
attach files.

Whether somebody may do so, and whether the words are sound, is decided before these are called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, documents
from core.documents import Document
from core.errors import Conflict, InputRefused, NotFound
from core.templatelibrary import (
    KINDS,
    Template,
    TemplateFile,
    TemplateScope,
    TemplateVersion,
    Texts,
)

LONGEST_NAME = 120
LONGEST_NOTE = 300
LARGEST_FILE = 5_000_000
"""Bytes of one attached file."""
LARGEST_FILES = 10_000_000
"""Bytes of all files that go along in one version; together with the letter they must pass mail servers."""
MOST_FILES = 10
FILE_KIND = "template_file"
"""What documents are called that no template made."""

_KEY = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a template stands: its kind and key, and for whom it is."""

    kind: str
    key: str
    scope: TemplateScope
    team_id: int | None = None
    staff_id: int | None = None


def find(session: Session, place: Place, *, lock: bool = False) -> Template | None:
    """The template at a place, a deleted one too."""
    query = select(Template).where(
        Template.kind == place.kind,
        Template.key == place.key,
        Template.scope == place.scope,
        Template.team_id.is_not_distinct_from(place.team_id),
        Template.staff_id.is_not_distinct_from(place.staff_id),
    )
    return session.scalar(query.with_for_update() if lock else query)


def save(
    session: Session,
    place: Place,
    language: str,
    parts: Mapping[str, str],
    *,
    base: int,
    by: int | None,
    note: str = "",
    names: Mapping[str, str] | None = None,
) -> TemplateVersion:
    """Save one language; the other languages and the files stay as they are. Makes the next version.

    ``base`` is the version that was being changed, 0 for none. An empty ``parts`` takes the language out.
    Raises Conflict when somebody saved meanwhile, InputRefused for a bad key or name.
    """
    row = _held(session, place, base, by)
    before = current(session, row)
    texts: Texts = dict(before.texts) if before is not None and row.deleted_at is None else {}
    kept = {part: text for part, text in parts.items() if text.strip()}
    if kept:
        texts[language] = kept
    else:
        texts.pop(language, None)
    if not texts:
        raise InputRefused("No language would be left.", cure="Delete the template instead.")
    if names is not None:
        row.names = _names(names)
    return _next(session, row, texts, _files(session, before), by=by, note=note)


def current(session: Session, row: Template) -> TemplateVersion | None:
    """The version in force of a template; None of one that was never saved."""
    return _numbered(session, row.id, row.version)


def version(session: Session, template_id: int, number: int) -> TemplateVersion:
    """One version. Raises NotFound."""
    found = _numbered(session, template_id, number)
    if found is None:
        raise NotFound("There is no such version.")
    return found


def versions(session: Session, template_id: int) -> list[TemplateVersion]:
    """All versions of a template, the newest first."""
    query = select(TemplateVersion).where(TemplateVersion.template_id == template_id)
    return list(session.scalars(query.order_by(TemplateVersion.number.desc())))


def restore(session: Session, place: Place, number: int, *, by: int | None) -> TemplateVersion:
    """Put an older version's words and files in force again, as a new version. Raises NotFound."""
    row = _present(session, place)
    older = version(session, row.id, number)
    made = _next(session, row, older.texts, _files(session, older), by=by, note="")
    made.restored_from = number
    return made


def delete(session: Session, place: Place, *, by: int | None) -> Template:
    """Take a template out of use; what is laid under it counts again. Its versions stay. Raises NotFound."""
    row = _present(session, place)
    row.deleted_at = session.execute(select(func.now())).scalar_one()
    row.revision += 1
    session.flush()
    _note(session, row, "removed", by)
    return row


def bring_back(session: Session, place: Place, *, by: int | None) -> Template:
    """Undo a deletion. Raises NotFound."""
    row = find(session, place, lock=True)
    if row is None:
        raise NotFound
    if row.deleted_at is not None:
        row.deleted_at = None
        row.revision += 1
        session.flush()
        _note(session, row, "reactivated", by)
    return row


def attach(
    session: Session,
    place: Place,
    *,
    filename: str,
    content_type: str,
    data: bytes,
    language: str = "",
    by: int | None,
) -> TemplateVersion:
    """Let a file go along, in one language or in all; makes the next version.

    Raises NotFound for a template that was never saved, InputRefused for a file that is empty or too large.
    """
    row = _present(session, place)
    before = version(session, row.id, row.version)
    files = _files(session, before)
    held = session.scalar(
        select(func.coalesce(func.sum(Document.size), 0)).where(Document.id.in_([one for one, _ in files]))
    )
    if not data or len(data) > LARGEST_FILE:
        raise InputRefused("The file is empty or too large.", cure="At most 5 MB.")
    if len(files) >= MOST_FILES or int(held or 0) + len(data) > LARGEST_FILES:
        raise InputRefused("A template carries at most 10 files of 10 MB together.")
    document = documents.keep(
        session, kind=FILE_KIND, number=None, title=filename, filename=filename, language=language,
        data=data, content_type=content_type,
    )  # fmt: skip
    return _next(session, row, before.texts, [*files, (document.id, language)], by=by, note=f"+ {filename}")


def detach(session: Session, place: Place, document_id: int, *, by: int | None) -> TemplateVersion:
    """Let a file go along no more; makes the next version. Raises NotFound."""
    row = _present(session, place)
    before = version(session, row.id, row.version)
    files = _files(session, before)
    left = [one for one in files if one[0] != document_id]
    if len(left) == len(files):
        raise NotFound
    return _next(session, row, before.texts, left, by=by, note="")


def _present(session: Session, place: Place) -> Template:
    row = find(session, place, lock=True)
    if row is None or row.deleted_at is not None or not row.version:
        raise NotFound
    return row


def _held(session: Session, place: Place, base: int, by: int | None) -> Template:
    if place.kind not in KINDS:
        raise InputRefused(f"{place.kind!r} is no kind of template.")
    if not _KEY.fullmatch(place.key) or len(place.key) > 60:
        raise InputRefused(
            "A key is made of small Latin letters, digits and _.", cure="For example price_list."
        )
    row = find(session, place, lock=True)
    if row is None:
        if base:
            raise NotFound
        row = Template(
            kind=place.kind, key=place.key, scope=place.scope, team_id=place.team_id,
            staff_id=place.staff_id, names={}, version=0, revision=0, created_by=by,
        )  # fmt: skip
        session.add(row)
        session.flush()
    # A deleted one is begun anew; its versions go on counting.
    elif row.deleted_at is None and row.version != base:
        raise Conflict("Somebody else saved this template meanwhile.", cure="Load the page again.")
    return row


def _numbered(session: Session, template_id: int, number: int) -> TemplateVersion | None:
    return session.scalar(
        select(TemplateVersion).where(
            TemplateVersion.template_id == template_id, TemplateVersion.number == number
        )
    )


def _files(session: Session, of: TemplateVersion | None) -> list[tuple[int, str]]:
    if of is None:
        return []
    query = select(TemplateFile.document_id, TemplateFile.language).where(TemplateFile.version_id == of.id)
    return [
        (document_id, language) for document_id, language in session.execute(query.order_by(TemplateFile.id))
    ]


def _next(
    session: Session,
    row: Template,
    texts: Mapping[str, Any],
    files: Sequence[tuple[int, str]],
    *,
    by: int | None,
    note: str,
) -> TemplateVersion:
    # A deleted template that is begun anew must not take a number that was given before.
    last = session.scalar(
        select(func.max(TemplateVersion.number)).where(TemplateVersion.template_id == row.id)
    )
    made = TemplateVersion(
        template_id=row.id, number=(last or 0) + 1, texts=dict(texts), note=note.strip()[:LONGEST_NOTE],
        created_by=by,
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add_all(
        TemplateFile(version_id=made.id, document_id=document_id, language=language)
        for document_id, language in files
    )
    begun = row.version == 0 or row.deleted_at is not None
    row.version, row.deleted_at = made.number, None
    row.revision += 1
    session.flush()
    _note(session, row, "added" if begun else "changed", by)
    return made


def _note(session: Session, row: Template, deed: str, by: int | None) -> None:
    audit.note(session, by, deed, "template", row.id, f"{row.kind}/{row.key}", after={"version": row.version})


def _names(names: Mapping[str, str]) -> dict[str, str]:
    kept = {language: " ".join(name.split()) for language, name in names.items() if name.strip()}
    if any(len(name) > LONGEST_NAME for name in kept.values()):
        raise InputRefused("The name is too long.", cure=f"At most {LONGEST_NAME} characters.")
    return kept
