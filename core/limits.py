"""The bounds on input and on patience that a company may set, with their defaults.

They stand in the `[limits]` section of the settings file. Sizes are bytes (decimal: 1 MB = 1,000,000), times
are seconds unless the name says otherwise. The bounds that are not to be set, and where each one is enforced,
stand in `docs/operate/limits.md`.
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

LETTER_FILES: Final = 10
"""Files from a colleague's computer in one letter."""

LETTER_FILES_BYTES: Final = 20_000_000
"""Bytes of those files together; many mail servers take no letter above 25 MB, and base64 adds a third."""

LETTER_COPIES: Final = 20
"""People whom one letter is copied to; for more of them there are mailings."""


class Limits(BaseModel):
    """How much is too much."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mail_bytes: PositiveInt = Field(
        default=50_000_000,
        description="Of larger mail the first megabyte is read, and its files are listed as the server"
        " describes them.",
    )
    html_bytes: PositiveInt = Field(
        default=1_000_000, description="HTML shown to staff; longer is cut and says so."
    )
    html_depth: PositiveInt = Field(default=256, description="Elements inside elements; deeper is flattened.")
    message_cpu_seconds: PositiveFloat = Field(
        default=5.0, description="Processor time for understanding one mail."
    )
    message_memory_bytes: PositiveInt = Field(
        default=512_000_000, description="Memory for understanding one mail."
    )
    message_attempts: PositiveInt = Field(
        default=3, description="Attempts at one mail before it is quarantined."
    )
    imap_operation_seconds: PositiveFloat = Field(
        default=120.0, description="One whole IMAP operation, however slowly it drips."
    )
    imap_batch: PositiveInt = Field(default=200, description="Mails fetched and committed together.")
    imap_poll_seconds: PositiveFloat = Field(
        default=60.0, description="The longest a mailbox goes unasked, IDLE or not."
    )
    smtp_reply_seconds: PositiveFloat = Field(
        default=300.0, description="Waiting for the answer to one SMTP command."
    )
    smtp_final_reply_seconds: PositiveFloat = Field(
        default=600.0, description="Waiting for the answer after the final dot."
    )
    retry_first_seconds: PositiveFloat = Field(
        default=300.0, description="The wait before a second attempt at a delivery."
    )
    retry_longest_seconds: PositiveFloat = Field(
        default=4_000.0, description="The longest wait between two attempts."
    )
    destination_concurrency_first: PositiveInt = Field(
        default=5, description="Connections to one destination at first."
    )
    destination_concurrency_most: PositiveInt = Field(
        default=20, description="Connections to one destination at most."
    )
    recording_bytes: PositiveInt = Field(
        default=100_000_000, description="A longer recording of a call stays at its provider."
    )
    free_disk_bytes: PositiveInt = Field(
        default=1_000_000_000, description="With less free space, no new mail is fetched."
    )
