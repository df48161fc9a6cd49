"""Forms: what was written into them, checked, with faults a person can read; and one-time keys."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from core.errors import InputRefused
from desk.render import PageRequest

LONGEST_TEXT = 200_000
"""Characters of one field."""


@dataclass(slots=True)
class Form:
    """The fields of a form as text, and what is wrong with them."""

    fields: Mapping[str, str]
    faults: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str:
        """A field's text with line ends as in Python; empty when absent. InputRefused when too long."""
        value = self.fields.get(name, "").replace("\r\n", "\n").replace("\0", "")
        if len(value) > longest:
            raise InputRefused(f"The field {name} is too long.", cure=f"At most {longest} characters.")
        return value

    def line(self, name: str, *, longest: int = 500) -> str:
        """A field's text as one line, without spaces at its ends."""
        return " ".join(self.text(name, longest=longest).split())

    def number(self, name: str) -> int | None:
        """A field that holds an id; None when it is empty. Raises InputRefused for anything else."""
        value = self.line(name, longest=20)
        if not value:
            return None
        if not value.isdecimal() or not value.isascii() or len(value) > 18:
            raise InputRefused(f"The field {name} must be a number.")
        return int(value)

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.fields.get(name))


async def form_of(request: PageRequest) -> Form:
    """Read the form that came with a request; of a field sent twice the last counts, files are left out."""
    given = await request.form()
    return Form({name: value for name, value in given.multi_items() if isinstance(value, str)})


def one_time_key() -> str:
    """A key for a form, so that sending it twice does its work once."""
    return secrets.token_urlsafe(12)


def own_place(place: str | None, otherwise: str) -> str:
    """A place on this desk to go to, from a request; `otherwise` when it leads elsewhere."""
    if not place or len(place) > 2000 or not place.startswith("/") or place.startswith(("//", "/\\")):
        return otherwise
    parts = urlsplit(place)
    if parts.scheme or parts.netloc or any(ord(character) < 33 or character == "\\" for character in place):
        return otherwise
    return place
