"""`frontdesk classify`: lives with the classifier it asks."""

from __future__ import annotations

from classifier.cli import classify as command

__all__ = ["command"]
