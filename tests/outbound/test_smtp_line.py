"""A line says exactly what became of a letter, whatever the server does and wherever it does it."""

from __future__ import annotations

import socket

import pytest

from core.errors import LoginRefused, Unreachable
from core.limits import Limits
from outbound.channels.base import Result, Scope
from tests.outbound.conftest import BODY, letter, line_to, yes
from tests.servers_smtp import DISCONNECT, Fault, RecordingServer, recording

HASTY = Limits.model_validate({"smtp_reply_seconds": 0.3, "smtp_final_reply_seconds": 0.3})
PLAIN = ("8BITMIME", "ENHANCEDSTATUSCODES")
"""What a server without PIPELINING offers."""
BEFORE_DOT = ("MAIL", "RCPT", "DATA")


@pytest.fixture(params=["pipelining", "one by one"])
def either(request: pytest.FixtureRequest):
    """A server with and one without PIPELINING."""
    server = RecordingServer() if request.param == "pipelining" else RecordingServer(extensions=PLAIN)
    with recording(server):
        yield server


async def test_a_letter_arrives_as_it_was_and_the_connection_is_kept(either: RecordingServer):
    line = line_to(either.port)
    await line.open()
    for number in range(3):
        (outcome,) = await line.send(letter(number=number), yes)
        assert outcome.result is Result.SENT
    await line.close()
    assert [received.data for received in either.received] == [BODY] * 3
    assert either.sessions == 1


async def test_the_envelope_carries_the_deliverys_token_for_bounces(smtp: RecordingServer):
    line = line_to(smtp.port)
    await line.open()
    await line.send(letter(token="f00"), yes)
    await line.close()
    assert any("RET=HDRS ENVID=f00" in command for command in smtp.commands)


