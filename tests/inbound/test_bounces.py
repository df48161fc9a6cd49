"""Bounces: whose letter, which address, why, and whether the address itself is dead."""

from __future__ import annotations

import pytest

from inbound import automail, bounces, mime, understanding
from inbound.bounces import BounceClass

REPORT = """From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: out+k9f3a@siaure.example
Return-Path: <>
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; jonas@pasaulis.example
Original-Recipient: rfc822;jonas@pasaulis.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b
Content-Type: message/rfc822

From: sales@siaure.example
To: jonas@pasaulis.example
Message-ID: <abc.123@siaure.example>
Subject: Offer

Hello
--b--
"""


def report(status: str = "5.1.1", said: str = "550 5.1.1 User unknown", action: str = "failed") -> bytes:
    return REPORT.format(status=status, said=said, action=action).encode()


def bounce_of(raw: bytes) -> bounces.Bounce:
    found = bounces.read(mime.parse(raw), raw)
    assert found is not None
    return found


def free_text(body: str, subject: str = "Mail delivery failed: returning message to sender") -> bytes:
    head = f"From: Mail Delivery System <Mailer-Daemon@mx.example>\nReturn-Path: <>\nSubject: {subject}\n"
    return (
        f"{head}Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{body}".encode()
    )


def test_a_report_names_the_address_the_letter_and_the_delivery() -> None:
    found = bounce_of(report())
    assert found.recipient == "jonas@pasaulis.example"
    assert found.original_message_id == "abc.123@siaure.example"
    assert found.envelope_key == "k9f3a"
    assert found.status == "5.1.1"


@pytest.mark.parametrize(
    ("status", "said", "class_", "hard"),
    [
        ("5.1.1", "550 5.1.1 <a@b>: Recipient address rejected: User unknown", BounceClass.INVALID, True),
        ("5.1.2", "Host or domain name not found", BounceClass.INVALID, True),
        ("5.2.2", "552 5.2.2 Mailbox full", BounceClass.FULL, False),
        ("5.0.0", "550 Requested action not taken: mailbox is over quota", BounceClass.FULL, False),
        ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", BounceClass.SIZE, False),
        ("5.7.1", "554 5.7.1 Client host blocked using zen.spamhaus.org", BounceClass.BLOCKED, False),
        ("5.7.26", "550 5.7.26 This message fails DMARC authentication checks", BounceClass.BLOCKED, False),
        ("5.7.1", "550 5.7.1 Message rejected as spam", BounceClass.POLICY, False),
        ("4.4.1", "connect to mx.example: Connection timed out", BounceClass.TEMPORARY, False),
        ("4.2.0", "451 4.7.1 Greylisting in action, please try again later", BounceClass.TEMPORARY, False),
        ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled",
        BounceClass.OTHER, False),
        ("5.0.0", "550 Мы не принимаем почту с этого адреса: ящик переполнен", BounceClass.FULL, False),
        ("5.1.1", "550 5.1.1 Пользователь не найден", BounceClass.INVALID, True),
        ("5.1.1", "550 5.1.1 Toks vartotojas nerastas", BounceClass.INVALID, True),
        ("5.2.2", "552 5.2.2 Pašto dėžutė perpildyta", BounceClass.FULL, False),
    ],
)  # fmt: skip
def test_the_class_follows_what_the_refusing_server_said(
    status: str, said: str, class_: BounceClass, hard: bool
) -> None:
    found = bounce_of(report(status, said))
    assert (found.class_, found.hard) == (class_, hard)
    assert found.reason


def test_a_full_mailbox_with_a_code_of_an_unknown_one_is_not_hard() -> None:
    found = bounce_of(report("5.1.1", "552 mailbox full"))
    assert found.class_ is BounceClass.FULL
    assert not found.hard


def test_unknown_user_said_only_after_the_letter_was_sent_is_a_filter_speaking() -> None:
    found = bounce_of(report("5.0.0", "550 User unknown (in reply to end of DATA command)"))
    assert found.class_ is BounceClass.POLICY
    assert not found.hard


def test_a_bare_550_is_not_enough_to_give_an_address_up() -> None:
    found = bounce_of(free_text("<jonas@pasaulis.example>:\n550 no such user here\n"))
    assert found.class_ is BounceClass.INVALID
    assert not found.hard


