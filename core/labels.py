"""How a message was understood, and what staff corrected."""

from __future__ import annotations

from core.intents import INTENT_NAMES, SIGNAL_NAMES, URGENCY_NAMES, Intent, Signal, Urgency, intent_name

__all__ = ["INTENT_NAMES", "SIGNAL_NAMES", "URGENCY_NAMES", "Intent", "Signal", "Urgency", "intent_name"]
