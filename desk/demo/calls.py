"""The calls of the demonstration: a client is put through, a stranger leaves a message, somebody gives up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import httpx
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.calls import Call, CallState
from desk.demo import people
from desk.demo.pretended import Pretended
from desk.demo.world import World


@dataclass(frozen=True, slots=True)
class Ringing:
    """Somebody who rings."""

    number: str
    says: str = ""
    keys: str = ""
    answered: bool = True


CALLS: Final = (
    Ringing("+37061200102", "Laba diena, norėčiau komercinio pasiūlymo trims siurbliams „Aura 25-60“."),
    Ringing(
        "+37061234567",
        "Здравствуйте, у нас насос «Нова» показывает ошибку. Перезвоните, пожалуйста.",
        keys="22",
        answered=False,
    ),
    Ringing("+37061200101", answered=False),
)
"""Who rings, in order, and what becomes of it."""
ENDS: Final = (CallState.ANSWERED, CallState.VOICEMAIL, CallState.MISSED)
OPENING_SECONDS: Final = 240.0


def play(world: World) -> list[str]:
    """Place every call and wait until it stands in the history; returns what is wrong."""
    # The workers may have done their part before the desk has opened its doors.
    world.wait_until("the desk answers", lambda _session: _open(world), seconds=OPENING_SECONDS)
    for one in CALLS:
        Pretended(
            desk=world.settings.company.public_url,
            to=people.number(),
            number=one.number,
            says=one.says,
            keys=one.keys,
            answered=one.answered,
            rings=0.2,
            told=_silent,
        ).place()

    def over(session: Session) -> bool:
        return session.scalar(select(func.count()).where(Call.ended_at.is_not(None))) == len(CALLS)

    world.wait_until("every call is on record", over)
    with world.transaction() as session:
        found = list(session.execute(select(Call.state, Call.message_id).order_by(Call.id)))
    wrong = [
        f"call {place} is {state} instead of {wanted.value}"
        for place, ((state, _), wanted) in enumerate(zip(found, ENDS, strict=True), start=1)
        if state != wanted
    ]
    return wrong + [f"call {place} is in no history" for place, row in enumerate(found, 1) if row[1] is None]


def _open(world: World) -> bool:
    try:
        return httpx.get(f"{world.settings.company.public_url}/healthz", timeout=5.0).is_success
    except httpx.HTTPError:
        return False


def _silent(_line: str) -> None:
    """Nobody listens."""
