"""Where old mail begins: the line that introduces a quotation, the block of header labels, the separator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from inbound.htmltext import Line
from inbound.quotewords import FORWARDED, LABELS, MONTHS, ORIGINAL, SAID_FORWARDED, VERB_WORDS, VERBS


class Boundary(NamedTuple):
    """Lines `start` up to but not including `end` introduce old mail; `kind` says how.

    `attribution`: one sentence such as `On … X wrote:`; `header`: a block of labels; `original` and
    `forwarded`: a separator phrase, with the labels that follow it.
    """

    kind: str
    start: int
    end: int
    reason: str


_QUOTE_PREFIX: Final = re.compile(r"[ \t]{0,3}((?:[>›][ \t]?)+)")
_INITIALS: Final = re.compile(r"[ \t]{0,2}([A-ZА-ЯЁĄČĘĖĮŠŲŪŽ][A-ZА-ЯЁĄČĘĖĮŠŲŪŽ]{0,3})(>{1,6})(?:[ \t]|$)")
_NAMED: Final = re.compile(r"([A-ZА-ЯЁ][a-zа-яё]{2,14})(>{1,4})[ \t]")
_INVISIBLE: Final = re.compile("[\u200b\u200c\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]+")

_VERB: Final = re.compile(rf"(?<!\w)(?:{VERBS})(?!\w)", re.IGNORECASE)
_BRACKETED: Final = re.compile(
    r"<[^<>\s]*@[^<>\s]+>|\([^()\s]+@[^()\s]+\)|\[[^\[\]\s]*@[^\[\]\s]+\]|<[^<>\s@]+@[^<>\s]+\s*>"
)
_TIME: Final = re.compile(r"\b\d{1,2}[:.h]\d{2}\b|\b\d{1,2}\s?(?:am|pm|val)\b", re.IGNORECASE)
_DATE: Final = re.compile(
    rf"\b\d{{1,4}}\s?[./-]\s?\d{{1,2}}\s?[./-]\s?\d{{2,4}}\b|\b\d{{1,2}}(?:st|nd|rd|th|\.|,)?\s(?:de\s|of\s)?(?:{MONTHS})"
    rf"|\b(?:{MONTHS})[^\W\d_]*\.?\s\d{{1,2}}(?!\d)|\d{{4}}年",
    re.IGNORECASE,
)
_START: Final = re.compile(
    r"[-–—*_\s|]*(?:\d|вы писали|вы пишете|jūs rašėte|jus rasete|you wrote|w dniu\s|il giorno\s"
    r"|(?:on|at|am|le|el|il|em|op|den|dne|dňa|dana|a|у|в|у)\s+\S"
    r"|(?:вс|пн|вт|ср|чт|пт|сб|пир|воскрес|понедел|вторник|среда|сред|четверг|пятниц|суббот|mon|tue"
    r"|wed|thu|fri|sat|sun"
    r"|pirmad|antrad|trečiad|ketvirtad|penktad|šeštad|sekmad|pr|an|tr|kt|pn|št|sk|lun|mar|mer|mier"
    r"|jeu|ven|sam|dim|mié"
    r"|jue|vie|sáb|dom|mo|di|mi|do|fr|sa|so|seg|ter|qua|qui|sex|ons|tors|lör|søn|lør|ma|ke|to|pe|la"
    r"|su|po|út|st|čt|pá"
    rf"|štv|śr|czw|pt|niedz|{MONTHS})[^\W\d_]{{0,12}}[.,]?\s+[^\s]{{0,12}}\s?\d)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(r"[ \t>*_|]*([^\W\d_][^:：\n<>@\[\]\"]{0,28}?)[ \t*_]*[:：][*_]*[ \t]*(.*)$")
_BETWEEN_DASHES: Final = re.compile(
    # Nothing is given back: a long run of dashes or blanks would else be tried at each of its places.
    r"^[ \t>*]*+[-‐–—_=~]{2,}+\s*+(?:\*\s*+)?([^-‐–—_=~].{3,70}?)\s*(?:[-‐–—_=~]{2,}|$)\**"
)
_RULE: Final = re.compile(r"^[ \t>]*[-‐–—_=~*]{4,}[ \t]*$")
_RULE_MARKS: Final = frozenset("-‐–—_=~*>")
_MAILTO: Final = re.compile(r"\s*<\s*mailto:\s*[^<>]{1,200}>", re.IGNORECASE)
_MULTI_MAILTO: Final = re.compile(
    r"\n{1,3}[ \t]{0,8}<[ \t]{0,8}\n{1,3}[ \t]{0,8}mailto:([^<>\n]{1,120}<[^<>\n]{1,120}>)"
    r"[ \t]{0,8}\n{1,3}[ \t]{0,8}>"
)

_BROKEN_ADDRESS: Final = re.compile(
    r"<[ \t]{0,8}\n?[ \t]{0,8}([^\s<>]{1,100}@[^\s<>]{1,100})[ \t]{0,8}\n?[ \t]{0,8}>[ \t]{0,8}:"
)


_NAME_FIRST: Final = re.compile(
    rf"(?:[^\W\d_][\w.’'-]{{0,30}}\s+){{1,4}}<[^<>\s@]+@[^<>\s]+>\s+(?:{VERBS})(?!\w)", re.IGNORECASE
)
"""`Olga Smirnova <olga@x.example> wrote`, at once, so that the sentence may go on in the next line."""

_SENTENCE: Final = 600
"""Characters; no program introduces a quotation with a longer sentence."""


@lru_cache(maxsize=2)
def plain_lines(text: str) -> tuple[Line, ...]:
    """The lines of a plain text with their depth of quotation: by `>` and by initials as in `ИП>`.

    The last text is remembered, because those who look for a reply and for a forwarded letter both ask.
    """
    if "mailto:" in text:
        text = _MULTI_MAILTO.sub(r" \1 ", text)
    if "<\n" in text or "\n>:" in text:
        text = _BROKEN_ADDRESS.sub(r"<\1>:", text)
    lines: list[Line] = []
    for raw in text.split("\n"):
        line = raw
        if not line.isascii():
            line = _INVISIBLE.sub("", line).replace("\xa0", " ")
        head = line[:12]
        if ">" in head or "›" in head:
            match = _QUOTE_PREFIX.match(line)
            if match:
                depth = match[1].count(">") + match[1].count("›")
                lines.append(Line(line[match.end() :].rstrip(), depth))
                continue
            match = _INITIALS.match(line)
            if match:
                lines.append(Line(line[match.end() :].rstrip(), len(match[2])))
                continue
        if ">" in line[:22]:
            match = _NAMED.match(line)
            if match and _follows_attribution(lines):
                lines.append(Line(line[match.end() :].rstrip(), len(match[2])))
                continue
        lines.append(Line(line.rstrip()))
    return tuple(lines)


def _follows_attribution(lines: list[Line]) -> bool:
    for line in reversed(lines[-3:]):
        if line.text:
            return line.depth > 0 or line.text.endswith(":")
    return False


def label_of(text: str) -> tuple[str, str] | None:
    """The role and the value of a header label line (`От: Иван`), or None."""
    if ":" not in text[:40] and "：" not in text[:40]:
        return None
    match = _LABEL.match(text)
    if match is None:
        return None
    role = LABELS.get(match[1].strip(" *_").casefold())
    return (role, match[2].strip(" *_")) if role else None


def find(lines: Sequence[Line], place: int, last: int, *, colon_within: bool) -> Boundary | None:
    """What begins at line `place`, if old mail begins there; looks no further than line `last`.

    `colon_within` says that one of the next lines can end an attribution, which saves most of the work.
    """
    text = lines[place].text
    marker = separator(text)
    if marker is not None:
        return _after_separator(lines, place, last, marker)
    if text.lstrip()[:1] in _RULE_MARKS and _RULE.match(text):
        following = _next_filled(lines, place + 1, last)
        if following is not None and following - place <= 3:
            block = header_block(lines, following, last, after_rule=True)
            if block is not None:
                return Boundary("header", place, block.end, "a rule and header labels")
            again = separator(lines[following].text)
            if again is not None:
                return _after_separator(lines, following, last, again)._replace(start=place)
            named = _addressees(lines, following, last)
            if named is not None:
                return named._replace(start=place)
        return None
    block = header_block(lines, place, last) or _addressees(lines, place, last)
    if block is not None:
        return block
    return attribution(lines, place, last) if colon_within else None


def separator(text: str) -> str | None:
    """`original` or `forwarded` where a line is such a separator, or None."""
    stripped = text.strip(" \t*>|_")
    if not stripped:
        return None
    first = stripped[0]
    if first in "TЭ" and len(stripped) < 45 and stripped.casefold() in SAID_FORWARDED:
        return "forwarded"
    if first in "-‐–—=~":
        match = _BETWEEN_DASHES.match(text.replace("*", "").replace("8<", "="))
        if match is None:
            return None
        phrase = match[1].strip(" :*").casefold()
    elif len(stripped) < 60 and (stripped[-1] == ":" or text.lstrip()[:1] in "*>_"):
        phrase = stripped.rstrip(" :*").casefold()
    else:
        return None
    if phrase in FORWARDED or phrase.startswith("forwarded by"):
        return "forwarded"
    if phrase in ORIGINAL:
        return "original"
    return None


def ends_separator(text: str) -> bool:
    """True for the line that closes a forwarded letter in some programs."""
    folded = text.casefold()
    return (
        "конец пересылаемого сообщения" in folded
        or "end of forwarded message" in folded
        or "конец исходного текста" in folded
        or "end of original message" in folded
    )


def _after_separator(lines: Sequence[Line], place: int, last: int, kind: str) -> Boundary:
    following = _next_filled(lines, place + 1, last)
    end = place + 1
    if following is not None and following - place <= 4:
        block = header_block(lines, following, last, after_rule=True)
        if block is None:
            block = attribution(lines, following, last)
        if block is not None:
            end = block.end
    return Boundary(kind, place, end, f"separator “{lines[place].text.strip()[:60]}”")


def header_block(
    lines: Sequence[Line], place: int, last: int, *, after_rule: bool = False
) -> Boundary | None:
    """A block of header labels at `place`: the sender's and at least two others, after a rule one other."""
    first = label_of(lines[place].text)
    if first is None or first[0] in {"cc", "other"}:
        return None
    roles: dict[str, str] = {}
    end = place
    position = place
    blanks = continued = 0
    open_value = ""
    while position <= last and position - place < 24:
        text = lines[position].text
        if not text.strip():
            blanks += 1
            if blanks > 1:
                break
            position += 1
            continue
        found = label_of(text)
        if found is None:
            if blanks or continued >= 3 or not _continues(text, open_value):
                break
            continued += 1
            open_value = text
        else:
            if blanks and len(roles) >= 3 and "subject" in roles:
                break
            roles.setdefault(found[0], found[1])
            open_value, continued = found[1], 0
        position += 1
        blanks = 0
        end = position
    roles.pop("other", None)
    if "from" not in roles or len(roles) < 2:
        return None
    known_sender = "@" in roles["from"]
    if len(roles) >= 3 or after_rule or (known_sender and first[0] == "from" and "date" in roles):
        return Boundary("header", place, end, "a block of header labels")
    return None


