"""The page where clients say what they want to get, as they and as machines meet it."""

from __future__ import annotations

import sqlalchemy as sa

from core.accounts import ContactPoint, PointKind
from core.consent import Consent, Suppression
from core.db import transaction
from outbound.unsubscribe import Unsubscriber
from tests.desk.conftest import Browser


def _link(settings: object, address: str = "ona@vandenis.example") -> str:
    return "/unsubscribe/" + Unsubscriber(settings.signing_key(), "https://desk.example").token(address, 7)  # type: ignore[attr-defined]


def _counts(engine: sa.Engine) -> tuple[int, int]:
    with transaction(engine) as session:
        consents = session.scalars(sa.select(Consent)).all()
        return len(consents), len(session.scalars(sa.select(Suppression)).all())


def test_the_preference_page_keeps_what_was_chosen_and_nothing_that_was_not_offered(
    visitor: Browser, desk_settings: object, engine: sa.Engine
) -> None:
    with transaction(engine) as session:
        contact = session.scalars(
            sa.select(ContactPoint).where(ContactPoint.kind == PointKind.EMAIL).order_by(ContactPoint.id)
        ).first()
        assert contact is not None
        address, number = contact.value, contact.contact_id
    text = visitor.get(_link(desk_settings, address)).text
    for words in ("Ką norite gauti?", "Что вы хотите получать?", "Choose what you want to get"):
        assert words in text
    answer = visitor.post(
        _link(desk_settings, address),
        data={"choose": "1", "email:offers": "1", "fax:news": "1", "contact_id": "1"},
        headers={"origin": "https://desk.example"},
    )
    assert answer.status_code == 200
    with transaction(engine) as session:
        rows = session.scalars(sa.select(Consent).where(Consent.contact_id == number)).all()
        said = {row.purpose: row.granted for row in rows if row.channel == "email"}
        assert said == {"offers": True, "news": False, "events": False}
        assert all("delivery 7" in row.proof for row in rows)
        assert {str(row.channel) for row in rows} <= {"email", "sms", "voice"}


def test_getting_the_preference_page_as_scanners_do_changes_nothing(
    visitor: Browser, desk_settings: object, engine: sa.Engine
) -> None:
    """B38."""
    before = _counts(engine)
    for _ in range(3):
        visitor.get(_link(desk_settings) + "?choose=1&email:offers=")
        visitor.head(_link(desk_settings))
    assert _counts(engine) == before


def test_the_page_begins_in_the_readers_language(visitor: Browser, desk_settings: object) -> None:
    page = visitor.get(_link(desk_settings), headers={"accept-language": "ru-RU,ru;q=0.9"}).text
    assert page.index("Отказаться от рассылок?") < page.index("Nebegauti mūsų naujienlaiškių?")
    link = _link(desk_settings, "niekas@kitur.example")
    stopped = visitor.post(link, data={"tongue": "en"}, headers={"origin": "https://desk.example"}).text
    assert stopped.index("Done") < stopped.index("Atlikta")
