"""Requests to Twilio that create something: each made once, on its own connection, with an end to patience.

Twilio has no key that would make a repeated request harmless. So it matters whether a request can have left
us: only where no connection was made is that certain.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from core.config_sections import Twilio
from core.errors import ConfigurationError, LoginRefused, Unreachable
from outbound.channels.base import Outcome, Result, Scope
from outbound.phonejudge import judge

PATIENCE: Final = 10.0
"""Seconds for one answer; the SDK's default is for ever."""
PLACED_EVENTS: Final = ("initiated", "ringing", "answered", "completed")


@dataclass(frozen=True, slots=True)
class TextOrder:
    """An SMS to be sent; ``callback`` is told its states."""

    to: str
    sender: str
    """A number, a name, or the id of a messaging service."""
    body: str
    callback: str

    def packed(self) -> bytes:
        """The same as a letter's bytes."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class CallOrder:
    """A call to be placed; ``url`` is asked what happens once it is answered."""

    to: str
    sender: str
    url: str
    callback: str
    ring_seconds: int
    longest_seconds: int
    detect: bool
    """Find out whether a person or a machine answers, before ``url`` is asked."""

    def packed(self) -> bytes:
        """The same as a letter's bytes."""
        return json.dumps(asdict(self), ensure_ascii=False).encode()


class NeverLeft(Exception):
    """No connection was made, so nothing was asked for."""


class Unanswered(Exception):
    """The request left, and no answer came that could be read."""


class OnceClient(HttpClient):
    """The SDK's way to Twilio: one connection for each request, no second attempt, another base address."""

    def __init__(self, base: str, seconds: float = PATIENCE) -> None:
        super().__init__(logging.getLogger("twilio.http_client"), False, None)
        self._base = urlsplit(base)
        # A kept connection may be gone when it is used again, and then nobody knows what got through.
        self._http = httpx.Client(timeout=seconds, limits=httpx.Limits(max_keepalive_connections=0))

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: Any = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Ask the base address for what the SDK wanted of Twilio's. Raises NeverLeft or Unanswered."""
        parts = urlsplit(uri)._replace(scheme=self._base.scheme, netloc=self._base.netloc)
        try:
            answer = self._http.request(
                method,
                parts.geturl(),
                params=params or None,  # pyright: ignore[reportArgumentType] - plain strings
                data=data,
                headers=headers,
                auth=auth,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NeverLeft(str(error) or type(error).__name__) from error
        except httpx.HTTPError as error:
            raise Unanswered(str(error) or type(error).__name__) from error
        return Response(answer.status_code, answer.text)


class TwilioWire:
    """One account at Twilio, asked to create."""

    def __init__(self, settings: Twilio, seconds: float = PATIENCE) -> None:
        """Raises ConfigurationError where there is no token."""
        if settings.auth_token is None:
            raise ConfigurationError("twilio.auth_token is missing.")
        self._account = settings.account_sid
        self._client = Client(
            settings.account_sid,
            settings.auth_token.get_secret_value(),
            http_client=OnceClient(settings.api_base, seconds),
        )

    def text(self, order: TextOrder) -> Outcome:
        """Ask for an SMS, once. Raises Unreachable or LoginRefused where it was certainly not taken."""
        sender = (
            {"messaging_service_sid": order.sender}
            if order.sender.startswith("MG")
            else {"from_": order.sender}
        )
        return self._create(
            lambda: self._client.messages.create(
                to=order.to, body=order.body, status_callback=order.callback, **sender
            )
        )

    def call(self, order: CallOrder) -> Outcome:
        """Ask for a call, once. Raises as `text` does."""
        detect = {"machine_detection": "DetectMessageEnd"} if order.detect else {}
        return self._create(
            lambda: self._client.calls.create(
                to=order.to,
                from_=order.sender,
                url=order.url,
                method="POST",
                status_callback=order.callback,
                status_callback_method="POST",
                status_callback_event=list(PLACED_EVENTS),
                timeout=order.ring_seconds,
                time_limit=order.longest_seconds,
                **detect,
            )
        )

    def probe(self) -> None:
        """Ask for nothing but an answer. Raises Unreachable or LoginRefused."""
        try:
            self._client.api.v2010.accounts(self._account).fetch()
        except (NeverLeft, Unanswered) as error:
            raise Unreachable("Twilio does not answer.") from error
        except TwilioRestException as error:
            if error.status in {401, 403}:
                raise LoginRefused("Twilio refuses the account's token.") from error
            raise Unreachable(f"Twilio answers {error.status}.") from error

    def _create(self, ask: Callable[[], Any]) -> Outcome:
        try:
            made = ask()
        except NeverLeft as error:
            raise Unreachable("Twilio cannot be reached.") from error
        except TwilioRestException as error:
            outcome = judge(error.status, error.code, error.msg or "")
            if outcome.result is Result.UNTRIED and outcome.scope is Scope.RELAY:
                raise LoginRefused("Twilio refuses the account's token.") from error
            return outcome
        except (Unanswered, TwilioException, ValueError, TypeError, KeyError) as error:
            # It may have been carried out: the exchange's list will tell.
            return Outcome(Result.UNCERTAIN, f"no answer that could be read: {error}"[:500])
        sid = str(made.sid or "")
        if not sid:
            return Outcome(Result.UNCERTAIN, "the answer holds no id")
        return Outcome(Result.SENT, f"{made.status} {sid}", sid=sid)