@pytest.mark.parametrize("step", [*BEFORE_DOT, "."])
async def test_a_temporary_refusal_at_any_step_defers(either: RecordingServer, step: str):
    either.fault(step, "451 4.3.0 later")
    line = line_to(either.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    assert outcome.result is Result.DEFERRED
    assert outcome.scope is Scope.DESTINATION
    assert "451 4.3.0 later" in outcome.reply
    (again,) = await line.send(letter(), yes)
    assert again.result is Result.SENT
    await line.close()
    assert either.copies == {"ona@example.com": 1}


@pytest.mark.parametrize("step", [*BEFORE_DOT, "."])
async def test_a_server_that_closes_with_421_defers_and_the_line_knows(either: RecordingServer, step: str):
    either.fault(step, "421 4.3.2 going down")
    line = line_to(either.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    assert outcome.result is Result.DEFERRED
    assert not line.ready
    await line.open()
    (again,) = await line.send(letter(), yes)
    assert again.result is Result.SENT
    await line.close()


@pytest.mark.parametrize("step", [*BEFORE_DOT, "."])
async def test_a_permanent_refusal_at_any_step_refuses_this_letter_only(either: RecordingServer, step: str):
    either.fault(step, "554 5.7.1 no")
    line = line_to(either.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    (other,) = await line.send(letter("petras@example.com"), yes)
    await line.close()
    assert (outcome.result, outcome.hard) == (Result.REFUSED, False)
    assert other.result is Result.SENT


@pytest.mark.parametrize(
    ("reply", "hard"),
    [
        ("550 5.1.1 no such user", True),
        ("556 5.1.10 null MX", True),
        ("550 5.2.1 disabled", False),
        ("550 5.1.8 bad sender", False),
        ("550 no such user", False),
    ],
)
async def test_only_an_address_that_does_not_exist_is_a_hard_refusal(
    smtp: RecordingServer, reply: str, hard: bool
):
    smtp.fault("RCPT", reply)
    line = line_to(smtp.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    await line.close()
    assert (outcome.result, outcome.hard) == (Result.REFUSED, hard)


@pytest.mark.parametrize("step", BEFORE_DOT)
async def test_a_line_that_breaks_before_the_final_dot_defers(either: RecordingServer, step: str):
    either.fault(step, DISCONNECT)
    line = line_to(either.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    assert (outcome.result, outcome.scope) == (Result.DEFERRED, Scope.RELAY)
    assert not line.ready
    assert either.received == []


async def test_a_line_that_breaks_after_the_final_dot_is_uncertain_though_the_letter_was_not_kept(
    either: RecordingServer,
):
    either.fault(".", DISCONNECT)
    line = line_to(either.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    assert outcome.result is Result.UNCERTAIN
    assert either.received == []


async def test_a_line_that_breaks_after_the_final_dot_is_uncertain_though_the_letter_was_kept(
    either: RecordingServer,
):
    either.fault(".", Fault(close=True, kept=True))
    line = line_to(either.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    assert outcome.result is Result.UNCERTAIN
    assert either.copies == {"ona@example.com": 1}


async def test_silence_after_the_final_dot_is_uncertain_when_patience_ends(either: RecordingServer):
    either.fault(".", Fault(reply="250 ok", silence=5))
    line = line_to(either.port, HASTY)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    assert outcome.result is Result.UNCERTAIN
    assert "no answer within 0.3 s" in outcome.reply


async def test_the_wait_after_the_final_dot_is_ten_minutes():
    assert Limits.model_validate({}).smtp_final_reply_seconds == 600


@pytest.mark.parametrize("step", BEFORE_DOT)
async def test_silence_before_the_final_dot_defers(either: RecordingServer, step: str):
    either.fault(step, Fault(reply="250 ok", silence=5))
    line = line_to(either.port, HASTY)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    assert outcome.result is Result.DEFERRED
    assert either.received == []


async def test_an_answer_that_makes_no_sense_after_the_final_dot_is_uncertain(smtp: RecordingServer):
    smtp.fault(".", Fault(reply="hello there", close=True, kept=True))
    line = line_to(smtp.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    assert outcome.result is Result.UNCERTAIN


async def test_of_several_recipients_each_has_its_own_outcome(either: RecordingServer):
    either.refusals |= {"b@x.example": "450 4.2.1 full", "d@x.example": "550 5.1.1 unknown"}
    line = line_to(either.port)
    await line.open()
    people = [f"{name}@x.example" for name in "abcde"]
    outcomes = await line.send(letter(*people), yes)
    await line.close()
    assert [outcome.result for outcome in outcomes] == [
        Result.SENT, Result.DEFERRED, Result.SENT, Result.REFUSED, Result.SENT,
    ]  # fmt: skip
    assert outcomes[3].hard
    assert either.copies == {"a@x.example": 1, "c@x.example": 1, "e@x.example": 1}


async def test_a_connection_lost_after_250_still_counts_as_sent(smtp: RecordingServer):
    smtp.fault(".", Fault(reply="250 2.0.0 queued", close=True, kept=True))
    line = line_to(smtp.port)
    await line.open()
    (outcome,) = await line.send(letter(), yes)
    await line.close()
    assert outcome.result is Result.SENT


async def test_a_kept_connection_that_the_server_closed_leaves_the_letter_untried(smtp: RecordingServer):
    line = line_to(smtp.port)
    await line.open()
    await line.send(letter(), yes)
    smtp.fault("MAIL", DISCONNECT)
    (outcome,) = await line.send(letter(), yes)
    assert outcome.result is Result.UNTRIED
    assert smtp.copies == {"ona@example.com": 1}


@pytest.mark.parametrize("size", [100, 300_000])
async def test_no_dot_is_written_once_the_right_to_it_is_lost(smtp: RecordingServer, size: int):
    line = line_to(smtp.port)
    await line.open()
    data = BODY + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * (size // 72)
    (outcome,) = await line.send(letter(data=data), lambda: False)
    assert outcome.result is Result.UNTRIED
    assert smtp.received == []
    assert not line.ready


async def test_a_large_letter_arrives_whole(either: RecordingServer):
    data = BODY + (b"z" * 76 + b"\r\n") * 20_000
    line = line_to(either.port)
    await line.open()
    (outcome,) = await line.send(letter(data=data), yes)
    await line.close()
    assert outcome.result is Result.SENT
    assert either.received[0].data == data


async def test_a_letter_larger_than_the_relay_takes_is_refused_without_sending_it():
    server = RecordingServer(extensions=("PIPELINING", "SIZE 1000"))
    with recording(server):
        line = line_to(server.port)
        await line.open()
        (outcome,) = await line.send(letter(data=BODY + b"x\r\n" * 1000), yes)
        await line.close()
    assert outcome.result is Result.REFUSED
    assert not any(command.startswith("MAIL") for command in server.commands)


async def test_an_address_beyond_ascii_needs_a_relay_that_takes_it():
    for extensions, result in ((PLAIN, Result.REFUSED), ((*PLAIN, "SMTPUTF8"), Result.SENT)):
        server = RecordingServer(extensions=extensions)
        with recording(server):
            line = line_to(server.port)
            await line.open()
            (outcome,) = await line.send(letter("žydrė@example.com"), yes)
            await line.close()
        assert outcome.result is result


@pytest.mark.parametrize("reply", ["421 4.3.2 not now", "554 5.3.2 never"])
async def test_a_relay_that_turns_us_away_at_the_door_is_unreachable(smtp: RecordingServer, reply: str):
    smtp.fault("CONNECT", reply)
    with pytest.raises(Unreachable, match="turned us away"):
        await line_to(smtp.port).open()


@pytest.mark.parametrize("step", ["CONNECT", "EHLO"])
async def test_a_relay_that_hangs_up_while_we_introduce_ourselves_is_unreachable(
    smtp: RecordingServer, step: str
):
    smtp.fault(step, DISCONNECT)
    with pytest.raises(Unreachable):
        await line_to(smtp.port).open()


async def test_a_relay_that_is_not_there_is_unreachable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="does not answer"):
            await line_to(taken.getsockname()[1]).open()


async def test_a_wrong_password_is_told_apart_from_a_busy_login():
    server = RecordingServer(login=("desk", "right"))
    with recording(server):
        with pytest.raises(LoginRefused):
            await line_to(server.port, username="desk", password="wrong").open()
        server.fault("AUTH", "454 4.7.0 later", "454 4.7.0 later", "454 4.7.0 later")
        with pytest.raises(Unreachable):
            await line_to(server.port, username="desk", password="right").open()
        server.faults.clear()
        line = line_to(server.port, username="desk", password="right")
        await line.open()
        (outcome,) = await line.send(letter(), yes)
        await line.close()
    assert outcome.result is Result.SENT
