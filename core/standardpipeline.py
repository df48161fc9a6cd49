"""The pipeline that frontdesk comes with: selling to companies, from the first contact to after-sale care."""

from __future__ import annotations

from typing import Any

KEY = "b2b"


def _item(key: str, en: str, ru: str, lt: str) -> dict[str, Any]:
    return {"key": key, "names": {"en": en, "ru": ru, "lt": lt}}


DOCUMENT: dict[str, Any] = {
    "key": KEY,
    "standard": True,
    "names": {"en": "Sales to companies", "ru": "Продажи компаниям", "lt": "Pardavimai įmonėms"},
    "stages": [
        {
            "key": "first_contact",
            "names": {"en": "First contact", "ru": "Первый контакт", "lt": "Pirmasis kontaktas"},
            "norm": "2d",
            "guide": {
                "en": "Find out who writes, for which company, and what they want to "
                "achieve. Answer the same day.",
                "ru": "Выясните, кто пишет, от какой компании и чего хочет добиться. Ответьте в тот же день.",
                "lt": "Išsiaiškinkite, kas rašo, kokiai įmonei atstovauja ir ko siekia. "
                "Atsakykite tą pačią dieną.",
            },
            "checklist": [
                _item(
                    "who",
                    "We know who decides",
                    "Известно, кто принимает решение",
                    "Žinome, kas priima sprendimą",
                ),
                _item(
                    "source",
                    "We know how they heard of us",
                    "Известно, откуда о нас узнали",
                    "Žinome, kaip apie mus sužinojo",
                ),
            ],
        },
        {
            "key": "need_identified",
            "names": {"en": "Need identified", "ru": "Потребность выявлена", "lt": "Poreikis nustatytas"},
            "norm": "5d",
            "template": "brochure",
            "sequence": "after_brochure",
            "proposed_on": ["document_request"],
            "guide": {
                "en": "Write down the need in the client’s own words: what for, how much, by "
                "when, on what budget.",
                "ru": "Запишите потребность словами клиента: для чего, сколько, к какому "
                "сроку, на какой бюджет.",
                "lt": "Užrašykite poreikį kliento žodžiais: kam, kiek, iki kada, koks biudžetas.",
            },
            "checklist": [
                _item("need", "The need is written down", "Потребность записана", "Poreikis užrašytas"),
                _item("deadline", "We know by when", "Срок известен", "Žinomas terminas"),
            ],
        },
        {
            "key": "demo",
            "names": {"en": "Demo", "ru": "Демонстрация", "lt": "Demonstracija"},
            "norm": "10d",
            "template": "demo_invitation",
            "sequence": "after_demo",
            "proposed_on": ["demo_request", "meeting_accepted"],
            "guide": {
                "en": "Show what answers their need and nothing else. Afterwards note how "
                "interested they are.",
                "ru": "Покажите то, что отвечает потребности, и ничего лишнего. После показа "
                "отметьте степень интереса.",
                "lt": "Parodykite tai, kas atitinka poreikį, ir nieko daugiau. Po "
                "demonstracijos pažymėkite susidomėjimą.",
            },
            "checklist": [
                _item("date", "The date is agreed", "Время согласовано", "Laikas suderintas"),
                _item(
                    "interest",
                    "The interest is noted",
                    "Степень интереса отмечена",
                    "Susidomėjimas pažymėtas",
                ),
            ],
        },
        {
            "key": "technical_proposal",
            "names": {
                "en": "Technical proposal",
                "ru": "Техническое предложение",
                "lt": "Techninis pasiūlymas",
            },
            "norm": "7d",
            "template": "technical_proposal",
            "sequence": "after_offer",
            "proposed_on": ["technical_question"],
            "guide": {
                "en": "Have an engineer check the solution before it goes out. Every "
                "requirement gets an answer.",
                "ru": "До отправки решение проверяет инженер. На каждое требование должен быть ответ.",
                "lt": "Prieš siunčiant sprendimą patikrina inžinierius. Į kiekvieną "
                "reikalavimą turi būti atsakyta.",
            },
            "checklist": [
                _item("checked", "An engineer has checked it", "Инженер проверил", "Inžinierius patikrino"),
            ],
        },
        {
            "key": "commercial_offer",
            "names": {
                "en": "Commercial offer",
                "ru": "Коммерческое предложение",
                "lt": "Komercinis pasiūlymas",
            },
            "norm": "10d",
            "template": "commercial_offer",
            "sequence": "after_offer",
            "proposed_on": ["price_request"],
            "required": ["lines"],
            "guide": {
                "en": "Check prices, VAT, terms of payment and delivery. Call two days after sending.",
                "ru": "Проверьте цены, НДС, условия оплаты и поставки. Позвоните через два "
                "дня после отправки.",
                "lt": "Patikrinkite kainas, PVM, mokėjimo ir pristatymo sąlygas. Po dviejų "
                "dienų paskambinkite.",
            },
            "checklist": [
                _item("terms", "The terms are filled in", "Условия заполнены", "Sąlygos įrašytos"),
                _item(
                    "called", "We have called about it", "Мы позвонили и обсудили", "Paskambinome ir aptarėme"
                ),
            ],
        },
        {
            "key": "contract",
            "names": {"en": "Contract and invoice", "ru": "Договор и счёт", "lt": "Sutartis ir sąskaita"},
            "norm": "7d",
            "proposed_on": ["order", "contract"],
            "guide": {
                "en": "Agree the contract and send the invoice. Check the client’s details in the register.",
                "ru": "Согласуйте договор и выставьте счёт. Сверьте реквизиты клиента с реестром.",
                "lt": "Suderinkite sutartį ir išrašykite sąskaitą. Kliento rekvizitus patikrinkite registre.",
            },
            "checklist": [
                _item("signed", "The contract is signed", "Договор подписан", "Sutartis pasirašyta"),
                _item("invoiced", "The invoice is sent", "Счёт отправлен", "Sąskaita išsiųsta"),
            ],
        },
        {
            "key": "payment",
            "names": {"en": "Payment", "ru": "Оплата", "lt": "Apmokėjimas"},
            "norm": "14d",
            "proposed_on": ["invoice_payment"],
            "guide": {
                "en": "Enter the payment with the number of its document. Remind politely when it is late.",
                "ru": "Внесите оплату с номером документа. Если срок прошёл, вежливо напомните.",
                "lt": "Įrašykite mokėjimą su dokumento numeriu. Jei vėluoja, mandagiai priminkite.",
            },
        },
        {
            "key": "delivery",
            "names": {"en": "Delivery", "ru": "Поставка", "lt": "Pristatymas"},
            "norm": "21d",
            "proposed_on": ["delivery", "paid"],
            "guide": {
                "en": "Agree the day and the address, and enter the delivery note with its number.",
                "ru": "Согласуйте день и адрес, внесите накладную с её номером.",
                "lt": "Suderinkite dieną ir adresą, įrašykite važtaraštį su jo numeriu.",
            },
            "checklist": [
                _item(
                    "day",
                    "Day and address are agreed",
                    "День и адрес согласованы",
                    "Diena ir adresas suderinti",
                ),
            ],
        },
        {
            "key": "after_sale",
            "names": {
                "en": "After-sale care",
                "ru": "Послепродажное обслуживание",
                "lt": "Aptarnavimas po pardavimo",
            },
            "proposed_on": ["delivered"],
            "guide": {
                "en": "Ask in two weeks whether everything works, and what they will need next.",
                "ru": "Через две недели спросите, всё ли работает и что понадобится дальше.",
                "lt": "Po dviejų savaičių paklauskite, ar viskas veikia ir ko prireiks toliau.",
            },
            "checklist": [
                _item(
                    "asked",
                    "We have asked whether it works",
                    "Спросили, всё ли работает",
                    "Paklausėme, ar viskas veikia",
                ),
            ],
        },
    ],
}
