"""What a year of follow-ups comes to, counted from the tables alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.followup import due_after
from core.sequences import Sequence
from core.worktime import Calendar

_TAKEN = text("""
select e.id, e.sequence_id, e.contact_id, e.state, s.position, s.taken_at, s.delivery_id, s.task_id,
    a.zone, a.country
from enrolment e join contact c on c.id = e.contact_id join account a on a.id = c.account_id
left join enrolment_step s on s.enrolment_id = e.id order by e.id, s.position
""")


@dataclass
class YearCount:
    """Totals, and each kind of fault with how often it was seen."""

    finished: int = 0
    stopped: int = 0
    live: int = 0
    steps: int = 0
    letters: int = 0
    tasks: int = 0
    wrong: dict[str, int] = field(default_factory=dict)

    @property
    def faults(self) -> dict[str, int]:
        """Kinds of fault that were seen."""
        return {name: number for name, number in self.wrong.items() if number}

    def fault(self, kind: str, number: int = 1) -> None:
        """One more of a kind."""
        self.wrong[kind] = self.wrong.get(kind, 0) + number

    def table(self, enrolments: int, kills: int, seconds: float) -> str:
        """The count as lines to print."""
        rows = [
            ("enrolments", enrolments),
            ("workers killed", kills),
            ("finished", self.finished),
            ("stopped", self.stopped),
            ("still live", self.live),
            ("steps taken", self.steps),
            ("letters queued", self.letters),
            ("tasks made", self.tasks),
            *sorted(self.wrong.items()),
            ("seconds", round(seconds)),
        ]
        return "\n".join(f"{name:<44}{number:>10}" for name, number in rows)


def count(
    session: Session, stopped: Mapping[int, datetime], away: Mapping[int, tuple[datetime, datetime]]
) -> YearCount:
    """Compare what was taken with every promise; ``stopped`` and ``away`` are by contact."""
    result = YearCount()
    for kind in (
        "step twice", "step skipped", "outside allowed hours", "after a stop", "too soon after the last step",
        "while away", "over the budget", "left waiting after a stop", "live at the end",
    ):  # fmt: skip
        result.fault(kind, 0)
    roads = {one.id: {step.position: step for step in one.steps} for one in session.query(Sequence)}
    calendars: dict[tuple[str | None, str | None], Calendar] = {}
    last: tuple[int, datetime] | None = None
    positions: dict[int, list[int]] = {}
    states: dict[int, tuple[str, int]] = {}
    for row in session.execute(_TAKEN):
        states[row.id] = (row.state, len(roads[row.sequence_id]))
        positions.setdefault(row.id, [])
        if row.position is None:
            continue
        place = (row.zone, row.country)
        if place not in calendars:
            calendars[place] = (
                Calendar(row.zone, Calendar().week, row.country or "") if row.zone else Calendar()
            )
        step = roads[row.sequence_id][row.position]
        calendar = calendars[place].within(step.window)
        positions[row.id].append(row.position)
        result.steps += 1
        if not calendar.is_open(row.taken_at):
            result.fault("outside allowed hours")
        if row.contact_id in stopped and row.taken_at > stopped[row.contact_id]:
            result.fault("after a stop")
        since, until = away.get(row.contact_id, (row.taken_at, row.taken_at))
        if since < row.taken_at < until:
            result.fault("while away")
        earliest = due_after(step, last[1], calendars[place]) if last and last[0] == row.id else row.taken_at
        if row.taken_at < earliest:
            result.fault("too soon after the last step")
        last = (row.id, row.taken_at)
        result.letters += row.delivery_id is not None
        result.tasks += row.task_id is not None
        if row.delivery_id is None and row.task_id is None:
            result.fault("step skipped")
    for number, taken in positions.items():
        state, length = states[number]
        result.finished += state == "finished"
        result.stopped += state == "stopped"
        result.live += state in {"active", "paused"}
        if taken != list(range(1, len(taken) + 1)) or (state == "finished" and len(taken) != length):
            result.fault("step skipped")
    result.fault("live at the end", result.live)
    _compare(session, result)
    return result


def _compare(session: Session, result: YearCount) -> None:
    """Everything that was made belongs to exactly one step, and nothing that was stopped still waits."""
    letters = session.execute(text("select count(*) from delivery")).scalar_one()
    tasks = session.execute(text("select count(*) from task")).scalar_one()
    result.fault("step twice", abs(letters - result.letters) + abs(tasks - result.tasks))
    waiting = session.execute(
        text(
            "select count(*) from delivery d join enrolment_step s on s.delivery_id = d.id"
            " join enrolment e on e.id = s.enrolment_id where e.state = 'stopped' and d.state = 'queued'"
        )
    ).scalar_one()
    result.fault("left waiting after a stop", waiting)
    week = timedelta(days=7)
    touches: dict[int, list[datetime]] = {}
    rows = session.execute(
        text("select contact_id, due_at from delivery where state <> 'cancelled' order by due_at")
    )
    for contact_id, at in rows:
        recent = [one for one in touches.get(contact_id, []) if one + week > at]
        if len(recent) >= 3:
            result.fault("over the budget")
        touches[contact_id] = [*recent, at]
