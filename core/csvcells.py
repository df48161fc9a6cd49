"""Cells of a CSV file that no spreadsheet takes for a formula (OWASP, CSV injection)."""

from __future__ import annotations

import unicodedata

_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def safe(cell: str) -> str:
    """The text as a cell: where it could begin a formula, an apostrophe stands before it.

    Full-width forms (``＝``) count as what they look like, and so does a formula after blanks or invisible
    characters. Quoting alone does not help: spreadsheets take the quotes off first.
    """
    cell = cell.replace("\0", "")
    seen = "".join(
        one for one in unicodedata.normalize("NFKC", cell[:50]) if unicodedata.category(one) != "Cf"
    )
    return f"'{cell}" if cell[:1] in _BEGINS or seen.lstrip(" ")[:1] in _BEGINS else cell
