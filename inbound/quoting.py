"""What is new in a letter: the reply apart from quoted history, signature, notices and forwarded mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from inbound import endings, htmltext, limits, quotemarks
from inbound.htmltext import Line


@dataclass(frozen=True, slots=True)
class Split:
    """A letter's text taken apart; the whole text is always kept beside it.

    `reply` is what the sender wrote now: answers between quoted questions are all there, one after another,
    and `context` then holds them with the questions. `forward` is what a separator names as forwarded.
    `reason` says what old mail was told by.
    """

    reply: str
    quoted: str = ""
    signature: str = ""
    disclaimer: str = ""
    forward: str = ""
    context: str = ""
    reason: str = ""


class Role(IntEnum):
    """What one line of a letter is."""

    REPLY = 0
    QUOTED = 1
    SIGNATURE = 2
    NOTICE = 3
    FORWARD = 4


_LONG_LINE: Final = 55
"""A quoted line this long may have been wrapped, so that its end lost its mark."""


def split(text: str, html: str | None = None) -> Split:
    """Tell the new part of a letter from the old.

    `text` is the plain text. Where it has no trace of old mail, the HTML is asked, whose markup often says
    where the quotation begins. With an empty `text` only the HTML counts.
    """
    if html is not None and (not text.strip() or htmltext.may_mark(html)):
        rendered = htmltext.render(html)
        if not text.strip() or text == rendered.text:
            return split_lines(rendered.lines)
        plain = split_lines(quotemarks.plain_lines(text))
        if not rendered.marked or plain.forward or plain.context:
            return plain
        marked = split_lines(rendered.lines)
        return marked if not plain.quoted or _knows_more(marked, plain) else plain
    return split_lines(quotemarks.plain_lines(text))


def _knows_more(marked: Split, plain: Split) -> bool:
    """Whether the markup calls old what the words alone took for the end of the reply."""
    if marked.context or not marked.reply or len(marked.reply) >= len(plain.reply):
        return False
    shorter, longer = " ".join(marked.reply.split()), " ".join(plain.reply.split())
    rest = longer.removeprefix(shorter).strip(" >")
    old = " ".join(marked.quoted.replace("> ", "").split())
    return longer.startswith(shorter) and rest != "" and rest[:40] in old


def split_lines(lines: Sequence[Line]) -> Split:
    """Tell the lines of a letter apart, each with its depth of quotation and mark."""
    lines = lines[: limits.QUOTE_LINES]
    roles, reason = _old_and_new(lines)
    _wrapped_remnants(lines, roles)
    for start, end in _runs(lines, roles):
        endings.mark(lines, roles, start, end)
    return _assemble(lines, roles, reason)


def _old_and_new(lines: Sequence[Line]) -> tuple[list[int], str]:
    total = len(lines)
    last = total - 1
    roles = [int(Role.REPLY)] * total
    colons = [quotemarks.ends_attribution(line.text) if line.text else False for line in lines]
    reason = ""
    place = 0
    while place < total:
        line = lines[place]
        if line.mark == "cut" and not line.depth:
            return _rest(roles, place, Role.QUOTED), reason or "the mail program marks the rest as old"
        if line.depth or line.mark in {"quote", "header"}:
            roles[place] = Role.QUOTED
            reason = reason or "quotation marks at the lines"
            place += 1
            continue
        if line.mark == "signature":
            roles[place] = Role.SIGNATURE
            place += 1
            continue
        if not line.text.strip():
            place += 1
            continue
        near = colons[place] or any(colons[place + 1 : place + 4])
        found = quotemarks.find(lines, place, last, colon_within=near)
        if found is None:
            place += 1
            continue
        reason = reason or found.reason
        old = Role.FORWARD if found.kind == "forwarded" else Role.QUOTED
        for position in range(found.start, found.end):
            roles[position] = old
        following = _next_filled(lines, found.end)
        if following is None or not _quoted(lines[following]):
            end = _closing(lines, found.end) if old is Role.FORWARD else total
            return _rest(roles, found.end, old, end), reason
        place = found.end
        if old is Role.FORWARD:
            while place < total and (_quoted(lines[place]) or not lines[place].text.strip()):
                roles[place] = old
                place += 1
    return roles, reason


def _rest(roles: list[int], start: int, role: Role, end: int | None = None) -> list[int]:
    for position in range(start, len(roles) if end is None else end):
        roles[position] = role
    return roles


def _closing(lines: Sequence[Line], start: int) -> int:
    """Past the line that ends a forwarded letter; the end of all lines where there is none."""
    for position in range(start, len(lines)):
        if lines[position].text and quotemarks.ends_separator(lines[position].text):
            return position + 1
    return len(lines)


def _quoted(line: Line) -> bool:
    return line.depth > 0 or line.mark == "quote"


def _next_filled(lines: Sequence[Line], place: int) -> int | None:
    for position in range(place, min(place + 6, len(lines))):
        if lines[position].text.strip():
            return position
    return None


def _wrapped_remnants(lines: Sequence[Line], roles: list[int]) -> None:
    """A line without its mark, wrapped off the long quoted line before it, is old too."""
    for place in range(1, len(lines) - 1):
        if (
            roles[place] == Role.REPLY
            and lines[place - 1].depth
            and lines[place + 1].depth
            and len(lines[place - 1].text) >= _LONG_LINE
            and lines[place - 1].text[-1:] not in ".!?:;"
            and lines[place].text[:1].islower()
        ):
            roles[place] = Role.QUOTED


def _runs(lines: Sequence[Line], roles: list[int]) -> list[tuple[int, int]]:
    """Stretches of the sender's own lines between old mail."""
    runs: list[tuple[int, int]] = []
    start = -1
    for place, role in enumerate(roles):
        own = role in (Role.REPLY, Role.SIGNATURE)
        if own and start < 0:
            start = place
        elif not own and start >= 0:
            runs.append((start, place))
            start = -1
    if start >= 0:
        runs.append((start, len(roles)))
    return [run for run in runs if any(lines[place].text.strip() for place in range(*run))]


def _assemble(lines: Sequence[Line], roles: list[int], reason: str) -> Split:
    texts: dict[int, list[str]] = {role: [] for role in Role}
    before = -1
    pieces = 0
    for line, role in zip(lines, roles, strict=True):
        rows = texts[role]
        if role != before and rows and role == Role.REPLY:
            rows.append("")
        if role == Role.REPLY and role != before and line.text.strip():
            pieces += 1
        rows.append("> " * line.depth + line.text if line.depth else line.text)
        before = role
    reply = _tidy(texts[Role.REPLY])
    quoted = _tidy(texts[Role.QUOTED])
    context = ""
    if pieces > 1 and reply and quoted:
        context = _tidy(
            ["> " * line.depth + line.text if line.depth else line.text
             for line, role in zip(lines, roles, strict=True) if role in (Role.REPLY, Role.QUOTED)]
        )  # fmt: skip
    return Split(
        reply,
        quoted,
        _tidy(texts[Role.SIGNATURE]),
        _tidy(texts[Role.NOTICE]),
        _tidy(texts[Role.FORWARD]),
        context,
        reason,
    )


def _tidy(rows: list[str]) -> str:
    """Joined, with at most one empty line in a row and none around."""
    kept: list[str] = []
    for row in rows:
        if row.strip() or (kept and kept[-1]):
            kept.append(row if row.strip() else "")
    while kept and not kept[-1]:
        kept.pop()
    return "\n".join(kept).strip("\n")
