"""What a signature says of its writer."""

from __future__ import annotations

import pytest

from inbound import quoting, signature
from inbound.parsed import Address

RU = (
    "С уважением,\nИван Громов\nНачальник отдела снабжения\nООО «Мир станков»\nтел. +7 495 123-45-67, "
    "моб. 8 (912) 345-67-89"
)
LT = (
    "Pagarbiai\nOna Kazlauskienė\nPardavimų vadovė\nUAB „Šiaurės technologijos“\nTel. (8~5) 212 3456, "
    "mob. 8-612 34567\nwww.siaure.lt"
)
EN = (
    "Best regards,\nAnna Crane\nSenior Buyer\nEnergy Ltd\nPhone: +44 20 7946 0958 ext. "
    "12\nanna.crane@energy.example"
)


@pytest.mark.parametrize(
    ("text", "name", "position", "company", "numbers"),
    [
        (
            RU,
            "Иван Громов",
            "Начальник отдела снабжения",
            "ООО «Мир станков»",
            ["+74951234567", "+79123456789"],
        ),
        (
            LT,
            "Ona Kazlauskienė",
            "Pardavimų vadovė",
            "UAB „Šiaurės technologijos“",
            ["+37052123456", "+37061234567"],
        ),
        (EN, "Anna Crane", "Senior Buyer", "Energy Ltd", ["+442079460958"]),
        ("--\nПётр Ильин\nинженер, АО «Завод»", "Пётр Ильин", "инженер", "АО «Завод»", []),
    ],
)
def test_name_position_company_and_phones_are_read(
    text: str, name: str, position: str, company: str, numbers: list[str]
) -> None:
    person = signature.read(text)
    assert (person.name, person.position, person.company) == (name, position, company)
    assert [phone.number for phone in person.phones] == numbers
    assert person.source == "signature"


def test_an_extension_is_kept_apart() -> None:
    assert signature.phones("тел. 8 (812) 600-10-20 доб. 12")[0].extension == "12"
    assert signature.read(EN).phones[0].extension == "12"


def test_numbers_of_accounts_and_companies_are_no_phones() -> None:
    text = (
        "ООО «Мир»\nИНН 7701234567 КПП 770101001\nр/с 40702810900000001234\nIBAN LT12 1000 0111 0100 1000\n"
        "Įm. kodas 302345678, PVM kodas LT100001234567"
    )
    assert signature.phones(text) == ()


def test_without_a_signature_the_goodbye_and_the_display_name_help() -> None:
    person = signature.read(
        "", Address("Gromov, Ivan", "gromov@mir.example"), "Договорились.\n\nС уважением,\nИван"
    )
    assert person.name == "Иван"
    assert person.source == "goodbye"
    assert signature.read("", Address("Gromov, Ivan", "gromov@mir.example"), "Ok").name == "Ivan Gromov"


def test_a_device_line_is_no_person() -> None:
    assert signature.read("Отправлено с iPhone").name == ""
    assert signature.read("Išsiųsta iš „iPhone“").name == ""


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Yahoo Mail: Search, Organize, Conquer",
        "Get Outlook for Android",
        "Отправлено с iPhone",
        "Послано с телефона",
        "Получите Outlook для iOS",
        "Išsiųsta iš mano telefono",
        "Siųsta iš iPhone",
        "Issiusta is telefono",
        "Надіслано з iPhone",
        "Gesendet von meinem iPad",
        "Diese Nachricht wurde von meinem Telefon geschickt",
        "Von meinem Android mit K-9 Mail gesendet.",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verzonden vanaf mijn iPhone",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Lähetetty iPhonesta",
        "Wysłane z iPhone’a",
        "Odesláno z iPhonu",
        "Odoslané z iPhonu",
        "Küldve az iPhone-omról",
        "Trimis de pe iPhone",
        "Telefonumdan gönderildi",
        "Nosūtīts no mana iPhone",
        "Saadetud minu iPhone’ist",
    ],
)
def test_line_of_a_device_in_any_language_is_no_part_of_the_reply(line: str) -> None:
    assert quoting.split(f"Laukiame Jūsų pasiūlymo.\n\n{line}").signature == line