def test_a_warning_of_delay_is_temporary_and_says_so() -> None:
    found = bounce_of(report("4.4.1", "Connection timed out", action="delayed"))
    assert found.delayed
    assert found.class_ is BounceClass.TEMPORARY


def test_a_report_of_success_is_no_bounce() -> None:
    raw = report("2.0.0", "250 OK", action="delivered")
    assert bounces.read(mime.parse(raw), raw) is None
    assert understanding.understand(raw).machine.kind is automail.Kind.RECEIPT


@pytest.mark.parametrize(
    ("subject", "body", "class_"),
    [
        (
            "Ваше сообщение не доставлено",
            "К сожалению, письмо не доставлено следующему получателю:\n\n "
            "jonas@pasaulis.example\n\nПочтовый ящик получателя переполнен.\n",
            BounceClass.FULL,
        ),
        (
            "Недоставленное сообщение",
            "Ошибка доставки по адресу: jonas@pasaulis.example\nПричина: нет такого пользователя\n",
            BounceClass.INVALID,
        ),
        (
            "Laiškas nepristatytas",
            "Jūsų laiško nepavyko pristatyti šiam gavėjui:\n\n "
            "jonas@pasaulis.example\n\nPriežastis: tokio vartotojo nėra\n",
            BounceClass.INVALID,
        ),
        (
            "Nepavyko pristatyti laiško",
            "Gavėjas: jonas@pasaulis.example\n\nPašto dėžutė perpildyta, bandykite vėliau.\n",
            BounceClass.FULL,
        ),
        (
            "Mail delivery failed: returning message to sender",
            "The following address(es) failed:\n\n  jonas@pasaulis.example\n    mailbox is full: "
            "retry timeout exceeded\n",
            BounceClass.FULL,
        ),
        (
            "failure notice",
            "<jonas@pasaulis.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below "
            "this line is a copy of the message.\n\nMessage-ID: <abc.123@siaure.example>\n",
            BounceClass.INVALID,
        ),
    ],
)  # fmt: skip
def test_a_free_text_report_in_three_languages_is_read(subject: str, body: str, class_: BounceClass) -> None:
    found = bounce_of(free_text(body, subject))
    assert found.class_ is class_
    assert found.recipients == ("jonas@pasaulis.example",)


def test_the_message_id_is_found_in_a_report_without_parts() -> None:
    found = bounce_of(
        free_text(
            "<a@b.example>: unknown user\n\n--- Below this line is a copy.\n\nMessage-ID: "
            "<x.1@siaure.example>\n"
        )
    )
    assert found.original_message_id == "x.1@siaure.example"


def test_goods_that_were_not_delivered_are_no_bounce() -> None:
    raw = (
        "From: client@firm.example\nSubject: Заказ не доставлен\nContent-Type: text/plain; "
        "charset=utf-8\n\nГде наш заказ?"
    ).encode()
    assert bounces.read(mime.parse(raw), raw) is None


def test_a_report_without_a_sender_or_with_8_bit_fields_is_read() -> None:
    assert bounce_of(b"Subject: Undeliverable\n\n").recipients == ()
    raw = "From: Почтовая система <mailer-daemon@мх.рф>\nSubject: Не доставлено\n\nкому: a@b.example".encode()
    assert bounce_of(raw).recipient == "a@b.example"


def test_addresses_blanked_out_by_the_server_name_nobody() -> None:
    raw = report().replace(b"jonas@pasaulis.example", b"jon...@pasaulis.example")
    assert bounce_of(raw).recipients == ()


def test_a_name_without_its_domain_is_one_of_the_reporting_server_and_examples_are_nobody() -> None:
    raw = (
        b"From: MAILER-DAEMON@mail.b.example\nTo: list@own.example\nSubject: Returned mail\n\n"
        b" ---- Message not delivered to the following:\n\n ona    No such name here\n\n"
        b" If ona.petraite@b.example fails, try NAME@other.example instead.\n"
    )
    bounce = bounces.read(mime.parse(raw), raw)
    assert bounce is not None
    assert bounce.recipients == ("ona@mail.b.example",)
