"""The next letter's envelope travels with a dot, and every letter's fate stays its own."""

from __future__ import annotations

import pytest

from outbound.channels.base import Result, Scope
from outbound.channels.smtp import SmtpLine
from tests.outbound.conftest import BODY, letter, line_to, yes
from tests.servers_smtp import DISCONNECT, Fault, RecordingServer, recording

FIRST, SECOND = letter("ona@example.com", number=1), letter("petras@example.com", number=2)


async def opened(smtp: RecordingServer) -> SmtpLine:
    """A line with the second letter announced."""
    line = line_to(smtp.port)
    await line.open()
    line.announce(SECOND)
    return line


async def test_announced_letters_arrive_once_each_and_as_they_were(smtp: RecordingServer):
    line = line_to(smtp.port)
    await line.open()
    letters = [letter(f"client{number}@example.com", number=number) for number in range(20)]
    for one, following in zip(letters, [*letters[1:], None], strict=True):
        if following is not None:
            line.announce(following)
        (outcome,) = await line.send(one, yes)
        assert outcome.result is Result.SENT
    await line.close()
    assert smtp.copies == {one.recipients[0]: 1 for one in letters}
    assert {received.data for received in smtp.received} == {BODY}
    assert smtp.sessions == 1


async def test_an_announced_letter_is_taken_only_with_a_dot_of_its_own(smtp: RecordingServer):
    line = await opened(smtp)
    await line.send(FIRST, yes)
    (outcome,) = await line.send(SECOND, lambda: False)
    await line.close()
    assert outcome.result is Result.UNTRIED
    assert smtp.copies == {"ona@example.com": 1}


async def test_a_line_closed_with_an_envelope_under_way_sends_no_text_for_it(smtp: RecordingServer):
    line = await opened(smtp)
    await line.send(FIRST, yes)
    await line.close()
    assert smtp.copies == {"ona@example.com": 1}


async def test_another_letter_than_the_announced_one_costs_the_connection_and_mixes_nothing(
    smtp: RecordingServer,
):
    line = await opened(smtp)
    await line.send(FIRST, yes)
    third = letter("rasa@example.com", number=3)
    (outcome,) = await line.send(third, yes)
    assert outcome.result is Result.UNTRIED
    assert not line.ready
    await line.open()
    (again,) = await line.send(third, yes)
    await line.close()
    assert again.result is Result.SENT
    assert smtp.copies == {"ona@example.com": 1, "rasa@example.com": 1}


async def test_a_line_lost_after_the_dot_leaves_the_announced_letter_untried(smtp: RecordingServer):
    smtp.fault(".", Fault(close=True, kept=True))
    line = await opened(smtp)
    (first,) = await line.send(FIRST, yes)
    (second,) = await line.send(SECOND, yes)
    assert (first.result, second.result) == (Result.UNCERTAIN, Result.UNTRIED)
    await line.open()
    (again,) = await line.send(SECOND, yes)
    await line.close()
    assert again.result is Result.SENT
    assert smtp.copies == {"ona@example.com": 1, "petras@example.com": 1}


@pytest.mark.parametrize(
    ("answer", "result"), [("451 4.7.1 later", Result.DEFERRED), ("554 5.7.1 no", Result.REFUSED)]
)
async def test_a_refused_text_does_not_touch_the_announced_letter(
    smtp: RecordingServer, answer: str, result: Result
):
    smtp.fault(".", answer)
    line = await opened(smtp)
    (first,) = await line.send(FIRST, yes)
    (second,) = await line.send(SECOND, yes)
    await line.close()
    assert (first.result, second.result) == (result, Result.SENT)
    assert smtp.copies == {"petras@example.com": 1}


async def test_a_letter_refused_at_its_envelope_announces_nothing(smtp: RecordingServer):
    smtp.fault("RCPT", "550 5.1.1 no such user")
    line = await opened(smtp)
    (first,) = await line.send(FIRST, yes)
    (second,) = await line.send(SECOND, yes)
    await line.close()
    assert (first.result, second.result) == (Result.REFUSED, Result.SENT)
    assert smtp.copies == {"petras@example.com": 1}


async def test_an_announced_recipient_that_is_refused_is_refused_alone(smtp: RecordingServer):
    smtp.refusals["petras@example.com"] = "550 5.1.1 no such user"
    line = await opened(smtp)
    (first,) = await line.send(FIRST, yes)
    third = letter("rasa@example.com", number=3)
    (second,) = await line.send(SECOND, yes)
    (last,) = await line.send(third, yes)
    await line.close()
    assert (first.result, second.result, second.hard, last.result) == (
        Result.SENT,
        Result.REFUSED,
        True,
        Result.SENT,
    )


async def test_a_line_that_breaks_in_an_announced_envelope_says_nothing_of_the_letter(smtp: RecordingServer):
    smtp.watch = lambda step: smtp.fault("MAIL", DISCONNECT) if step == "." else None
    line = await opened(smtp)
    (first,) = await line.send(FIRST, yes)
    (second,) = await line.send(SECOND, yes)
    assert first.result is Result.SENT
    assert (second.result, second.scope) == (Result.UNTRIED, Scope.RELAY)


async def test_a_letter_that_must_not_go_out_is_not_announced(smtp: RecordingServer):
    line = line_to(smtp.port)
    await line.open()
    line.announce(letter("petras@example.com", data=b"Subject: x\r\n\r\nbare\nline\r\n"))
    (first,) = await line.send(FIRST, yes)
    await line.close()
    assert first.result is Result.SENT
    assert sum(command.startswith("MAIL") for command in smtp.commands) == 1


async def test_a_server_without_pipelining_gets_one_letter_after_another():
    with recording(RecordingServer(extensions=("8BITMIME",))) as smtp:
        line = await opened(smtp)
        (first,) = await line.send(FIRST, yes)
        (second,) = await line.send(SECOND, yes)
        await line.close()
    assert (first.result, second.result) == (Result.SENT, Result.SENT)
    assert smtp.copies == {"ona@example.com": 1, "petras@example.com": 1}
