"""Everything that is wrong with a template before it is saved: each fault with its part, line and cure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from core.errors import FrontdeskError
from templates.bounded import text_child
from templates.errors import TemplateRefused, UnknownPlaceholder
from templates.rendered import check
from templates.unit import Source


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; with one a template cannot be saved."""

    part: str
    """File name of the part, empty for the template as a whole."""
    line: int | None
    problem: str
    cure: str
    unknown: bool = False
    """It is a placeholder that nobody declared."""


def examine(source: Source) -> list[Finding]:
    """Look a text over in the bounded child: the first fault of every part, then whether it can be filled
    in with the sample values. Raises only RendererFailed, where the child itself fails.
    """
    packed = json.dumps(source.as_plain(), ensure_ascii=False, sort_keys=True)
    try:
        refused, _ = text_child().ask({"do": "faults", "source": packed})
        if refused:
            return [Finding(**fault) for fault in refused]
        check(source)
    except TemplateRefused as error:
        part = error.name.rpartition("/")[2] if error.name.count("/") == 3 else ""
        unknown = isinstance(error, UnknownPlaceholder)
        return [Finding(part, error.line, error.problem, error.cure or "", unknown)]
    except FrontdeskError as error:
        if error.retryable:
            raise
        return [Finding("", None, error.message, error.cure or "")]
    return []
