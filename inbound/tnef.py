"""winmail.dat (MS-OXTNEF): the text and the files that Outlook hides in it."""

from __future__ import annotations

import contextlib
import warnings
from typing import Final, NamedTuple

from inbound import charsets, filenames

MAX_BYTES: Final = 20 * 1024 * 1024


class TnefFile(NamedTuple):
    """One file inside."""

    name: str
    data: bytes


class Tnef(NamedTuple):
    """What is inside: plain text, HTML, and the files."""

    text: str
    html: str
    files: tuple[TnefFile, ...]


def is_tnef(content_type: str, name: str) -> bool:
    """True for a part that is such a wrapper."""
    return content_type in {"application/ms-tnef", "application/vnd.ms-tnef"} or name.lower() == "winmail.dat"


def read(data: bytes) -> Tnef | None:
    """Unpack it; None where it cannot be read or is too large."""
    if len(data) > MAX_BYTES or data[:4] != b"\x78\x9f\x3e\x22":
        return None
    from tnefparse import TNEF

    # The reader raises whatever its bytes lead it into; a broken wrapper stays an ordinary attachment.
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        wrapper = TNEF(data, do_checksum=False)
        files = tuple(
            TnefFile(filenames.label(_text(one.long_filename() or one.name)), bytes(one.data or b""))
            for one in wrapper.attachments[:500]
        )
        return Tnef(_text(getattr(wrapper, "body", "")), _text(getattr(wrapper, "htmlbody", "")), files)
    return None


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = charsets.decode(value).text
    return str(value or "").replace("\0", "").replace("\r\n", "\n").strip()
