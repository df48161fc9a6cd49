"""Every alarm and every step of the pipeline has words that staff can read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from desk import wording
from inbound import pipeline

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("core", "classifier", "templates", "inbound", "outbound", "desk")


def _constants(tree: ast.Module) -> dict[str, str]:
    """The texts that a module names at its top."""
    named = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            named |= {target.id: value.value for target in targets if isinstance(target, ast.Name)}
    return named


def _raised() -> Iterator[tuple[str, str | None]]:
    """Where an alarm is raised and of which kind; None for a kind that cannot be read off."""
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if called != "raise_alarm":
                continue
            kind = call.args[1]
            if isinstance(kind, ast.Constant):
                yield f"{path.name}:{call.lineno}", str(kind.value)
            else:
                yield f"{path.name}:{call.lineno}", _constants(tree).get(getattr(kind, "id", ""))


def test_every_alarm_that_can_be_raised_has_words() -> None:
    found = list(_raised())
    assert {"mailbox_failing", "relay_failing", "sends_uncertain"} <= {kind for _place, kind in found}
    assert [(place, kind) for place, kind in found if kind not in wording.ALARMS] == []


def test_every_step_of_the_pipeline_has_a_name() -> None:
    assert [name for name, _run in pipeline.STEPS if name not in wording.STEPS] == []
