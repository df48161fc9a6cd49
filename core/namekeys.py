"""Names, codes and addresses of companies in the form in which two ways of writing them become equal.

The forms are SQL expressions, so that an index can hold them and the database compares a hundred thousand
clients at once. Legal forms (UAB, ООО, Ltd …) fall away; Cyrillic and Latin letters become the same, by the
ways in which people write Russian with Latin letters: ``ООО «Строймаш»``, ``Stroimaš, UAB`` and ``Stroymash
Ltd`` are one.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, func, text

CYRILLIC: Final = "абвгдеёжзийклмнопрстуфхцчшщыэюяіїєґў"
LATIN_OF_CYRILLIC: Final = "abvgdeezziiklmnoprstufhccssieuaiiegu"
MARKED: Final = "ąčęėįšųūžäöüõåøéóāēģīķļņłżźśćń"
PLAIN: Final = "aceeisuuzaouoaoeoaegiklnlzzscn"
SILENT: Final = "ъь"
"""Letters that nobody writes in Latin."""

LEGAL_FORMS: Final = (
    "uzdaroji akcine bendrove", "akcine bendrove", "mazoji bendrija", "individuali imone", "viesoji istaiga",
    "obsestvo s ogranicennoi otvetstvennostu", "akcionernoe obsestvo",
    "sp z o o", "spzoo", "u a b", "o o o", "uab", "vsi", "mb", "ab", "ii", "ooo", "oao", "zao", "pao", "ao",
    "ip", "too", "odo", "cup", "limited", "ltd", "llc", "llp", "plc", "inc", "corp", "co", "gmbh", "ag", "kg",
    "sia", "as", "ou", "oy", "oyj", "aps", "sa", "srl", "bv", "nv",
)  # fmt: skip
"""As they stand once letters are plain; the longer ones first."""

SOUNDS: Final = (
    ("s(h?c)?h", "s"), ("ch", "c"), ("zh", "z"), ("kh", "h"), ("t[sz]", "c"), ("ph", "f"), ("ck", "k"),
    ("w", "v"), ("x", "ks"), ("q", "k"), ("[yij]+([aeu])", r"\1"), ("[yij]+", "i"), (r"(.)\1+", r"\1"),
)  # fmt: skip
"""Groups of letters that stand for one sound, in order."""

SHORTEST_NAME: Final = 3
SHORTEST_CODE: Final = 6
"""Shorter ones are equal by chance."""


def _replaced(value: Any, pattern: str, by: str) -> ColumnElement[str]:
    return func.regexp_replace(value, text(f"'{pattern}'"), text(f"'{by}'"), text("'g'"))


def name_key(column: Any) -> ColumnElement[str]:
    """A company's or person's name as two of them are compared; an expression that an index can hold."""
    letters, plain = CYRILLIC + MARKED + SILENT, LATIN_OF_CYRILLIC + PLAIN
    key: Any = func.translate(func.lower(column), text(f"'{letters}'"), text(f"'{plain}'"))
    key = _replaced(key, "[^a-z0-9]+", " ")
    key = _replaced(key, rf"\m({'|'.join(LEGAL_FORMS)})\M", "")
    key = _replaced(key, " +", "")
    for pattern, by in SOUNDS:
        key = _replaced(key, pattern, by)
    return key


def code_key(column: Any) -> ColumnElement[str]:
    """The digits of a company code or tax number, whichever letters and spaces stand around them."""
    return _replaced(column, "[^0-9]+", "")


def domain_key(column: Any) -> ColumnElement[str]:
    """The domain of an e-mail address in its normal form."""
    return func.split_part(column, text("'@'"), text("2"))
