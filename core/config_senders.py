"""The section of the settings that says whose word about a sender is believed."""

from __future__ import annotations

from pydantic import Field, field_validator

from core.config_base import Section


class Senders(Section):
    """How it is checked that a letter is from whom it names."""

    trusted_servers: list[str] = Field(
        default_factory=list,
        description="Names under which your own mail server writes Authentication-Results; no other's are"
        " believed. The name is the first word of that field in a letter you have received.",
        examples=[["mx.example.lt"]],
    )
    check_dkim: bool = Field(
        default=True,
        description="Check the DKIM signature of letters that no server of yours has checked; asks DNS.",
        examples=[True],
    )
    dns_seconds: float = Field(
        default=5.0, gt=0, le=30, description="The longest one question to DNS may take.", examples=[5]
    )

    @field_validator("trusted_servers")
    @classmethod
    def _names(cls, value: list[str]) -> list[str]:
        for name in value:
            if not name.strip() or any(one in name for one in " ;\t"):
                raise ValueError(f"{name!r} is not the name of a server")
        return [name.strip().lower() for name in value]
