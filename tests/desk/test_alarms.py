"""An alarm stands before those who can do something about it, with the way to where it is mended."""

from __future__ import annotations

import sqlalchemy as sa

from core import notices
from core.db import transaction
from desk.alarmplaces import CONCERNS, PLACES
from desk.wording import ALARMS
from tests.desk.conftest import SignedIn


def test_who_cannot_help_is_not_alarmed(signed_in: SignedIn, engine: sa.Engine) -> None:
    with transaction(engine) as session:
        notices.raise_alarm(session, "letters_quarantined", "mail", "3")
        notices.raise_alarm(session, "relay_failing", "relay.example", "connection refused")
    head, agent = (signed_in(who).get("/inbox").text for who in ("head", "agent"))
    way = 'class="alarm-place" href="/quarantine"'
    assert (way in head, way in agent) == (True, False)
    assert "relay.example" in head
    assert "relay.example" in agent


def test_every_alarm_that_is_led_somewhere_is_one_of_ours() -> None:
    assert (PLACES.keys() | CONCERNS.keys()) - ALARMS.keys() == set()
