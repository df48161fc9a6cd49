"""The nastiest letters seen in the wild, each with its number: headers and structure."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime

import pytest

from inbound import mime
from inbound.parsed import Address


def parse(text: str, charset: str = "utf-8") -> mime.ParsedMail:
    return mime.parse(text.encode(charset))


def mixed(*parts: str) -> str:
    return (
        'Content-Type: multipart/mixed; boundary="b"\n\n'
        + "".join(f"--b\n{part}\n" for part in parts)
        + "--b--\n"
    )


def test_case_11_a_content_type_full_of_semicolons_costs_nothing() -> None:
    assert parse(f"Content-Type: text/plain{';' * 7000}\n\nhello").text == "hello"


@pytest.mark.parametrize(
    ("charset", "subject"),
    [
        ("cp1251", "Запрос коммерческого предложения"),
        ("koi8-r", "Запрос коммерческого предложения"),
        ("cp1257", "Pasiūlymas dėl sąskaitos apmokėjimo"),
        ("utf-8", "Запрос, pasiūlymas, café"),
        ("cp1252", "Angebot für Bürostühle"),
    ],
)
def test_case_12_a_raw_8_bit_subject_is_read(charset: str, subject: str) -> None:
    assert parse(f"Subject: {subject}\n\n", charset).subject == subject


def test_case_12_a_raw_subject_takes_the_charset_of_the_body() -> None:
    mail = parse(
        "Subject: Счёт\nContent-Type: text/plain; charset=koi8-r\n\nСчёт во вложении, проверьте.", "koi8-r"
    )
    assert mail.subject == "Счёт"


def test_case_13_a_character_split_over_two_encoded_words_is_joined() -> None:
    raw = "Прайс".encode()
    first, second = base64.b64encode(raw[:5]).decode(), base64.b64encode(raw[5:]).decode()
    assert parse(f"Subject: =?utf-8?B?{first}?=\n =?utf-8?B?{second}?=\n\n").subject == "Прайс"


def test_case_14_encoded_words_inside_quotes_touching_or_with_blanks_are_decoded() -> None:
    assert parse('From: "=?utf-8?B?0JjQstCw0L0=?=" <a@b.example>\n\n').from_[0].name == "Иван"
    assert parse("Subject: a=?utf-8?Q?=C4=97?=b\n\n").subject == "aėb"
    assert parse("Subject: =?utf-8?Q?Labas rytas =C4=97?=\n\n").subject == "Labas rytas ė"


def test_case_15_an_encoded_line_end_cannot_start_another_field() -> None:
    mail = parse("Subject: =?utf-8?Q?Hi=0D=0ABcc:_evil@x.example?=\n\n")
    assert mail.subject == "Hi Bcc: evil@x.example"
    assert "bcc" not in mail.headers


@pytest.mark.parametrize(("field", "expected"), [("From:", ()), ("From: <>", ()), ("X: y", ())])
def test_case_16_an_empty_or_missing_sender_is_none(field: str, expected: tuple[Address, ...]) -> None:
    assert parse(f"{field}\nSubject: x\n\n").from_ == expected


def test_case_16_two_sender_fields_give_both_and_a_defect() -> None:
    mail = parse("From: a@b.example\nFrom: c@d.example\n\n")
    assert [one.address for one in mail.from_] == ["a@b.example", "c@d.example"]
    assert "more than one sender field" in mail.defects


def test_case_17_an_address_hidden_in_an_encoded_word_is_found() -> None:
    word = base64.b64encode("Иван <ivan@b.example>".encode()).decode()
    assert parse(f"From: =?utf-8?B?{word}?=\n\n").from_ == (Address("Иван", "ivan@b.example"),)


def test_case_17_a_comma_in_an_unquoted_name_does_not_make_two_senders() -> None:
    assert parse("From: Petrauskas, Jonas <jonas@b.example>\n\n").from_ == (
        Address("Petrauskas, Jonas", "jonas@b.example"),
    )


def test_case_18_a_junk_line_or_an_mbox_line_in_the_header_is_passed_over() -> None:
    mail = parse("From x@y Mon Jan  1 00:00:00 2024\nFrom: a@b.example\nthis is junk\nSubject: Hello\n\nbody")
    assert (mail.subject, mail.text) == ("Hello", "body")
    assert parse("Subject: x\n>From y\nTo: a@b.example\n\nz").to[0].address == "a@b.example"


def test_case_19_a_huge_header_with_thousands_of_recipients_is_bounded() -> None:
    mail = parse("To: " + ", ".join(f"u{n}@b.example" for n in range(20_000)) + "\nSubject: x\n\nbody")
    assert len(mail.to) == 1000
    assert mail.text == "body"


def test_case_20_a_missing_or_repeated_message_id_is_noted() -> None:
    assert "message id missing" in parse("Subject: x\n\n").defects
    mail = parse("Message-ID: <a@b>\nMessage-ID: <c@d>\n\n")
    assert mail.message_id == "a@b"
    assert "more than one message id" in mail.defects


@pytest.mark.parametrize(
    "written", ["Mon, 1 Jan 1900 00:00:00 +0000", "yesterday", "", "32 Foo 2024 99:99:99 +0000"]
)
def test_case_21_an_impossible_date_is_none(written: str) -> None:
    assert parse(f"Date: {written}\n\n").date is None


@pytest.mark.parametrize(
    "written",
    [
        "Tue, 12 Mar 2024 10:15:00 +0200",
        "12 Mar 2024 08:15:00 GMT",
        "2024-03-12T10:15:00+02:00",
        "Tue, 12 Mar 24 10:15:00 +0200 (EET)",
    ],
)
def test_case_21_a_date_in_any_usual_form_is_read(written: str) -> None:
    assert parse(f"Date: {written}\n\n").date == datetime(2024, 3, 12, 8, 15, tzinfo=UTC)


def test_case_22_a_multipart_without_a_boundary_is_guessed_or_read_as_text() -> None:
    mail = parse("Content-Type: multipart/mixed\n\n--x\nContent-Type: text/plain\n\nhello\n--x--\n")
    assert mail.text == "hello"
    assert parse("Content-Type: multipart/mixed; boundary=never\n\njust text").text == "just text"


def test_case_22_a_multipart_that_is_never_closed_gives_its_last_part() -> None:
    mail = parse('Content-Type: multipart/mixed; boundary="b"\n\n--b\n\none\n--b\n\ntwo')
    assert "two" in mail.text
    assert "multipart never closed" in mail.defects


def test_case_23_nesting_a_thousand_deep_ends_at_the_bound() -> None:
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(1000))
    mail = parse(f"{head}\n\nhello")
    assert "nested too deep" in mail.defects


def test_case_24_files_inside_related_and_alternative_are_found() -> None:
    raw = (
        "Content-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\nhello\n--a\n"
        "Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n<p>hello</p>\n--r\n"
        "Content-Type: image/png; name=logo.png\nContent-ID: <logo>\nContent-Transfer-Encoding: "
        "base64\n\niVBORw==\n"
        "--r--\n--a\nContent-Type: application/pdf; name=offer.pdf\n\n%PDF\n--a--\n"
    )
    mail = parse(raw)
    assert mail.text == "hello"
    assert [(one.name, one.inline) for one in mail.attachments] == [("logo.png", True), ("offer.pdf", False)]
    assert mime.attachment_bytes(raw.encode(), mail.attachments[0].path) == b"\x89PNG"


def test_case_24_text_between_pictures_is_one_text() -> None:
    picture = "Content-Type: image/png; name=p.png\nContent-Disposition: inline\n\nx"
    mail = parse(mixed("Content-Type: text/plain\n\nbefore", picture, "Content-Type: text/plain\n\nafter"))
    assert mail.text == "before\n\nafter"
    assert mail.attachments[0].inline


def test_case_25_unnamed_parts_and_attached_mail_get_telling_names() -> None:
    mail = parse(
        mixed("\nhello", "Content-Type: message/rfc822\n\nSubject: Price list\n\nhi", "Content-Type: "
                                                                                      "message/delivery-status\n\nx",
              "Content-Type: image/jpeg\n\nx", "Content-Type: application/x-strange\n\nx")
    )  # fmt: skip
    names = [one.name for one in mail.attachments]
    assert names == ["Price list.eml", "delivery-status.txt", "image.jpg", "attachment-4.bin"]


def test_case_26_a_letter_that_is_only_a_pdf_is_an_attachment() -> None:
    mail = parse(
        'Content-Type: application/pdf; name="offer.pdf"\nContent-Transfer-Encoding: base64\n\nJVBERg=='
    )
    assert mail.text == ""
    assert mail.attachments[0].name == "offer.pdf"
    assert mail.attachments[0].size == 4


@pytest.mark.parametrize(
    "head",
    [
        "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
        "multipart/encrypted; protocol=application/pgp-encrypted; boundary=b",
    ],
)
def test_case_26_an_encrypted_letter_is_kept_as_files(head: str) -> None:
    body = (
        "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: "
        "application/octet-stream\n\nx\n--b--"
    )
    mail = parse(f"Content-Type: {head}\n\n{body}")
    assert mail.text == ""
    assert mail.attachments


def test_case_26_a_signed_letter_shows_its_text() -> None:
    raw = (
        "Content-Type: multipart/signed; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: "
        "application/pgp-signature; name=s.asc\n\nx\n--b--"
    )
    mail = parse(raw)
    assert mail.text == "hello"
    assert mail.attachments[0].name == "s.asc"


@pytest.mark.parametrize(
    "body", ["aGVsbG8", "aGVsbG8=garbage!", "aGVs\n!!bG8=", "aGVsbG8=\n\nlist footer, not base64"]
)
def test_case_27_broken_base64_is_read_as_far_as_it_goes(body: str) -> None:
    assert parse(f"Content-Transfer-Encoding: base64\n\n{body}").text.startswith("hello")


def test_case_28_a_uuencoded_file_in_the_text_is_an_attachment() -> None:
    raw = "Subject: x\n\nsee file\nbegin 644 offer.txt\n%:&5L;&\\\n`\nend\nbye"
    mail = parse(raw)
    assert mail.text == "see file\n\nbye"
    assert mail.attachments[0].name == "offer.txt"
    assert mime.attachment_bytes(raw.encode(), mail.attachments[0].path) == b"hello"


def test_case_28_an_unknown_transfer_encoding_leaves_the_text() -> None:
    assert parse("Content-Transfer-Encoding: x-strange\n\nhello").text == "hello"


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\Windows\\\\x.exe"', "x.exe"),
        ("filename=no quotes here.pdf", "no quotes here.pdf"),
        ("filename*=koi8-r''%EF%C6%C5%D2%D4%C1.pdf", "Оферта.pdf"),
        ("filename*0*=utf-8''%D0%9F%D1%80; filename*1*=%D0%B0%D0%B9%D1%81; filename*2=.pdf", "Прайс.pdf"),
        ('filename="=?utf-8?B?0J/RgNCw0LnRgS5wZGY=?="', "Прайс.pdf"),
        ('filename="\u200b.htaccess"', "htaccess"),
        ('filename="invoice\u202egpj.exe"', "invoicegpj.exe"),
    ],
)
def test_case_30_a_file_name_is_only_ever_a_label(written: str, label: str) -> None:
    mail = parse(f"Content-Type: application/octet-stream\nContent-Disposition: attachment; {written}\n\nx")
    assert mail.attachments[0].name == label


def test_case_30_a_raw_file_name_in_a_cyrillic_charset_is_read() -> None:
    raw = (
        "Content-Type: application/pdf\nContent-Disposition: attachment; filename=Прайс-лист.pdf\n\nx".encode(
            "cp1251"
        )
    )
    assert mime.parse(raw).attachments[0].name == "Прайс-лист.pdf"


def tnef_attribute(level: int, kind: int, data: bytes) -> bytes:
    """One attribute of a TNEF stream (MS-OXTNEF section 2.1.3): level, kind, length, data, checksum."""
    return struct.pack("<BII", level, kind, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def test_case_29_a_letter_that_is_only_a_winmail_dat_gives_its_files() -> None:
    stream = (
        struct.pack("<IH", 0x223E9F78, 1)
        + tnef_attribute(1, 0x00089006, struct.pack("<I", 0x00010000))
        + tnef_attribute(2, 0x00069002, b"\x01\0" + b"\xff" * 4 + b"\0" * 8)
        + tnef_attribute(2, 0x00018010, b"kaina.pdf\0")
        + tnef_attribute(2, 0x0006800F, b"%PDF-1.7 kaina")
    )
    raw = (
        b"From: a@b.example\nContent-Type: application/ms-tnef; name=winmail.dat\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(stream)
    )
    mail = mime.parse(raw)
    (inner,) = [one for one in mail.attachments if one.name == "kaina.pdf"]
    assert mime.attachment_bytes(raw, inner.path) == b"%PDF-1.7 kaina"


def test_case_30_a_file_name_continued_in_koi8_r_is_read() -> None:
    name = "Коммерческое предложение.pdf"
    coded = "".join(f"%{byte:02X}" for byte in name.encode("koi8-r"))
    raw = (
        "Content-Type: application/pdf\nContent-Disposition: attachment;\n"
        f" filename*0*=koi8-r'ru'{coded[:30]};\n filename*1*={coded[30:]}\n\nx"
    )
    assert parse(raw).attachments[0].name == name
