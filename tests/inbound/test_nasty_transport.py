"""The nastiest things mail servers do, each with its number, told to us by a server that follows a script."""

from __future__ import annotations

import re
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from email.message import EmailMessage

import pytest

from inbound import mime
from inbound.fetching import BEGINNING, Fetcher
from inbound.imap import Disconnected, MailServer, Refused, TooSlow
from inbound.imapwire import connect
from inbound.lanes import Lanes
from inbound.patience import wait_after

Answer = Callable[[str], list[bytes | None]]
"""What the server says to a command's arguments, without the tag; None closes the line, and what ends with
``OK`` or ``NO`` in front is the tagged answer."""


class Script:
    """A server on this machine that answers each command as it was told, and writes down what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {
            "CAPABILITY": lambda _: [b"* CAPABILITY IMAP4rev1 IDLE\r\n", b"OK done"],
            "EXAMINE": lambda _: [b"* 9 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n", b"OK [READ-ONLY] done"],
        }
        self.asked: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            line, _ = self._listening.accept()
        except OSError:
            return
        with line, line.makefile("rb") as lines:
            line.sendall(b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
            for raw in lines:
                tag, _, rest = raw.decode().strip().partition(" ")
                if not self._say(line, tag, rest):
                    return

    def _say(self, line: socket.socket, tag: str, rest: str) -> bool:
        self.asked.append(rest or tag)
        verb = next(
            (name for name in sorted(self.answers, key=len, reverse=True) if rest.startswith(name)), ""
        )
        if tag == "DONE":
            verb, rest = "DONE", ""
        said = self.answers[verb](rest) if verb in self.answers else [b"OK done"]
        for one in said:
            if one is None:
                return False
            if one.startswith((b"OK", b"NO", b"BAD")):
                one = tag.encode() + b" " + one + b"\r\n"
            try:
                line.sendall(one)
            except OSError:
                return False
        return True

    def close(self) -> None:
        self._listening.close()
        self._thread.join(5)


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()
    yield made
    made.close()


def opened(script: Script, seconds: float) -> MailServer:
    wire = connect("127.0.0.1", script.port, context=None, start_tls=False, stop=threading.Event())
    made = MailServer(wire, encrypted=False, operation_seconds=seconds)
    made.open("INBOX")
    return made


@pytest.fixture
def server(script: Script) -> Iterator[MailServer]:
    """Our side, signed in to it, with all the time it needs."""
    with closing(opened(script, 120.0)) as made:
        yield made


@pytest.fixture
def hasty(script: Script) -> Iterator[MailServer]:
    """The same, with two seconds for each operation."""
    with closing(opened(script, 2.0)) as made:
        yield made


def fetched(uid: int, body: bytes) -> bytes:
    return b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (uid, uid, len(body), body)


def test_case_01_a_server_that_freezes_in_the_middle_is_left(script: Script, hasty: MailServer) -> None:
    script.answers["UID FETCH"] = lambda _: [b"* 1 FETCH (UID 1 "]
    with pytest.raises(TooSlow):
        hasty.bodies([1])


def test_case_02_a_line_that_ends_inside_a_literal_gives_no_half_letter(
    script: Script, server: MailServer
) -> None:
    script.answers["UID FETCH"] = lambda _: [b"* 1 FETCH (UID 1 BODY[] {1000}\r\nFrom: a@b", None]
    with pytest.raises(Disconnected):
        server.bodies([1])


@pytest.mark.parametrize("last", [[b"* BYE see you\r\n", None], [None]], ids=["BYE", "silence"])
def test_case_03_a_server_that_closes_during_idle_is_noticed_once(
    script: Script, server: MailServer, last: list[bytes | None]
) -> None:
    script.answers["IDLE"] = lambda _: [b"+ idling\r\n", *last]
    with pytest.raises(Disconnected):
        server.wait_for_news(5.0)
    assert [one for one in script.asked if one == "IDLE"] == ["IDLE"]


def test_case_04_a_folder_that_is_numbered_anew_says_so(script: Script, server: MailServer) -> None:
    before = server.open("INBOX")
    script.answers["EXAMINE"] = lambda _: [b"* 2 EXISTS\r\n* OK [UIDVALIDITY 8] x\r\n", b"OK done"]
    assert (before.uidvalidity, server.open("INBOX").uidvalidity) == (7, 8)


@pytest.mark.parametrize("said", [b"* 1 FETCH (UID 1 BODY[] NIL)\r\n", b""], ids=["NIL", "nothing"])
def test_case_05_a_letter_that_is_listed_and_not_given_is_put_aside(
    script: Script, server: MailServer, said: bytes
) -> None:
    sizes = b"* 1 FETCH (UID 1 RFC822.SIZE 30)\r\n"
    script.answers["UID FETCH"] = lambda rest: [sizes if "SIZE" in rest else said, b"OK done"]
    lanes = Lanes(0)
    lanes.list([1])
    assert not Fetcher().next(server, lanes).letters
    assert lanes.aside() == [1]


def test_case_06_a_refusal_after_half_the_letters_costs_only_the_refused_one(
    script: Script, server: MailServer
) -> None:
    def answer(rest: str) -> list[bytes | None]:
        numbers = [int(one) for one in re.findall(r"\d+", rest.split("(")[0])]
        if ":" in rest.split("(")[0]:
            numbers = list(range(numbers[0], numbers[-1] + 1))
        if "SIZE" in rest:
            return [*(b"* %d FETCH (UID %d RFC822.SIZE 3)\r\n" % (one, one) for one in numbers), b"OK done"]
        if 2 in numbers:
            return [fetched(1, b"one") if 1 in numbers else b"", b"NO [SERVERBUG] cannot read it"]
        return [*(fetched(one, b"abc") for one in numbers), b"OK done"]

    script.answers["UID FETCH"] = answer
    lanes = Lanes(0)
    lanes.list([1, 2, 3])
    assert [one.uid for one in Fetcher().next(server, lanes).letters] == [1, 3]
    assert lanes.aside() == [2]


def test_case_07_a_throttled_mailbox_is_left_alone_for_as_long_as_it_asks(
    script: Script, server: MailServer
) -> None:
    script.answers["UID FETCH"] = lambda _: [b"NO [THROTTLED] Suggested Backoff Time: 90000 milliseconds"]
    with pytest.raises(Refused) as refused:
        server.bodies([1])
    assert wait_after(1, refused.value, 0.0) == 90.0


@pytest.mark.parametrize(
    ("said", "least"),
    [
        (b"NO [OVERQUOTA] The mailbox is full", 60.0),
        (b"NO [UNAVAILABLE] Backend is down", 60.0),
        (b"NO [INUSE] Mailbox in use", 60.0),
        (b"NO [LIMIT] Too many simultaneous connections", 60.0),
        (b"NO Account exceeded command or bandwidth limits", 900.0),
    ],
)
def test_server_that_cannot_just_now_is_left_alone(
    script: Script, server: MailServer, said: bytes, least: float
) -> None:
    script.answers["UID SEARCH"] = lambda _: [said]
    with pytest.raises(Refused) as refused:
        server.uids_above(0, 9)
    assert wait_after(1, refused.value, 0.0) >= least


def test_two_hundred_thousand_waiting_letters_take_little_memory_and_the_newest_come_second() -> None:
    uids = list(range(1, 200_001))
    tracemalloc.start()
    try:
        lanes = Lanes(0)
        lanes.list(uids)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(lanes) == 200_000
    assert held < 16_000_000
    assert (lanes.take(200)[0], lanes.take(200)[-1]) == (1, 200_000)


def test_case_08_a_letter_of_sixty_megabytes_is_kept_in_part_and_seventy_files_are_found(
    script: Script, server: MailServer
) -> None:
    def answer(rest: str) -> list[bytes | None]:
        if "SIZE" in rest:
            return [b"* 1 FETCH (UID 1 RFC822.SIZE 60000000)\r\n", b"OK done"]
        if "BODYSTRUCTURE" in rest:
            return [b"NO it cannot be described"]
        offset, length = map(int, re.findall(r"<(\d+)\.(\d+)>", rest)[0])
        head = b"* 1 FETCH (UID 1 BODY[]<%d> {%d}\r\n" % (offset, length)
        return [head, b"x" * length, b")\r\n", b"OK done"]

    script.answers["UID FETCH"] = answer
    lanes = Lanes(0)
    lanes.list([1])
    (kept,) = Fetcher().next(server, lanes).letters
    assert len(kept.data) == BEGINNING
    assert kept.files is None

    many = EmailMessage()
    many.set_content("see the files")
    for number in range(70):
        many.add_attachment(b"%PDF" * 2000, maintype="application", subtype="pdf", filename=f"{number}.pdf")
    assert len(mime.parse(many.as_bytes()).attachments) == 70


def test_case_09_more_uids_than_fit_in_one_answer_are_listed_in_windows(
    script: Script, server: MailServer
) -> None:
    def answer(rest: str) -> list[bytes | None]:
        bottom, top = map(int, re.findall(r"(\d+):(\d+)", rest)[0])
        return [b"* SEARCH " + b" ".join(b"%d" % one for one in range(bottom, top + 1)) + b"\r\n", b"OK done"]

    script.answers["UID SEARCH"] = answer
    assert server.uids_above(0, 130_000) == list(range(1, 130_001))


def test_case_10_flags_that_nobody_asked_for_change_no_letter(script: Script, server: MailServer) -> None:
    script.answers["UID FETCH"] = lambda _: [
        b"* 5 FETCH (FLAGS (\\Seen))\r\n",
        fetched(6, b"six"),
        b"* 2 FETCH (FLAGS (\\Deleted))\r\n",
        fetched(5, b"five"),
        b"OK done",
    ]
    assert server.bodies([5, 6]) == {5: b"five", 6: b"six"}
