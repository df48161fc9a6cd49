"""The section of the settings that says how sure the classifier must be, and who is asked beside it."""

from __future__ import annotations

from pydantic import Field, field_validator

from core.config_base import Section


class Understanding(Section):
    """How messages are sorted."""

    precision: float = Field(
        default=0.95,
        ge=0.5,
        le=0.999,
        description="How often what the classifier says of a topic must be right, in held-out messages; below"
        " that it keeps silent. Holds for versions trained from then on.",
        examples=[0.9],
    )
    program: list[str] = Field(
        default_factory=list,
        description="A program with a model of yours, asked only where ours keeps silent; the command and its"
        " arguments.",
        examples=[["/usr/local/bin/our-model", "--lines"]],
    )
    program_seconds: float = Field(
        default=20.0, gt=0, le=120, description="How long it may take for a batch.", examples=[5]
    )

    @field_validator("program")
    @classmethod
    def _named(cls, value: list[str]) -> list[str]:
        if value and not value[0].strip():
            raise ValueError("the command is missing")
        return value
