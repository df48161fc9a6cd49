"""How long to leave a mail server alone after a failure: growing, scattered, and as long as it asks for."""

from __future__ import annotations

import random
import re
from typing import Final

from core.errors import FrontdeskError, LoginRefused

FIRST: Final = 2.0
LONGEST: Final = 300.0
AFTER_LOGIN_REFUSED: Final = 60.0
"""At most one attempt at signing in a minute: servers lock accounts that are tried more often."""

AFTER_BANDWIDTH: Final = 900.0
AFTER_BUSY: Final = 60.0

_SUGGESTED: Final = re.compile(
    r"suggested backoff time:?\s*(\d{1,9})\s*(milliseconds|ms|seconds|s)?", re.IGNORECASE
)
_BANDWIDTH: Final = re.compile(r"bandwidth limit|exceeded command or bandwidth|download quota", re.IGNORECASE)
_BUSY: Final = re.compile(
    r"\[(?:THROTTLED|LIMIT|INUSE|UNAVAILABLE|OVERQUOTA)\]|too many (?:simultaneous )?connections"
    r"|try again later|request is throttled",
    re.IGNORECASE,
)


def hint(text: str) -> float:
    """The least wait in seconds that a server's words call for; 0 where they call for none."""
    suggested = _SUGGESTED.search(text)
    if suggested:
        amount = float(suggested[1])
        return min(amount if (suggested[2] or "").lower() in {"seconds", "s"} else amount / 1000, 3_600.0)
    if _BANDWIDTH.search(text):
        return AFTER_BANDWIDTH
    if _BUSY.search(text):
        return AFTER_BUSY
    return 0.0


def wait_after(failures: int, error: BaseException, scatter: float | None = None) -> float:
    """Seconds to wait after so many failures in a row (1 for the first).

    `scatter` between 0 and 1 stands for chance: the wait is 75 to 125 per cent of its mean, never less than
    what the server asked for.
    """
    chance = random.random() if scatter is None else scatter  # noqa: S311 - spreading load, no secret
    mean = min(FIRST * 2.0 ** min(failures - 1, 10), LONGEST)
    least = hint(error.message if isinstance(error, FrontdeskError) else str(error))
    if isinstance(error, LoginRefused):
        least = max(least, AFTER_LOGIN_REFUSED)
    return max(mean * (0.75 + 0.5 * chance), least * (1.0 + 0.25 * chance))
