"""Every bound is documented with its value and enforced where the page says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from core.limits import Limits

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "operate" / "limits.md").read_text(encoding="utf-8")


def _rows() -> dict[str, tuple[str, list[str]]]:
    """Each bound of the page by name, with its value and the files that enforce it."""
    rows = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and (name := re.fullmatch(r"`(\w+)`", cells[0])):
            rows[name[1]] = (cells[1], re.findall(r"`([^`]+)`", cells[3]))
    return rows


def _constants(file: str) -> dict[str, str]:
    found = {}
    for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        target = node.targets[0] if isinstance(node, ast.Assign) else target
        if (
            isinstance(target, ast.Name)
            and isinstance(node, ast.Assign | ast.AnnAssign)
            and node.value is not None
        ):
            found[target.id] = str(eval(compile(ast.Expression(node.value), file, "eval")))  # noqa: S307 - our own file
    return found


ROWS = _rows()


@pytest.mark.parametrize("name", Limits.model_fields)
def test_a_bound_that_can_be_set_is_on_the_page_with_its_default(name: str) -> None:
    assert ROWS[name][0] == str(Limits.model_fields[name].default)


@pytest.mark.parametrize("file", ["core/limits.py", "inbound/limits.py", "templates/limits.py"])
def test_a_bound_that_cannot_be_set_is_on_the_page_with_its_value(file: str) -> None:
    assert {name: ROWS[name][0] for name in _constants(file) if name != "NESTING"} == {
        name: value for name, value in _constants(file).items() if name != "NESTING"
    }


@pytest.mark.parametrize("name", ROWS)
def test_a_bound_is_enforced_where_the_page_says(name: str) -> None:
    _, files = ROWS[name]
    assert files, f"{name} is enforced nowhere"
    for file in files:
        assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8")), f"{file} knows no {name}"
