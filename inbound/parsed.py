"""The values a letter is read into: plain facts about it, none of them interpreted yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from core.errors import InputRefused
from inbound.headers import decode


class UnreadableMail(InputRefused):
    """There is nothing in this letter that can be read."""

    cure = "Look at the raw file; if the server sent it so, fetch it again."


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as written in a header field (RFC 5322 §3.4): display name, may be empty, and address."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address

    @property
    def domain(self) -> str:
        """What follows the last @, lower case; empty where there is none."""
        return self.address.rpartition("@")[2].lower() if "@" in self.address else ""


class Headers:
    """Header fields in order; names in any case; values decoded when asked for."""

    __slots__ = ("_fields", "_hint")

    def __init__(self, fields: Iterable[tuple[str, bytes]], hint: str | None = None) -> None:
        self._hint = hint
        self._fields: dict[str, list[bytes]] = {}
        for name, value in fields:
            self._fields.setdefault(name.lower(), []).append(value)

    def get(self, name: str, default: str = "") -> str:
        """The first field of that name, unfolded and decoded."""
        values = self._fields.get(name.lower())
        return decode(values[0], self._hint) if values else default

    def all(self, name: str) -> tuple[str, ...]:
        """Every field of that name, from the top, unfolded and decoded."""
        return tuple(decode(value, self._hint) for value in self._fields.get(name.lower(), ()))

    def raw(self, name: str) -> tuple[bytes, ...]:
        """Every field of that name as it came."""
        return tuple(self._fields.get(name.lower(), ()))

    def present(self, names: Iterable[str]) -> list[str]:
        """Those of `names`, which are written in lower case, that there is a field of."""
        fields = self._fields
        return [name for name in names if name in fields]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return sum(map(len, self._fields.values()))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is a file: where it stands, not its bytes.

    `name` is a label made safe to show and never a path. `size` is in bytes after decoding, exact to a few
    bytes. `path` is the part's place (`2.1`), for `attachment_bytes`. `inline` is true for what the letter's
    HTML shows in its text. `content_id` comes without brackets.
    """

    name: str
    content_type: str
    size: int
    path: str
    inline: bool = False
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class PartInfo:
    """One MIME part: its place, type, and where its header and body stand in the raw bytes."""

    path: str
    content_type: str
    parameters: dict[str, str]
    disposition: str
    file_name: str
    encoding: str
    content_id: str
    head: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A letter read: decoded header fields, the best visible text, the HTML, and the files."""

    headers: Headers
    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    subject: str = ""
    from_: tuple[Address, ...] = ()
    sender: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    date: datetime | None = None
    return_path: str | None = None
    text: str = ""
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    parts: tuple[PartInfo, ...] = ()
    defects: tuple[str, ...] = field(default=())
    text_from_html: bool = False
    charset: str = "us-ascii"
    truncated: bool = False
