"""The nastiest letters seen in the wild, each with its number: their words and what they mean."""

from __future__ import annotations

from datetime import datetime

import pytest

from inbound import automail, mime, quoting, understanding
from inbound.parsed import Address


def parse(text: str, charset: str = "utf-8") -> mime.ParsedMail:
    return mime.parse(text.encode(charset))


def mixed(*parts: str) -> str:
    return (
        'Content-Type: multipart/mixed; boundary="b"\n\n'
        + "".join(f"--b\n{part}\n" for part in parts)
        + "--b--\n"
    )


RUSSIAN = "Добрый день! Просим прислать коммерческое предложение на три насоса."
LITHUANIAN = "Laba diena, prašome atsiųsti pasiūlymą dėl siurblių. Ačiū, pagarbiai Jonas"


@pytest.mark.parametrize("label", ["DEFAULT_CHARSET", "win-1251", "unicode", "x-unknown", "iso-gb2312"])
def test_case_31_an_unknown_name_of_a_charset_loses_no_letter(label: str) -> None:
    head = f"Subject: =?{label}?Q?hello?=\nContent-Type: text/plain; charset={label}\n\n".encode()
    mail = mime.parse(head + RUSSIAN.encode("cp1251"))
    assert mail.text == RUSSIAN
    assert "hello" in mail.subject


@pytest.mark.parametrize(
    ("label", "charset", "text"),
    [
        ("DEFAULT_CHARSET", "cp1251", RUSSIAN),
        ("win-1251", "cp1251", RUSSIAN),
        ("unicode", "utf-8", RUSSIAN),
        ("windows-1251", "utf-8", RUSSIAN),
        ("iso-8859-1", "cp1251", RUSSIAN),
        ("iso-8859-1", "cp1257", LITHUANIAN),
        ("us-ascii", "koi8-r", RUSSIAN),
        ("windows-1251", "koi8-r", RUSSIAN),
        ("", "cp1257", LITHUANIAN),
        ("", "cp866", RUSSIAN),
        ("iso-8859-1", "cp1252", "Schöne Grüße aus München, das Angebot über die Stühle: äöüß"),
        ("zlib", "utf-8", RUSSIAN),
    ],
)
def test_case_32_a_body_with_a_wrong_or_missing_label_is_read(label: str, charset: str, text: str) -> None:
    head = f"Content-Type: text/plain; charset={label}\nContent-Transfer-Encoding: 8bit\n\n".encode()
    assert mime.parse(head + text.encode(charset)).text == text


def test_case_33_japanese_with_escapes_and_utf_7_are_read() -> None:
    text = "日本語のメール"
    head = b"Content-Type: text/plain; charset=iso-2022-jp\n\n"
    assert mime.parse(head + text.encode("iso2022_jp")).text == text
    assert (
        mime.parse(b"Content-Type: text/plain; charset=utf-7\n\n" + "Привет".encode("utf-7")).text == "Привет"
    )


def test_case_33_the_vendors_own_japanese_characters_are_read() -> None:
    head = b"Content-Type: text/plain; charset=iso-2022-jp\n\n"
    assert mime.parse(head + b"\x1b$B-!F|K\\\x1b(B ok").text == "①日本 ok"


def test_case_34_html_alone_gives_its_text_without_hidden_words() -> None:
    html = (
        '<style>p{color:red}</style><div style="display:none">hidden '
        "preheader</div><p>Pra\u200bšome <b>siųs</b>ti</p>"
        "<table><tr><td>a</td><td>b</td></tr></table><ul><li>one</li></ul>" + "<div>" * 20_000 + "deep"
    )
    mail = parse(f"Content-Type: text/html; charset=utf-8\n\n{html}")
    assert "hidden" not in mail.text
    assert mail.text.startswith("Prašome siųsti")
    assert "a b" in mail.text.replace("\t", " ")
    assert "- one" in mail.text
    assert "deep" in mail.text


def test_case_35_a_wrapped_introduction_without_a_verb_ends_the_reply() -> None:
    text = (
        "Да, подходит, присылайте счёт.\n\nвт, 12 мар. 2024 г. в 10:15, Иван Громов\n"
        "<gromov@mir.example>:\n\n> Сколько стоит насос?\n> Иван\n"
    )
    found = quoting.split(text)
    assert found.reply == "Да, подходит, присылайте счёт."
    assert "Сколько стоит насос" in found.quoted


