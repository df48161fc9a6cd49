"""What a look at one part of the installation found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """How something stands."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    what: str
    verdict: Verdict
    said: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.said}" + (f" {self.cure}" if self.cure else "")

    def as_dict(self) -> dict[str, Any]:
        """Plain data for `--json`."""
        return {"what": self.what, "verdict": self.verdict.value, "said": self.said, "cure": self.cure}
