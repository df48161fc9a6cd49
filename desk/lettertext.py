"""A mail file as the classifier sees it on the command line: read as the intake reads it, each bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifier.text import Text

CPU_SECONDS = 5.0


def letter_text(content: bytes) -> Text:
    """Subject and what was newly written, also of a letter in HTML only; where that cannot be read, its first
    plain part."""
    from classifier.supply import simple_letter
    from classifier.text import Text
    from core.errors import FrontdeskError
    from desk.commands.parse import bounded
    from inbound.readers import ReadersHere

    try:
        with bounded(CPU_SECONDS):
            reading = ReadersHere().read_many([content], frozenset())[0]
    except FrontdeskError:
        return simple_letter(content)
    if isinstance(reading, FrontdeskError):
        return simple_letter(content)
    return Text(reading.subject, reading.written, "email", reading.language)
