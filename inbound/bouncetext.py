"""A delivery report in free text: its own words apart from the returned letter, and its addresses."""

from __future__ import annotations

import re
from typing import Final

_RETURNED: Final = re.compile(
    r"^[ \t>*|]*(?:-{2,}.{0,10}(?:below this line is a copy|this is a copy of|the (?:header"
    r"|body) of the|original message|returned message|unsent message|message (?:header|text"
    r"|follows)|received message|original mail|unsent message|header and top|copy of the"
    r"|message text follows|returned mail).{0,80}"
    r"|(?:received|return-path|x-sender|dkim-signature)[ \t]*:[ \t]*\S.*|(?:old message:"
    r"|(?:original|unsent|returned|the original) (?:message|mail|header)s?(?: \S+){0,6}[:.]?)"
    r"|message header(?:s)? follow.{0,30}"
    r"|-+ ?(?:исходное|original|returned).{0,60}|the header page of the original message.{0,60}"
    r"|included is a copy of the message.{0,60}|(?:текст|заголовки|копия) (?:исходного |вашего "
    r"|возвращ\S+ )?(?:письма|сообщения).{0,40}"
    r"|(?:pradinio|originalaus) (?:laiško|pranešimo).{0,40})$",
    re.IGNORECASE | re.MULTILINE,
)
_ADDRESS: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?[A-Za-z0-9-]*"
_CUE: Final = (
    r"to|for|addressed|recipients?|address|rcpt to|failed recipients?|addressee|кому|адрес"
    r"|получатель|адресат|gavėjas|adresatas|kam|adresas"
    r"|final-recipient|mailbox|ящик|dėžutė|user|e-?mail|name|delivery userid|userid|generated from"
    r"|attempts|expanded from|original-recipient"
)
_ON_LINE: Final = re.compile(
    rf"^[ \t>*\"'(|-]*(?:(?:[^\W\d_][\w ]{{0,40}})?(?:{_CUE})(?:[ \t]*:[ \t]*|[ \t]+))?(?:rfc822;\s*)?"
    rf"[<\[(\"']*(?:mailto:|smtp:)?({_ADDRESS})[>\])\"']*[ \t]*(?:$|[:,;…. (-].*)",
    re.IGNORECASE | re.MULTILINE,
)
_ANY: Final = re.compile(
    rf"(?:<|(?<!\w)(?:{_CUE}|пользовател\S*|vartotoj\S*|адрес\S*|adres\S*|gav[ėe]j\S*)\W{{1,4}}|:\s|smtp[:=])(?:mailto:|smtp:)?({_ADDRESS})>?",
    re.IGNORECASE,
)
_FOLLOWS: Final = re.compile(
    r"(?:following|failed|undelivered|these|below)[^\n]{0,60}(?:recipient|address|user|destination"
    r"|person)[^\n]{0,160}(?:\n|:)|(?:delivered to|delivery to"
    r"|deliver (?:\S+ ){0,3}to)[^\n]{0,100}(?:\n|:)"
    r"|failed addresses follow[^\n]*\n|failed recipients?[^\n]*\n|had (?:permanent fatal errors"
    r"|delivery problems|problems)[^\n]*\n|следующ\S+ (?:получател|адрес)\S*[^\n]*\n|(?:šiems"
    r"|šiam) (?:gavėj|adres)\S*[^\n]*\n",
    re.IGNORECASE,
)
_TAGS: Final = re.compile(r"<(?:br|/?p|/?div|/?b|/?font|hr)\b[^<>]{0,60}>", re.IGNORECASE)
_DELAY: Final = re.compile(
    r"delay|still (?:being|undelivered|trying)|not yet been delivered|will (?:be retried"
    r"|keep trying|continue)|warning: (?:could not|message)|no action is required"
    r"|you do not need to resend|задерж|доставка отложена|попытки (?:доставки )?будут|v[ėe]luoja"
    r"|atid[ėe]tas|bus bandoma",
    re.IGNORECASE,
)
_STILL_TRIED: Final = re.compile(
    r"this is a warning only|will be retried (?:until|for)|you do not need to resend"
    r"|попытки доставки будут про|bandysime (?:dar|toliau)|bus bandoma (?:dar|toliau)",
    re.IGNORECASE,
)
_GIVEN_UP: Final = re.compile(
    r"giving up|given up|permanent|failed permanently|will not be retried"
    r"|could not be delivered for more than|expired|retry (?:time|timeout|limit) exceeded"
    r"|delivery failed|was not delivered|окончательн|прекращен|nutraukt",
    re.IGNORECASE,
)
_SAID: Final = re.compile(
    r"(?:said|responded|answered|replied|response(?: from| was)?|error(?: message| was| from)?"
    r"|reason|because|diagnostic[- ]code|ответ(?:ил)?|причина|ошибка|atsakė|priežastis"
    r"|klaida)\b[^\n]{0,120}?:\s*(.{5,600}?)(?:\n\s*\n|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_CODED: Final = re.compile(
    r"^.*(?<![\d.])[45]\d\d[ -](?:#?[45]\.\d{1,3}\.\d{1,3}\b|\S).*(?:\n[ \t]+\S.*)*", re.MULTILINE
)


