"""Files that came with a form: their names and bytes, within the bounds of a table or of a letter."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.datastructures import UploadFile
from litestar.di import NamedDependency

from core.errors import InputRefused
from core.limits import LETTER_FILES, LETTER_FILES_BYTES
from core.tabular import MOST_BYTES
from desk.given import Filled
from desk.render import PageRequest

BODY_LIMIT = MOST_BYTES + 100_000
"""Bytes of a request that brings a file: the file and what stands around it."""
ENCLOSED_LIMIT = LETTER_FILES_BYTES + 1_000_000
"""Bytes of a request that brings the files of a letter, and the letter."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file."""

    name: str
    data: bytes
    content_type: str = ""


async def uploaded(request: PageRequest, form: Filled) -> Upload:
    """The file in the field ``file``. Raises InputRefused where none was chosen.

    It waits for ``form``: two that read one body at once would wait for ever.
    """
    del form
    given = (await request.form()).get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        raise InputRefused("Choose a file first.")
    return await _read(given)


async def _read(given: UploadFile) -> Upload:
    # A name is only shown; whatever path stands in it says nothing to us.
    name = given.filename.replace("\\", "/").rpartition("/")[2]
    return Upload(name, await given.read(), given.content_type or "")


async def enclosed(request: PageRequest, form: Filled) -> list[Upload]:
    """The files of a letter, in the field ``attach``; one more than it may bring is enough to refuse.

    It waits for ``form``: two that read one body at once would wait for ever.
    """
    del form
    given = [one for _, one in (await request.form()).multi_items() if isinstance(one, UploadFile)]
    return [await _read(one) for one in given if one.filename][: LETTER_FILES + 1]


Enclosed = NamedDependency[list[Upload]]
"""The files that came with a letter."""

Uploaded = NamedDependency[Upload]
"""The file that came with the form."""
