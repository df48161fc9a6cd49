"""The section of the settings for keys that sign what we send."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from core.config_base import Section, absolute


class DkimKey(Section):
    """One key that signs our mail, where the relay does not."""

    selector: str = Field(
        description="The name under which DNS holds the public key: selector._domainkey.domain.",
        examples=["frontdesk"],
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9-]+)*$",
    )
    private_key_file: Path = Field(
        description="The private key, RSA of 2048 bits or more or Ed25519, in PEM form without a password.",
        examples=["/etc/frontdesk/dkim.pem"],
    )
    domain: str = Field(
        default="",
        description="The domain that signs; that of relay.from_address unless given.",
        examples=["example.lt"],
        pattern=r"^[A-Za-z0-9.-]*$",
    )

    @field_validator("private_key_file")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return absolute(value)
