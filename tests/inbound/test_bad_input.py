"""Bad input by its class: each is read in bounded time, or refused in words, and nothing else happens."""

from __future__ import annotations

import io
import json
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbound import (
    authenticity,
    automail,
    describe,
    filenames,
    headers,
    htmltext,
    limits,
    mime,
    quoting,
    structure,
    understanding,
)
from inbound.parsed import UnreadableMail
from inbound.readers import ReaderProcesses
from inbound.reading import Reading


def understood(raw: bytes) -> understanding.Understood:
    found = understanding.understand(raw)
    assert json.loads(json.dumps(describe.as_json("x", found)))["error"] is None
    return found


def test_b01_nesting_of_ten_thousand_parts_ends_at_the_bound() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(10_000))
    assert "nested too deep" in understood(raw).mail.defects


def test_b02_twenty_thousand_boundaries_end_at_the_bound() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 20_000
    mail = understood(raw).mail
    assert "too many parts" in mail.defects
    assert len(mail.parts) <= limits.PARTS


@pytest.mark.parametrize("boundary", [b"--", b"x" * 5000, b"", b'"', b"\xff\xfe"])
def test_b03_a_strange_boundary_is_read(boundary: bytes) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=" + boundary + b"\n\n--" + boundary + b"\n\nhello\n"
    assert "hello" in understood(raw).mail.text


@pytest.mark.parametrize("blank", [b"", b"\r", b"\n", b"\r\n\r\n", b"\0" * 100, b" \t\n\0"])
def test_b04_nothing_but_blanks_is_refused_in_words(blank: bytes) -> None:
    with pytest.raises(UnreadableMail) as caught:
        mime.parse(blank)
    assert caught.value.cure
    assert describe.as_json("x.eml", caught.value)["error"]


def test_b04_huge_and_countless_headers_are_bounded() -> None:
    assert len(understood(b"Subject: " + b"x" * 10_000_000 + b"\n\nhello").mail.subject) <= limits.FIELD_CHARS
    mail = understood(b"X: y\n" * 100_000 + b"\nhello").mail
    assert len(mail.headers) == limits.HEADER_COUNT
    assert mail.text == "hello"


@pytest.mark.parametrize(
    "raw",
    [
        b"hello",
        b"\n\nhello",
        b"From: a@b\r\rhello",
        b"From: a\0b@c\n\nhel\0lo",
        "From: a@b\n\nhello".encode("utf-16"),
    ],
)
def test_b04_a_letter_without_header_or_with_odd_line_ends_is_read(raw: bytes) -> None:
    assert understood(raw).mail.text == "hello"


def test_b05_encoded_words_are_bounded_and_broken_ones_stay() -> None:
    subject = understood(b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\n\n.").mail.subject
    assert len(subject) <= limits.FIELD_CHARS
    assert headers.decode(b"=?utf-8?b?@@@?= =?nocharset?q?x?= =?utf-8?q?unfinished").endswith("unfinished")
    assert "\n" not in headers.decode(b"=?utf-8?q?a=0D=0Ab?=")


def test_b06_five_thousand_nested_comments_are_read() -> None:
    understood(b"From: " + b"(" * 5000 + b"a@b" + b")" * 5000 + b"\n\nx")


def test_b07_twenty_thousand_recipients_are_bounded() -> None:
    assert len(understood(b"To: " + b"a@b.example, " * 20_000 + b"\n\nx").mail.to) <= limits.ADDRESSES


def test_b08_five_thousand_continued_parameters_are_bounded() -> None:
    value = b"a/b; " + b"".join(b"name*%d=x; " % n for n in range(5000))
    assert len(headers.parameters(value)[1]["name"]) <= limits.PARAMETERS


@pytest.mark.parametrize(
    "label",
    ["idna", "unicode_escape", "hex", "zlib", "rot13", "punycode", "base64", "undefined", "x" * 5000, "\x00"],
)
def test_b09_a_charset_that_is_no_charset_is_not_used(label: str) -> None:
    raw = f"Content-Type: text/plain; charset={label}\n\nhello ".encode() + "Привет, как дела?".encode(
        "cp1251"
    )
    assert understood(raw).mail.text == "hello Привет, как дела?"


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "yenc"])
def test_b10_broken_transfer_encodings_are_read(encoding: str) -> None:
    understood(f"Content-Transfer-Encoding: {encoding}\n\n=ZZ=@@@###\nbegin 644 x\n!!!\n".encode())