def _addressees(lines: Sequence[Line], place: int, last: int) -> Boundary | None:
    """An attribution below lines that name addressees and subject, as the mail of Yandex writes them."""
    first = label_of(lines[place].text)
    if first is None or first[0] not in {"to", "cc", "subject"}:
        return None
    for position in range(place + 1, min(place + 8, last + 1)):
        label = label_of(lines[position].text)
        if label is not None and label[0] in {"to", "cc", "subject", "other"}:
            continue
        found = attribution(lines, position, last)
        return found._replace(start=place) if found is not None else None
    return None


def _continues(text: str, value: str) -> bool:
    return text[0] in " \t" or value.endswith((",", ";")) or not value or text.lstrip().startswith(("<", "("))


def attribution(lines: Sequence[Line], place: int, last: int) -> Boundary | None:
    """A sentence that introduces a quotation, on one line or wrapped over up to four."""
    depth, mark = lines[place].depth, lines[place].mark
    joined = ""
    for position in range(place, min(place + 4, last + 1)):
        line = lines[position]
        text = line.text.strip()
        if not text or line.depth != depth or line.mark != mark or len(joined) + len(text) > _SENTENCE:
            return None
        joined = f"{joined} {text}" if joined else text
        if not ends_attribution(text):
            continue
        following = _next_filled(lines, position + 1, last)
        quoted_next = following is not None and (
            lines[following].depth > depth or lines[following].mark in {"quote", "cut"}
        )
        if _is_attribution(joined, quoted_next) and _starts_well(lines, place, position, joined):
            return Boundary("attribution", place, position + 1, f"“{joined[:60]}”")
    return None


