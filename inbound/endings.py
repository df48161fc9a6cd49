"""The end of what a person wrote: signature, device line, legal notice; and the warning banner above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from inbound.htmltext import Line
from inbound.signwords import (
    BANNER,
    BANNER_HINTS,
    COMPANY,
    DETAIL,
    DEVICE_HINTS,
    GOODBYE,
    NOTICE,
    NOTICE_HINTS,
    POSITION,
    is_device,
)

SIGNATURE: Final = 2
NOTICE_ROLE: Final = 3
REPLY: Final = 0

_DASHES: Final = re.compile(r"^(?:--|—|––|—-|-- )\s*$")
_ONLY_MARKS: Final = re.compile(r"^[\s\-‐–—_=~*#+ᐧ.]*$")
_LINE_READ: Final = 160
_GOODBYE: Final = 90
"""Characters; a longer line that says goodbye holds a telephone or an address too, or is a sentence."""
_MAX_SIGNATURE: Final = 18
"""Lines; something longer after two dashes is a letter and not a signature."""


def mark(lines: Sequence[Line], roles: list[int], start: int, end: int) -> None:
    """Give the lines from `start` up to `end`, all of them the sender's own, their roles."""
    end = _trim(lines, start, end)
    if start == end:
        return
    _notices(lines, roles, start, end)
    filled = [place for place in range(start, end) if roles[place] == REPLY and lines[place].text.strip()]
    if not filled:
        return
    stop = filled[-1] + 1
    begin = _signature_start(lines, roles, filled)
    begin = stop if begin is None else begin
    while begin > start and _ONLY_MARKS.match(lines[begin - 1].text):
        begin -= 1
    for place in range(begin, end):
        if roles[place] == REPLY:
            roles[place] = SIGNATURE


def _trim(lines: Sequence[Line], start: int, end: int) -> int:
    while end > start and not lines[end - 1].text.strip():
        end -= 1
    return end


def _notices(lines: Sequence[Line], roles: list[int], start: int, end: int) -> None:
    """Paragraph by paragraph: a banner at the top, notices anywhere but in a paragraph that says more."""
    whole = " ".join([line.text.strip() for line in lines[start:end]]).lower()
    hints = [hint for hint in NOTICE_HINTS if hint in whole]
    banner = any(hint in whole for hint in BANNER_HINTS)
    if not hints and not banner:
        return
    for number, (first, last) in enumerate(_paragraphs(lines, start, end)):
        if roles[first] != REPLY or (number >= 2 and not hints):
            continue
        text = " ".join(lines[place].text.strip() for place in range(first, last))[:3000]
        if len(text) < 20:
            continue
        if _is_notice(text, hints, at_top=number < 2):
            first = _notice_start(lines, first, last)
            for place in range(first, last):
                roles[place] = NOTICE_ROLE


def _is_notice(text: str, hints: Sequence[str], *, at_top: bool) -> bool:
    folded = text.lower()
    if at_top and any(hint in folded[:200] for hint in BANNER_HINTS) and BANNER.match(text):
        return True
    return any(hint in folded for hint in hints) and NOTICE.search(text) is not None


def _notice_start(lines: Sequence[Line], first: int, last: int) -> int:
    """Past the lines of a signature that stand in one paragraph with the notice."""
    for place in range(last - 1, first, -1):
        before = lines[place - 1].text
        if len(before) < 60 and (DETAIL.search(before) or COMPANY.search(before) or is_device(before)):
            return place
    return first


def _paragraphs(lines: Sequence[Line], start: int, end: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    first = -1
    for place in range(start, end):
        if lines[place].text.strip():
            if first < 0:
                first = place
        elif first >= 0:
            found.append((first, place))
            first = -1
    if first >= 0:
        found.append((first, end))
    return found


def _signature_start(lines: Sequence[Line], roles: list[int], filled: list[int]) -> int | None:
    tail = filled[-_MAX_SIGNATURE:]
    folded = "\n".join([lines[place].text for place in tail]).lower()
    device = any(hint in folded for hint in DEVICE_HINTS)
    for place in tail:
        text = lines[place].text
        if _DASHES.match(text) or (device and is_device(text) and not text.rstrip().endswith(":")):
            return place
    goodbye = next((place for place in reversed(tail) if _says_goodbye(lines[place].text)), None)
    if goodbye is not None:
        after = [lines[place].text for place in tail if place > goodbye]
        told = any(_is_detail(text) for text in after)
        if (told or DETAIL.search(lines[goodbye].text)) and all(len(text) < 140 for text in after):
            return goodbye
        return None
    return _bare_block(lines, filled)


def _says_goodbye(text: str) -> bool:
    match = GOODBYE.match(text) if len(text) < 160 else None
    return match is not None and (len(text) < _GOODBYE or DETAIL.search(match["rest"]) is not None)


def _is_detail(text: str) -> bool:
    text = text[:_LINE_READ]
    return (
        DETAIL.search(text) is not None
        or COMPANY.search(text) is not None
        or (len(text) < 70 and POSITION.search(text) is not None)
    )


def _bare_block(lines: Sequence[Line], filled: list[int]) -> int | None:
    """The last paragraph, where it is short lines with two phones, addresses or firms, and a name on top."""
    last = filled[-1]
    first = last
    while first - 1 >= filled[0] and lines[first - 1].text.strip():
        first -= 1
    if first == filled[0] or not 2 <= last - first + 1 <= 10:
        return None
    block = [lines[place].text[:_LINE_READ].strip() for place in range(first, last + 1)]
    strong = sum(1 for text in block if DETAIL.search(text) or COMPANY.search(text))
    if strong < 2 or any(len(text) > 90 for text in block) or not _named_on_top(block):
        return None
    return first


def _named_on_top(block: list[str]) -> bool:
    """A name first, or below the writer's position."""
    below = POSITION.search(block[0]) is not None and any(_like_name(text) for text in block[1:4])
    return _like_name(block[0]) or below


def _like_name(text: str) -> bool:
    words = text.strip(" ,.").split()
    return (
        1 <= len(words) <= 4 and all(word[0].isupper() for word in words) and not any(map(str.isdigit, text))
    )
