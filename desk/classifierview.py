"""The classifier's figures as its page shows them: charts, the table of mistakes, two versions compared."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from classifier.comparison import Comparison
from classifier.evaluation import Evaluation
from classifier.history import Week
from core.i18n import N_, Texts
from core.labels import ClassifierVersion, VersionState
from desk import charts as draw
from desk.charts import Point

LEAST_POINTS = 20
"""Judged messages from which the curves are drawn; of fewer they would say nothing."""

GOAL = 0.95
LARGEST = 12
"""Labels in the table of mistakes."""


STATES: dict[VersionState, str] = {
    VersionState.CANDIDATE: N_("Not judged yet"),
    VersionState.ACTIVE: N_("In force"),
    VersionState.RETIRED: N_("Kept"),
    VersionState.REFUSED: N_("Refused"),
}

REASONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"accuracy (?P<old>[\d.]+) to (?P<new>[\d.]+) on (?P<num>\d+) judging messages"),
        N_("Right answers on %(num)s judging messages: %(old)s before, now %(new)s"),
    ),
    (
        re.compile(
            r"(?P<num>\d+) judging messages; cross-validated accuracy (?P<old>[\d.]+) to (?P<new>[\d.]+)"
        ),
        N_("Right answers in cross-validation: %(old)s before, now %(new)s"),
    ),
    (
        re.compile(r"cross-validated accuracy fell from (?P<old>[\d.]+) to (?P<new>[\d.]+)"),
        N_("Right answers in cross-validation fell from %(old)s to %(new)s"),
    ),
    (re.compile("chosen by hand"), N_("Chosen by a person")),
    (re.compile("rolled back from (?P<name>.+)"), N_("Rolled back from %(name)s")),
)
"""What versions say of themselves, and how the page says it."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """How often each true label (row) was said to be which label (column); shades are shares of the row."""

    labels: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[int, int], ...], int], ...]
    """(label, ((count, shade 0 to 4), …) by column, all of the label)."""


def charts(report: Evaluation, weeks: Sequence[Week], words: Texts) -> dict[str, Markup]:
    """The charts that there is enough for, by name: weeks, share, coverage, calibration."""
    _ = words.gettext
    made: dict[str, Markup] = {}
    percent = words.percent
    up = [percent(height) for height in draw.QUARTERS]
    if weeks:
        ends = [(0.0, weeks[0].week), (1.0, weeks[-1].week)] if len(weeks) > 1 else [(0.5, weeks[0].week)]
        last = max(1, len(weeks) - 1)
        points = [
            Point(place / last if len(weeks) > 1 else 0.5, week.accuracy, _week(week, words))
            for place, week in enumerate(weeks)
            if week.accuracy is not None
        ]
        made["weeks"] = draw.line(points, _("Right answers by week"), across=ends, up=up, goal=GOAL)
        made["share"] = draw.columns(
            [
                (
                    week.week.partition("-W")[2],
                    (("chart-good", week.right), ("chart-bad", week.wrong), ("chart-none", week.silent)),
                    _week(week, words),
                )
                for week in weeks
            ],
            _("Judged messages by week"),
        )
    if report.rows >= LEAST_POINTS:
        ends = [(0.0, percent(0)), (0.5, percent(0.5)), (1.0, percent(1))]
        made["coverage"] = draw.line(
            [Point(x, y, f"{percent(x)}: {percent(y)}") for x, y in report.coverage],
            _("Right answers by the share answered"),
            across=ends,
            up=up,
            goal=GOAL,
        )
        most = max((rows for _s, _r, rows in report.reliability), default=1)
        made["calibration"] = draw.line(
            [
                Point(sure, right, f"{percent(sure)}: {percent(right)} ({words.number(rows)})", rows / most)
                for sure, right, rows in report.reliability
            ],
            _("How sure it was and how often it was right"),
            across=ends,
            up=up,
            diagonal=True,
        )
    return made


def matrix(pairs: Mapping[tuple[str, str], int]) -> Matrix:
    """The table of mistakes among the labels with the most messages."""
    totals: dict[str, int] = {}
    for (true, _said), count in pairs.items():
        totals[true] = totals.get(true, 0) + count
    kept = sorted(totals, key=lambda label: (-totals[label], label))[:LARGEST]
    rows = tuple(
        (
            label,
            tuple(_cell(pairs.get((label, said), 0), totals[label]) for said in kept),
            totals[label],
        )
        for label in kept
    )
    return Matrix(tuple(kept), rows)


def beside(found: Comparison) -> list[tuple[str, int, float, float]]:
    """(label, messages, F1 before, F1 after) of each label in the judging messages, greatest change first."""
    before = {one.label: one for one in found.before.labels if one.support}
    after = {one.label: one.f1 for one in found.after.labels}
    rows = [(label, one.support, one.f1, after.get(label, 0.0)) for label, one in before.items()]
    return sorted(rows, key=lambda row: (-abs(row[3] - row[2]), row[0]))


def why(version: ClassifierVersion, words: Texts) -> str:
    """Why a version was put in force or refused, in the reader's language where the reason is known."""
    _ = words.gettext
    for pattern, text in REASONS:
        if found := pattern.fullmatch(version.reason):
            return _(text, **{name: _part(name, said, words) for name, said in found.groupdict().items()})
    return version.reason


def _part(name: str, said: str, words: Texts) -> str:
    return words.percent(float(said)) if name in {"old", "new"} else said


def state(version: ClassifierVersion, words: Texts) -> str:
    """Where a version stands, in a word."""
    return words.gettext(STATES[version.state])


def _cell(count: int, total: int) -> tuple[int, int]:
    return count, 0 if not count else min(4, 1 + int(4 * count / total))


def _week(week: Week, words: Texts) -> str:
    _ = words.gettext
    return _(
        "%(week)s: %(right)d right, %(wrong)d wrong, %(silent)d not said",
        week=week.week,
        right=week.right,
        wrong=week.wrong,
        silent=week.silent,
    )
