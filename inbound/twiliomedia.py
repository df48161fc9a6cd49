"""The sound of recordings at Twilio: fetched from its API's own address, never one that a webhook names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import httpx

from core.config_sections import Twilio
from core.errors import ConfigurationError, FrontdeskError, LoginRefused, Unreachable

MEDIA_TYPE: Final = "audio/mpeg"
MEDIA_TYPES: Final = frozenset({MEDIA_TYPE, "audio/wav", "audio/x-wav"})
"""What a recording may be declared as; a foreign server chooses nothing else."""
CHUNK: Final = 64_000
SILENCE: Final = httpx.Timeout(30.0, connect=10.0)
"""How long a server may say nothing; a long recording may take longer as a whole."""


class NotThere(FrontdeskError):
    """The provider does not have the recording, or does not have it yet."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording while it is read."""

    media_type: str
    pieces: Iterator[bytes]
    length: int | None
    """Bytes as the server announced them."""


class Media(Protocol):
    """Where recordings are fetched from."""

    @contextmanager
    def sound(self, sid: str) -> Iterator[Sound]:
        """A recording's bytes while the block lasts. Raises NotThere, Unreachable or LoginRefused."""
        ...

    def remove(self, sid: str) -> None:
        """Delete the provider's copy; one that is gone already is fine. Raises as `sound` does."""
        ...


class TwilioMedia:
    """Twilio's store of recordings."""

    def __init__(self, settings: Twilio) -> None:
        """Raises ConfigurationError where there is no token."""
        if settings.auth_token is None:
            raise ConfigurationError("twilio.auth_token is missing.")
        self._base = f"{settings.api_base.rstrip('/')}/2010-04-01/Accounts/{settings.account_sid}/Recordings"
        self._auth = (settings.account_sid, settings.auth_token.get_secret_value())

    @contextmanager
    def sound(self, sid: str) -> Iterator[Sound]:
        """A recording as MP3, with both sides apart where it has two channels."""
        # No redirect is followed: it would lead to a name we did not choose, with our token.
        with httpx.Client(auth=self._auth, timeout=SILENCE) as client:
            for channels in ("2", "1"):
                try:
                    with client.stream(
                        "GET", f"{self._base}/{sid}.mp3", params={"RequestedChannels": channels}
                    ) as answer:
                        if answer.status_code == 400 and channels == "2":
                            # A recording of one channel is refused as two.
                            continue
                        yield _sound(answer)
                        return
                except httpx.HTTPError as error:
                    raise Unreachable(f"Twilio does not answer ({type(error).__name__}).") from error

    def remove(self, sid: str) -> None:
        """Delete Twilio's copy."""
        try:
            answer = httpx.delete(f"{self._base}/{sid}.json", auth=self._auth, timeout=SILENCE)
        except httpx.HTTPError as error:
            raise Unreachable(f"Twilio does not answer ({type(error).__name__}).") from error
        if answer.status_code not in {204, 200, 404}:
            raise _fault(answer.status_code)


def _sound(answer: httpx.Response) -> Sound:
    if answer.status_code != 200:
        raise _fault(answer.status_code)
    length = answer.headers.get("content-length", "")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Sound(
        kind if kind in MEDIA_TYPES else MEDIA_TYPE,
        answer.iter_bytes(CHUNK),
        int(length) if length.isdecimal() else None,
    )


def _fault(status: int) -> FrontdeskError:
    if status in {401, 403}:
        return LoginRefused("Twilio refuses the account's token.")
    if status == 404:
        return NotThere()
    return Unreachable(f"Twilio answers {status}.")
