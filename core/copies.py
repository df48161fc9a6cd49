"""Whom a letter is copied to: read from a line of text, written into one, found in the letter answered."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import InputRefused
from core.limits import LETTER_COPIES
from core.values import BadAddress, normal_email

LONGEST = 4_000
"""Characters of the line that names them."""


class BadCopy(BadAddress):
    """Not everybody who is to get a copy is named by an e-mail address."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.written = written.strip()[:80]
        """What stands there instead."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who gets a letter: a name, which may be empty, and an address in its normal form."""

    name: str
    address: str


def read(line: str) -> list[Reader]:
    """The people whom a line names, each address once, as in ``Ona Onaitė <ona@x.lt>; jonas@x.lt``.

    Commas, semicolons and line ends part them, where they stand in no quotes (RFC 5322 section 3.4); plain
    addresses may be parted by spaces too. Raises BadCopy, and InputRefused for too many.
    """
    found: dict[str, Reader] = {}
    for piece in _pieces(line[: LONGEST + 1]):
        for one in _readers(piece):
            found.setdefault(one.address, one)
    if len(found) > LETTER_COPIES or len(line) > LONGEST:
        raise InputRefused(
            "A letter is copied to at most 20 people.", cure="For more of them there are mailings."
        )
    return list(found.values())


def _pieces(line: str) -> list[str]:
    pieces, quoted, escaped = [""], False, False
    for character in line:
        if character in ",;\r\n" and not quoted:
            pieces.append("")
            continue
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and quoted and not escaped
        pieces[-1] += character
    if quoted:
        raise BadCopy(pieces[-1])
    return [stripped for piece in pieces if (stripped := piece.strip())]


_NAMED = re.compile(r"(.*?)<([^<>]*)>", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def _readers(piece: str) -> Iterable[Reader]:
    if named := _NAMED.fullmatch(piece):
        yield Reader(_name(named[1]), _address(named[2]))
        return
    words = piece.split()
    for word in words if all("@" in word for word in words) else [piece]:
        yield Reader("", _address(word))


def _address(text: str) -> str:
    """The normal form; in the header of everybody's letter stand only addresses that every server takes."""
    try:
        normal = normal_email(text)
    except BadAddress as error:
        raise BadCopy(text) from error
    if not normal.isascii():
        raise BadCopy(text)
    return normal


def _name(written: str) -> str:
    """A name without quotes, backslashes and whatever would part addresses or fields."""
    bare = _QUOTED.sub(lambda found: re.sub(r"\\(.)", r"\1", found[1]), written)
    return " ".join(re.sub(r'["<>\x00-\x1f\x7f]', " ", bare).split())[:200]


def written(readers: Iterable[Reader]) -> str:
    """The line that `read` takes apart again."""
    return ", ".join(_written(one) for one in readers)


def _written(one: Reader) -> str:
    if not one.name:
        return one.address
    name = _name(one.name)
    if re.search(r"[,;\\]", name):
        escaped = name.replace("\\", "\\\\")
        name = f'"{escaped}"'
    return f"{name} <{one.address}>"


def of_letter(recipients: Mapping[str, Any], *, without: Collection[str]) -> list[Reader]:
    """Everybody else whom a letter was sent or copied to, in its order, each once.

    ``recipients`` is as in `core.conversations.Message`; ``without`` are addresses in their normal form.
    What cannot be written to is left out, and so is what goes beyond the limit.
    """
    found: dict[str, Reader] = {}
    pairs: Sequence[Sequence[str]] = [*(recipients.get("to") or ()), *(recipients.get("cc") or ())]
    for name, address in pairs:
        try:
            normal = normal_email(address)
        except BadAddress:
            continue
        if normal.isascii() and normal not in without:
            found.setdefault(normal, Reader(_name(name), normal))
    return list(found.values())[:LETTER_COPIES]
