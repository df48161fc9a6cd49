"""Mixed business mail for benchmarks: three languages, real shapes and charsets, repeatable by its seed."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from email.header import Header
from email.utils import formatdate

LARGE_EVERY = 200
"""One letter in so many is between 1 and 5 MB."""

SENTENCES = {
    "lt": [
        "Laba diena, domina jūsų cirkuliaciniai siurbliai ir jų kainos.",
        "Prašome atsiųsti komercinį pasiūlymą iki penktadienio.",
        "Kokie yra pristatymo terminai į Kauną ir ar įmanomas atidėtas mokėjimas?",
        "Mūsų katilinėje sugedo slėgio jutiklis, reikia skubios pagalbos.",
        "Sąskaitą apmokėjome vakar, patvirtinkite gavimą.",
        "Dėkojame už pasiūlymą, aptarsime jį su vadovu ir parašysime kitą savaitę.",
        "Ar galėtumėte parodyti įrangą mūsų gamykloje?",
        "Reikia techninių duomenų lapo ir naudojimo instrukcijos lietuvių kalba.",
        "Užsakome dvidešimt vienetų pagal praėjusių metų sutartį.",
        "Jūsų vairuotojas atvežė ne tą prekę, prašome pakeisti.",
    ],
    "ru": [
        "Добрый день, нас интересуют ваши циркуляционные насосы и цены на них.",
        "Пришлите, пожалуйста, коммерческое предложение до пятницы.",
        "Какие сроки поставки в Ригу и возможна ли отсрочка платежа?",
        "На объекте вышел из строя датчик давления, нужна срочная помощь.",
        "Счёт оплачен вчера, подтвердите, пожалуйста, получение.",
        "Спасибо за предложение, обсудим с руководством и ответим на следующей неделе.",
        "Можно ли провести демонстрацию оборудования у нас на заводе?",
        "Нужны технические характеристики и инструкция на русском языке.",
        "Заказываем двадцать штук по прошлогоднему договору.",
        "Водитель привёз не тот товар, просим заменить.",
    ],
    "en": [
        "Good morning, we are interested in your circulation pumps and their prices.",
        "Please send us a commercial offer by Friday.",
        "What are the delivery times to Riga, and is deferred payment possible?",
        "A pressure sensor at our plant has failed and we need urgent help.",
        "The invoice was paid yesterday, please confirm that you received it.",
        "Thank you for the offer, we will discuss it and come back to you next week.",
        "Could you show us the equipment at our factory?",
        "We need the data sheet and the manual in English.",
        "We order twenty pieces under last year's contract.",
        "Your driver brought the wrong goods, please replace them.",
    ],
}
FILLERS = {
    "lt": [
        "Mūsų įmonė veikia Kaune jau penkiolika metų ir turi tris padalinius.",
        "Objektas yra pramonės rajone, privažiavimas sunkvežimiui geras.",
        "Skambinti galima darbo dienomis nuo aštuntos iki penktos.",
        "Su jumis dirbti mums patarė kolegos iš kaimyninės gamyklos.",
        "Katilinėje įrengti du katilai po penkis šimtus kilovatų.",
        "Vamzdynas nerūdijančio plieno, skersmuo aštuoniasdešimt milimetrų.",
    ],
    "ru": [
        "Наша компания работает в Риге уже пятнадцать лет и имеет три филиала.",
        "Объект находится в промышленной зоне, подъезд для грузовика хороший.",
        "Звонить можно в рабочие дни с восьми до пяти.",
        "Работать с вами нам посоветовали коллеги с соседнего завода.",
        "В котельной установлены два котла по пятьсот киловатт.",
        "Трубопровод из нержавеющей стали, диаметр восемьдесят миллиметров.",
    ],
    "en": [
        "Our company has worked in Tallinn for fifteen years and has three branches.",
        "The site is in an industrial area with good access for a lorry.",
        "You may call on working days from eight to five.",
        "Colleagues from the plant next door advised us to work with you.",
        "The boiler house has two boilers of five hundred kilowatts each.",
        "The pipes are stainless steel, eighty millimetres in diameter.",
    ],
}
NAMES = {
    "lt": ["Ona Petraitė", "Jonas Kazlauskas", "Rūta Žukaitė", "Tomas Šimkus"],
    "ru": ["Анна Петрова", "Игорь Соколов", "Мария Иванова", "Олег Смирнов"],
    "en": ["Anna Brown", "John Smith", "Mary Clark", "Peter Young"],
}
SUBJECTS = {
    "lt": ["Siurblių kainos", "Dėl pasiūlymo", "Pristatymas", "Gedimas katilinėje", "Sąskaita", "Užsakymas"],
    "ru": ["Цены на насосы", "По предложению", "Поставка", "Неисправность", "Счёт на оплату", "Заказ"],
    "en": ["Prices of pumps", "About the offer", "Delivery", "A failure", "Invoice", "Order"],
}
CHARSETS = {
    "lt": ["utf-8", "utf-8", "windows-1257", "iso-8859-13"],
    "ru": ["utf-8", "utf-8", "windows-1251", "koi8-r"],
    "en": ["utf-8", "us-ascii", "iso-8859-1"],
}


def letters(count: int, seed: int = 1) -> Iterator[bytes]:
    """So many letters with CRLF; median about 8 kB, one in LARGE_EVERY of 1 to 5 MB."""
    dice = random.Random(seed)
    sent: list[tuple[str, str, str]] = []
    for number in range(count):
        language = dice.choice(["lt", "ru", "en"])
        reply = dice.choice(sent) if sent and dice.random() < 0.3 else None
        yield _letter(dice, number, language, reply, sent)


def _text(dice: random.Random, language: str, sentences: int) -> str:
    """One wish, said first, and what people write around it."""
    wish = dice.choice(SENTENCES[language])
    return "\r\n".join([wish, *(dice.choice(FILLERS[language]) for _ in range(sentences - 1))])


def _encoded(text: str, charset: str, dice: random.Random) -> tuple[str, bytes]:
    data = text.encode(charset, "replace")
    kind = dice.choice(["8bit", "base64", "quoted-printable"])
    if kind == "base64":
        return kind, base64.encodebytes(data).replace(b"\n", b"\r\n")
    if kind == "quoted-printable":
        import quopri

        return kind, quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return kind, data


def _part(content_type: str, encoding: str, body: bytes, extra: str = "") -> bytes:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n{extra}\r\n"
    return head.encode() + body + b"\r\n"


def _letter(
    dice: random.Random,
    number: int,
    language: str,
    reply: tuple[str, str, str] | None,
    sent: list[tuple[str, str, str]],
) -> bytes:
    name = dice.choice(NAMES[language])
    company = f"imone{dice.randrange(900)}.example"
    address = f"{'kontaktas' if language == 'lt' else 'person'}{dice.randrange(3)}@{company}"
    subject = dice.choice(SUBJECTS[language]) + f" {dice.randrange(1, 4000)}"
    references = ""
    if reply is not None:
        rfc_id, address, subject = reply
        subject = f"Re: {subject.removeprefix('Re: ')}"
        references = f"In-Reply-To: {rfc_id}\r\nReferences: {rfc_id}\r\n"
    rfc_id = f"<{number}.{dice.getrandbits(64):x}@{address.partition('@')[2]}>"
    sent.append((rfc_id, address, subject))
    del sent[:-300]
    date = formatdate(1_790_000_000 + number * 60, localtime=False)
    trace = "".join(
        f"Received: from relay{hop}.example ([198.51.100.{hop}]) by mx.siurbliai.example with ESMTPS id"
        f" {dice.getrandbits(48):x};\r\n\t{date}\r\n"
        for hop in range(1, dice.randrange(2, 5))
    )
    head = (
        f"Return-Path: <{address}>\r\nDelivered-To: sales@siurbliai.example\r\n{trace}"
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={address.partition('@')[2]}; s=k1;\r\n"
        f" b={base64.b64encode(dice.randbytes(120)).decode()}\r\n"
        f"From: {Header(name, 'utf-8').encode()} <{address}>\r\nTo: Sales <sales@siurbliai.example>\r\n"
        f"Subject: {Header(subject, 'utf-8', maxlinelen=200).encode()}\r\nMessage-ID: {rfc_id}\r\n"
        f"Date: {date}\r\n{references}MIME-Version: 1.0\r\nX-Mailer: Mailer {dice.randrange(10)}.0\r\n"
    ).encode()
    charset = dice.choice(CHARSETS[language])
    text = (
        _text(dice, language, dice.randrange(3, 14))
        + f"\r\n\r\n-- \r\n{name}\r\n+370 600 {number % 99999:05d}\r\n"
    )
    if reply is not None:
        quoted = _text(dice, language, dice.randrange(4, 20)).replace("\r\n", "\r\n> ")
        text += f"\r\n{date}, sales@siurbliai.example wrote:\r\n> {quoted}\r\n"
    kind, body = _encoded(text, charset, dice)
    plain = _part(f'text/plain; charset="{charset}"', kind, body)
    shape = dice.random()
    if number % LARGE_EVERY == LARGE_EVERY - 1:
        return head + _mixed(dice, plain, [dice.randrange(700_000, 3_600_000)])
    if shape < 0.35:
        return head + plain
    html = _html(dice, language, text)
    hkind, hbody = _encoded(html, "utf-8", dice)
    alternative = _multipart("alternative", dice, [plain, _part('text/html; charset="utf-8"', hkind, hbody)])
    if shape < 0.75:
        return head + alternative
    sizes = [dice.choice([4_000, 12_000, 30_000, 60_000]) for _ in range(dice.randrange(1, 3))]
    return head + _mixed(dice, alternative, sizes)


def _html(dice: random.Random, language: str, text: str) -> str:
    style = "font-family:Arial,sans-serif;font-size:11pt;color:#1f1f1f;margin:0cm"
    lines = "".join(f'<p style="{style}">{line or "&nbsp;"}</p>\r\n' for line in text.split("\r\n"))
    rows = "".join(
        f'<tr><td style="{style}">{dice.choice(SENTENCES[language])}</td>'
        f"<td>{dice.randrange(9999)}</td></tr>\r\n"
        for _ in range(dice.randrange(2, 34))
    )
    return f"<html><head><meta charset=utf-8></head><body>{lines}<table>{rows}</table></body></html>\r\n"


def _multipart(kind: str, dice: random.Random, parts: list[bytes]) -> bytes:
    boundary = f"=_{dice.getrandbits(96):x}"
    body = b"".join(f"--{boundary}\r\n".encode() + part for part in parts)
    return (
        f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()
        + body
        + f"--{boundary}--\r\n".encode()
    )


def _mixed(dice: random.Random, first: bytes, sizes: list[int]) -> bytes:
    parts = [first]
    for place, size in enumerate(sizes):
        data = base64.encodebytes(b"%PDF-1.7\n" + dice.randbytes(size)).replace(b"\n", b"\r\n")
        extra = f'Content-Disposition: attachment; filename="brief-{place}.pdf"\r\n'
        parts.append(_part("application/pdf", "base64", data, extra))
    return _multipart("mixed", dice, parts)
