"""How an account at Twilio is set up: its state, where its numbers lead, and which countries it may call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from core.config_sections import Twilio
from core.errors import ConfigurationError, Unreachable
from inbound.twilioapi import BasedClient, _fault

MOST_NUMBERS: Final = 1000


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the account; addresses as they are set at Twilio."""

    number: str
    voice_url: str
    voice_method: str
    fallback_url: str
    status_url: str
    sms_url: str
    can_voice: bool
    can_sms: bool


@dataclass(frozen=True, slots=True)
class Country:
    """Where the account may call."""

    code: str
    plain: bool
    """Ordinary numbers may be called."""
    special: bool
    """Numbers that are known for fraud may be called."""


class Account:
    """Asks Twilio how the account is set up. Every method raises Unreachable or LoginRefused."""

    def __init__(self, settings: Twilio) -> None:
        """Raises ConfigurationError where there is no token."""
        if settings.auth_token is None:
            raise ConfigurationError("twilio.auth_token is missing.")
        self._sid = settings.account_sid
        self._client = Client(
            settings.account_sid,
            settings.auth_token.get_secret_value(),
            http_client=BasedClient(settings.api_base),
        )

    def state(self) -> tuple[str, bool]:
        """The account's state (``active`` when all is well), and whether it is one for trial."""
        try:
            found = self._client.api.accounts(self._sid).fetch()
        except TwilioException as error:
            raise _fault(error) from error
        except OSError as error:
            raise Unreachable("Twilio does not answer.") from error
        return str(found.status), str(found.type) == "Trial"

    def numbers(self) -> dict[str, Number]:
        """The account's numbers, by themselves in E.164."""
        try:
            found = self._client.incoming_phone_numbers.list(limit=MOST_NUMBERS)
        except TwilioException as error:
            raise _fault(error) from error
        except OSError as error:
            raise Unreachable("Twilio does not answer.") from error
        return {
            str(one.phone_number): Number(
                number=str(one.phone_number),
                voice_url=one.voice_url or "",
                voice_method=one.voice_method or "POST",
                fallback_url=one.voice_fallback_url or "",
                status_url=one.status_callback or "",
                sms_url=one.sms_url or "",
                can_voice=_can(one.capabilities, "voice"),
                can_sms=_can(one.capabilities, "sms"),
            )
            for one in found
        }

    def countries(self) -> dict[str, Country]:
        """Where calls may go, by country code."""
        try:
            found = self._client.voice.v1.dialing_permissions.countries.list(limit=MOST_NUMBERS)
        except TwilioException as error:
            raise _fault(error) from error
        except OSError as error:
            raise Unreachable("Twilio does not answer.") from error
        return {
            str(one.iso_code): Country(
                code=str(one.iso_code),
                plain=bool(one.low_risk_numbers_enabled),
                special=bool(one.high_risk_special_numbers_enabled)
                or bool(one.high_risk_tollfraud_numbers_enabled),
            )
            for one in found
        }


def _can(capabilities: object, what: str) -> bool:
    return bool(capabilities.get(what)) if isinstance(capabilities, dict) else True
