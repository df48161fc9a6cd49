"""What a new database begins with: the standard pipeline and which team each topic goes to."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.deals import Pipeline, Stage
from core.routing import TopicTeam
from core.sequences import Sequence, SequenceStep, StepKind
from core.staff import find_or_add_team

STANDARD_PIPELINE = "b2b"

PIPELINE_NAMES = {"en": "Sales to companies", "ru": "Продажи компаниям", "lt": "Pardavimai įmonėms"}

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

STAGE_FOLLOW_UPS = {
    "need_identified": "after_brochure",
    "demo": "after_demo",
    "technical_proposal": "after_offer",
    "commercial_offer": "after_offer",
}
"""Which follow-up begins in which stage."""

STAGES: tuple[tuple[str, int | None, str | None, dict[str, str]], ...] = (
    ("first_contact", 2, None, {"en": "First contact", "ru": "Первый контакт", "lt": "Pirmasis kontaktas"}),
    ("need_identified", 5, "brochure",
     {"en": "Need identified", "ru": "Потребность выявлена", "lt": "Poreikis nustatytas"}),
    ("demo", 10, "demo_invitation", {"en": "Demo", "ru": "Демонстрация", "lt": "Demonstracija"}),
    ("technical_proposal", 7, "technical_proposal",
     {"en": "Technical proposal", "ru": "Техническое предложение", "lt": "Techninis pasiūlymas"}),
    ("commercial_offer", 10, "commercial_offer",
     {"en": "Commercial offer", "ru": "Коммерческое предложение", "lt": "Komercinis pasiūlymas"}),
    ("contract", 7, None,
     {"en": "Contract and invoice", "ru": "Договор и счёт", "lt": "Sutartis ir sąskaita"}),
    ("payment", 14, None, {"en": "Payment", "ru": "Оплата", "lt": "Apmokėjimas"}),
    ("delivery", 21, None, {"en": "Delivery", "ru": "Поставка", "lt": "Pristatymas"}),
    ("after_sale", None, None,
     {"en": "After-sale care", "ru": "Послепродажное обслуживание", "lt": "Aptarnavimas po pardavimo"}),
)  # fmt: skip
"""Key, norm in days, template sent on entering, names."""

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
                key=STANDARD_PIPELINE,
                names=PIPELINE_NAMES,
                stages=[
                    Stage(
                        key=key,
                        position=position,
                        names=names,
                        norm_days=norm,
                        template=template,
                        sequence=STAGE_FOLLOW_UPS.get(key),
                    )
                    for position, (key, norm, template, names) in enumerate(STAGES, start=1)
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
