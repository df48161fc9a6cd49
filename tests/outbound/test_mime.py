"""What is written can be read back by the standard library, and says the same."""

from __future__ import annotations

import email
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbound import headers, mime

WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\x85\u2028\u2029"), max_size=150
)


def read(data: bytes) -> EmailMessage:
    """As a mail program would."""
    return email.message_from_bytes(data, policy=policy.default)  # type: ignore[return-value]


def decoded(field: str) -> str:
    """The words of an unfolded field."""
    return str(make_header(decode_header(field.replace("\r\n ", " "))))


@pytest.mark.parametrize(
    "subject",
    [
        "Commercial offer",
        "Коммерческое предложение № KP-2026-0042 для ООО «Северные насосы» и всех его дочерних обществ",
        "Dėl Jūsų užklausos: šilumos siurbliai, žiemos pasiūlymas",
        "=?utf-8?q?x=0D=0ABcc:=20evil@x.example?=",
        "a" * 300,
        "word " * 40,
        "",
    ],
)
def test_a_subject_is_read_as_it_was_written(subject: str):
    field = headers.encoded(subject)
    assert all(len(line) <= 78 for line in field.split("\r\n"))
    assert decoded(field) == subject


@given(WORDS)
def test_any_words_survive_a_header_field(words: str):
    field = headers.encoded(words)
    assert field.isascii()
    assert decoded(field) == words


@pytest.mark.parametrize(
    "trick", ["a\r\nBcc: evil@x.example", "a\nb", "a\rb", "a\x00b", "a\x0bb", "a\u2028b", "a\x85b"]
)
def test_a_subject_with_a_line_break_is_refused(trick: str):
    with pytest.raises(headers.HeaderRefused):
        headers.encoded(trick)


@pytest.mark.parametrize(
    "name",
    [
        "Ona Ąžuolė-Petraitienė",
        "Мария Иванова",
        'UAB "Vanduo", Vilnius',
        "Doe, John",
        "a\\b",
        "=?utf-8?q?evil?=",
        "A (B)",
    ],
)
def test_a_name_stands_beside_its_address(name: str):
    field = headers.mailbox(name, "ona@example.lt").replace("\r\n ", " ")
    shown, address = parseaddr(field)
    assert address == "ona@example.lt"
    assert str(make_header(decode_header(shown))) == name


def test_a_name_with_a_line_break_loses_it_and_cannot_add_a_field():
    field = headers.mailbox("Ona\r\nBcc: evil@x.example", "ona@example.lt")
    assert field.replace("\r\n ", " ") == '"Ona Bcc: evil@x.example" <ona@example.lt>'


@pytest.mark.parametrize("address", ["a@b\r\nBcc: c@d", "a b@c.lt", "a@b.lt>", "nobody", "a@b.lt, c@d.lt"])
def test_an_address_that_could_add_another_is_refused(address: str):
    with pytest.raises(headers.HeaderRefused):
        headers.mailbox("x", address)


def test_of_a_long_chain_the_first_and_the_newest_references_are_kept():
    chain = headers.references([f"id{number}@x.lt" for number in range(100)]).split("\r\n ")
    assert chain[0] == "<id0@x.lt>"
    assert chain[1:] == [f"<id{number}@x.lt>" for number in range(80, 100)]


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y", "a b@c", "", "<<a@b>>", "ы@x.lt", "x" * 500])
def test_a_reference_that_is_no_message_id_is_left_out(bad: str):
    assert headers.references(["good@x.lt", bad]) == "<good@x.lt>"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Plain words.\n", "7bit"),
        ("Добрый день!\n" * 20, "base64"),
        ("A long line " * 40 + "\n", "quoted-printable"),
        ("Mostly English, as most of our letters are, with one ė in the name.\n" * 10, "quoted-printable"),
    ],
)
def test_each_text_goes_in_the_encoding_that_suits_it(text: str, encoding: str):
    message = read(mime.written([("Subject", "x")], text, "", [], "b0"))
    assert message["Content-Transfer-Encoding"] == encoding
    assert message.get_content().replace("\r\n", "\n") == text


def test_text_html_and_files_are_read_back_as_they_were():
    text, html = "Sveiki,\n\n.\nИван\n", "<p>Добрый день, Ąžuolai &amp; Co</p>\n" * 50
    files = [
        mime.Part("KP-2026-0042 коммерческое предложение.pdf", "application/pdf", bytes(range(256)) * 99),
        mime.Part('../../etc/"passwd"', "application/pdf", b"x"),
    ]
    message = read(mime.written([("Subject", "x")], text, html, files, "b0"))
    plain, rich = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().replace("\r\n", "\n") == text
    assert rich.get_content().replace("\r\n", "\n") == html
    attached = list(message.iter_attachments())
    assert [part.get_filename() for part in attached] == [
        "KP-2026-0042 коммерческое предложение.pdf",
        '-..-etc-"passwd"',
    ]
    assert [part.get_content() for part in attached] == [file.data for file in files]
    assert not any(part.defects for part in message.walk())


@given(st.text(max_size=500), st.text(min_size=1, max_size=500))
def test_any_text_is_read_without_defects(text: str, html: str):
    data = mime.written([("Subject", "x")], text, html, [], "b0")
    assert max(map(len, data.split(b"\r\n"))) <= 200
    assert not any(part.defects for part in read(data).walk())
