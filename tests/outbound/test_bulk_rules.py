"""What receivers of bulk mail ask for, checked on the bytes that arrive; a domain that wants less of us."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from core import campaign_verbs
from core.config_dkim import DkimKey
from core.context import Context
from outbound.dkim import public_record
from outbound.unsubscribe import Unsubscriber
from tests.outbound.audiences import FREE, mailing, move, now, people, started
from tests.outbound.conftest import Company, send_all, smtp_channel
from tests.servers_smtp import RecordingServer

ONE_CLICK = re.compile(r"<(https://desk\.example\.lt/unsubscribe/[A-Za-z0-9_.\-]+)>")


@pytest.fixture
def keys(tmp_path: Path) -> list[DkimKey]:
    """A key of each kind."""
    made = {"rsa": rsa.generate_private_key(65537, 2048), "ed": ed25519.Ed25519PrivateKey.generate()}
    for name, key in made.items():
        (tmp_path / f"{name}.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return [DkimKey(selector=name, private_key_file=tmp_path / f"{name}.pem") for name in made]


async def delivered(context: Context, smtp: RecordingServer) -> list[bytes]:
    """A mailing to three, as the server got it."""
    started(context, 3)
    move(context)
    await send_all(context, smtp_channel(context))
    return [letter.data for letter in smtp.received]


async def test_every_field_that_bulk_receivers_require_is_there_once_and_signed(
    company: Company, smtp: RecordingServer, keys: list[DkimKey]
):
    context = company(smtp.port)
    object.__setattr__(context.settings, "dkim", keys)
    records = {f"{one.selector}._domainkey.example.lt.": public_record(one.private_key_file) for one in keys}
    letters = await delivered(context, smtp)
    assert len(letters) == 3
    for data in letters:
        letter = email.message_from_bytes(data, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "List-Unsubscribe"):
            assert len(letter.get_all(name, [])) == 1, name
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = ONE_CLICK.search(letter["List-Unsubscribe"])
        assert link is not None
        assert "mailto:" in letter["List-Unsubscribe"]
        plain, rich = letter.get_body(("plain",)), letter.get_body(("html",))
        assert plain is not None
        assert rich is not None
        # The visible link is the same one, in both parts.
        assert link[1] in plain.get_content()
        assert link[1] in rich.get_content()
        assert parsedate_to_datetime(letter["Date"]).tzinfo is not None
        assert letter["From"].addresses[0].domain == "example.lt"
        assert max(map(len, data.split(b"\r\n"))) <= 998
        signed = [
            {name.strip().lower() for name in re.search(r"\sh=([^;]+);", field)[1].split(":")}  # type: ignore[index]
            for field in (str(one) for one in letter.get_all("DKIM-Signature", []))
        ]
        assert len(signed) == 2
        assert all({"from", "list-unsubscribe", "list-unsubscribe-post"} <= names for names in signed)
        for index in range(2):
            assert dkimpy.DKIM(data).verify(
                idx=index, dnsfunc=lambda name, timeout=5: records[name.decode()].encode()
            )


async def test_each_recipients_link_is_their_own(company: Company, smtp: RecordingServer):
    context = company(smtp.port)
    links = Unsubscriber(context.settings.signing_key(), context.settings.company.public_url)
    await delivered(context, smtp)
    for letter in smtp.received:
        head = letter.data.decode(errors="replace").replace("\r\n ", " ")
        found = ONE_CLICK.search(head)
        assert found is not None
        address, _ = links.read(found[1].rpartition("/")[2])
        assert address == letter.recipients[0]


async def test_a_domain_that_wants_less_of_us_takes_no_pace_from_the_others(
    company: Company, smtp: RecordingServer
):
    """F42: of five domains one answers 451 4.7.1 to everything."""
    context = company(smtp.port)
    domains = [f"domain{number}.example" for number in range(5)]
    with context.transaction() as session:
        made = mailing(session, people(session, 1000, domains))
        campaign_verbs.start(session, made, now=now(session))
    slow = [f"client{number}@domain{number % 5}.example" for number in range(1000) if number % 5 == 0]
    smtp.refusals = dict.fromkeys(slow, "451 4.7.1 too many letters, come later")
    move(context, FREE)
    await send_all(context, smtp_channel(context))
    assert len(smtp.received) == 800
    assert not set(smtp.copies) & set(slow)
    offered = sum("RCPT" in command and "@domain0.example" in command for command in smtp.commands)
    assert 0 < offered <= 80
