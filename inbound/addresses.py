"""Address fields (RFC 5322 §3.4) read as leniently as people and programs write them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from inbound import headers, limits
from inbound.parsed import Address

_SIMPLE: Final = re.compile(
    rb'\s*(?:"([^"\\<>]*)"|([^"\\<>,;:()=@]*?))\s*<\s*([^<>\s,;:()"\\]+@[^<>\s,;:()"\\@]+)\s*>\s*\Z'
)
_BARE: Final = re.compile(rb"\s*<?([A-Za-z0-9._%+'&#*/!$^~={}|?-]+@[A-Za-z0-9.-]+)>?\s*\Z")
_ADDRESS: Final = re.compile(r"[^\s<>,;:()\"\[\]\\@]{1,120}@[^\s<>,;:()\"\[\]\\@]+\.?")
_PIECE_CHARS: Final = 2000
"""One mailbox is read so far; nobody's name is longer, and looking further could take long."""
_UNQUOTE: Final = re.compile(r"\\(.)", re.DOTALL)
_SPACES: Final = re.compile(r"\s+")


def read(value: bytes, hint: str | None = None) -> tuple[Address, ...]:
    """The mailboxes of one address field, groups flattened, empty ones left out.

    A name keeps its letters but no control characters; an address hidden inside an encoded word is found.
    """
    if len(value) <= _REMEMBERED_BYTES:
        return _remembered(value, hint)
    return _read(value, hint)


_REMEMBERED_BYTES: Final = 200
"""Who writes to a company writes again, and everybody writes to the same addresses: read once."""


@lru_cache(maxsize=5_000)
def _remembered(value: bytes, hint: str | None) -> tuple[Address, ...]:
    return _read(value, hint)


def _read(value: bytes, hint: str | None) -> tuple[Address, ...]:
    if not value.strip():
        return ()
    if len(value) < 1000 and b"\n" not in value and b"=?" not in value and value.isascii():
        match = _BARE.match(value)
        if match:
            return (Address("", match[1].decode("ascii")),)
        match = _SIMPLE.match(value)
        if match:
            name = (match[1] or match[2] or b"").decode("ascii").strip()
            return (Address(_SPACES.sub(" ", name), match[3].decode("ascii")),)
    text = value[: limits.FIELD_BYTES].decode("latin-1")
    found = []
    for piece in _mailboxes(_unfold(text)):
        address = _mailbox(piece, hint)
        if address is not None:
            found.append(address)
            if len(found) >= limits.ADDRESSES:
                break
    return tuple(_joined(found))


def _unfold(text: str) -> str:
    return re.sub(r"\r*\n[ \t]*|\r", " ", text)


def _mailboxes(text: str) -> list[str]:
    """Cut at the commas and semicolons that stand outside quotes, brackets and comments."""
    pieces: list[str] = []
    start = depth = 0
    quoted = angle = False
    index, length = 0, len(text)
    while index < length and len(pieces) <= 2 * limits.ADDRESSES:
        letter = text[index]
        if letter == "\\" and (quoted or depth):
            index += 1
        elif letter == '"' and not depth:
            quoted = not quoted
            if quoted and text.find('"', index + 1) < 0:
                quoted = False
        elif quoted:
            pass
        elif letter == "(" and text.find(")", index) > 0:
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif depth:
            pass
        elif letter == "<":
            angle = True
        elif letter == ">":
            angle = False
        elif letter in ",;" and not (angle and ">" in text[index : index + 300]):
            pieces.append(text[start:index])
            start, angle = index + 1, False
        elif letter == ":" and not angle and "@" not in text[start:index]:
            start = index + 1  # the name of a group
        index += 1
    pieces.append(text[start:])
    return pieces


def _mailbox(piece: str, hint: str | None) -> Address | None:
    piece = piece.strip()[:_PIECE_CHARS]
    if not piece:
        return None
    left, bracket, rest = piece.rpartition("<")
    if bracket:
        inside, _, after = rest.partition(">")
        address = _clean_address(_without_comments(inside) if "(" in inside else inside)
        name = _name(left, hint) or _name(after, hint)
        if "@" not in address and "=?" in inside:
            address = _clean_address(headers.decode_words(inside, hint))
        if "@" not in address:
            hidden = _ADDRESS.search(name)
            if hidden:
                return Address(_strip_address(name, hidden[0]), _clean_address(hidden[0]))
            return Address(name, address) if address or name else None
        return Address(name, address)
    if "=?" in piece:
        decoded = headers.decode_words(piece, hint, raw=True)
        match = _ADDRESS.search(decoded)
        if match:
            return Address(_strip_address(decoded, match[0]), _clean_address(match[0]))
        return Address(_name(piece, hint), "")
    comment = ""
    if "(" in piece and ")" in piece:
        comment = " ".join(re.findall(r"\(([^()]*)\)", piece))
        piece = _without_comments(piece)
    match = _ADDRESS.search(piece)
    if match:
        around = (piece[: match.start()] + " " + piece[match.end() :]).strip(" \"'<>")
        return Address(_name(around or comment, hint), _clean_address(match[0]))
    name = _name(piece, hint)
    if not name and not comment:
        return None
    if " " not in name and name.isascii() and not comment:
        return Address("", name)  # a local mailbox: root, MAILER-DAEMON
    return Address(name or _name(comment, hint), "")


def _without_comments(piece: str) -> str:
    kept: list[str] = []
    depth = 0
    for letter in piece:
        if letter == "(":
            depth += 1
        elif letter == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(letter)
    return "".join(kept).strip()


def _name(written: str, hint: str | None) -> str:
    written = written.strip()
    if len(written) > 1 and written[0] == '"' and written[-1] == '"':
        written = _UNQUOTE.sub(r"\1", written[1:-1])
    elif '"' in written:
        written = written.replace('\\"', "\0").replace('"', "").replace("\0", '"')
    if "(" in written and written.startswith("(") and written.endswith(")"):
        written = written[1:-1]
    name = headers.decode(written.encode("latin-1", "replace"), hint) if written else ""
    name = _SPACES.sub(" ", name).strip()
    if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1].strip()
    return name


def _strip_address(name: str, address: str) -> str:
    return _SPACES.sub(" ", name.replace(address, " ")).strip(" \"'<>,;()")


def _clean_address(written: str) -> str:
    address = headers.decode(written.encode("latin-1", "replace")) if not written.isascii() else written
    address = "".join(letter for letter in address if letter.isprintable() and letter not in " \t<>")
    if address.lower().startswith("mailto:"):
        address = address[7:]
    if ":" in address and address.startswith("@"):
        address = address.rpartition(":")[2]  # an RFC 822 route
    return address.strip("'\",;").rstrip(".")[:320]


def _joined(found: list[Address]) -> list[Address]:
    """An unquoted comma in a name (`Petrauskas, Jonas <jonas@x.lt>`) made two of one: put them together."""
    joined: list[Address] = []
    for address in found:
        before = joined[-1] if joined else None
        if before is not None and "@" not in before.address and "@" in address.address and address.name:
            name = before.name or before.address
            if name and "@" not in name:
                joined[-1] = Address(f"{name}, {address.name}", address.address)
                continue
        joined.append(address)
    return joined
