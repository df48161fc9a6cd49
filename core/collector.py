"""Python's collector of circular garbage, set for processes that serve or work for days."""

from __future__ import annotations

import gc


def settle() -> None:
    """Call it once everything is imported: what stands then is never looked through again, and the rest when
    50,000 objects came, not 700. Letters and pages make many small objects and hardly a circle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
