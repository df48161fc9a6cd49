"""Which messages to fetch next: newest and oldest in turn, so that a backlog never holds up new mail."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterable


class Lanes:
    """The UIDs of one folder that are not stored yet, and how far everything below is.

    >>> lanes = Lanes(last_uid=10)
    >>> lanes.list([11, 12, 13])
    >>> lanes.take(2), lanes.cursor()
    ([11, 12], 12)
    """

    def __init__(self, last_uid: int, stored: Iterable[int] = ()) -> None:
        self.last_uid = last_uid
        self._stored = set(stored)
        self._waiting: deque[int] = deque()
        self._listed = last_uid
        self._aside: dict[int, int] = {}
        self._newest_turn = False

    def __len__(self) -> int:
        return len(self._waiting) + len(self._aside)

    @property
    def highest_listed(self) -> int:
        """The greatest UID that was ever listed."""
        return self._listed

    def list(self, uids: Iterable[int]) -> None:
        """Add UIDs that the server listed; those known already are passed over."""
        fresh = sorted(uid for uid in uids if uid > self._listed and uid not in self._stored)
        self._waiting.extend(fresh)
        self._listed = max([self._listed, *fresh])

    def take(self, count: int) -> list[int]:
        """The next UIDs, ascending: oldest and newest in turn while more wait than fit in two batches."""
        many = len(self._waiting) > 2 * count
        newest = many and self._newest_turn
        self._newest_turn = many and not self._newest_turn
        taken = [
            self._waiting.pop() if newest else self._waiting.popleft()
            for _ in range(min(count, len(self._waiting)))
        ]
        return sorted(taken)

    def give_back(self, uids: Iterable[int]) -> None:
        """Put UIDs that were taken and not fetched back among those that wait."""
        returned = sorted(uids)
        if not returned:
            return
        if not self._waiting or returned[-1] < self._waiting[0]:
            self._waiting.extendleft(reversed(returned))
        elif returned[0] > self._waiting[-1]:
            self._waiting.extend(returned)
        else:
            whole = list(self._waiting)
            for uid in returned:
                insort(whole, uid)
            self._waiting = deque(whole)

    def put_aside(self, uid: int) -> int:
        """Leave a message that cannot be fetched until the next round; returns how often that was so."""
        self._aside[uid] = self._aside.get(uid, 0) + 1
        return self._aside[uid]

    def settle_aside(self, uid: int) -> None:
        """A message that was put aside is done with."""
        self._aside.pop(uid, None)

    def aside(self) -> list[int]:
        """The UIDs that were put aside, ascending."""
        return sorted(self._aside)

    def cursor(self) -> int:
        """The UID up to which everything listed was taken and will be stored with the next commit."""
        open_ones = [*self._aside, *([self._waiting[0]] if self._waiting else [])]
        self.last_uid = max(self.last_uid, min(open_ones) - 1 if open_ones else self._listed)
        return self.last_uid
