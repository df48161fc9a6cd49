"""Small charts as SVG made on the server; colours come from the page's style sheet, so both themes fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 420, 230
LEFT, RIGHT, TOP, BOTTOM = 42, 12, 12, 28
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
STEADY = 0.5
"""The opacity of a point that stands for hardly any rows."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place on a chart, both from 0 to 1, what it says when pointed at, and how much it weighs (0 to 1)."""

    x: float
    y: float
    told: str = ""
    weight: float = 1.0


def line(
    points: Sequence[Point],
    title: str,
    *,
    across: Sequence[tuple[float, str]],
    up: Sequence[str],
    diagonal: bool = False,
    goal: float | None = None,
) -> Markup:
    """A line through points; `across` labels places of the lower axis, `up` the quarters of the other, `goal`
    draws a height to reach."""
    parts = [_grid(QUARTERS, up), *_below(across)]
    if diagonal:
        parts.append(_stroke((0.0, 0.0), (1.0, 1.0), "chart-even"))
    if goal is not None:
        parts.append(_stroke((0.0, goal), (1.0, goal), "chart-goal"))
    if len(points) > 1:
        way = " ".join("{:.1f},{:.1f}".format(*_at(one.x, one.y)) for one in points)
        parts.append(Markup('<polyline class="chart-line" points="{}"/>').format(way))
    for one in points:
        x, y = _at(one.x, one.y)
        dot = Markup(
            '<circle class="chart-dot" cx="{:.1f}" cy="{:.1f}" r="3.5" opacity="{:.2f}">'
            "<title>{}</title></circle>"
        )
        parts.append(dot.format(x, y, STEADY + STEADY * one.weight, one.told))
    return _framed(title, parts)


def columns(bars: Sequence[tuple[str, Sequence[tuple[str, int]], str]], title: str) -> Markup:
    """Stacked columns: (label below, (class, count) from the bottom, what it says when pointed at)."""
    highest = max((sum(count for _, count in stack) for _, stack, _ in bars), default=0) or 1
    inner = WIDTH - LEFT - RIGHT
    step = inner / max(1, len(bars))
    wide = min(34.0, step * 0.7)
    every = max(1, round(len(bars) / 6))
    parts: list[Markup] = [_grid((0.0, 1.0), ("0", str(highest)))]
    for place, (label, stack, told) in enumerate(bars):
        middle = LEFT + step * (place + 0.5)
        base = 0.0
        for kind, count in stack:
            if not count:
                continue
            top = base + count / highest
            upper, lower = _at(0, top)[1], _at(0, base)[1]
            bar = Markup(
                '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
                "<title>{}</title></rect>"
            )
            parts.append(bar.format(kind, middle - wide / 2, upper, wide, lower - upper, told))
            base = top
        if place % every == 0:
            parts.append(_word(middle, HEIGHT - 9, "middle", label))
    return _framed(title, parts)


def _framed(title: str, parts: Sequence[Markup]) -> Markup:
    head = Markup('<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">').format(
        WIDTH, HEIGHT, title
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def _at(x: float, y: float) -> tuple[float, float]:
    return LEFT + x * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM)


def _grid(heights: Sequence[float], words: Sequence[str]) -> Markup:
    parts = []
    for height, told in zip(heights, words, strict=True):
        parts.append(_stroke((0.0, height), (1.0, height), "chart-grid"))
        parts.append(_word(LEFT - 6, _at(0, height)[1] + 4, "end", told))
    return Markup("").join(parts)


def _below(labels: Sequence[tuple[float, str]]) -> list[Markup]:
    anchors = {0.0: "start", 1.0: "end"}
    return [_word(_at(x, 0)[0], HEIGHT - 9, anchors.get(x, "middle"), text) for x, text in labels]


def _word(x: float, y: float, anchor: str, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, escape(text))


def _stroke(start: tuple[float, float], end: tuple[float, float], kind: str) -> Markup:
    (x1, y1), (x2, y2) = _at(*start), _at(*end)
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2
    )
