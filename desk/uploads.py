"""A file that came with a form: its name and bytes, within the bounds of a table."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.datastructures import UploadFile
from litestar.di import NamedDependency

from core.errors import InputRefused
from core.tabular import MOST_BYTES
from desk.render import PageRequest

BODY_LIMIT = MOST_BYTES + 100_000
"""Bytes of a request that brings a file: the file and what stands around it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One file."""

    name: str
    data: bytes


async def uploaded(request: PageRequest) -> Upload:
    """The file in the field ``file``. Raises InputRefused where none was chosen."""
    given = (await request.form()).get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        raise InputRefused("Choose a file first.")
    # A name is only shown; whatever path stands in it says nothing to us.
    name = given.filename.replace("\\", "/").rpartition("/")[2]
    return Upload(name, await given.read())


Uploaded = NamedDependency[Upload]
"""The file that came with the form."""
