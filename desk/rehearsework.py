"""The background work of rehearsal: plays what was asked, says how far it is, and stops when told to."""

from __future__ import annotations

import time
from typing import Final

from core import rehearsal_runs
from core.context import Context
from core.errors import FrontdeskError
from core.jobkinds import Registry
from core.rehearsal_runs import REHEARSE
from desk import rehearsing

registry = Registry()

SECONDS: Final = 300.0
"""What is played by then is shown, and that it is not all."""
TELLING: Final = 0.4
"""Seconds between two words on how far it is, and so until a broken off one ends."""


class _BrokenOff(Exception):
    """Whoever asked wants it no more."""


class _Teller:
    """Writes down how far it is, each time in a transaction of its own."""

    def __init__(self, context: Context, run_id: int) -> None:
        self._context, self._run_id = context, run_id
        self._told = 0.0

    def tell(self, part: str, played: int, of: int) -> None:
        """Raises _BrokenOff when it need not go on."""
        if time.monotonic() - self._told < TELLING:
            return
        self._told = time.monotonic()
        with self._context.transaction() as session:
            if not rehearsal_runs.goes_on(session, self._run_id, part, played, of):
                raise _BrokenOff


def _gave_up(context: Context, error: BaseException, run_id: int) -> None:
    said = error.message if isinstance(error, FrontdeskError) else "Something went wrong on our side"
    with context.transaction() as session:
        rehearsal_runs.fail(session, run_id, said)


@registry.job(REHEARSE, queue="default", attempts=2, concurrency=1, given_up=_gave_up)
def play(context: Context, run_id: int) -> None:
    """Play one; doing it again gives the same, and one that is over is left as it is."""
    with context.transaction() as session:
        run = rehearsal_runs.begin(session, run_id)
        if run is None:
            return
        change, days, deals, letters = rehearsal_runs.change_asked(run), run.days, run.deals, run.letters
    try:
        report = rehearsing.run(
            context.engine, context.settings, lambda _session: change,
            days=days, deals=deals, letters=letters, seconds=SECONDS,
            tell=_Teller(context, run_id).tell,
        )  # fmt: skip
    except _BrokenOff:
        return
    except FrontdeskError as error:
        if error.retryable:
            raise
        _gave_up(context, error, run_id)
        return
    with context.transaction() as session:
        rehearsal_runs.finish(session, run_id, report)
