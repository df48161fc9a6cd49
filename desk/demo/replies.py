"""Letters that can only be made as the scene goes on: a client's answer to a letter of ours, and a bounce."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import format_datetime


def reply_to(sent: bytes, *, sender: str, name: str, mailbox: str, words: str) -> bytes:
    """A client's answer to a letter of ours, as a mail program writes it: same thread, our text quoted."""
    ours = message_from_bytes(sent, policy=policy.compat32)
    rfc_id = ours["Message-ID"].strip()
    return "\r\n".join(
        (
            f"Date: {format_datetime(datetime.now(UTC))}",
            f"From: {name} <{sender}>",
            f"To: {mailbox}",
            f"Subject: Re: {' '.join((ours['Subject'] or '').split())}",
            f"Message-ID: <reply.{secrets.token_hex(8)}@{sender.partition('@')[2]}>",
            f"In-Reply-To: {rfc_id}",
            f"References: {rfc_id}",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
            "",
            words,
            "",
            f"On Mon, 16 Nov 2026 at 15:20, {mailbox} wrote:",
            "",
            "> Please find our offer attached.",
            "",
        )
    ).encode()


def bounce_of(sent: bytes, *, returns_to: str, recipient: str) -> bytes:
    """The report that a letter of ours could not be delivered (RFC 3464), as a server abroad sends it."""
    head = sent.partition(b"\r\n\r\n")[0]
    boundary = "=_report_7f3a"
    before = "\r\n".join(
        (
            "Return-Path: <>",
            f"Date: {format_datetime(datetime.now(UTC))}",
            "From: MAILER-DAEMON@mx.abroad.example (Mail Delivery System)",
            f"To: {returns_to}",
            "Subject: Undelivered Mail Returned to Sender",
            f"Message-ID: <bounce.{secrets.token_hex(8)}@mx.abroad.example>",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "This is the mail system at host mx.abroad.example.",
            "",
            "Your message could not be delivered to one recipient.",
            "",
            f"<{recipient}>: host mx.abroad.example said: 550 5.1.1 User unknown",
            "",
            f"--{boundary}",
            "Content-Type: message/delivery-status",
            "",
            "Reporting-MTA: dns; mx.abroad.example",
            "",
            f"Final-Recipient: rfc822; {recipient}",
            "Action: failed",
            "Status: 5.1.1",
            "Diagnostic-Code: smtp; 550 5.1.1 User unknown",
            "",
            f"--{boundary}",
            "Content-Type: text/rfc822-headers",
            "",
            "",
        )
    )
    return before.encode() + head + f"\r\n\r\n--{boundary}--\r\n".encode()


def automatic_reply_to(sent: bytes, *, sender: str, mailbox: str) -> bytes:
    """What a client's mail program says by itself while they are away (RFC 3834)."""
    ours = message_from_bytes(sent, policy=policy.compat32)
    rfc_id = ours["Message-ID"].strip()
    return "\r\n".join(
        (
            f"Date: {format_datetime(datetime.now(UTC))}",
            f"From: {sender}",
            f"To: {mailbox}",
            f"Subject: Automatic reply: {' '.join((ours['Subject'] or '').split())}",
            f"Message-ID: <away.{secrets.token_hex(8)}@{sender.partition('@')[2]}>",
            f"In-Reply-To: {rfc_id}",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "I am out of the office until 30 November 2026.",
            "",
        )
    ).encode()
