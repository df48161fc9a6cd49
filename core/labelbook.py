"""The company's own labels: added, renamed, merged and put away, and the letters that show what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.errors import Conflict, InputRefused, NotFound
from core.intents import INTENT_NAMES, Intent
from core.labels import Correction, Field, IntentLabel, LabelExample
from core.values import LANGUAGES

KEY_LENGTH = 40
NAME_LENGTH = 60
DESCRIPTION_LENGTH = 500
EXAMPLE_LENGTH = 4_000
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_APART = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class LabelEntry:
    """A label as staff see it: names by language, what teaches it, and whether it stands for itself.

    `own` is false for the labels that come with frontdesk; `merged_into` is the label that stands for it now.
    """

    key: str
    names: Mapping[str, str]
    description: str
    own: bool
    active: bool
    merged_into: str | None
    examples: int
    corrections: int

    def name(self, language: str) -> str:
        """Its name in that language, else in any, else its key."""
        return self.names.get(language) or next((name for name in self.names.values() if name), self.key)


def labels(session: Session) -> list[LabelEntry]:
    """All labels: those that come with frontdesk in their order, then the company's own by key."""
    examples = _counts(session, select(LabelExample.intent, func.count()).group_by(LabelExample.intent))
    corrections = _counts(
        session,
        select(Correction.value, func.count())
        .where(Correction.field == Field.INTENT, Correction.undone_at.is_(None))
        .group_by(Correction.value),
    )
    return _entries(session, examples, corrections)


def uncounted(session: Session) -> list[LabelEntry]:
    """All labels in the same order; what teaches them is not counted, so that it takes one query."""
    return _entries(session, {}, {})


def _entries(
    session: Session, examples: Mapping[str, int], corrections: Mapping[str, int]
) -> list[LabelEntry]:
    own = {label.key: label for label in session.scalars(select(IntentLabel).order_by(IntentLabel.key))}
    keys = [intent.value for intent in Intent]
    keys += [key for key in own if key not in keys]
    return [_entry(key, own.get(key), examples, corrections) for key in keys]


def add_label(
    session: Session, names: Mapping[str, str], description: str = "", *, key: str | None = None
) -> IntentLabel:
    """Add a label of the company's own; its key is made of its name unless one is given.

    Raises:
        InputRefused: no name, an unknown language, a key that is not `a-z0-9_`, or something too long.
        Conflict: there is a label of that key.
    """
    kept = _checked(names)
    if not kept:
        raise InputRefused("A label needs a name.")
    made = key_of(kept.get("en") or next(iter(kept.values()))) if key is None else key
    if len(made) > KEY_LENGTH or not _KEY.fullmatch(made):
        raise InputRefused(
            f"{made!r} cannot be a label's key.", cure="Use a-z, 0-9 and _; begin with a letter."
        )
    if made in Intent.__members__.values() or session.get(IntentLabel, made) is not None:
        raise Conflict(f"There is a label {made!r} already.")
    label = IntentLabel(key=made, names=kept, description=_described(description))
    session.add(label)
    session.flush()
    return label


def rename_label(
    session: Session, key: str, names: Mapping[str, str], description: str | None = None
) -> None:
    """Give a label other names; without a name in a language, one of ours has its first name again.

    Raises:
        NotFound: no such label.
        InputRefused: a label of the company would be left without a name, or something is too long.
    """
    label = _row(session, key)
    kept = _checked(names)
    if not kept and not _shipped(key):
        raise InputRefused("A label needs a name.")
    label.names = kept
    if description is not None:
        label.description = _described(description)
    session.flush()


def merge_label(session: Session, key: str, into: str) -> None:
    """From now on `into` stands for this label; what taught it teaches the other.

    Raises:
        NotFound: one of the labels does not exist.
        InputRefused: into itself, in a circle, or into a label that was put away.
    """
    label = _row(session, key)
    target: str | None = into
    _known(session, into)
    seen: set[str] = set()
    while target is not None and target not in seen:
        if target == key:
            raise InputRefused("A label cannot be merged into itself.", cure="Choose another label.")
        seen.add(target)
        row = session.get(IntentLabel, target)
        if row is not None and not row.active and row.merged_into is None:
            raise InputRefused("That label was put away.", cure="Bring it back first, or choose another.")
        target = None if row is None else row.merged_into
    label.merged_into = into
    session.flush()


def separate_label(session: Session, key: str) -> None:
    """Take a merge back: the label stands for itself again."""
    _row(session, key).merged_into = None
    session.flush()


