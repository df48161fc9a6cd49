"""`frontdesk demo`: lives with the demonstration it plays."""

from __future__ import annotations

from desk.demo.command import command

__all__ = ["command"]
