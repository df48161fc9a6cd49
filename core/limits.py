"""Every bound on input and on patience, with its default, in one place.

Each may be set in the `[limits]` section of the settings file. Sizes are bytes (decimal: 1 MB = 1,000,000),
times are seconds unless the name says otherwise. Where each is enforced stands in `docs/operate/limits.md`.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class Limits(BaseModel):
    """How much is too much."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mail_bytes: PositiveInt = Field(
        default=50_000_000, description="Larger mail is kept, but only its header and structure are read."
    )
    header_bytes: PositiveInt = Field(default=256_000, description="All header fields of one mail together.")
    header_fields: PositiveInt = Field(default=1_000, description="Header fields of one mail.")
    encoded_words: PositiveInt = Field(
        default=200, description="Encoded words in one header field; the rest is shown undecoded."
    )
    addresses: PositiveInt = Field(default=1_000, description="Addresses read from one header field.")
    mime_nesting: PositiveInt = Field(default=50, description="Multiparts inside multiparts.")
    mime_parts: PositiveInt = Field(default=500, description="Parts of one mail.")
    html_bytes: PositiveInt = Field(
        default=1_000_000, description="HTML shown to staff; longer is cut and says so."
    )
    html_depth: PositiveInt = Field(default=256, description="Elements inside elements; deeper is flattened.")
    archive_ratio: PositiveInt = Field(
        default=100, description="Unpacked size over packed size of an archive."
    )
    archive_bytes: PositiveInt = Field(default=200_000_000, description="Unpacked size of an archive.")
    archive_entries: PositiveInt = Field(default=1_000, description="Files listed of an archive.")
    message_cpu_seconds: PositiveFloat = Field(
        default=5.0, description="Processor time for understanding one mail."
    )
    message_memory_bytes: PositiveInt = Field(
        default=512_000_000, description="Memory for understanding one mail."
    )
    message_attempts: PositiveInt = Field(
        default=3, description="Attempts at one mail before it is quarantined."
    )
    template_cpu_seconds: PositiveFloat = Field(
        default=2.0, description="Processor time for rendering one template."
    )
    template_memory_bytes: PositiveInt = Field(
        default=256_000_000, description="Memory for rendering one template."
    )
    template_output_bytes: PositiveInt = Field(default=256_000, description="Text one template may make.")
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
    delivery_expiry_days: PositiveFloat = Field(
        default=5.0, description="A delivery not accepted by then has expired."
    )
    destination_concurrency_first: PositiveInt = Field(
        default=5, description="Connections to one destination at first."
    )
    destination_concurrency_most: PositiveInt = Field(
        default=20, description="Connections to one destination at most."
    )
    acknowledgement_days: PositiveFloat = Field(
        default=7.0, description="At most one automatic answer per sender in this many days."
    )
    free_disk_bytes: PositiveInt = Field(
        default=1_000_000_000, description="With less free space, no new mail is fetched."
    )