def _starts_well(lines: Sequence[Line], place: int, position: int, joined: str) -> bool:
    if place == position or _START.match(joined):
        return True
    if position == place + 1 and _NAME_FIRST.match(joined):
        return True
    tail = lines[position].text.strip()
    return position == place + 1 and (tail[0] in "<([" or " " not in tail)


def _is_attribution(text: str, quoted_next: bool) -> bool:
    text = _MAILTO.sub("", text) if "mailto:" in text and "<" in text and text.count("@") > 1 else text
    verb = _VERB.search(text) is not None
    address = _BRACKETED.search(text) is not None
    date = _DATE.search(text) is not None
    time = _TIME.search(text) is not None
    if not verb and not address:
        return date and time and "@" in text and _START.match(text) is not None
    if address and (verb or (date and time)):
        return True
    if verb and date and (time or quoted_next or _START.match(text) is not None):
        return True
    return verb and quoted_next and len(text) < 160


def ends_attribution(text: str) -> bool:
    """True where a line can be the last one of an attribution."""
    if text.endswith((":", "：")):
        return True
    tail = text[-40:].rstrip(" \t-–—.*_>()")
    last = tail.rpartition(" ")[2].casefold()
    return last in VERB_WORDS or last.partition("(")[0] in VERB_WORDS


def _next_filled(lines: Sequence[Line], place: int, last: int) -> int | None:
    for position in range(place, min(last + 1, place + 6)):
        if lines[position].text.strip():
            return position
    return None