def test_b10_a_large_attachment_is_located_and_not_decoded() -> None:
    line = b"QUJD" * 19 + b"\n"
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: "
        b"application/pdf; name=a.pdf\n"
        b"Content-Transfer-Encoding: base64\n\n" + line * 130_000 + b"--b--\n"
    )
    mail = mime.parse(raw)
    assert mail.attachments[0].size == pytest.approx(57 * 130_000, abs=4)
    assert mail.text == "hi"


def test_b10_a_broken_winmail_dat_stays_an_attachment() -> None:
    raw = b"Content-Type: application/ms-tnef; name=winmail.dat\n\n\x78\x9f\x3e\x22" + b"\xff" * 500
    assert [one.name for one in understood(raw).mail.attachments] == ["winmail.dat"]


def test_b11_mail_inside_mail_is_a_file_and_nothing_external_is_fetched() -> None:
    raw = b"Content-Type: message/rfc822\n\n" * 50 + b"hello"
    assert understood(raw).mail.attachments[0].content_type == "message/rfc822"
    raw = (
        b"Content-Type: message/external-body; access-type=URL; "
        b'URL="http://127.0.0.1/x"\n\nContent-Type: text/plain\n\n'
    )
    assert understood(raw).mail.text == ""


@pytest.mark.parametrize(
    "written",
    [
        b"Thu, 1 Jan 1970 00:00:00 +0000",
        b"Fri, 31 Dec 9999 23:59:59 +0000",
        b"1",
        b"\xff",
        b"Mon, 1 Jan 2024 10:00:00 +9999",
    ],
)
def test_b12_strange_dates_and_doubled_fields_are_read(written: bytes) -> None:
    understood(
        b"Date: "
        + written
        + b"\nFrom: a@b\nFrom: c@d\nSubject: x\nSubject: y\nMessage-ID: <a@b>\nMessage-ID: <c@d>\n\nz"
    )


def test_b13_ids_are_bounded() -> None:
    mail = understood(
        b"Message-ID: <"
        + b"x" * 10_000
        + b"@y>\nReferences: "
        + b" ".join(b"<%d@x>" % n for n in range(5000))
        + b"\n\nz"
    ).mail
    assert mail.message_id == ""
    assert len(mail.references) == limits.REFERENCES
    assert mail.references[0] == "0@x"
    assert mail.references[-1] == "4999@x"
    assert mime.parse(b"Message-ID: <a\r\n b@c>\n\nx").message_id == "ab@c"


def test_b14_an_invitation_and_a_receipt_request_are_read() -> None:
    calendar = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:CANCEL\r\nBEGIN:VEVENT\r\nUID:1\r\n"
        b"SUMMARY:Demo\r\nDTSTART:20240312T101500Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    found = understood(
        b"Content-Type: text/calendar; method=CANCEL\nDisposition-Notification-To: a@b\n\n" + calendar
    )
    assert found.invitation is not None
    assert (found.invitation.method, found.invitation.summary) == ("CANCEL", "Demo")
    assert found.machine.kind is automail.Kind.NONE
    assert understood(b"Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nbroken").invitation is None
    assert understood(b"Content-Type: text/enriched\n\n<bold>hello</bold>").mail.text == "hello"


def test_b16_no_line_end_of_a_field_survives_reading() -> None:
    raw = b"Subject: a\r\n\tb=?utf-8?q?=0D=0ABcc:_x?=\nFrom: =?utf-8?q?A=0AB?= <a@b.example>\n\nx"
    mail = mime.parse(raw)
    assert "\n" not in mail.subject + mail.from_[0].name
    assert "\r" not in mail.subject + mail.from_[0].name


def test_b17_a_stolen_id_changes_nothing_about_who_the_sender_is() -> None:
    mail = mime.parse(b"From: Boss <boss@own.example>\nIn-Reply-To: <ours@own.example>\n\nx")
    assert authenticity.checks(mail, ["mx.own.example"]).by == ""


def test_b18_a_name_that_shows_another_address_is_flagged() -> None:
    found = understood(b'From: "ceo@corp.com" <evil@x.example>\n\nx')
    assert found.warnings()[0].warning is authenticity.Warning_.NAME_HOLDS_OTHER_ADDRESS


def test_b22_scripts_and_styles_are_never_text() -> None:
    html = (
        "<script>alert(1)</script><svg><script>x</script></svg><style>a{}</style><img src=x "
        "onerror=alert(2)>hi<noscript>"
    )
    assert htmltext.text_of(html) == "hi"


def test_b27_two_hundred_thousand_nested_tags_are_read() -> None:
    assert htmltext.text_of("hi" + "<div>" * 200_000) == "hi"
    assert htmltext.text_of("<a " + "x=y " * 20_000 + ">hi</a>") == "hi"


