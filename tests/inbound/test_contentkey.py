"""One key for one letter, however it was delivered."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inbound.contentkey import content_key
from tests.inbound.posting import letter

TRACE = b"\r\n".join(
    [
        b"Return-Path: <ona@vandenis.lt>",
        b"Delivered-To: info@siurbliai.example",
        b"Received: from a by b;",
        b"\tMon",
        b"X-Spam-Score: 1.2",
        b"Authentication-Results: mx; spf=pass",
        b"DKIM-Signature: v=1; b=abc",
        b"X-UID: 5",
        b"",
    ]
)


def test_what_servers_add_on_the_way_does_not_matter() -> None:
    assert content_key(TRACE + letter()) == content_key(letter())


def test_line_ends_and_empty_lines_at_the_end_do_not_matter() -> None:
    assert content_key(letter().replace(b"\n", b"\r\n") + b"\r\n\r\n") == content_key(letter())


def test_reused_message_id_with_other_words_is_another_letter() -> None:
    assert content_key(letter(text="vienas")) != content_key(letter(text="kitas"))


def test_same_words_under_another_subject_or_sender_are_another_letter() -> None:
    keys = {
        content_key(letter()),
        content_key(letter(subject="Kita")),
        content_key(letter(sender="x@y.lt")),
        content_key(letter(message_id="<b@c>")),
    }
    assert len(keys) == 4


def test_alarm_without_id_and_date_that_comes_again_is_not_taken_for_the_first() -> None:
    alarm = letter(message_id=None, date=None)

    assert content_key(b"Received: first\n" + alarm) != content_key(b"Received: second\n" + alarm)
    assert content_key(b"X-UID: 7\n" + alarm) == content_key(alarm)


@given(st.binary(max_size=2_000))
def test_any_bytes_have_a_key(raw: bytes) -> None:
    assert len(content_key(raw)) == 32
    assert content_key(raw) == content_key(bytes(raw))


@given(st.binary(max_size=500), st.binary(max_size=500))
def test_different_bodies_have_different_keys(one: bytes, two: bytes) -> None:
    head = letter().partition(b"\n\n")[0] + b"\n\n"

    assert (content_key(head + one) == content_key(head + two)) == (lines(one) == lines(two))


def lines(body: bytes) -> bytes:
    """The body with one kind of line ends and none at its end."""
    return body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").rstrip(b"\r\n")


def test_letters_without_any_header_field_are_told_apart_by_their_bytes() -> None:
    bare = [
        b"labas",
        b"sveiki",
        b" " * 40,
        b"\0" * 40,
        b"viena eilute\r\n\r\nkita",
        b"kita eilute\r\n\r\nkita",
    ]

    assert len({content_key(one) for one in bare}) == len(bare)
    assert content_key(b"viena\r\neilute") == content_key(b"viena\neilute")
