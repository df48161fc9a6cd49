"""Letters off the server in batches bounded in count and bytes; what fails together is asked for singly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.errors import FrontdeskError
from inbound.bodystructure import Described
from inbound.imap import Disconnected, Head, MailServer, Refused, TooSlow
from inbound.intake import Letter
from inbound.lanes import Lanes

BATCH_BYTES: Final = 16_000_000
"""The most one batch holds, unless a single letter is larger."""

LEAST_BYTES: Final = 256_000
"""A slow line is never asked for less than this at once."""

WHOLE: Final = 4_000_000
"""A larger letter is fetched in pieces, each with a deadline of its own."""

BEGINNING: Final = 1_000_000
"""What is kept of a letter over the limit, beside the list of its files: header and first parts."""

TRIES: Final = 3
"""Rounds in which a message that the server lists and does not give is asked for."""

GONE: Final = "It was gone before it could be read."


@dataclass(slots=True)
class Batch:
    """What one round brought: letters, and UIDs to be recorded without one, with the reason."""

    letters: list[Letter] = field(default_factory=list)
    absent: dict[int, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.letters or self.absent)


class Fetcher:
    """Fetches what `lanes` names next.

    `budget`, the bytes asked for at once, shrinks to a quarter after an operation that broke off and doubles
    after one that did not, and it outlives connections: keep the object.
    """

    def __init__(self, *, count: int = 200, largest: int = 50_000_000, max_bytes: int = BATCH_BYTES) -> None:
        self.count = count
        self.largest = largest
        self.max_bytes = max_bytes
        self.budget = max_bytes

    def next(self, server: MailServer, lanes: Lanes) -> Batch:
        """The next batch; empty when nothing waits. Raises what ends the connection."""
        taken = lanes.take(self.count)
        try:
            batch = self._fetch(server, lanes, taken) if taken else Batch()
        except (Disconnected, TooSlow):
            self.budget = max(LEAST_BYTES, self.budget // 4)
            raise
        self.budget = min(self.max_bytes, self.budget * 2)
        return batch

    def again(self, server: MailServer, lanes: Lanes) -> Batch:
        """One more try, alone, at each message that was put aside."""
        batch = Batch()
        for uid in lanes.aside():
            self._alone(server, lanes, uid, batch)
        return batch

    def _fetch(self, server: MailServer, lanes: Lanes, uids: Sequence[int]) -> Batch:
        batch = Batch()
        heads = self._heads(server, uids)
        for uid in uids:
            if uid not in heads:
                batch.absent[uid] = GONE
        small: dict[int, Head] = {}
        total = 0
        for place, uid in enumerate(uids):
            if uid not in heads:
                continue
            size = heads[uid].size
            if total and total + min(size, self.largest) > self.budget:
                lanes.give_back(uid for uid in uids[place:] if uid in heads)
                break
            if size > min(WHOLE, self.budget, self.largest):
                total += min(size, self.largest)
                self._large(server, lanes, uid, heads[uid], batch)
            else:
                total += size
                small[uid] = heads[uid]
        self._together(server, lanes, small, batch)
        batch.letters.sort(key=lambda letter: letter.uid or 0)
        return batch

    def _heads(self, server: MailServer, uids: Sequence[int]) -> dict[int, Head]:
        try:
            return server.heads(uids)
        except Refused:
            heads: dict[int, Head] = {}
            for uid in uids:
                try:
                    heads.update(server.heads([uid]))
                except Refused:
                    heads[uid] = Head(0)
            return heads

    def _together(self, server: MailServer, lanes: Lanes, heads: Mapping[int, Head], batch: Batch) -> None:
        if not heads:
            return
        try:
            found = server.bodies(list(heads))
        except Refused:
            found = {}
        batch.letters += [
            Letter(found[uid], uid, internal_date=head.internal_date)
            for uid, head in heads.items()
            if uid in found
        ]
        for uid in heads:
            if uid not in found:
                self._alone(server, lanes, uid, batch)

    def _alone(self, server: MailServer, lanes: Lanes, uid: int, batch: Batch) -> None:
        """Ask for one message; what is gone is recorded, what is refused again and again as well."""
        try:
            head = server.heads([uid]).get(uid)
            if head is None:
                lanes.settle_aside(uid)
                batch.absent[uid] = GONE
                return
            if head.size > min(WHOLE, self.budget, self.largest):
                self._large(server, lanes, uid, head, batch)
                return
            body = server.bodies([uid]).get(uid)
            if body is not None:
                lanes.settle_aside(uid)
                batch.letters.append(Letter(body, uid, internal_date=head.internal_date))
                return
            reason: FrontdeskError = Refused("The mail server lists it and gives nothing for it.")
        except Refused as error:
            reason = error
        if lanes.put_aside(uid) >= TRIES:
            lanes.settle_aside(uid)
            batch.absent[uid] = reason.message

    def _large(self, server: MailServer, lanes: Lanes, uid: int, head: Head, batch: Batch) -> None:
        size = head.size
        wanted = size if size <= self.largest else min(BEGINNING, self.largest)
        step = min(WHOLE, self.budget)
        whole = bytearray()
        while len(whole) < wanted:
            piece = server.piece(uid, len(whole), min(step, wanted - len(whole)))
            if piece is None:
                if lanes.put_aside(uid) >= TRIES:
                    lanes.settle_aside(uid)
                    batch.absent[uid] = GONE
                return
            whole += piece
            if not piece:
                break  # the size was announced too large, as some servers do
        lanes.settle_aside(uid)
        if size <= self.largest:
            batch.letters.append(Letter(bytes(whole), uid, internal_date=head.internal_date))
            return
        batch.letters.append(Letter(bytes(whole), uid, size, head.internal_date, _files(server, uid)))


def _files(server: MailServer, uid: int) -> list[Described] | None:
    """What a letter over the limit holds. Some servers' descriptions cannot be read: then nobody knows."""
    try:
        return server.files(uid)
    except Refused:
        return None