def test_b30_marks_of_direction_leave_no_name() -> None:
    assert filenames.label("a\u202eb\u200bc.pdf") == "abc.pdf"


@pytest.mark.parametrize(
    "name",
    ["../../x", "..\\..\\x", "/etc/passwd", "C:x", "\\\\host\\share", "a\0b", "a\r\nb",
     "x" * 300, "", ".", "..",
     "CON", "con.txt",
     "name. ", "\uff0e\uff0e\uff0fx", "\u200b.htaccess"],
)  # fmt: skip
def test_b31_no_name_can_name_a_file(name: str) -> None:
    label = filenames.label(name)
    assert label
    assert len(label) <= limits.FILE_NAME_CHARS
    assert not set(label) & set('/\\:\0\r\n"')
    assert not label.startswith(".")
    assert label.lower().partition(".")[0] not in {"con", "nul", "aux"}


@pytest.mark.parametrize("seed", range(5))
def test_b15_flipped_bits_of_a_letter_are_read(seed: int) -> None:
    raw = bytearray(
        b"From: a@b.example\nSubject: =?utf-8?B?0JjQstCw0L0=?=\nContent-Type: multipart/mixed; "
        b"boundary=b\n\n--b\n"
        b"Content-Type: text/html; charset=cp1251\n\n<p>x</p>\n--b\nContent-Type: "
        b"message/delivery-status\n\nAction: failed\n--b--\n"
    )
    chance = random.Random(seed)
    for _ in range(200):
        copy = bytearray(raw)
        for _ in range(chance.randrange(1, 12)):
            copy[chance.randrange(len(copy))] = chance.randrange(256)
        understood(bytes(copy))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        mail = mime.parse(raw)
    except UnreadableMail:
        return
    assert isinstance(mail.text, str)
    for one in mail.attachments:
        mime.attachment_bytes(raw, one.path)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=2000))
def test_any_text_is_split_without_growing(text: str) -> None:
    found = quoting.split(text)
    assert len(found.reply) <= len(text) + text.count("\n") + 1


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=1500))
def test_any_html_is_read(html: str) -> None:
    assert (
        "\x00"
        not in mime.parse(
            b"Content-Type: text/html; charset=utf-8\n\n<p>" + html.encode("utf-8", "replace")
        ).text
    )


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_a_subject_survives_encoding_and_decoding(subject: str) -> None:
    from email.header import Header

    clean = " ".join("".join(letter if letter.isprintable() else " " for letter in subject).split())
    if not clean or "=?" in clean:
        return
    written = Header(clean, "utf-8", maxlinelen=70).encode().encode("ascii")
    assert " ".join(headers.decode(written).split()) == clean


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_base64_is_read_back_whatever_its_line_length(data: bytes) -> None:
    import base64

    raw = b"Content-Type: application/x\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(data)
    assert mime.attachment_bytes(raw, "1") == data


def test_a_deep_tree_uses_no_recursion() -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000))
    assert structure.scan(raw, []).children


def test_a_packed_letter_is_just_bytes() -> None:
    packed = zlib.compress(b"hello" * 100)
    assert understood(b"\x1f\x8b" + packed).mail is not None
    assert io.BytesIO(packed).read(1)


RUNS = {
    "letters": b"a" * 90_000,
    "blanks": b" " * 90_000,
    "lines": b"\n" * 90_000,
    "brackets": b"<" * 90_000,
    "signs": b"@" * 90_000,
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(
    "place", ["From", "References", "Message-ID", "Content-Type", "X-Failed-Recipients", "report", "body"]
)
def test_a_long_run_of_one_character_costs_little_wherever_it_stands(place: str, run: str) -> None:
    long = RUNS[run]
    if place == "body":
        understood(b"From: a@b.example\n\nmailto:<\nOn 1 Jan 2024 10:00 " + long + b" wrote:\n> x\n")
    elif place == "report":
        understood(
            b"From: mailer-daemon@b.example\nContent-Type: message/delivery-status\n\n"
            b"Final-Recipient: rfc822;" + long + b"\nDiagnostic-Code: smtp; 550 " + long + b"\n"
        )
    else:
        understood(place.encode() + b": x" + long.replace(b"\n", b"\n ") + b"\n\nhello")


BROKEN = sorted((Path(__file__).parents[1] / "mail" / "broken").glob("*.eml"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_b15_a_broken_copy_that_once_took_too_long_is_read_in_time(path: Path) -> None:
    readers = ReaderProcesses(cpu_seconds=5.0)
    try:
        (outcome,) = readers.read_many([path.read_bytes()], frozenset())
    finally:
        readers.close()
    assert isinstance(outcome, Reading)
