"""Who wrote a forwarded letter first."""

from __future__ import annotations

from datetime import datetime

import pytest

from inbound import forwards, mime, understanding

RU_YANDEX = """Ольга, посмотрите.

-------- Пересылаемое сообщение --------
12.03.2024, 10:15, "Сергей Лебедев" <lebedev@zavod.example>:

Нужны три станка.

-------- Конец пересылаемого сообщения --------
"""
LT_OUTLOOK = """Perduodu.

Nuo: Jonas Gromas <jonas@pasaulis.example>
Išsiųsta: 2024 m. kovo 12 d. 9:30
Kam: info@siaure.example
Kopija: Petras <petras@pasaulis.example>
Tema: Kainos užklausa

Kiek kainuoja staklės?
"""


def test_a_yandex_forward_names_its_sender_and_date() -> None:
    found = forwards.read_text(RU_YANDEX, "Fwd: Станки")
    assert found is not None
    assert found.from_ is not None
    assert (found.from_.name, found.from_.address) == ("Сергей Лебедев", "lebedev@zavod.example")
    assert found.date == datetime(2024, 3, 12, 10, 15)  # noqa: DTZ001 - none is written
    assert found.text == "Нужны три станка."


def test_a_lithuanian_outlook_forward_is_read_whole() -> None:
    found = forwards.read_text(LT_OUTLOOK, "FW: Kainos užklausa")
    assert found is not None
    assert found.from_ is not None
    assert found.from_.address == "jonas@pasaulis.example"
    assert found.to[0].address == "info@siaure.example"
    assert found.cc[0].name == "Petras"
    assert found.subject == "Kainos užklausa"
    assert found.date == datetime(2024, 3, 12, 9, 30)  # noqa: DTZ001 - none is written


def test_an_answer_with_the_same_block_is_not_a_forward() -> None:
    assert forwards.read_text(LT_OUTLOOK, "RE: Kainos užklausa") is None
    assert forwards.read_text(LT_OUTLOOK, "Kainos užklausa", is_answer=True) is None


def test_an_introduced_quotation_under_an_answer_is_not_a_forward() -> None:
    assert forwards.read_text("Taip.\n\nOn 1 Mar 2024, at 10:00, A <a@b.example> wrote:\n> Ar?\n") is None


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("Jonas<mailto:j@x.example> <j@x.example<mailto:j@x.example>>", "Jonas", "j@x.example"),
        ("Иван Громов [mailto:gromov@mir.example]", "Иван Громов", "gromov@mir.example"),
        ("Gromas, Jonas <j@x.example>", "Gromas, Jonas", "j@x.example"),
    ],
)
def test_printed_addresses_are_read(written: str, name: str, address: str) -> None:
    found = forwards.read_addresses(written)
    assert (found[0].name, found[0].address) == (name, address)


def test_a_letter_forwarded_as_an_attachment_names_its_sender() -> None:
    raw = (
        b"From: olga@siaure.example\nSubject: Fwd: pump\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee attached.\n--b\nContent-Type: "
        b"message/rfc822\n\n"
        b"From: Jonas <jonas@pasaulis.example>\nSubject: Pump\n\nI need a pump.\n--b--\n"
    )
    found = understanding.understand(raw)
    assert found.forward is not None
    assert found.forward.from_ == mime.Address("Jonas", "jonas@pasaulis.example")
    assert found.forward.text == "I need a pump."
    assert found.split.reply == "See attached."
