"""What an error says to staff is said in their language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from desk import messages
from tests.desk.test_alarm_words import ROOT

KINDS = frozenset({"InputRefused", "Conflict", "IllegalTransition"})
"""Errors whose message a screen shows."""
TOLD_TO_PROGRAMS = (
    "backup.py",
    "cli.py",
    "commands",
    "demo",
    "webhooks.py",
    "phoneevents.py",
)
"""Modules whose errors are read in a terminal, or by the exchange that called us."""


def _texts(node: ast.Call) -> Iterator[str]:
    given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "cure")]
    for one in given:
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value


def _said() -> Iterator[tuple[str, str]]:
    """What errors say, by the place where they are raised."""
    for path in sorted(path for room in ("core", "desk") for path in (ROOT / room).rglob("*.py")):
        place = path.relative_to(ROOT)
        if any(part in TOLD_TO_PROGRAMS for part in place.parts):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if isinstance(node, ast.Call) and name in KINDS:
                yield from ((f"{Path(place)}:{node.lineno}", text) for text in _texts(node))


def test_every_error_that_a_screen_can_show_is_translated() -> None:
    known = {message.id for message in messages.load("lt")}
    assert [(place, text) for place, text in _said() if text not in known] == []
