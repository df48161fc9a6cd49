"""A page of deliveries from claim to record: everything about it that touches the database.

The phases, each one transaction:

1. `prepare`: claim, and settle in the same transaction what policy does not let go;
2. documents, one transaction for each delivery that carries some;
3. mark as transmitting and file the copies: committed before any final dot;
4. `record`: what became of each, with suppressions for addresses that are given up.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy.orm import Session

from core import (
    db,
    documents,
    enclosures,
    outbox_copies,
    outbox_history,
    outbox_pages,
    templatelibrary_uses,
)
from core.accounts import Channel
from core.campaigns import CampaignState
from core.consent import Scope as Stops
from core.context import Context
from core.documents import Document
from core.errors import FrontdeskError
from core.outbox import DeliveryState as State
from core.outbox import Purpose
from core.outbox_pages import LEASE, MARGIN, Claimed, Settled
from outbound import policy, refusals, retry
from outbound.channels.base import Letter, Outcome, Result
from outbound.compose import Composed, Composes
from outbound.gate import Gate, OpenGate
from outbound.journal import Journal, Mark, Remains, remains
from outbound.pageweight import beyond
from outbound.policy import Action, Facts, Verdict

COMPOSING_ATTEMPTS = 5
"""A letter that fails in the making for an unknown reason is refused after so many attempts."""

SETTLES: Mapping[Action, State] = {
    Action.SUPPRESS: State.SUPPRESSED,
    Action.CANCEL: State.CANCELLED,
    Action.EXPIRE: State.EXPIRED,
    Action.DEFER: State.DEFERRED,
    Action.REFUSE: State.REFUSED,
}
RECORDS: Mapping[Result, State] = {
    Result.SENT: State.SENT,
    Result.DEFERRED: State.DEFERRED,
    Result.REFUSED: State.REFUSED,
    Result.UNCERTAIN: State.UNCERTAIN,
    Result.UNTRIED: State.DEFERRED,
}

steady = time.monotonic
"""The clock of windows and waits."""


def awake() -> float:
    """Seconds that go on while the machine sleeps, for leases: a laptop's lid must not lengthen them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass
class Page:
    """Letters marked as being transmitted, which one line sends one after another."""

    letters: list[Letter]
    claimed: dict[int, Claimed]
    held_until: float
    """On the clock of `awake`: after it nothing more may be begun."""
    held: set[int] = field(default_factory=set)
    """Deliveries that are still ours and still wanted."""
    journal: Journal | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def wanted(self, delivery_id: int) -> bool:
        """Whether a letter is still ours, and nobody opted out of it."""
        return delivery_id in self.held and awake() < self.held_until

    def may_finish(self, delivery_id: int) -> bool:
        """Whether the final dot of a letter may still be written; noted down where it may."""
        may = self.wanted(delivery_id)
        if may and self.journal is not None:
            self.journal.mark(delivery_id, Mark.DOTTED)
        return may

    def ended(self, delivery_id: int, outcome: Outcome) -> None:
        """Keep what became of a letter."""
        self.outcomes[delivery_id] = outcome
        if self.journal is not None and outcome.result is not Result.UNCERTAIN:
            self.journal.mark(delivery_id, Mark.TAKEN if outcome.result is Result.SENT else Mark.HELD)

    def renewed(self, still: Mapping[int, bool], until: float) -> None:
        """The leases were renewed: keep what is ours and did not opt out meanwhile."""
        self.held = {one for one in self.held if still.get(one) is False}
        self.held_until = until


