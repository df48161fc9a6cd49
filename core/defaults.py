"""What a new database begins with: the standard pipeline and which team each topic goes to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import standardpipeline
from core.pipelines import Pipeline
from core.pipelineversions import stage_of
from core.routing import TopicTeam
from core.sequences import Sequence, SequenceStep, StepKind
from core.staff import find_or_add_team

FOLLOW_UPS: dict[str, tuple[dict[str, str], tuple[tuple[str, int, dict[str, str]], ...]]] = {
    "after_brochure": (
        {"en": "After the brochure", "ru": "После буклета", "lt": "Po informacijos"},
        (("email", 5, {}),),
    ),
    "after_demo": (
        {"en": "After the demo invitation", "ru": "После приглашения на демонстрацию", "lt": "Po kvietimo"},
        (
            ("email", 3, {}),
            ("task", 4, {
                "en": "Call: no answer to the demo invitation",
                "ru": "Позвонить: нет ответа на приглашение на демонстрацию",
                "lt": "Paskambinti: neatsakė į kvietimą į demonstraciją",
            }),
        ),
    ),
    "after_offer": (
        {"en": "After the offer", "ru": "После предложения", "lt": "Po pasiūlymo"},
        (
            ("email", 5, {}),
            ("task", 5, {
                "en": "Call: no answer to the offer",
                "ru": "Позвонить: нет ответа на предложение",
                "lt": "Paskambinti: neatsakė į pasiūlymą",
            }),
        ),
    ),
}  # fmt: skip
"""Follow-ups by key: names, and steps with their delay in working days and a task's title."""

TOPIC_TEAMS: dict[str, str] = {
    "inquiry": "Sales",
    "price_request": "Sales",
    "demo_request": "Sales",
    "document_request": "Sales",
    "order": "Sales",
    "contract": "Sales",
    "meeting": "Sales",
    "refusal": "Sales",
    "positive_reply": "Sales",
    "technical_question": "Support",
    "support_problem": "Support",
    "complaint": "Support",
    "delivery": "Logistics",
    "invoice_payment": "Accounts",
    "unsubscribe": "Marketing",
    "supplier_offer": "Office",
}
"""Which team an intent goes to when nobody nearer to the client is there."""


def install(session: Session) -> None:
    """Put in whatever of the defaults is missing; changes nothing that a company has made its own."""
    if session.scalar(select(Pipeline.id).limit(1)) is None:
        session.add(
            Pipeline(
                key=standardpipeline.KEY,
                names=standardpipeline.DOCUMENT["names"],
                standard=True,
                stages=[
                    stage_of(stage, position)
                    for position, stage in enumerate(standardpipeline.DOCUMENT["stages"], start=1)
                ],
            )
        )
    if session.scalar(select(TopicTeam.intent).limit(1)) is None:
        for intent, team in TOPIC_TEAMS.items():
            session.add(TopicTeam(intent=intent, team_id=find_or_add_team(session, team).id))
    if session.scalar(select(Sequence.id).limit(1)) is None:
        session.add_all(_follow_up(key, names, steps) for key, (names, steps) in FOLLOW_UPS.items())
    session.flush()


def _follow_up(key: str, names: dict[str, str], steps: Iterable[tuple[str, int, dict[str, str]]]) -> Sequence:
    return Sequence(
        key=key,
        names=names,
        steps=[
            SequenceStep(
                position=position,
                kind=StepKind(kind),
                delay_days=days,
                template="follow_up" if kind == StepKind.EMAIL else None,
                titles=titles,
            )
            for position, (kind, days, titles) in enumerate(steps, start=1)
        ],
    )
