"""HTML of a mail made from its plain text, for templates that have no body.html of their own."""

from __future__ import annotations

import re

from markupsafe import escape

from templates.placeholders import PLACEHOLDERS, Type

_TAG_LINE = re.compile(r"\s*(?:\{%.*?%\}\s*)+")
_WORD = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|https://[^\s<>{}]+[^\s<>{}.,;:!?)])")
_FOR = re.compile(r"\s*\{%\s*for\s[^%]*%\}\s*")
_ENDFOR = re.compile(r"\s*\{%\s*endfor\s*%\}\s*")
_NAMED = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def html_of_text(source: str) -> str:
    """The source of body.html for the source of a body.txt.

    Blocks divided by an empty line become paragraphs, lines that begin with ``- `` become a list,
    placeholders that are addresses become links. A line that holds only tags (``{% if … %}``) stands
    between paragraphs; a condition inside a sentence stays on its line. The source must have passed
    `grammar.check` before.
    """
    lines = source.split("\n")
    out: list[str] = []
    paragraph: list[str] = []
    at = 0
    while at < len(lines):
        entries, after = _list_at(lines, at)
        line = lines[at].strip()
        alone = _NAMED.fullmatch(line)
        written = alone is not None and _type(alone[1]) is Type.PARAGRAPHS
        stands_apart = bool(entries) or not line or written or _TAG_LINE.fullmatch(line) is not None
        if stands_apart and paragraph:
            out.append("<p>" + "<br>\n".join(paragraph) + "</p>")
            paragraph = []
        if entries:
            out.append("<ul>\n" + "\n".join(entries) + "\n</ul>")
        elif alone and written:
            out.append("{{ " + alone[1] + " | paragraphs }}")
        elif stands_apart and line:
            out.append(line)
        elif line:
            paragraph.append(_inline(line))
        at = after if entries else at + 1
    if paragraph:
        out.append("<p>" + "<br>\n".join(paragraph) + "</p>")
    return "\n".join(out) + "\n"


def _list_at(lines: list[str], at: int) -> tuple[list[str], int]:
    """The list items that begin at a line, single ones or a loop of them, and the line after the last."""
    entries: list[str] = []
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end].lstrip().startswith("- "):
            end += 1
        if end > at:
            entries.extend(_item(line) for line in lines[at:end])
            at = end
            continue
        if not _FOR.fullmatch(lines[at]):
            break
        end = at + 1
        while end < len(lines) and lines[end].lstrip().startswith("- "):
            end += 1
        if end == at + 1 or end == len(lines) or not _ENDFOR.fullmatch(lines[end]):
            break
        entries += [lines[at].strip(), *(_item(line) for line in lines[at + 1 : end]), lines[end].strip()]
        at = end + 1
    return entries, at


def _item(line: str) -> str:
    return f"<li>{_inline(line.strip()[2:])}</li>"


def _type(path: str) -> Type | None:
    return PLACEHOLDERS[path].type if path in PLACEHOLDERS else None


def _inline(text: str) -> str:
    pieces: list[str] = []
    for piece in _WORD.split(text):
        named = _NAMED.fullmatch(piece)
        if named and _type(named[1]) is Type.URL:
            pieces.append(f'<a href="{piece}">{piece}</a>')
        elif piece.startswith(("{{", "{%")):
            pieces.append(piece)
        elif piece.startswith("https://"):
            address = escape(piece)
            pieces.append(f'<a href="{address}">{address}</a>')
        else:
            pieces.append(str(escape(piece)))
    return "".join(pieces)
