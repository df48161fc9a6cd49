"""What is taken for what, as a table: each true label beside each label said, how often."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

LARGEST = 40
"""Labels that the table holds: those with the most texts."""


def kept_of(pairs: Mapping[tuple[str, str], int]) -> list[str]:
    """The labels of the table in its order, by the count of each (true label, said label)."""
    totals: dict[str, int] = {}
    for (true, _said), count in pairs.items():
        totals[true] = totals.get(true, 0) + count
    largest = sorted(totals, key=lambda label: (-totals[label], label))[:LARGEST]
    return sorted(largest)


def as_lines(pairs: Mapping[tuple[str, str], int]) -> list[str]:
    """The table as text: a row for each true label; the columns bear the rows' numbers."""
    kept = kept_of(pairs)
    lines = [f"{'':28}" + "".join(f"{number:5}" for number in range(1, len(kept) + 1))]
    for number, true in enumerate(kept, start=1):
        cells = "".join(f"{pairs.get((true, said), 0) or '.':>5}" for said in kept)
        lines.append(f"{number:3} {true[:23]:24}{cells}")
    return lines


def as_table(pairs: Mapping[tuple[str, str], int]) -> str:
    """The table as HTML; a cell is the darker, the greater its part of the row."""
    kept = kept_of(pairs)
    head = "".join(f'<th title="{escape(said)}">{number}</th>' for number, said in enumerate(kept, start=1))
    rows = ""
    for number, true in enumerate(kept, start=1):
        total = sum(pairs.get((true, said), 0) for said in kept) or 1
        cells = "".join(
            _cell(pairs.get((true, said), 0), pairs.get((true, said), 0) / total, f"{true} → {said}")
            for said in kept
        )
        rows += f"<tr><td>{number}. {escape(true)}</td>{cells}</tr>"
    return f'<div class="wide"><table class="matrix"><tr><th></th>{head}</tr>{rows}</table></div>'


def _cell(count: int, share: float, title: str) -> str:
    if not count:
        return "<td></td>"
    shade = f"background:color-mix(in srgb,#2563eb {10 + 50 * share:.0f}%,transparent)"
    return f'<td style="{shade}" title="{escape(title)}">{count}</td>'
