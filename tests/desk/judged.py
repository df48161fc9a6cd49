"""Messages that colleagues judged, and versions of the classifier, for tests and pictures of its pages."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from classifier.classify import SHIPPED
from core.clock import now
from core.conversations import Conversation, Direction, Message
from core.labels import Classification, ClassifierVersion, Field, VersionState, correct
from tests.factories import World

KINDS = (
    "price_request",
    "order",
    "delivery",
    "invoice_payment",
    "complaint",
    "meeting",
    "technical_question",
)


def judge_messages(session: Session, world: World, count: int = 84) -> list[int]:
    """So many messages over ten weeks, of which most had been understood; gives their numbers."""
    made: list[int] = []
    staff = [world.staff["agent"], world.staff["support"]]
    for number in range(count):
        said = KINDS[number % len(KINDS)]
        true = KINDS[(number + 1) % len(KINDS)] if number % 9 == 0 else said
        silent = number % 4 == 3
        sure = 0.35 + (number * 37 % 60) / 100
        at = now() - timedelta(days=70 * (count - number) / count)
        talk = Conversation(subject=f"Laiškas {number}")
        message = Message(
            conversation=talk,
            direction=Direction.IN,
            subject=f"Laiškas {number}",
            sender=f"klientas{number % 20}@pirkejas.lt",
            text=f"Prašome pateikti kainą, pozicija {number}",
            reply=f"Prašome pateikti kainą, pozicija {number}",
            happened_at=at,
        )
        session.add_all([talk, message])
        session.flush()
        session.add(
            Classification(
                message_id=message.id,
                intent=None if silent else said,
                abstained=silent,
                confidence=sure,
                alternatives=[[said, sure], ["other", 0.2]],
            )
        )
        session.flush()
        made_by = correct(session, message.id, Field.INTENT, true, staff_id=staff[number % 2].id)
        made_by.made_at = at + timedelta(hours=number % 24)
        made.append(message.id)
    session.flush()
    return made


def two_versions(session: Session) -> tuple[str, str]:
    """A version in force and one before it, both the shipped model; gives their names, the newer first."""
    model = SHIPPED.read_bytes()
    reasons = (
        ("own-aaaa11112222", VersionState.RETIRED, "accuracy 0.781 to 0.804 on 46 judging messages"),
        ("own-bbbb33334444", VersionState.ACTIVE, "accuracy 0.804 to 0.822 on 51 judging messages"),
    )
    for place, (name, state, reason) in enumerate(reasons):
        session.add(
            ClassifierVersion(
                name=name,
                state=state,
                reason=reason,
                model=model,
                metrics={"held_accuracy": 0.79 + place / 50, "coverage": 0.61 + place / 50},
                made_at=now() - timedelta(days=9 - 6 * place),
                activated_at=now() - timedelta(days=9 - 6 * place),
            )
        )
        session.flush()
    return "own-bbbb33334444", "own-aaaa11112222"
