"""Labels as a company's files call them, matched to the labels it has; those it has not are added."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy.orm import Session

from core.errors import InputRefused
from core.labelbook import KEY_LENGTH, NAME_LENGTH, add_label, key_of, uncounted

MOST = 300
"""Different labels of one file; more means that another column was read as the label."""

_APART = re.compile(r"[\W_]+")
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_LITHUANIAN = re.compile("[ąčęėįšųūž]", re.IGNORECASE)


def keys_of(session: Session, said: Iterable[str]) -> dict[str, str]:
    """For each label that a file says: the key of the label that is called so in any language, however it is
    spelled. A label is added for what nothing is called.

    Raises:
        InputRefused: too many labels.
    """
    wanted = sorted(set(said))
    if len(wanted) > MOST:
        raise InputRefused(
            f"There are {len(wanted)} different labels.",
            cure=f"At most {MOST}; see whether the column of the labels is the right one.",
        )
    called: dict[str, str] = {}
    for entry in uncounted(session):
        for name in (*entry.names.values(), entry.key):
            called[_bare(name)] = entry.key
    taken = set(called.values())
    for one in wanted:
        if _bare(one) not in called:
            called[_bare(one)] = _added(session, one, taken)
    return {one: called[_bare(one)] for one in wanted}


def _added(session: Session, said: str, taken: set[str]) -> str:
    name = " ".join(_APART.sub(" ", said).split())[:NAME_LENGTH].strip() or said[:NAME_LENGTH]
    begun = key_of(name) if key_of(name)[:1].isalpha() else f"label_{key_of(name)}"
    key, number = begun[:KEY_LENGTH], 1
    while key in taken:
        number += 1
        key = f"{begun[: KEY_LENGTH - 4]}_{number}"
    taken.add(key)
    language = "ru" if _CYRILLIC.search(name) else "lt" if _LITHUANIAN.search(name) else "en"
    return add_label(session, {language: name[:1].upper() + name[1:]}, key=key).key


def _bare(name: str) -> str:
    return _APART.sub(" ", name).strip().casefold() or name