def test_case_36_initials_before_the_quotes_and_answers_between_them_are_told_apart() -> None:
    text = (
        "Здравствуйте, Иван!\n\nВы писали 12 марта 2024 г., 10:15:\n\nИГ> Сколько стоит насос?\n\n"
        "Двадцать тысяч рублей.\n\nИГ> Какой срок поставки?\n\nДве недели.\n"
    )
    found = quoting.split(text)
    for own in ("Двадцать тысяч рублей.", "Две недели."):
        assert own in found.reply


def test_case_37_a_request_forwarded_by_a_colleague_names_the_client() -> None:
    raw = (
        "From: olga@siaure.example\nSubject: Fwd: Užklausa\nContent-Type: text/plain; "
        "charset=utf-8\n\nPažiūrėk.\n\n"
        "---------- Forwarded message ---------\nОт: Иван Громов <gromov@mir.example>\nDate: вт, "
        "12 мар. 2024 г. в 10:15\n"
        "Subject: Запрос\nTo: <info@siaure.example>\n\nСколько стоит насос?"
    )
    found = understanding.understand(raw.encode())
    assert found.forward is not None
    assert found.forward.from_ == Address("Иван Громов", "gromov@mir.example")
    assert found.forward.date == datetime(2024, 3, 12, 10, 15)  # noqa: DTZ001 - none is written
    assert found.split.reply == "Pažiūrėk."


@pytest.mark.parametrize(
    ("subject", "text", "class_", "hard"),
    [
        (
            "Недоставленное сообщение",
            "Ваше сообщение не доставлено. <ivan@b.example>: почтовый ящик переполнен (552 5.2.2)",
            "full",
            False,
        ),
        (
            "Laiškas nepristatytas",
            "Jūsų laiškas nepristatytas gavėjui ona@b.example: tokio gavėjo nėra (550 5.1.1)",
            "invalid",
            True,
        ),
        (
            "Undelivered Mail Returned to Sender",
            "<jonas@b.example>: host mx.b.example said: 552 5.2.2 mailbox full",
            "full",
            False,
        ),
    ],
)
def test_case_38_a_bounce_without_a_report_part_is_read_in_three_languages(
    subject: str, text: str, class_: str, hard: bool
) -> None:
    raw = (
        f"Return-Path: <>\nFrom: Mail Delivery <mailer-daemon@b.example>\nSubject: {subject}\n"
        f"Auto-Submitted: auto-replied\nContent-Type: text/plain; charset=utf-8\n\n{text}\n"
    )
    found = understanding.understand(raw.encode())
    assert found.machine.kind is automail.Kind.BOUNCE
    assert found.bounce is not None
    assert (found.bounce.class_.value, found.bounce.hard) == (class_, hard)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("Subject: Out of office\nAuto-Submitted: auto-replied", automail.Kind.OUT_OF_OFFICE),
        ("Subject: News\nList-Id: <news.b.example>\nPrecedence: bulk", automail.Kind.LIST),
    ],
)
def test_case_39_what_could_answer_itself_for_ever_is_a_machine(head: str, kind: automail.Kind) -> None:
    raw = f"From: a@b.example\n{head}\n\nI am out of the office until 12 May.\n"
    assert understanding.understand(raw.encode()).machine.kind is kind


def test_case_39_a_complaint_is_no_bounce() -> None:
    raw = (
        "From: fbl@provider.example\nSubject: complaint\nContent-Type: multipart/report; "
        "report-type=feedback-report; boundary=b\n\n"
        "--b\n\nspam report\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: "
        "abuse\n--b\nContent-Type: message/rfc822\n\n"
        "Message-ID: <x@y>\n\nz\n--b--"
    )
    assert understanding.understand(raw.encode()).machine.kind is automail.Kind.COMPLAINT


@pytest.mark.parametrize("word", ["КП", "Ok", "Gerai", "👍"])
def test_case_40_a_letter_of_one_word_is_its_own_reply(word: str) -> None:
    assert quoting.split(word).reply == word


def test_case_40_russian_in_latin_letters_keeps_its_language() -> None:
    raw = b"From: a@b.example\n\nDobryj den, prishlite pozhalujsta schet na oplatu nasosov"
    assert understanding.understand(raw).language == "ru"
    raw = b"From: a@b.example\n\nLaba diena, prasome atsiusti saskaita uz siurblius, aciu"
    assert understanding.understand(raw).language == "lt"
