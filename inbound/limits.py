"""The bounds on one incoming letter; beyond each the letter is read in part and says so, never refused."""

from __future__ import annotations

from typing import Final

MAIL_BYTES: Final = 50 * 1024 * 1024
"""A letter in a file above this is marked as read in part."""

HEADER_BYTES: Final = 256 * 1024
"""All header fields of one part together."""

HEADER_COUNT: Final = 1000
"""Header fields of one part."""

FIELD_BYTES: Final = 100 * 1024
"""One raw header field."""

FIELD_CHARS: Final = 16 * 1024
"""One decoded header field."""

ENCODED_WORDS: Final = 200
"""Encoded words (RFC 2047) decoded in one field; the rest stays as written."""

ADDRESSES: Final = 1000
"""Addresses read from one field."""

REFERENCES: Final = 100
"""Message ids kept from one References field: the first and the last ones."""

MESSAGE_ID_CHARS: Final = 995
"""A longer message id is not an id (RFC 5322 §2.1.1 allows lines of 998)."""

PARAMETERS: Final = 100
"""Parameters read from one Content-Type or Content-Disposition."""

NESTING: Final = 50
"""MIME parts inside parts."""

PARTS: Final = 500
"""MIME parts of one letter."""

TEXT_CHARS: Final = 1_000_000
"""Characters of visible text understood; the raw letter keeps the rest."""

HTML_CHARS: Final = 1_000_000
"""Characters of HTML read."""

HTML_DEPTH: Final = 256
"""Open HTML elements followed; deeper ones are read as if they were siblings."""

HTML_TAGS: Final = 60_000
"""HTML tags read in one part."""

QUOTE_LINES: Final = 20_000
"""Lines looked at when the new part of a letter is told from the old."""

FILE_NAME_CHARS: Final = 150
"""The label of an attachment."""

CALENDAR_BYTES: Final = 512 * 1024
"""A calendar part."""
