"""A company with a telephone: our desk behind its public address, its people, and a local Twilio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from litestar import Litestar
from litestar.testing import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import defaults, staff
from core.accounts import Account, Contact, ContactPoint, PointKind
from core.calls import Call
from core.clock import now
from core.config import Settings, load_settings
from core.context import Context
from core.db import transaction
from core.deals import open_deal
from core.routing import TopicTeam
from core.values import Language
from desk.app import create_app
from inbound import calls
from tests.twilio_local.exchange import ACCOUNT, TOKEN, Exchange
from tests.twilio_local.people import Callee

PUBLIC = "https://desk.example"
OURS = "+37052000000"
OWNER, SECOND, SUPPORT = "+37060000001", "+37060000002", "+37060000003"
CLIENT, STRANGER, SWITCHBOARD = "+37061100001", "+37061100099", "+37052111111"
ALWAYS = {"opens": "00:00", "closes": "23:59:59", "days": [1, 2, 3, 4, 5, 6, 7], "holidays": ""}
CLOSED = {**ALWAYS, "days": [(now().isoweekday() + 2) % 7 + 1]}
"""A telephone that is open on one day of the week, which is neither yesterday, today nor tomorrow."""
TOPICS = [
    {"intent": "price_request", "lt": "Pardavimų skyrius", "ru": "Отдел продаж", "en": "Sales"},
    {"intent": "support_problem", "lt": "Aptarnavimas", "ru": "Техническая поддержка", "en": "Support"},
]


def phone_settings(data_dir: Path, phone: Mapping[str, Any] | None = None, **twilio: Any) -> Settings:
    """Settings of a company with a telephone that is always open, unless told otherwise."""
    return load_settings(
        file=None,
        data_dir=data_dir,
        company={"name": "Šiaurės siurbliai", "public_url": PUBLIC, "default_language": "lt"},
        twilio={"account_sid": ACCOUNT, "auth_token": TOKEN, "numbers": [OURS], **twilio},
        phone={**ALWAYS, "topics": TOPICS, **(phone or {})},
    )


@dataclass
class PhoneHouse:
    """The company, its desk and its exchange."""

    context: Context
    client: TestClient[Litestar]
    exchange: Exchange

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, str]:
        """Post to the desk as the internet does, past its proxy."""
        answer = self.client.post(url, content=body, headers=dict(headers))
        return answer.status_code, answer.headers.get("content-type", ""), answer.text

    def work(self) -> None:
        """Apply whatever was told."""
        calls.drain(self.context)

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """A look into the database."""
        with self.context.transaction() as session:
            yield session

    def calls(self, session: Session) -> list[Call]:
        """Every call on record."""
        return list(session.scalars(select(Call).order_by(Call.id)))


def people(engine: sa.Engine) -> None:
    """Two who sell, one who supports; a client with an owner, and a switchboard that two contacts share."""
    with transaction(engine) as session:
        defaults.install(session)
        one = staff.add(
            session, email="ruta@s.example", name="Rūta", speaks=["lt", "en"], team="Sales", phone=OWNER,
            language=Language.LT,
        )  # fmt: skip
        staff.add(
            session, email="aleksej@s.example", name="Алексей", speaks=["ru"], team="Sales", phone=SECOND,
            language=Language.RU,
        )  # fmt: skip
        help_ = staff.add(
            session, email="tomas@s.example", name="Tomas", speaks=["lt", "ru"], team="Support",
            role=staff.Role.SUPPORT, phone=SUPPORT,
        )  # fmt: skip
        topic = session.get(TopicTeam, "support_problem")
        if topic is None:
            session.add(TopicTeam(intent="support_problem", team_id=help_.team_id or 0))
        else:
            topic.team_id = help_.team_id or 0
        account = Account(name="UAB „Vandenis“")
        other = Account(name="AB „Baltic Heat“")
        client = Contact(
            name="Ona Žukauskaitė", account=account, language="lt",
            points=[
                ContactPoint(kind=PointKind.PHONE, value=number)
                for number in (CLIENT, "+37061100002", "+37052111112")
            ],
        )  # fmt: skip
        shared = [
            Contact(
                name=name, account=other, language="ru",
                points=[ContactPoint(kind=PointKind.PHONE, value=SWITCHBOARD)],
            )
            for name in ("Дарья", "Игорь")
        ]  # fmt: skip
        session.add_all([client, *shared])
        session.flush()
        open_deal(session, contact=client, title="Siurbliai", owner_id=one.id)


@contextmanager
def phone_house(engine: sa.Engine, settings: Settings) -> Iterator[PhoneHouse]:
    """The company over a database of its own, while the block lasts."""
    people(engine)
    context = Context(settings, engine)
    with TestClient(create_app(settings, engine)) as client:
        house = PhoneHouse(context, client, Exchange(lambda *given: house.post(*given), PUBLIC))
        house.exchange.book = {OWNER: Callee(), SECOND: Callee(), SUPPORT: Callee()}
        yield house
