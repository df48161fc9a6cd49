"""The section of the settings that says how our telephone takes calls, and whom it may reach."""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from core.config_base import Fault, Section
from core.dialling import readable
from core.intents import Intent

VOICES = {
    "lt": "Google.lt-LT-Standard-A",
    "ru": "Polly.Tatyana",
    "en": "Polly.Amy",
}
"""Lithuanian is spoken only where the voice is named: no language of Twilio's `<Say>` leads to it."""


class Ring(StrEnum):
    """How several telephones are rung."""

    SEQUENCE = "sequence"
    TOGETHER = "together"


class Topic(Section):
    """One choice of the menu that callers hear whom we do not know."""

    intent: Intent = Field(description="The topic, by its key.", examples=["price_request"])
    lt: str = Field(default="", description="Its name in Lithuanian.", examples=["Pardavimų skyrius"])
    ru: str = Field(default="", description="Its name in Russian.", examples=["Отдел продаж"])
    en: str = Field(default="", description="Its name in English.", examples=["Sales"])


class Engine(StrEnum):
    """Who writes down what is said in recorded calls."""

    NONE = "none"
    TWILIO = "twilio"
    """Twilio, while people talk; in Russian and English."""
    HTTP = "http"
    """An engine of the company's own, from the recording."""


class Transcription(Section):
    """Transcripts of recorded calls and messages."""

    engine: Engine = Field(default=Engine.NONE, description="none, twilio or http.", examples=["http"])
    url: str = Field(
        default="",
        description="Where our own engine takes recordings.",
        examples=["http://127.0.0.1:8000/v1/audio/transcriptions"],
        pattern=r"^(https?://\S+)?$",
    )
    token: SecretStr | None = Field(
        default=None, description="Sent to it as a bearer token.", examples=["a long random text"]
    )
    token_file: Path | None = Field(
        default=None, description="A file that holds it.", examples=["/run/secrets/engine"]
    )
    model: str = Field(default="", description="The model it should use.", examples=["large-v3"])
    seconds: float = Field(
        default=600.0, gt=0, le=7200, description="How long one recording may take it.", examples=[600]
    )

    @model_validator(mode="after")
    def _address(self) -> Self:
        if self.engine is Engine.HTTP and not self.url:
            raise Fault("url", "it is missing, and engine = 'http' needs it")
        return self


class OwnExchange(Section):
    """A telephone exchange of our own that tells us of its calls."""

    name: str = Field(
        description="A short name, part of nothing that callers see.",
        examples=["office"],
        pattern=r"^[a-z0-9-]{1,20}$",
    )
    token: SecretStr | None = Field(
        default=None,
        description="It proves who tells us; at least 20 characters.",
        examples=["a long random text"],
        min_length=20,
    )
    token_file: Path | None = Field(
        default=None, description="A file that holds it.", examples=["/run/secrets/office-exchange"]
    )

    @model_validator(mode="after")
    def _token(self) -> Self:
        if self.token is None and self.token_file is None:
            raise Fault("token", "it is missing, and so is token_file")
        return self


class Phone(Section):
    """How calls are taken, and whom we may call or write to."""

    opens: time = Field(default=time(9), description="When the telephone opens.", examples=["09:00"])
    closes: time = Field(default=time(18), description="When it closes.", examples=["18:00"])
    days: list[int] = Field(
        default=[1, 2, 3, 4, 5], description="Working days; Monday is 1.", examples=[[1, 2, 3, 4, 5]]
    )
    holidays: str = Field(
        default="LT", description="Country whose public holidays are ours; empty for none.", examples=["LT"]
    )
    ring: Ring = Field(default=Ring.SEQUENCE, description="sequence or together.", examples=["sequence"])
    ring_seconds: int = Field(
        default=15, ge=5, le=120, description="How long each telephone rings.", examples=[15]
    )
    topics: list[Topic] = Field(
        default_factory=list, max_length=9, description="The menu for callers we do not know."
    )
    voicemail: bool = Field(
        default=True, description="Ask for a message when nobody can talk.", examples=[True]
    )
    voicemail_seconds: int = Field(
        default=120, ge=10, le=600, description="The longest message.", examples=[120]
    )
    recorded_numbers: list[str] = Field(
        default_factory=list,
        description="Our numbers whose calls are recorded, after callers were told so.",
        examples=[["+37052000000"]],
    )
    recorded_calls_out: list[str] = Field(
        default_factory=list,
        description="Our numbers whose calls by click are recorded, after the client was told so.",
        examples=[["+37052000000"]],
    )
    blocked: list[str] = Field(
        default_factory=list, description="Callers we do not take.", examples=[["+37060000000"]]
    )
    call_back_hours: float = Field(
        default=2.0,
        gt=0,
        le=100,
        description="Working hours in which a missed call is rung back.",
        examples=[2],
    )
    countries: list[str] = Field(
        default=["LT", "LV", "EE", "PL"],
        description="Countries we may call and write to; no others.",
        examples=[["LT", "LV", "EE"]],
    )
    longest_call_minutes: int = Field(
        default=60, ge=1, le=240, description="After it a call is ended.", examples=[60]
    )
    delete_recordings: bool = Field(
        default=False,
        description="Delete a recording at its provider once it is kept here.",
        examples=[True],
    )
    missed_call_sms: bool = Field(
        default=False,
        description="Tell mobiles of clients by SMS that their missed call is rung back.",
        examples=[True],
    )
    away_minutes: int = Field(
        default=5,
        ge=0,
        le=1440,
        description="Who has not used the desk for so long gets a letter about who calls; 0 for none.",
        examples=[5],
    )
    fax_gateway: str = Field(
        default="",
        description="Where the mail goes that becomes a fax; `{number}` stands for digits only.",
        examples=["{number}@fax.example.lt"],
        pattern=r"^(\S*\{number\}\S*@\S+)?$",
    )
    transcription: Transcription = Field(
        default_factory=Transcription, description="Transcripts of recorded calls."
    )
    exchanges: list[OwnExchange] = Field(
        default_factory=list, description="Our own exchanges, which tell us of their calls."
    )
    voices: dict[str, str] = Field(
        default=VOICES, description="Twilio's voice for each language.", examples=[VOICES]
    )

    @field_validator("days")
    @classmethod
    def _weekdays(cls, value: list[int]) -> list[int]:
        if not value or any(not 1 <= day <= 7 for day in value):
            raise ValueError("days are numbers from 1 (Monday) to 7, at least one")
        return sorted(set(value))

    @field_validator("voices")
    @classmethod
    def _laid_over(cls, value: dict[str, str]) -> dict[str, str]:
        # Whoever names one voice must not lose the others: a text without one is read out in English.
        return {**VOICES, **value}

    @field_validator("recorded_numbers", "recorded_calls_out", "blocked")
    @classmethod
    def _numbers(cls, value: list[str]) -> list[str]:
        return [readable(number) or number for number in value]

    @field_validator("countries")
    @classmethod
    def _codes(cls, value: list[str]) -> list[str]:
        for code in value:
            if len(code) != 2 or not code.isascii() or not code.isupper():
                raise ValueError(f"{code!r} is not a country code such as LT")
        return value

    @model_validator(mode="after")
    def _hours(self) -> Self:
        if not self.opens < self.closes:
            raise Fault("closes", "it must be later than opens")
        return self
