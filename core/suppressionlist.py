"""Taking over a list of addresses that must not be written to, from another program's file: CSV or XLSX."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from core import tabular
from core.accounts import Channel
from core.consent import Scope, SuppressionReason, address_key, suppress_all, suppressed
from core.errors import FrontdeskError, InputRefused
from core.values import is_email

LARGEST = 100_000_000
"""Bytes of a file."""
LONGEST_CELL = 1000
AT_ONCE = 5000
MOST_FAULTS = 100
"""Faulty rows that are shown; all are counted."""

HEADS = frozenset(
    {"email", "e-mail", "address", "phone", "el. paštas", "adresas", "почта", "адрес", "телефон"}
)
BY_NUMBER = (Channel.SMS, Channel.VOICE)
"""What a number on such a list closes: nobody who asked for no SMS of ours waits for a call by machine."""
REASONS = {
    "unsubscribed": SuppressionReason.UNSUBSCRIBED,
    "unsubscribe": SuppressionReason.UNSUBSCRIBED,
    "blocklisted": SuppressionReason.UNSUBSCRIBED,
    "bounced": SuppressionReason.BOUNCED,
    "bounce": SuppressionReason.BOUNCED,
    "hard bounce": SuppressionReason.BOUNCED,
    "hardbounce": SuppressionReason.BOUNCED,
    "complained": SuppressionReason.COMPLAINED,
    "complaint": SuppressionReason.COMPLAINED,
    "spam": SuppressionReason.COMPLAINED,
    "spamcomplaint": SuppressionReason.COMPLAINED,
    "manual": SuppressionReason.MANUAL,
}
"""What other programs call the reasons."""


@dataclass(slots=True)
class Imported:
    """What became of the rows of a file."""

    rows: int = 0
    added: int = 0
    known: int = 0
    """On the list already, as strictly."""
    faulty: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Number of the row (1 is the first) and what is wrong with it."""
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Row:
    """One address to be closed."""

    channel: Channel
    address: str
    scope: Scope
    reason: SuppressionReason


def decoded(data: bytes) -> str:
    """A file's text: UTF-8 with or without a mark, UTF-16 with one, else windows-1257."""
    if len(data) > LARGEST:
        raise InputRefused(f"The file is larger than {LARGEST // 1_000_000} MB.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("windows-1257", "replace")


def rows(content: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file with their numbers; commas, semicolons or tabs between the cells."""
    sample = content[:4096]
    delimiter = max(",;\t", key=sample.count)
    csv.field_size_limit(10_000_000)
    reader = csv.reader(io.StringIO(content.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        yield from enumerate(reader, 1)
    except csv.Error as error:
        raise InputRefused(f"The file is no CSV: {error}.") from error


def lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file or of a workbook's first sheet, with their numbers. Raises InputRefused."""
    if not data.startswith(b"PK\x03\x04"):
        yield from rows(decoded(data))
        return
    sheet = tabular.read(data, headless=True)
    yield from ((number, list(cells)) for number, cells in sheet.numbered())


def understood(cells: list[str]) -> Row:
    """An address with its reason, from a row. Raises InputRefused, saying what is wrong."""
    if any(len(cell) > LONGEST_CELL for cell in cells):
        raise InputRefused(f"A cell has more than {LONGEST_CELL} characters.")
    words = [cell.strip().strip("'\"") for cell in cells]
    mail = next((word for word in words if "@" in word), None)
    found = mail or next((word for word in words if sum(one.isdigit() for one in word) >= 7), None)
    if found is None:
        raise InputRefused("There is no address or number in it.")
    channel = Channel.EMAIL if mail else Channel.SMS
    if channel == Channel.EMAIL and not is_email(found):
        raise InputRefused("The address is none.")
    named = (REASONS.get(word.lower()) for word in words)
    reason = next((one for one in named if one is not None), SuppressionReason.MANUAL)
    bad = reason in (SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED)
    return Row(channel, address_key(channel, found), Scope.EVERYTHING if bad else Scope.MARKETING, reason)


def take_over(session: Session, data: bytes, *, source: str, dry: bool = False) -> Imported:
    """Put the addresses of a file on the suppression list; a stricter entry is never made milder.

    With ``dry`` nothing is written, and what would be is counted. Raises InputRefused for what is no list.
    """
    done = Imported()
    page: dict[tuple[str, str], Row] = {}
    for number, cells in lines(data):
        if not any(cell.strip() for cell in cells) or (number == 1 and _is_head(cells)):
            continue
        done.rows += 1
        try:
            row = understood(cells)
        except FrontdeskError as error:
            done.faulty += 1
            if len(done.faults) < MOST_FAULTS:
                done.faults.append((number, error.message))
            continue
        done.reasons[row.reason] += 1
        known = page.get((row.channel, row.address))
        if known is None or known.scope == Scope.MARKETING:
            page[row.channel, row.address] = row
        if len(page) >= AT_ONCE:
            _write(session, page, source, done, dry=dry)
    _write(session, page, source, done, dry=dry)
    return done


def _is_head(cells: list[str]) -> bool:
    return any(cell.strip().lower() in HEADS for cell in cells)


def _closes(row: Row) -> tuple[Channel, ...]:
    """A number that takes no SMS may be called all the same."""
    whole = row.channel == Channel.SMS and row.reason != SuppressionReason.BOUNCED
    return BY_NUMBER if whole else (row.channel,)


def _write(
    session: Session, page: dict[tuple[str, str], Row], source: str, done: Imported, *, dry: bool
) -> None:
    if page and dry:
        kept = sum(
            len(suppressed(session, channel, [address for of, address in page if of == channel]))
            for channel in (Channel.EMAIL, Channel.SMS)
        )
        done.known += kept
        done.added += len(page) - kept
    elif page:
        plain = [
            {
                "channel": channel,
                "address": one.address,
                "scope": one.scope,
                "reason": one.reason,
                "source": source[:300],
            }
            for one in page.values()
            for channel in _closes(one)
        ]
        written = suppress_all(session, plain)
        added = sum(new for channel, new in written if channel != Channel.VOICE)
        done.added += added
        done.known += len(page) - added
    page.clear()
