"""Machines told from people, and the day somebody will be back."""

from __future__ import annotations

from datetime import date

import pytest

from inbound import absence, automail, mime
from inbound.automail import Kind


def letter(head: str, body: str = "Hello") -> mime.ParsedMail:
    return mime.parse(f"Date: Mon, 4 Mar 2024 10:00:00 +0200\n{head}\n\n{body}".encode())


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("From: a@b.example\nSubject: Question", Kind.NONE),
        ("From: a@b.example\nAuto-Submitted: auto-replied", Kind.AUTO_REPLY),
        ("From: a@b.example\nAuto-Submitted: no", Kind.NONE),
        ("From: a@b.example\nX-Autoreply: yes", Kind.AUTO_REPLY),
        ("From: a@b.example\nSubject: Автоответ: заказ", Kind.AUTO_REPLY),
        ("From: a@b.example\nSubject: Automatinis atsakymas: užsakymas", Kind.AUTO_REPLY),
        ("From: no-reply@b.example\nSubject: Invoice", Kind.AUTO_REPLY),
        ("From: a@b.example\nList-Id: <talk.b.example>\nList-Post: <mailto:talk@b.example>", Kind.LIST),
        ("From: a@b.example\nPrecedence: list", Kind.LIST),
        ("From: a@b.example\nList-Unsubscribe: <https://b.example/u>", Kind.NEWSLETTER),
        ("From: a@b.example\nPrecedence: bulk", Kind.NEWSLETTER),
        ("From: a@b.example\nSubject: Прочитано: предложение", Kind.RECEIPT),
        ("From: a@b.example\nSubject: Perskaityta: pasiūlymas", Kind.RECEIPT),
        ("From: a@b.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b",
        Kind.COMPLAINT),
        ("From: a@b.example\nContent-Type: multipart/report; report-type=disposition-notification; "
         "boundary=b", Kind.RECEIPT),
        ("From: MAILER-DAEMON@b.example\nReturn-Path: <>\nSubject: Undelivered Mail", Kind.BOUNCE),
        ("From: Sales <sales@own.example>", Kind.OWN),
    ],
)  # fmt: skip
def test_a_machine_is_told_by_its_header(head: str, kind: Kind) -> None:
    assert automail.screen(letter(head), frozenset({"sales@own.example"})).kind is kind


def test_a_report_of_the_postmaster_is_a_bounce_though_it_says_auto_replied() -> None:
    mail = letter("From: postmaster@b.example\nAuto-Submitted: auto-replied\nSubject: Undeliverable: offer")
    assert automail.screen(mail).kind is Kind.BOUNCE


def test_our_own_address_kept_as_a_group_is_no_mailing_list() -> None:
    mail = letter("From: a@b.example\nList-Id: <sales.own.example>\nPrecedence: list")
    assert automail.screen(mail, frozenset({"sales@own.example"})).kind is Kind.NONE
    assert automail.screen(mail).kind is Kind.LIST


def test_a_person_who_mentions_a_holiday_is_not_a_machine() -> None:
    mail = letter("From: a@b.example\nSubject: Re: договор", "Я в отпуске до 15 марта, подпишу потом.")
    assert automail.screen(mail).kind is Kind.NONE


@pytest.mark.parametrize(
    "subject",
    [
        "Автоответчик для колл-центра: запрос цены",
        "Vacation rentals offer",
        "Atostogos Kretoje grupei",
        "Out of office furniture",
    ],
)
def test_a_subject_that_only_begins_like_a_machines_is_a_persons(subject: str) -> None:
    mail = letter(f"From: a@b.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8")
    assert automail.screen(mail).kind is Kind.NONE


@pytest.mark.parametrize(
    "subject",
    [
        "Out of Office AutoReply: offer",
        "Отсутствую до 15 марта",
        "Nesu biure iki kovo 15 d.",
        "Автоматический ответ",
        "Automatic reply",
    ],
)
def test_a_machines_subject_is_known_however_it_goes_on(subject: str) -> None:
    mail = letter(f"From: a@b.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8")
    assert automail.screen(mail).is_machine


def test_a_person_who_answers_an_automatic_letter_is_a_person() -> None:
    body = (
        "Спасибо, жду.\n\n12.03.2024 10:15, Отдел продаж пишет:\n> Это письмо сформировано автоматически.\n"
    )
    mail = letter("From: a@b.example\nSubject: Re: заявка\nContent-Type: text/plain; charset=utf-8", body)
    assert automail.screen(mail).kind is Kind.NONE
    mail = letter(
        "From: a@b.example\nSubject: заявка\nContent-Type: text/plain; charset=utf-8", body.partition("> ")[2]
    )
    assert automail.screen(mail).kind is Kind.AUTO_REPLY


def test_the_reason_is_said() -> None:
    assert "RFC 3834" in automail.screen(letter("From: a@b.example\nAuto-Submitted: auto-generated")).reason


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("Меня не будет в офисе до 15 марта.", date(2024, 3, 15)),
        ("Я в отпуске с 4 по 15 марта 2024 г.", date(2024, 3, 16)),
        ("Нахожусь в командировке до 11.03.2024 включительно.", date(2024, 3, 12)),
        ("Я в отпуске. Вернусь 18 марта, по срочным вопросам пишите Анне.", date(2024, 3, 18)),
        (
            "Нахожусь в отпуске с 04.03.2024 по 17.03.2024. Буду на рабочем месте 18.03.2024.",
            date(2024, 3, 18),
        ),
        ("Отсутствую на работе, отвечу в понедельник.", date(2024, 3, 11)),
        ("Šiuo metu atostogauju iki kovo 15 d.", date(2024, 3, 15)),
        ("Atostogauju nuo 2024-03-04 iki 2024-03-15 imtinai.", date(2024, 3, 16)),
        ("Esu komandiruotėje, grįšiu 2024 m. kovo 18 d.", date(2024, 3, 18)),
        ("Manęs nebus biure nuo kovo 4 iki 15 d.", date(2024, 3, 15)),
        ("Nesu biure, grįšiu pirmadienį.", date(2024, 3, 11)),
        ("I am out of the office until March 15, 2024.", date(2024, 3, 15)),
        ("I am on vacation and will be back on 18 March.", date(2024, 3, 18)),
        ("I am away from 4 March through 15 March.", date(2024, 3, 16)),
        ("Out of office 4-15 March. I will return on Monday, 18 March 2024.", date(2024, 3, 18)),
        ("I am out of the office and will be back tomorrow.", date(2024, 3, 5)),
        ("I am out of the office. Call +370 612 34567.", None),
        ("Я в отпуске.", None),
    ],
)
def test_the_day_of_return_is_read_in_three_languages(text: str, back: date | None) -> None:
    assert absence.is_away(text)
    assert absence.return_date(text, date(2024, 3, 4)) == back


def test_an_out_of_office_letter_carries_its_day_of_return() -> None:
    mail = letter(
        "From: a@b.example\nSubject: Automatic reply: offer\nContent-Type: text/plain; charset=utf-8",
        "Atostogauju, grįšiu kovo 18 d.",
    )
    machine = automail.screen(mail)
    assert machine.kind is Kind.OUT_OF_OFFICE
    assert machine.return_date == date(2024, 3, 18)
