"""Signed links by which a client downloads a file, and the lines of a letter that offer them.

A link names 128 random bits that stand in the database beside the file, the letter and the recipient, so it
can expire and be revoked; the signature keeps guesses away from the database. The lines stand before the
signature of the letter, in its language.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import itsdangerous
from itsdangerous.encoding import base64_decode, base64_encode

from core.errors import InputRefused
from core.fileasks import INTRO, LINE
from core.i18n import texts
from templates.composition import words
from templates.rendered import RenderedEmail

PATH = "/d/"
"""Under `company.public_url`; what follows it is the token."""
LONGEST = 200
"""Characters of a token that are looked at."""

_PURPOSE = "frontdesk.download"


class BadFileLink(InputRefused):
    """The link is not one of ours, or a part of it is missing."""

    cure = "Open it from the letter again, or answer the letter and ask for the file."


class FileLinks:
    """Makes and reads the links; ``key`` is the settings' signing key."""

    def __init__(self, key: str, public_url: str, zone: ZoneInfo) -> None:
        self._signer = itsdangerous.Signer(key, salt=_PURPOSE, sep=b".")
        self._base = public_url.rstrip("/") + PATH
        self._zone = zone

    def link(self, key: str) -> str:
        """The link of a key in hexadecimal."""
        return self._base + self.token(key)

    def token(self, key: str) -> str:
        """What stands in the link after `PATH`."""
        return self._signer.sign(base64_encode(bytes.fromhex(key))).decode()

    def read(self, token: str) -> str:
        """The key of a token. Raises BadFileLink for any that we did not sign."""
        try:
            return base64_decode(self._signer.unsign(token[:LONGEST])).hex()
        except (itsdangerous.BadData, ValueError) as error:
            raise BadFileLink from error

    def offered(self, rendered: RenderedEmail, files: Sequence[Mapping[str, Any]]) -> RenderedEmail:
        """A letter with the links to the files it brings, before its signature; as it was without any."""
        if not files:
            return rendered
        language = texts(rendered.language, str(self._zone))
        intro = language.gettext(INTRO[min(len(files), 2)])
        lines = [
            (
                language.gettext(
                    LINE,
                    name=one["name"],
                    size=language.size(one["size"]),
                    day=language.day(datetime.fromisoformat(one["until"]).astimezone(self._zone).date()),
                ),
                self.link(one["key"]),
            )
            for one in files
        ]
        text = "\n\n".join([intro, *(f"{line}\n{link}" for line, link in lines)])
        html = "".join(f'<li><a href="{escape(link)}">{escape(line)}</a></li>' for line, link in lines)
        return dataclasses.replace(
            rendered,
            text=_before(rendered.text, f"\n{words(rendered.language)['regards']}\n", f"\n{text}\n"),
            html=_before(
                rendered.html, '<div class="signature"', f"<div><p>{escape(intro)}</p><ul>{html}</ul></div>\n"
            ),
        )

    def in_text(self, text: str, files: Sequence[Mapping[str, Any]]) -> str:
        """An SMS with the links to the files it brings, each on its own line; of several each is named."""
        named = len(files) > 1
        lines = [
            f"{one['name']}: {self.link(one['key'])}" if named else self.link(one["key"]) for one in files
        ]
        return "\n".join([text, *lines])


def _before(whole: str, mark: str, added: str) -> str:
    """A text with something more before the last mark, at its end where there is none."""
    if not whole:
        return whole
    head, found, tail = whole.rpartition(mark)
    return head + added + found + tail if found else whole.rstrip() + "\n" + added
