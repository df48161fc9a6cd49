"""`frontdesk classifier`: lives with the classifier it trains."""

from __future__ import annotations

from classifier.cli import classifier as command

__all__ = ["command"]
