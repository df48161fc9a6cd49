"""What a new database begins with: the standard pipeline and which team each topic goes to."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.deals import Pipeline, Stage
from core.routing import TopicTeam
from core.staff import find_or_add_team

STANDARD_PIPELINE = "b2b"

PIPELINE_NAMES = {"en": "Sales to companies", "ru": "Продажи компаниям", "lt": "Pardavimai įmonėms"}

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
                    Stage(key=key, position=position, names=names, norm_days=norm, template=template)
                    for position, (key, norm, template, names) in enumerate(STAGES, start=1)
                ],
            )
        )
    if session.scalar(select(TopicTeam.intent).limit(1)) is None:
        for intent, team in TOPIC_TEAMS.items():
            session.add(TopicTeam(intent=intent, team_id=find_or_add_team(session, team).id))
    session.flush()