class Pages:
    """Prepares and records pages for one worker."""

    def __init__(
        self,
        context: Context,
        composer: Composes,
        owner: str,
        blocked: Callable[[str], float] = lambda domain: 0.0,
        *,
        first_wait: float = 300.0,
        longest_wait: float = 4000.0,
        lease: timedelta = LEASE,
        journal: Journal | None = None,
        channel: Channel = Channel.EMAIL,
        gate: Gate | None = None,
    ) -> None:
        """``blocked`` says for how many seconds a domain wants nothing of us."""
        db.models()  # What a delivery refers to has to be known before one is written.
        self.owner = owner
        self._context = context
        self._composer = composer
        self._blocked = blocked
        self._first_wait = first_wait
        self._longest_wait = longest_wait
        self._lease = lease
        self._journal = journal
        self._channel = channel
        self._gate = gate or OpenGate()
        self._log = structlog.get_logger(__name__)

    def due(self, priorities: Sequence[int], most: int) -> dict[int, int]:
        """How many deliveries of each priority wait to be claimed."""
        with self._context.transaction() as session:
            return outbox_pages.due(session, self._channel.value, priorities, most)

    def prepare(self, priorities: Sequence[int], most: int) -> tuple[Page | None, int]:
        """Claim a page and bring it to the state in which it may be transmitted.

        Returns the page, or None when nothing of it may go, and how many deliveries were claimed.
        """
        with self._context.transaction() as session:
            claimed = outbox_pages.claim(
                session,
                owner=self.owner,
                channel=self._channel.value,
                priorities=priorities,
                most=most,
                lease=self._lease,
            )
            claimed, kept_back = outbox_copies.readdressed(session, claimed)
            verdicts = {one.id: policy.verdict(self._facts(one, one.id in kept_back)) for one in claimed}
            self._settle_verdicts(session, claimed, verdicts)
        going = [one for one in claimed if verdicts[one.id].action is Action.SEND]
        if not going:
            return None, len(claimed)
        composed = self._compose(going)
        if self._journal is not None:
            self._journal.hold(one.letter.id for one in composed)
        begun = awake()
        with self._context.transaction() as session:
            held_back = self._gate.admit(session, composed)
            marked = outbox_pages.begin_transmission(
                session,
                owner=self.owner,
                rfc_ids=[(one.letter.id, one.rfc_id) for one in composed if one.letter.id not in held_back],
                lease=self._lease,
            )
            copies = [one.copy for one in composed if one.letter.id in marked and one.copy is not None]
            outbox_history.file_copies(session, copies)
            uses = [one.use for one in composed if one.letter.id in marked and one.use is not None]
            templatelibrary_uses.record(session, uses)
            left = [
                Settled(
                    one, SETTLES[said.action], said.reason, wait=said.wait, error=said.reason, tried=False
                )
                for one, said in held_back.items()
            ]
            left += [
                Settled(one.letter.id, State.QUEUED, tried=False)
                for one in composed
                if one.letter.id not in marked and one.letter.id not in held_back
            ]
            # They opted out since: the next claim's policy says so. What others hold meanwhile is left alone.
            outbox_pages.settle_page(session, owner=self.owner, settled=left, sources={State.CLAIMED})
        if self._journal is not None:
            self._journal.release(one.letter.id for one in composed if one.letter.id not in marked)
        letters = [one.letter for one in composed if one.letter.id in marked]
        page = Page(
            letters, {one.id: one for one in going}, self._held_until(begun), set(marked), self._journal
        )
        return (page if letters else None), len(claimed)

    def _facts(self, one: Claimed, kept_back: bool) -> Facts:
        return Facts(
            purpose=Purpose(one.purpose),
            automatic=one.automatic,
            answers=one.in_reply_to is not None,
            address=one.address,
            waited=one.waited,
            expired=one.expired,
            suppression=Stops(one.suppression) if one.suppression else None,
            suppression_reason=one.suppression_reason or "",
            consent_withdrawn=bool(one.consent_withdrawn),
            letter_kept_back=kept_back,
            ours=one.address in self._composer.sender.ours,
            campaign=CampaignState(one.campaign_state) if one.campaign_state else None,
            blocked=self._blocked(one.domain),
        )

    def _settle_verdicts(
        self, session: Session, claimed: Sequence[Claimed], verdicts: Mapping[int, Verdict]
    ) -> None:
        settled = [
            Settled(one, SETTLES[said.action], said.reason, wait=said.wait, tried=False)
            for one, said in verdicts.items()
            if said.action is not Action.SEND
        ]
        outbox_pages.settle_page(session, owner=self.owner, settled=settled, sources={State.CLAIMED})
        # One deferral for all that waits for the same closed door, instead of a claim for each page of it.
        for domain in {one.domain for one in claimed if verdicts[one.id].action is Action.DEFER}:
            if wait := self._blocked(domain):
                outbox_pages.postpone(session, channel=self._channel.value, domain=domain, wait=wait)

    def _compose(self, going: Sequence[Claimed]) -> list[Composed]:
        going = self._with_enclosures(going)
        made, failed = self._documents([one for one in going if one.documents])
        results = self._composer.compose_page([one for one in going if one.id not in failed], made)
        composed = [one for one in results.values() if isinstance(one, Composed)]
        failed |= {one: error for one, error in results.items() if isinstance(error, FrontdeskError)}
        if failed:
            attempts = {one.id: one.attempts for one in going}
            with self._context.transaction() as session:
                outbox_pages.settle_page(
                    session,
                    owner=self.owner,
                    settled=[self._failure(one, attempts[one], error) for one, error in failed.items()],
                    sources={State.CLAIMED},
                )
        return composed

    def _with_enclosures(self, going: Sequence[Claimed]) -> Sequence[Claimed]:
        """The same, with the files that people enclosed; what no person wrote costs no look.

        Letters that would make the page too heavy for the memory go back to the queue.
        """
        written = {one.letter_id for one in going if not one.automatic and one.conversation_id is not None}
        if not written:
            return going
        with self._context.transaction() as session:
            sizes = enclosures.sizes(session, written)
            if not sizes:
                return going
            heavy = beyond({one.id: sizes.get(one.letter_id, 0) for one in going})
            back = [Settled(one, State.QUEUED, tried=False) for one in heavy]
            outbox_pages.settle_page(session, owner=self.owner, settled=back, sources={State.CLAIMED})
            going = [one for one in going if one.id not in heavy]
            found = enclosures.of_deliveries(session, {one.letter_id for one in going} & sizes.keys())
            session.expunge_all()
        return [
            replace(one, enclosed=found[one.letter_id]) if one.letter_id in found else one for one in going
        ]

    def _documents(
        self, carriers: Iterable[Claimed]
    ) -> tuple[dict[int, list[Document]], dict[int, Exception]]:
        """The documents of each delivery: those made at an earlier attempt, else new ones."""
        made: dict[int, list[Document]] = {}
        failed: dict[int, Exception] = {}
        for one in carriers:
            try:
                with self._context.transaction() as session:
                    made[one.id] = self._documents_of(session, one)
            except Exception as error:
                if not isinstance(error, FrontdeskError):
                    self._log.exception("a document could not be made", delivery=one.id)
                failed[one.id] = error
        return made, failed

    def _documents_of(self, session: Session, one: Claimed) -> list[Document]:
        """A letter and its copies carry the very same ones, whichever of them is claimed first."""
        whole = one.letter_id
        if one.addressed is not None:
            outbox_pages.hold_letter(session, whole)
        made = documents.of_deliveries(session, [whole]).get(whole) or self._composer.make_documents(
            session, replace(one, id=whole)
        )
        if one.id != whole:
            for document in made:
                documents.send_again(session, document, one.id)
        return made

    def _failure(self, delivery_id: int, attempts: int, error: Exception) -> Settled:
        """What becomes of a letter that could not be composed."""
        hopeless = isinstance(error, FrontdeskError) and not error.retryable
        said = str(error) or type(error).__name__
        if hopeless or attempts >= COMPOSING_ATTEMPTS:
            return Settled(delivery_id, State.REFUSED, error=said)
        return Settled(delivery_id, State.DEFERRED, error=said, wait=self._wait(attempts))

    def _wait(self, attempts: int) -> float:
        return retry.wait(attempts, self._first_wait, self._longest_wait)

    def record(self, page: Page) -> Counter[Result]:
        """Write down what became of a page; letters without an outcome were never offered.

        A second call does nothing more. Returns how many came to each result.
        """
        settled: list[Settled] = []
        refused: list[tuple[Claimed, Outcome]] = []
        for letter in page.letters:
            one = page.claimed[letter.id]
            outcome = page.outcomes.get(letter.id, NOT_BEGUN)
            state = RECORDS[outcome.result]
            settled.append(
                Settled(
                    letter.id,
                    state,
                    outcome.reply,
                    wait=self._wait(one.attempts) if outcome.result is Result.DEFERRED else 0.0,
                    error=outcome.reply if state is not State.SENT else None,
                    tried=outcome.result is not Result.UNTRIED,
                )
            )
            if outcome.result is Result.REFUSED:
                refused.append((one, outcome))
        with self._context.transaction() as session:
            done = outbox_pages.settle_page(session, owner=self.owner, settled=settled, sources=HELD)
            refusals.close(session, self._channel, [one for one in refused if one[0].id in done])
            self._gate.recorded(session, page.outcomes)
        if self._journal is not None:
            self._journal.release(letter.id for letter in page.letters)
        return Counter(page.outcomes.get(letter.id, NOT_BEGUN).result for letter in page.letters)

    def renew(self, pages: Iterable[Page]) -> None:
        """Lengthen the leases of all pages in hand, and drop from them what is lost or opted out."""
        begun = awake()
        with self._context.transaction() as session:
            still = outbox_pages.renew(session, owner=self.owner, lease=self._lease)
        for page in pages:
            page.renewed(still, self._held_until(begun))

    def _held_until(self, begun: float) -> float:
        """When to stop by ourselves, counted from before the database was asked."""
        return begun + (self._lease - MARGIN).total_seconds()

    def settle_remains(self, folder: Path) -> int:
        """Settle at once what workers of this machine held when they died; returns how many workers."""
        with remains(folder) as dead:
            for left in dead:
                with self._context.transaction() as session:
                    self._settle_remains(session, left)
        return len(dead)

    def _settle_remains(self, session: Session, left: Remains) -> None:
        knows = [
            Settled(one, REMAINS[mark], REMAINS_SAY[mark], tried=mark is not Mark.HELD)
            for one, mark in left.marks.items()
        ]
        outbox_pages.let_lapse(session, left.owner)
        outbox_pages.settle_page(session, owner=left.owner, settled=knows, sources={State.TRANSMITTING})
        self._log.warning("settled what a dead worker held", worker=left.owner, letters=len(knows))

    def sweep(self) -> dict[str, int]:
        """Settle what dead workers held, and what ran out of time."""
        with self._context.transaction() as session:
            swept = outbox_pages.sweep(session)
            expired = outbox_pages.expire(session)
        if swept or expired:
            self._log.warning("swept the outbox", **swept, expired=expired)
        return swept


REMAINS: Mapping[Mark, State] = {
    Mark.HELD: State.DEFERRED,
    Mark.DOTTED: State.UNCERTAIN,
    Mark.TAKEN: State.SENT,
}
REMAINS_SAY: Mapping[Mark, str] = {
    Mark.HELD: "its worker died before the final dot",
    Mark.DOTTED: "its worker died after the final dot, before the answer",
    Mark.TAKEN: "taken by the server, as its dead worker noted",
}
NOT_BEGUN = Outcome(Result.UNTRIED, "not begun")
HELD = frozenset({State.TRANSMITTING, State.UNCERTAIN})
"""What a worker may have made of its page: uncertain where a sweep was sooner than a worker that came
back.
"""
