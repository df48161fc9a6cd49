"""The demonstration's mail servers: what goes in over SMTP or IMAP comes out over IMAP, byte for byte."""

from __future__ import annotations

import imaplib
import smtplib
from collections.abc import Iterator

import pytest

from core.errors import InputRefused
from desk.demo import letterbox, people
from desk.demo.letterbox import NoDemonstration
from desk.demo.servers import HOST, MailServers

KEYS = {address: f"key of {name}" for name, address in people.mailboxes().items()}
SALES = people.mailboxes()["sales"]


@pytest.fixture(scope="module")
def servers() -> Iterator[MailServers]:
    with MailServers(KEYS) as running:
        yield running


def held(servers: MailServers, address: str) -> list[bytes]:
    with imaplib.IMAP4(HOST, servers.imap_port) as client:
        client.login(address, KEYS[address])
        client.select("INBOX", readonly=True)
        _, answer = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
    return [one[1] for one in answer if isinstance(one, tuple)]


def test_letters_are_filed_byte_for_byte(servers: MailServers) -> None:
    letters = [
        b"Subject: \xcf\xf0\xe8\xe2\xe5\xf2\r\n\r\n\xe0\xe1\xe2\r\n",
        b"\r\n \r\n",
        b"Subject: x\r\n\r\n" + b"y" * 2_000_000,
    ]
    servers.deliver(people.mailboxes()["info"], *letters)
    assert held(servers, people.mailboxes()["info"]) == letters


def test_what_comes_over_smtp_for_us_lands_in_the_mailbox_and_the_rest_is_kept(servers: MailServers) -> None:
    with smtplib.SMTP(HOST, servers.smtp_port) as client:
        client.sendmail(
            "ona@imone.example", [SALES, "jonas@imone.example"], b"Subject: hello\r\n\r\nwords\r\n"
        )
    assert held(servers, SALES)[-1] == b"Subject: hello\r\n\r\nwords\r\n"
    assert servers.sent[-1].sender == "ona@imone.example"
    assert servers.sent[-1].recipients == (SALES, "jonas@imone.example")


def test_an_address_with_a_reply_key_reaches_its_mailbox(servers: MailServers) -> None:
    keyed = SALES.replace("@", "+fd-00112233445566778899aabbccddeeff@")
    with smtplib.SMTP(HOST, servers.smtp_port) as client:
        client.sendmail("", [keyed], b"Subject: bounce\r\n\r\nwords\r\n")
    assert held(servers, SALES)[-1].startswith(b"Subject: bounce")


def test_a_letter_put_into_the_letterbox_arrives(servers: MailServers) -> None:
    address = letterbox.post(
        sender="ona@imone.example", to="sales", subject="Siurbliai", text="Ar turite?", port=servers.smtp_port
    )
    assert address == SALES
    assert b"Subject: Siurbliai\r\n" in held(servers, SALES)[-1]


def test_a_letter_to_an_unknown_mailbox_is_refused_and_says_which_there_are() -> None:
    with pytest.raises(InputRefused, match="sales, support, info"):
        letterbox.post(sender="ona@imone.example", to="boss", subject="x", text="y")


def test_without_a_demonstration_the_letterbox_says_so(servers: MailServers) -> None:
    with pytest.raises(NoDemonstration, match="frontdesk demo"):
        letterbox.post(sender="ona@imone.example", to="sales", subject="x", text="y", port=servers.imap_port)
