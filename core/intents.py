"""What a message can be about: intents, urgencies and signals, with their names in three languages."""

from __future__ import annotations

from enum import StrEnum


class Intent(StrEnum):
    """What the sender wants of us; a company may add its own keys beside these (`IntentLabel`)."""

    INQUIRY = "inquiry"
    PRICE_REQUEST = "price_request"
    DEMO_REQUEST = "demo_request"
    DOCUMENT_REQUEST = "document_request"
    TECHNICAL_QUESTION = "technical_question"
    ORDER = "order"
    CONTRACT = "contract"
    INVOICE_PAYMENT = "invoice_payment"
    DELIVERY = "delivery"
    COMPLAINT = "complaint"
    SUPPORT_PROBLEM = "support_problem"
    MEETING = "meeting"
    REFUSAL = "refusal"
    POSITIVE_REPLY = "positive_reply"
    UNSUBSCRIBE = "unsubscribe"
    OUT_OF_OFFICE = "out_of_office"
    SUPPLIER_OFFER = "supplier_offer"
    OTHER = "other"


class Urgency(StrEnum):
    """How soon somebody should look."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Signal(StrEnum):
    """What the message says about the deal it belongs to; `NONE` when it says nothing."""

    NONE = "none"
    POSITIVE = "positive"
    OBJECTION_PRICE = "objection_price"
    OBJECTION_TIMING = "objection_timing"
    OBJECTION_FIT = "objection_fit"
    OBJECTION_COMPETITOR = "objection_competitor"
    OBJECTION_AUTHORITY = "objection_authority"
    REFERRAL = "referral"
    NOT_NOW = "not_now"
    NEGATIVE = "negative"


INTENT_NAMES: dict[Intent, dict[str, str]] = {
    Intent.INQUIRY: {"en": "Inquiry", "ru": "Запрос о продукции", "lt": "Užklausa"},
    Intent.PRICE_REQUEST: {"en": "Price request", "ru": "Запрос цены", "lt": "Kainos užklausa"},
    Intent.DEMO_REQUEST: {"en": "Demo request", "ru": "Запрос демонстрации", "lt": "Prašymas parodyti"},
    Intent.DOCUMENT_REQUEST: {
        "en": "Document request",
        "ru": "Запрос документов",
        "lt": "Dokumentų prašymas",
    },
    Intent.TECHNICAL_QUESTION: {
        "en": "Technical question",
        "ru": "Технический вопрос",
        "lt": "Techninis klausimas",
    },
    Intent.ORDER: {"en": "Order", "ru": "Заказ", "lt": "Užsakymas"},
    Intent.CONTRACT: {"en": "Contract", "ru": "Договор", "lt": "Sutartis"},
    Intent.INVOICE_PAYMENT: {
        "en": "Invoice or payment",
        "ru": "Счёт или оплата",
        "lt": "Sąskaita ar mokėjimas",
    },
    Intent.DELIVERY: {"en": "Delivery", "ru": "Доставка", "lt": "Pristatymas"},
    Intent.COMPLAINT: {"en": "Complaint", "ru": "Претензия", "lt": "Skundas"},
    Intent.SUPPORT_PROBLEM: {
        "en": "Support problem",
        "ru": "Неисправность",
        "lt": "Techninė problema",
    },
    Intent.MEETING: {"en": "Meeting or call", "ru": "Встреча или звонок", "lt": "Susitikimas ar skambutis"},
    Intent.REFUSAL: {
        "en": "Refusal or not now",
        "ru": "Отказ или не сейчас",
        "lt": "Atsisakymas ar ne dabar",
    },
    Intent.POSITIVE_REPLY: {"en": "Positive reply", "ru": "Согласие", "lt": "Teigiamas atsakymas"},
    Intent.UNSUBSCRIBE: {"en": "Unsubscribe", "ru": "Отписка", "lt": "Naujienų atsisakymas"},
    Intent.OUT_OF_OFFICE: {
        "en": "Out of office",
        "ru": "Автоответ об отсутствии",
        "lt": "Nebuvimo pranešimas",
    },
    Intent.SUPPLIER_OFFER: {
        "en": "Supplier's offer",
        "ru": "Предложение поставщика",
        "lt": "Tiekėjo pasiūlymas",
    },
    Intent.OTHER: {"en": "Other", "ru": "Другое", "lt": "Kita"},
}

URGENCY_NAMES: dict[Urgency, dict[str, str]] = {
    Urgency.LOW: {"en": "Not urgent", "ru": "Не срочно", "lt": "Neskubu"},
    Urgency.NORMAL: {"en": "Normal", "ru": "Обычная", "lt": "Įprasta"},
    Urgency.HIGH: {"en": "Urgent", "ru": "Срочно", "lt": "Skubu"},
}

SIGNAL_NAMES: dict[Signal, dict[str, str]] = {
    Signal.NONE: {"en": "No signal", "ru": "Нет сигнала", "lt": "Ženklo nėra"},
    Signal.POSITIVE: {"en": "Ready to go on", "ru": "Готовы продолжать", "lt": "Pasirengę tęsti"},
    Signal.OBJECTION_PRICE: {
        "en": "Objection: price",
        "ru": "Возражение: цена",
        "lt": "Prieštaravimas: kaina",
    },
    Signal.OBJECTION_TIMING: {
        "en": "Objection: lead time",
        "ru": "Возражение: сроки",
        "lt": "Prieštaravimas: terminai",
    },
    Signal.OBJECTION_FIT: {
        "en": "Objection: does not fit",
        "ru": "Возражение: не подходит",
        "lt": "Prieštaravimas: netinka",
    },
    Signal.OBJECTION_COMPETITOR: {
        "en": "Objection: another supplier",
        "ru": "Возражение: другой поставщик",
        "lt": "Prieštaravimas: kitas tiekėjas",
    },
    Signal.OBJECTION_AUTHORITY: {
        "en": "Objection: somebody else decides",
        "ru": "Возражение: решает другой",
        "lt": "Prieštaravimas: sprendžia kitas",
    },
    Signal.REFERRAL: {
        "en": "Referred to a colleague",
        "ru": "Направили к коллеге",
        "lt": "Nukreipė pas kolegą",
    },
    Signal.NOT_NOW: {"en": "Not now", "ru": "Не сейчас", "lt": "Ne dabar"},
    Signal.NEGATIVE: {"en": "No", "ru": "Отказ", "lt": "Atsisakymas"},
}


def intent_name(key: str, language: str = "en") -> str:
    """The name of an intent in one of en, ru, lt; a key that is not ours comes back as it is."""
    if key not in Intent.__members__.values():
        return key
    names = INTENT_NAMES[Intent(key)]
    return names.get(language, names["en"])