def report_text(text: str) -> str:
    """What the server itself wrote, without the letter that it returned."""
    match = _RETURNED.search(text)
    while match is not None and match.start() < 60:
        match = _RETURNED.search(text, match.end())
    return text[: match.start()] if match else text


_BARE: Final = re.compile(r"^\s+([A-Za-z0-9._-]{2,40})\s*$", re.MULTILINE)
_NAMED_FIRST: Final = re.compile(r"\s*\n[ \t]+([A-Za-z][A-Za-z0-9._-]{1,39})[ \t]{2,}\S[^\n]*(?:\n|\Z)")
"""A name without its domain and, some blanks after it, the reason."""

_REFUSED_FOR: Final = re.compile(rf"^[ \t]*[45]\d\d\b[^\n]{{0,80}}?\bfor\s+<?({_ADDRESS})", re.MULTILINE)
_SIMPLE: Final = re.compile(rf"(?<![\w@.<:/-])({_ADDRESS})")


def recipients(text: str, own: set[str], domain: str = "") -> list[str]:
    """The addresses that a free-text report names as failed.

    `own` are the report's own sender and addressee; `domain` the reporting server's, for bare names.
    """
    text = _TAGS.sub("\n", text[:20_000]) if "<" in text else text[:20_000]
    cue = _FOLLOWS.search(text)
    after = text[cue.end() :] if cue else ""
    if cue and "@" in cue[0]:
        after = text[cue.start() :]
    named = _NAMED_FIRST.match(after) if domain else None
    if named and "@" not in named[0]:
        # What follows explains: its addresses are examples, and nobody's that failed.
        return [f"{named[1]}@{domain}"]
    for place, pattern in (
        (after, _ON_LINE),
        (after, _ANY),
        (text, _ON_LINE),
        (text, _ANY),
        (text[:1500], _SIMPLE),
    ):
        found: dict[str, None] = {}
        for match in pattern.finditer(place):
            address = match[1].rstrip(".").strip("'")
            if address.lower() not in own and "." in address.rpartition("@")[2] and not _is_daemon(address):
                found.setdefault(address)
        if found and pattern is not _SIMPLE:
            found |= dict.fromkeys(match[1].rstrip(".") for match in _REFUSED_FOR.finditer(place))
            return list(found)[:50]
        if pattern is _SIMPLE:
            bare = _BARE.search(after[:300]) if domain else None
            if bare:
                return [f"{bare[1]}@{domain}"]
            return list(found)[:1]
    return []


def _is_daemon(address: str) -> bool:
    return (
        re.match(
            r"mailer-daemon|postmaster@|mail-?daemon|abuse@|support@|hostmaster@|helpdesk@",
            address,
            re.IGNORECASE,
        )
        is not None
    )


def is_delay(subject: str, text: str) -> bool:
    """True for a warning that delivery is still being tried."""
    if _STILL_TRIED.search(text[:3000]):
        return True
    if _GIVEN_UP.search(text[:3000]):
        return False
    return (
        _DELAY.search(subject) is not None
        or re.search(r"(?:this is a|предупреждение).{0,20}(?:warning|только)", text[:600], re.IGNORECASE)
        is not None
    )


def diagnostic(text: str) -> str:
    """What the refusing server said, as quoted in a free-text report; empty where it is not told apart."""
    coded = _CODED.search(text[:8000])
    if coded:
        return " ".join(coded[0].split())[:600]
    said = _SAID.search(text[:8000])
    return " ".join(said[1].split())[:600] if said else ""
