"""The addresses of our webhooks, below the public address: where an exchange asks and tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

ROAD: Final = "/phone/twilio"
STATUS: Final = "status"
"""A leg of a call came into a state."""
SENT: Final = "sent"
"""An SMS of ours came into a state."""
DELIVERY: Final = "delivery"
"""The parameter that names a delivery by its token, in every address we give for one."""


def road(public_url: str, name: str, params: Mapping[str, str] | None = None) -> str:
    """The full address of one webhook."""
    return f"{public_url}{ROAD}/{name}" + (f"?{urlencode(params)}" if params else "")
