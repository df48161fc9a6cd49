"""The dispatcher: takes what is due in small pages, several lines at once, and writes down what became of
each letter.

Each line works for itself: claim a page, compose it, mark it as being transmitted (one commit), hand the
letters over one after another, record the outcomes (one commit). A person's letter that falls due meanwhile
goes between two letters of a mailing. A heartbeat renews the leases of the pages in hand; a worker that
missed it stops by itself.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from core import notices, outbox
from core.accounts import Channel as Way
from core.context import Context
from core.errors import FrontdeskError, InputRefused
from core.outbox_pages import LEASE
from outbound.channels.base import Channel, Letter, Line, Outcome, Pipelined, Result, Scope
from outbound.compose import Composer, Composes
from outbound.destinations import Destinations
from outbound.gate import Gate
from outbound.journal import Journal, folder_of_this_boot
from outbound.mailingtexts import catalogue_of
from outbound.pace import PageSize, Patience, Rate
from outbound.pages import NOT_BEGUN, Page, Pages, steady
from outbound.wakeup import listen

URGENT = (1, 2, 3)
"""Priorities of what a person waits for: answers, documents of a stage, acknowledgements."""
BULK = (4, 5, 6, 7, 8, 9)
URGENT_PAGE = 5
LOOK_EVERY = 1.0
IDLE = 30.0
"""Seconds without work after which a connection is closed."""
GRACE = 5.0
"""Of the time to drain, what is left for writing down."""

Answer = TypeVar("Answer")


class Dispatcher:
    """Sends what is queued on one channel, until told to stop."""

    def __init__(
        self,
        context: Context,
        channel: Channel,
        *,
        composer: Composes | None = None,
        page: PageSize | None = None,
        rate_per_minute: int = 0,
        subject: str = "relay",
        drain_seconds: float | None = None,
        lease: timedelta = LEASE,
        way: Way = Way.EMAIL,
        gate: Gate | None = None,
        first_wait: float | None = None,
    ) -> None:
        """``subject`` names the way out in alarms, ``way`` says which deliveries are taken. Raises
        ConfigurationError where the settings name no relay.
        """
        limits = context.settings.limits
        first_wait = first_wait or limits.retry_first_seconds
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.sent: Counter[Result] = Counter()
        """Letters by what became of them, since the start."""
        self._context = context
        self._channel = channel
        self._subject = subject
        self._destinations = Destinations(
            limits.destination_concurrency_first,
            limits.destination_concurrency_most,
            first_wait,
            limits.retry_longest_seconds,
        )
        self._log = structlog.get_logger(__name__)
        self._remains: Path | None = None
        self._journal: Journal | None = None
        try:
            self._remains = folder_of_this_boot(context.settings.data_dir)
            self._journal = Journal(self._remains, self.owner) if self._remains is not None else None
        except OSError as error:
            self._log.warning("no journal: after a kill more will be uncertain", error=str(error))
        self._pages = Pages(
            context,
            composer or Composer(context.settings, catalogue_of(context)),
            self.owner,
            lambda domain: self._destinations.blocked(domain, steady()),
            first_wait=first_wait,
            longest_wait=limits.retry_longest_seconds,
            lease=lease,
            journal=self._journal,
            channel=way,
            gate=gate,
        )
        self._beat_every = lease.total_seconds() / 6
        self._size = page or PageSize()
        self._urgent_page = min(URGENT_PAGE, self._size.most)
        self._rate = Rate(rate_per_minute)
        self._patience = Patience()
        self._in_hand: list[Page] = []
        self._stopping = False
        self._wanted = 0
        self._urgent = 0
        self._serving = 0
        self._alarmed: bool | None = None
        self._drain_seconds = drain_seconds or max(1.0, context.settings.workers.drain_seconds - GRACE)
        self._threads = ThreadPoolExecutor(channel.lines + 2, thread_name_prefix="outbound")

    def run(self, stop: threading.Event) -> None:
        """Work until the event is set, then finish what is under way; blocks."""
        asyncio.run(self.main(stop))

    async def main(self, stop: threading.Event, *, until_idle: bool = False) -> None:
        """The same inside a loop; with ``until_idle`` it ends when nothing is due any more."""
        self._look = asyncio.Event()
        self._work = asyncio.Event()
        self._room = asyncio.Event()
        helpers = [
            asyncio.create_task(listen(self._context.engine.url, outbox.WAKE_UP, self._look.set)),
            asyncio.create_task(self._every(self._beat_every, self._beat)),
            asyncio.create_task(self._every(1.5 * self._beat_every, self._sweep)),
        ]
        await self._guarded(self._sweep)
        lanes = [asyncio.create_task(self._lane(number)) for number in range(self._channel.lines)]
        try:
            while not stop.is_set():
                self._look.clear()
                await self._guarded(self._look_for_work)
                if until_idle and not self._wanted and not self._serving:
                    break
                await self._wait_for_word(stop)
        finally:
            self._stopping = True
            self._work.set()
            self._room.set()
            await self._drain(lanes)
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            self._threads.shutdown(wait=False)
            if self._journal is not None:
                self._journal.close()

    async def _wait_for_word(self, stop: threading.Event) -> None:
        """Until something was queued, a second has gone by, or the event is set."""
        for _ in range(10):
            if stop.is_set():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY / 10):
                    await self._look.wait()
                return

    async def _drain(self, lanes: Sequence[asyncio.Task[None]]) -> None:
        """Let the letters under way end; what then still waits for an answer is uncertain."""
        _, late = await asyncio.wait(lanes, timeout=self._drain_seconds)
        for lane in late:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    async def _every(self, seconds: float, work: Callable[[], object]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._guarded(work)

    async def _guarded(self, work: Callable[[], object]) -> None:
        """Run something that the database may spoil, and go on."""
        try:
            result = work()
            if isawaitable(result):
                await result
        except (SQLAlchemyError, FrontdeskError) as error:
            self._log.warning("the database was in the way", error=type(error).__name__)
        except Exception:
            self._log.exception("the dispatcher goes on after a fault")

    def _thread(self, work: Callable[..., Answer], *given: object) -> asyncio.Future[Answer]:
        return asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *given))

    async def _look_for_work(self) -> None:
        size = self._size.now()
        due = await self._thread(self._pages.due, URGENT + BULK, size * self._channel.lines)
        self._urgent = sum(count for priority, count in due.items() if priority in URGENT)
        bulk = sum(due.values()) - self._urgent
        pages = -(-self._urgent // self._urgent_page) + -(-bulk // size)
        self._wanted = min(self._channel.lines, pages)
        if self._wanted:
            self._work.set()

    async def _beat(self) -> None:
        if self._in_hand:
            await self._thread(self._pages.renew, list(self._in_hand))

    async def _sweep(self) -> None:
        if self._remains is not None:
            await self._thread(self._pages.settle_remains, self._remains)
        await self._thread(self._pages.sweep)

    async def _lane(self, number: int) -> None:
        line = self._channel.line()
        try:
            while not self._stopping:
                if number >= self._wanted:
                    await self._rest(line)
                    continue
                try:
                    if not await self._open(line):
                        continue
                    taken = await self._serve(line, URGENT, self._urgent_page) if self._urgent else 0
                    taken = taken or await self._serve(line, BULK, self._size.now())
                except (SQLAlchemyError, FrontdeskError) as error:
                    self._log.warning("a page was given up", error=f"{type(error).__name__}: {error}"[:300])
                    await asyncio.sleep(1.0)
                    continue
                except Exception:
                    self._log.exception("a page was given up after a fault")
                    await line.close()
                    await asyncio.sleep(1.0)
                    continue
                if not taken:
                    self._wanted = min(self._wanted, number)
        finally:
            await line.close()

    async def _rest(self, line: Line) -> None:
        """Wait for work; a connection is kept for a while."""
        self._work.clear()
        try:
            async with asyncio.timeout(IDLE if line.ready else None):
                await self._work.wait()
        except TimeoutError:
            await line.close()

    async def _open(self, line: Line) -> bool:
        """Connect where needed; where the relay fails, wait as long as it takes before anybody tries
        again.
        """
        if line.ready:
            return True
        async with self._patience.trying:
            while (left := self._patience.left()) > 0:
                if self._stopping:
                    return False
                await asyncio.sleep(min(left, 0.5))
            try:
                await line.open()
            except FrontdeskError as error:
                pause = self._patience.failed(error)
                self._log.warning("the relay fails", error=str(error), again_in=round(pause, 1))
                await self._alarm(str(error))
                return False
            self._patience.succeeded()
            await self._alarm(None)
            return True

    async def _alarm(self, fault: str | None) -> None:
        """Raise or clear the alarm that staff see; asked for only when something changed."""
        if self._alarmed is (fault is not None):
            return

        def write() -> None:
            with self._context.transaction() as session:
                if fault is None:
                    notices.clear_alarm(session, "relay_failing", self._subject)
                else:
                    notices.raise_alarm(session, "relay_failing", self._subject, fault)

        await self._guarded(lambda: self._thread(write))
        self._alarmed = fault is not None

    async def _serve(self, line: Line, priorities: Sequence[int], most: int) -> int:
        """One page from claim to record; returns how many deliveries it took from the queue."""
        self._serving += 1
        try:
            page, taken = await self._thread(self._pages.prepare, priorities, most)
            if priorities is URGENT:
                self._urgent = max(0, self._urgent - taken) if taken else 0
            if page is not None:
                await self._through(line, page, interruptible=priorities is not URGENT)
            return taken
        finally:
            self._serving -= 1

    async def _through(self, line: Line, page: Page, *, interruptible: bool) -> None:
        """Transmit a page and write down what became of it, whatever happens in between."""
        self._in_hand.append(page)
        begun = steady()
        try:
            await self._transmit(line, page, interruptible=interruptible)
        finally:
            recording = asyncio.ensure_future(self._record(page))
            try:
                await asyncio.shield(recording)
            except asyncio.CancelledError:
                await recording
                raise
            finally:
                self._in_hand.remove(page)
        if interruptible:
            self._size.took(len(page.outcomes), steady() - begun)

    async def _record(self, page: Page) -> None:
        """Write the outcomes down, and try again while the database is away: they are known nowhere else."""
        pause = 0.2
        while True:
            try:
                self.sent += await self._thread(self._pages.record, page)
                return
            except DBAPIError as error:
                self._log.warning("outcomes wait for the database", error=type(error).__name__)
                if self._stopping and pause > GRACE:
                    raise
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)

    async def _transmit(self, line: Line, page: Page, *, interruptible: bool) -> None:
        """Hand the letters of a page over, one after another, where each domain has room for one more."""
        waiting = deque(page.letters)
        letter: Letter | None = None
        try:
            while (waiting or letter is not None) and not self._stopping:
                if letter is None and interruptible and self._urgent:
                    await self._serve(line, URGENT, self._urgent_page)
                letter = letter or self._next(waiting, page)
                if letter is None:
                    if waiting:
                        self._room.clear()
                        with suppress(TimeoutError):
                            async with asyncio.timeout(LOOK_EVERY):
                                await self._room.wait()
                    continue
                await self._rate.take()
                if self._stopping or not await self._open(line):
                    return
                following = self._following(line, waiting, page, interruptible=interruptible)
                going, letter = letter, following
                await self._hand_over(line, page, going)
        finally:
            if letter is not None:
                self._destinations.end(page.claimed[letter.id].domain, NOT_BEGUN, steady())

    def _following(
        self, line: Line, waiting: deque[Letter], page: Page, *, interruptible: bool
    ) -> Letter | None:
        """The letter after the next, said to a line that can begin it early."""
        if not isinstance(line, Pipelined) or self._rate.per_minute or (interruptible and self._urgent):
            return None
        following = self._next(waiting, page)
        if following is not None:
            line.announce(following)
        return following

    def _next(self, waiting: deque[Letter], page: Page) -> Letter | None:
        """The next letter whose domain has room, which it then takes; letters to a closed domain, or lost to
        us, stay unoffered.
        """
        for _ in range(len(waiting)):
            letter = waiting.popleft()
            domain = page.claimed[letter.id].domain
            if letter.id not in page.held or self._destinations.blocked(domain, steady()):
                continue
            if self._destinations.room(domain):
                self._destinations.begin(domain)
                return letter
            waiting.append(letter)
        return None

    async def _hand_over(self, line: Line, page: Page, letter: Letter) -> None:
        domain = page.claimed[letter.id].domain
        finishing = False

        def may_finish() -> bool:
            nonlocal finishing
            finishing = page.may_finish(letter.id)
            return finishing

        outcome = NOT_BEGUN
        try:
            outcome = (await line.send(letter, may_finish))[0]
            if outcome.result is Result.UNTRIED and not line.ready and page.wanted(letter.id):
                # A kept connection that the server closed meanwhile says nothing about the letter.
                await line.open()
                outcome = (await line.send(letter, may_finish))[0]
        except InputRefused as error:
            outcome = Outcome(Result.REFUSED, str(error))
        except FrontdeskError as error:
            outcome = Outcome(Result.UNTRIED, str(error), Scope.RELAY)
        except BaseException:
            outcome = (
                Outcome(Result.UNCERTAIN, "stopped while the server's answer was awaited")
                if finishing
                else NOT_BEGUN
            )
            raise
        finally:
            page.ended(letter.id, outcome)
            self._destinations.end(domain, outcome, steady())
            self._room.set()
