"""Which stage a deal should go to next, judged by what the client wrote; a person decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.intents import Intent

SUGGESTS: Mapping[str, str] = {
    Intent.DOCUMENT_REQUEST: "need_identified",
    Intent.DEMO_REQUEST: "demo",
    Intent.TECHNICAL_QUESTION: "technical_proposal",
    Intent.PRICE_REQUEST: "commercial_offer",
    Intent.ORDER: "contract",
    Intent.CONTRACT: "contract",
    Intent.INVOICE_PAYMENT: "payment",
    Intent.DELIVERY: "delivery",
}
"""The stage that each topic belongs to, by their keys."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stage as proposals see it."""

    id: int
    key: str
    position: int


def propose(intent: str | None, present: Place, stages: Mapping[str, Place]) -> Place | None:
    """The stage to propose, or None: never backwards, never where the deal is, only to a stage there is."""
    target = stages.get(SUGGESTS.get(intent or "", ""))
    return target if target is not None and target.position > present.position else None