def put_away(session: Session, key: str) -> None:
    """Use the label no more: it teaches nothing, and nothing is called by it. Its examples are kept."""
    if key == Intent.OTHER:
        raise InputRefused("The label for everything else is always there.")
    _row(session, key).active = False
    session.flush()


def bring_back(session: Session, key: str) -> None:
    """Use a label again that was put away."""
    _row(session, key).active = True
    session.flush()


def add_examples(session: Session, key: str, texts: Sequence[str], source: str) -> int:
    """Store letters that show what the label means; empty ones and ones it has already are left out. Gives
    how many were new.

    Raises:
        NotFound: no such label.
        InputRefused: a text is longer than `EXAMPLE_LENGTH`.
    """
    _known(session, key)
    held = set(session.scalars(select(LabelExample.text).where(LabelExample.intent == key)))
    fresh = [text for text in dict.fromkeys(one.strip() for one in texts) if text and text not in held]
    if any(len(text) > EXAMPLE_LENGTH for text in fresh):
        raise InputRefused("An example is too long.", cure=f"At most {EXAMPLE_LENGTH} characters.")
    session.add_all(LabelExample(intent=key, text=text, source=source) for text in fresh)
    session.flush()
    return len(fresh)


def remove_example(session: Session, example_id: int) -> LabelExample:
    """Take an example away; gives what it was, so that it can be put back. Raises NotFound."""
    example = session.get(LabelExample, example_id)
    if example is None:
        raise NotFound(f"There is no example {example_id}.")
    session.delete(example)
    session.flush()
    return example


def examples_of(session: Session, key: str, limit: int = 100) -> list[LabelExample]:
    """The newest examples that the company gave of a label."""
    query = select(LabelExample).where(LabelExample.intent == key).order_by(LabelExample.id.desc())
    return list(session.scalars(query.limit(limit)))


def key_of(name: str) -> str:
    """A key made of a name: "Warranty case" gives `warranty_case`; other letters are spelled in Latin."""
    spelled = "".join(_SPELLED.get(char, char) for char in name.lower())
    return _APART.sub("_", spelled).strip("_")[:KEY_LENGTH].strip("_") or "label"


def _entry(
    key: str, row: IntentLabel | None, examples: Mapping[str, int], corrections: Mapping[str, int]
) -> LabelEntry:
    names = dict(INTENT_NAMES[Intent(key)]) if _shipped(key) else {}
    return LabelEntry(
        key=key,
        names=names | (dict(row.names) if row is not None else {}),
        description="" if row is None else row.description,
        own=not _shipped(key),
        active=row is None or row.active,
        merged_into=None if row is None else row.merged_into,
        examples=examples.get(key, 0),
        corrections=corrections.get(key, 0),
    )


def _row(session: Session, key: str) -> IntentLabel:
    """The label's row; one is made for a label of ours that had none."""
    row = session.get(IntentLabel, key)
    if row is None:
        if not _shipped(key):
            raise NotFound(f"There is no label {key!r}.")
        row = IntentLabel(key=key, names={})
        session.add(row)
        session.flush()
    return row


def _known(session: Session, key: str) -> None:
    if not _shipped(key) and session.get(IntentLabel, key) is None:
        raise NotFound(f"There is no label {key!r}.")


def _shipped(key: str) -> bool:
    return key in Intent.__members__.values()


def _checked(names: Mapping[str, str]) -> dict[str, str]:
    kept = {language: " ".join(name.split()) for language, name in names.items() if name.strip()}
    for language, name in kept.items():
        if language not in LANGUAGES:
            raise InputRefused(f"{language!r} is not one of the languages {', '.join(LANGUAGES)}.")
        if len(name) > NAME_LENGTH:
            raise InputRefused("A label's name is too long.", cure=f"At most {NAME_LENGTH} characters.")
    return kept


def _described(description: str) -> str:
    text = " ".join(description.split())
    if len(text) > DESCRIPTION_LENGTH:
        raise InputRefused(
            "A label's description is too long.", cure=f"At most {DESCRIPTION_LENGTH} characters."
        )
    return text


def _counts(session: Session, query: Select[Any, Any]) -> dict[str, int]:
    return {str(key): int(count) for key, count in session.execute(query) if key}


_SPELLED = dict(
    zip("абвгдеёзийклмнопрстуфхцыэąčęėįšųūž", "abvgdeezijklmnoprstufhcyeaceeisuuz", strict=True)
) | {"ж": "zh", "ч": "ch", "ш": "sh", "щ": "sch", "ю": "ju", "я": "ja", "ъ": "", "ь": ""}
