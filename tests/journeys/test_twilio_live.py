"""What Twilio itself says of an account; nothing is changed, nobody is called; only with TWILIO_LIVE=1."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import islice

import pytest

from core.clock import now
from core.config_sections import Twilio
from inbound.twilioaccount import Account
from inbound.twilioapi import TwilioApi

pytestmark = pytest.mark.twilio_live


@pytest.fixture
def settings() -> Twilio:
    """The account that the variables name."""
    return Twilio.model_validate(
        {"account_sid": os.environ["TWILIO_ACCOUNT_SID"], "auth_token": os.environ["TWILIO_AUTH_TOKEN"]}
    )


def test_account_answers_with_its_state_numbers_and_countries(settings: Twilio) -> None:
    account = Account(settings)
    assert account.state()[0] in {"active", "suspended", "closed"}
    assert all(number.startswith("+") for number in account.numbers())
    assert "LT" in account.countries()


def test_lists_of_the_last_two_days_can_be_read(settings: Twilio) -> None:
    api, since = TwilioApi(settings), (now() - timedelta(days=2)).date()
    for told in (api.calls(since), api.recordings(since), api.messages(since)):
        assert all(one.key.startswith("twilio:") for one in islice(told, 50))
