"""One letter in is one letter out, byte for byte, whatever its text holds (SMTP smuggling)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputRefused
from outbound import mime
from outbound.channels.base import Result
from outbound.channels.smtp import LetterMalformed, checked
from tests.outbound.conftest import letter, line_to, yes
from tests.servers_smtp import RecordingServer

HEAD = b"Subject: x\r\n\r\n"
SECOND = "MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nhi\r\n"
TRICKS = [
    f"first\n.\r\n{SECOND}",
    f"first\r.\r\n{SECOND}",
    f"first\r\n.\n{SECOND}",
    f"first\n.\n{SECOND}",
    f"first\r\n.\r{SECOND}",
    f"first\r\n.\r\n{SECOND}",
    f"first\r\n\x00.\r\n{SECOND}",
    ".\r\n",
    "..\r\n.\r\n...\r\n",
    "a" * 2000,
    "я" * 2000 + "\r\n.\r\n",
]


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("html", [False, True])
async def test_a_text_that_imitates_the_end_of_a_letter_stays_one_letter(
    smtp: RecordingServer, trick: str, html: bool
):
    data = mime.written([("Subject", "x")], trick, trick if html else "", [], "b0")
    line = line_to(smtp.port)
    await line.open()
    (outcome,) = await line.send(letter(data=data), yes)
    await line.close()
    assert outcome.result is Result.SENT
    assert [received.data for received in smtp.received] == [data]


@pytest.mark.parametrize(
    "data",
    [
        HEAD + b"a\nb\r\n",
        HEAD + b"a\rb\r\n",
        HEAD + b"a\x00b\r\n",
        HEAD + b"x" * 999 + b"\r\n",
        HEAD + b"no end",
        HEAD + b"a\r\n.\r",
        HEAD + b"a\r\r\n",
    ],
)
async def test_bytes_that_could_be_read_in_two_ways_never_leave(smtp: RecordingServer, data: bytes):
    line = line_to(smtp.port)
    await line.open()
    with pytest.raises(LetterMalformed):
        await line.send(letter(data=data), yes)
    await line.close()
    assert not any(command.startswith("MAIL") for command in smtp.commands)


@pytest.mark.parametrize(
    "address",
    ["a@x.lt>\r\nRCPT TO:<b@x.lt", "a@x.lt\n", "a b@x.lt", "a@x.lt> NOTIFY=NEVER", "", "a@", "@x.lt"],
)
def test_an_address_cannot_carry_a_command(address: str):
    with pytest.raises(InputRefused):
        checked(letter(address))


@given(st.binary(max_size=300))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_passes_the_check_holds_no_lone_dot_line(noise: bytes):
    try:
        stuffed = checked(letter(data=HEAD + noise + b"\r\n"))
    except LetterMalformed:
        return
    assert b"\r\n.\r\n" not in stuffed
    assert not stuffed.startswith(b".\r\n")


@given(st.text(max_size=400), st.text(max_size=400))
@settings(max_examples=200)
def test_any_text_becomes_a_letter_that_may_leave(text: str, html: str):
    checked(letter(data=mime.written([("Subject", "x")], text, html, [], "b0")))
