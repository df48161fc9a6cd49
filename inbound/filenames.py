"""Labels of attachments: what may be shown of a foreign file name, which never names a file of ours."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from typing import Final

from inbound import limits

_RESERVED: Final = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)
_FORBIDDEN: Final = re.compile(r'[<>:"|?*\x00-\x1f]')
_SPACES: Final = re.compile(r"\s+")
NAMELESS: Final = "attachment"


def label(written: str) -> str:
    """`written` as one harmless line: no path, no control, invisible or direction characters, never empty."""
    name = unicodedata.normalize("NFKC", written[:2000])
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C" or letter in "\t\r\n")
    name = name.replace("\\", "/").rpartition("/")[2]
    name = _FORBIDDEN.sub("_", _SPACES.sub(" ", name)).strip(" .")
    if not name or not name.strip("._ "):
        return NAMELESS
    if _RESERVED.match(name):
        name = f"_{name}"
    if len(name) > limits.FILE_NAME_CHARS:
        stem, dot, ending = name.rpartition(".")
        if dot and len(ending) <= 10:
            name = stem[: limits.FILE_NAME_CHARS - len(ending) - 1] + dot + ending
        else:
            name = name[: limits.FILE_NAME_CHARS]
    return name


def type_of(name: str) -> str:
    """The media type a name suggests."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def ending_of(content_type: str) -> str:
    """The usual ending of a media type, with its dot."""
    if content_type == "application/octet-stream":
        return ".bin"
    return mimetypes.guess_extension(content_type) or ".bin"
