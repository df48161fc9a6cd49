"""What Twilio has on record: calls, recordings and messages, listed through its API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from core.config_sections import Twilio
from core.errors import ConfigurationError, LoginRefused, Unreachable
from core.phoneevents import Told
from inbound import twilio

PATIENCE: Final = 10.0
"""Seconds for one answer; the SDK's default is for ever."""
PAGE: Final = 200
LOOK_UP: Final = 50
"""Rows asked for when one order is looked for."""


class BasedClient(TwilioHttpClient):
    """The SDK's way to Twilio, with another base address and an end to its patience."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=PATIENCE)
        self._base = urlsplit(base)

    def request(self, method: str, url: str, *args: Any, **more: Any) -> Response:
        """Ask the base address for what the SDK wanted of Twilio's."""
        parts = urlsplit(url)._replace(scheme=self._base.scheme, netloc=self._base.netloc)
        return super().request(method, parts.geturl(), *args, **more)


class TwilioApi:
    """Lists of what one account holds, as events with the keys that webhooks give the same facts."""

    def __init__(self, settings: Twilio) -> None:
        """Raises ConfigurationError where there is no token."""
        if settings.auth_token is None:
            raise ConfigurationError("twilio.auth_token is missing.")
        self._client = Client(
            settings.account_sid,
            settings.auth_token.get_secret_value(),
            http_client=BasedClient(settings.api_base),
        )

    def calls(self, since: date) -> Iterator[Told]:
        """Every leg begun on a day (UTC) or later, newest first. Raises Unreachable or LoginRefused."""
        found = _asked(lambda: self._client.calls.stream(start_time_after=_midnight(since), page_size=PAGE))
        return (told for one in found if (told := _leg(one)) is not None)

    def call(self, sid: str) -> Told | None:
        """One leg as it stands; None where Twilio does not know it."""
        try:
            return _leg(self._client.calls(sid).fetch())
        except TwilioRestException as error:
            if error.status == 404:
                return None
            raise _fault(error) from error
        except OSError as error:
            raise Unreachable("Twilio does not answer.") from error

    def recordings(self, since: date) -> Iterator[Told]:
        """Every recording made on a day (UTC) or later, newest first."""
        found = _asked(
            lambda: self._client.recordings.stream(date_created_after=_midnight(since), page_size=PAGE)
        )
        return (
            twilio.recording_told(
                {
                    "RecordingSid": one.sid,
                    "CallSid": one.call_sid,
                    "RecordingStatus": str(one.status),
                    "RecordingDuration": one.duration or "",
                    "RecordingSource": str(one.source),
                },
                source="list",
            )
            for one in found
            if str(one.status) in twilio.RECORDING_STATUSES
        )

    def messages(self, since: date) -> Iterator[Told]:
        """Every SMS in or out since a day (UTC), newest first."""
        found = _asked(lambda: self._client.messages.stream(date_sent_after=_midnight(since), page_size=PAGE))
        return (told for one in found if (told := _text(one)) is not None)

    def texts_to(self, number: str) -> Iterator[Told]:
        """The newest SMS to a number, in whatever state: one that was never sent has no day in the list."""
        found = _asked(lambda: self._client.messages.stream(to=number, limit=LOOK_UP, page_size=LOOK_UP))
        return (told for one in found if (told := _text(one)) is not None)

    def calls_to(self, number: str) -> Iterator[Told]:
        """The newest legs to a number, in whatever state."""
        found = _asked(lambda: self._client.calls.stream(to=number, limit=LOOK_UP, page_size=LOOK_UP))
        return (told for one in found if (told := _leg(one)) is not None)


def _text(one: Any) -> Told | None:
    fields = {
        "MessageSid": one.sid,
        "From": one.from_ or "",
        "To": one.to or "",
        "Body": one.body or "",
        "NumMedia": one.num_media or "0",
        "MessageStatus": str(one.status),
        "ErrorCode": str(one.error_code or ""),
    }
    if str(one.direction) == "inbound":
        return twilio.sms_told(fields, source="list", at=one.date_sent)
    if fields["MessageStatus"] not in twilio.TEXT_STATUSES:
        return None
    return twilio.text_told(fields, source="list", created=one.date_created)


def _leg(one: Any) -> Told | None:
    state = twilio.STATUSES.get(str(one.status))
    if state is None:
        return None
    moment: datetime | None = one.end_time or one.start_time
    return twilio.leg_told(
        one.sid,
        state,
        parent=one.parent_call_sid or None,
        direction="in" if one.direction == "inbound" else "out",
        caller=one._from or "",
        called=one.to or "",
        at=moment.astimezone(UTC).isoformat() if moment else None,
        created=one.date_created.astimezone(UTC).isoformat() if one.date_created else None,
        seconds=int(one.duration) if one.duration else None,
        source="list",
    )


def _midnight(day: date) -> datetime:
    # Twilio's filters compare whole days; hours are not promised to be heeded.
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _asked(ask: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    """What the SDK yields, with its errors turned into ours; nothing is asked before the first is wanted."""
    try:
        yield from ask()
    except TwilioException as error:
        raise _fault(error) from error
    except OSError as error:
        raise Unreachable("Twilio does not answer.") from error


def _fault(error: TwilioException) -> Unreachable | LoginRefused:
    """Our error for the SDK's; a list's errors carry their answer among the arguments only."""
    status = getattr(error, "status", None)
    for part in error.args:
        status = getattr(part, "status_code", status)
    if status in {401, 403}:
        return LoginRefused("Twilio refuses the account's token.")
    return Unreachable(f"Twilio answers {status}." if status else "Twilio does not answer.")


def in_pages(events: Iterable[Told], keep: Callable[[list[Told]], int], *, until_known: int) -> int:
    """Hand events on in pages until so many pages in a row brought nothing new; returns how many were new.

    With 0 the whole list is read.
    """
    coming, new, known = iter(events), 0, 0
    while page := list(islice(coming, PAGE)):
        fresh = keep(page)
        new += fresh
        known = 0 if fresh else known + 1
        if until_known and known >= until_known:
            break
    return new
