"""The section of the settings that says what our telephone may spend, and when it calls by itself."""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Self

from pydantic import Field, field_validator, model_validator

from core.config_base import Fault, Section


class OnMachine(StrEnum):
    """What an automatic call does when an answering machine takes it."""

    MESSAGE = "message"
    """Wait for the tone and say the message."""
    HANG_UP = "hang_up"
    """Say nothing, and try again later."""


class Dialling(Section):
    """How much our telephone may spend, and when it may call by itself. Days are the last 24 hours, months
    the last 30 days."""

    sms_from: str = Field(
        default="",
        description="Who SMS come from: a number, a name of eleven characters, or a messaging service; "
        "empty for our first number.",
        examples=["+37060000000"],
    )
    longest_sms_parts: int = Field(default=4, ge=1, le=10, description="Parts of one SMS.", examples=[4])
    sms_to_number_a_day: int = Field(
        default=10, ge=1, description="Parts of SMS to one number in a day.", examples=[10]
    )
    sms_to_block_a_day: int = Field(
        default=100,
        ge=1,
        description="Parts to numbers that differ in their last four digits only, in a day.",
        examples=[100],
    )
    sms_a_day: int = Field(default=500, ge=0, description="Parts of all SMS in a day.", examples=[500])
    sms_a_month: int = Field(default=5000, ge=0, description="Parts of all SMS in a month.", examples=[5000])
    calls_to_number_a_day: int = Field(
        default=8, ge=1, description="Calls to one number in a day.", examples=[8]
    )
    call_minutes_a_day: int = Field(
        default=1200, ge=0, description="Minutes of all calls out in a day.", examples=[1200]
    )
    call_minutes_a_month: int = Field(
        default=15000, ge=0, description="Minutes of all calls out in a month.", examples=[15000]
    )
    faxes_to_number_a_day: int = Field(
        default=5, ge=1, description="Faxes to one number in a day.", examples=[5]
    )
    faxes_a_day: int = Field(default=100, ge=0, description="All faxes in a day.", examples=[100])
    faxes_a_month: int = Field(default=1000, ge=0, description="All faxes in a month.", examples=[1000])
    automatic_from: time = Field(
        default=time(9),
        description="From when automatic calls may ring, by the callee's clock.",
        examples=["09:00"],
    )
    automatic_until: time = Field(
        default=time(18), description="Until when, by the callee's clock.", examples=["18:00"]
    )
    automatic_days: list[int] = Field(
        default=[1, 2, 3, 4, 5],
        description="Days of the week of automatic calls; Monday is 1.",
        examples=[[1, 2, 3, 4, 5]],
    )
    attempts: int = Field(
        default=3, ge=1, le=6, description="Automatic calls until somebody answers.", examples=[3]
    )
    again_after_minutes: int = Field(
        default=120, ge=10, le=2880, description="Time between two of them.", examples=[120]
    )
    ring_seconds: int = Field(
        default=30, ge=10, le=120, description="How long a call out rings.", examples=[30]
    )
    on_machine: OnMachine = Field(
        default=OnMachine.MESSAGE,
        description="What an automatic call does with an answering machine: message or hang_up.",
        examples=["message"],
    )
    longest_message_minutes: int = Field(
        default=5,
        ge=1,
        le=60,
        description="After it an automatic call is ended, also one put through to a colleague.",
        examples=[5],
    )

    @field_validator("automatic_days")
    @classmethod
    def _weekdays(cls, value: list[int]) -> list[int]:
        if not value or any(not 1 <= day <= 7 for day in value):
            raise ValueError("days are numbers from 1 (Monday) to 7, at least one")
        return sorted(set(value))

    @model_validator(mode="after")
    def _hours(self) -> Self:
        if not self.automatic_from < self.automatic_until:
            raise Fault("automatic_until", "it must be later than automatic_from")
        return self
