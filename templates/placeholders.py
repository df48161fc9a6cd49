"""Every placeholder a template may name: its type, whether it is needed, samples and meaning."""

from __future__ import annotations

import enum
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources


class Type(enum.Enum):
    """What a placeholder's value is; the type decides how it is shown."""

    LINE = "one line of text"
    PARAGRAPHS = "text of several lines"
    MONEY = "sum of money, in the currency of the same group"
    CURRENCY = "ISO 4217 code"
    NUMBER = "quantity"
    COUNT = "whole number, may be compared and given to `plural`"
    PERCENT = "rate in per cent (21 means 21 %)"
    DATE = "date"
    MOMENT = "date and time with a zone"
    URL = "http, https or mailto address"
    IMAGE = "picture as a data: address"
    LIST = "list of items"


class Need(enum.Enum):
    """What happens when a template names a placeholder that has no value."""

    NEEDED = "nothing is rendered and an error names it"
    OPTIONAL = "it is empty text"
    COMPUTED = "frontdesk makes it from other values"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One declared placeholder; `name` is dotted, an item of a list is written ``deal.lines[].product``."""

    name: str
    type: Type
    need: Need
    meaning: str


LINE, PARAGRAPHS, MONEY, DATE, URL = Type.LINE, Type.PARAGRAPHS, Type.MONEY, Type.DATE, Type.URL
NEEDED, OPTIONAL, COMPUTED = Need.NEEDED, Need.OPTIONAL, Need.COMPUTED

_DECLARED: tuple[Placeholder, ...] = (
    Placeholder("client.salutation", LINE, COMPUTED, "Opening of the letter, made from the client's name"),
    Placeholder("client.name", LINE, OPTIONAL, "The person's name as we know it"),
    Placeholder(
        "client.addressed_as", LINE, OPTIONAL, "How the person wants to be addressed, in a colleague's words"
    ),
    Placeholder("client.company", LINE, OPTIONAL, "The client company's name"),
    Placeholder("client.code", LINE, OPTIONAL, "The client company's registration code"),
    Placeholder("client.address", LINE, OPTIONAL, "The client company's address"),
    Placeholder("client.segments", LINE, OPTIONAL, "The client's segments, for wording that differs by them"),
    Placeholder("staff.name", LINE, OPTIONAL, "Name of the staff member who writes"),
    Placeholder("staff.position", LINE, OPTIONAL, "The staff member's position"),
    Placeholder("staff.phone", LINE, OPTIONAL, "The staff member's telephone"),
    Placeholder("staff.email", LINE, OPTIONAL, "The staff member's address"),
    Placeholder("company.name", LINE, NEEDED, "Our company's name as clients know it"),
    Placeholder("company.legal_name", LINE, OPTIONAL, "Our company's registered name"),
    Placeholder("company.code", LINE, OPTIONAL, "Our registration code"),
    Placeholder("company.vat_code", LINE, OPTIONAL, "Our VAT code"),
    Placeholder("company.address", LINE, OPTIONAL, "Our address"),
    Placeholder("company.phone", LINE, OPTIONAL, "Our main telephone"),
    Placeholder("company.email", LINE, OPTIONAL, "Our main address"),
    Placeholder("company.website", URL, OPTIONAL, "Our website"),
    Placeholder("company.bank", LINE, OPTIONAL, "Our bank"),
    Placeholder("company.account", LINE, OPTIONAL, "Our account number (IBAN)"),
    Placeholder("company.hours", LINE, OPTIONAL, "Our working hours"),
    Placeholder("company.logo", Type.IMAGE, OPTIONAL, "Our logo for documents"),
    Placeholder("deal.title", LINE, OPTIONAL, "What the deal is about"),
    Placeholder("deal.number", LINE, OPTIONAL, "The deal's number"),
    Placeholder("deal.stage", LINE, OPTIONAL, "The deal's present stage"),
    Placeholder(
        "deal.currency", Type.CURRENCY, OPTIONAL, "Currency of all sums of the deal (EUR when not given)"
    ),
    Placeholder("deal.lines", Type.LIST, NEEDED, "The products of the deal"),
    Placeholder("deal.lines[].product", LINE, NEEDED, "Product or service of the line"),
    Placeholder("deal.lines[].article", LINE, OPTIONAL, "Article number"),
    Placeholder("deal.lines[].quantity", Type.NUMBER, NEEDED, "How many"),
    Placeholder("deal.lines[].unit", LINE, OPTIONAL, "Unit of the quantity"),
    Placeholder("deal.lines[].price", MONEY, NEEDED, "Price of one, without VAT"),
    Placeholder("deal.lines[].sum", MONEY, NEEDED, "Sum of the line, without VAT"),
    Placeholder("deal.sum", MONEY, NEEDED, "Sum without VAT"),
    Placeholder("deal.discount", MONEY, OPTIONAL, "Discount already taken off the sum"),
    Placeholder("deal.vat_rate", Type.PERCENT, OPTIONAL, "VAT rate in per cent"),
    Placeholder("deal.vat", MONEY, OPTIONAL, "VAT"),
    Placeholder("deal.total", MONEY, NEEDED, "Sum to pay, with VAT"),
    Placeholder("deal.valid_until", DATE, OPTIONAL, "Until when the offer holds"),
    Placeholder("deal.payment_terms", LINE, OPTIONAL, "Payment terms"),
    Placeholder("deal.delivery_terms", LINE, OPTIONAL, "Delivery terms"),
    Placeholder("conversation.subject", LINE, OPTIONAL, "Subject of the client's letter"),
    Placeholder("conversation.number", LINE, OPTIONAL, "Number under which the conversation is kept"),
    Placeholder(
        "conversation.quoted", PARAGRAPHS, OPTIONAL, "The client's last letter, to be quoted under the answer"
    ),
    Placeholder("message.received", DATE, OPTIONAL, "The day the client's letter came"),
    Placeholder("answer.subject", LINE, OPTIONAL, "Subject the staff member wrote"),
    Placeholder("answer.text", PARAGRAPHS, NEEDED, "The text the staff member wrote"),
    Placeholder("call.received", Type.MOMENT, NEEDED, "When the client called"),
    Placeholder("product.name", LINE, OPTIONAL, "The product the client asked about"),
    Placeholder("product.summary", PARAGRAPHS, OPTIONAL, "What the product is, in a few sentences"),
    Placeholder("product.benefits", Type.LIST, OPTIONAL, "What the client gains, point by point"),
    Placeholder("product.benefits[].text", LINE, NEEDED, "One gain"),
    Placeholder("proposal.need", PARAGRAPHS, OPTIONAL, "What the client needs, in the client's own terms"),
    Placeholder("proposal.solution", PARAGRAPHS, NEEDED, "The solution we propose"),
    Placeholder("proposal.timeline", PARAGRAPHS, OPTIONAL, "How and when the work is done"),
    Placeholder("document.number", LINE, NEEDED, "The document's number"),
    Placeholder("document.date", DATE, NEEDED, "The document's date"),
    Placeholder("invoice.number", LINE, NEEDED, "The invoice's number"),
    Placeholder("invoice.date", DATE, OPTIONAL, "The invoice's date"),
    Placeholder("invoice.due", DATE, NEEDED, "The day the invoice had to be paid"),
    Placeholder("invoice.currency", Type.CURRENCY, OPTIONAL, "The invoice's currency (EUR when not given)"),
    Placeholder("invoice.sum", MONEY, NEEDED, "Sum still to pay"),
    Placeholder("invoice.days_late", Type.COUNT, OPTIONAL, "How many days the payment is late"),
    Placeholder("demo.starts", Type.MOMENT, NEEDED, "When the demo begins"),
    Placeholder("meeting.title", LINE, NEEDED, "What the meeting is about"),
    Placeholder("meeting.starts", Type.MOMENT, NEEDED, "When the meeting begins"),
    Placeholder("meeting.was", Type.MOMENT, OPTIONAL, "When it was to begin before it was moved"),
    Placeholder("meeting.zone", LINE, OPTIONAL, "The zone of its time, as UTC+2"),
    Placeholder("meeting.length", LINE, NEEDED, "How long it is to last"),
    Placeholder("meeting.place", LINE, OPTIONAL, "Where it is held, where that is no link"),
    Placeholder("meeting.link", URL, OPTIONAL, "The link of the video call"),
    Placeholder("meeting.agenda", PARAGRAPHS, OPTIONAL, "What it is to deal with"),
    Placeholder("links.demo", URL, OPTIONAL, "Where the client chooses a time for the demo or joins it"),
    Placeholder("links.download", URL, OPTIONAL, "Where the client fetches the document"),
    Placeholder("links.unsubscribe", URL, OPTIONAL, "Where the client stops such letters"),
)

PLACEHOLDERS: Mapping[str, Placeholder] = {placeholder.name: placeholder for placeholder in _DECLARED}
"""All placeholders by name."""

GROUPS = frozenset(name.partition(".")[0] for name in PLACEHOLDERS)
"""First words of placeholder names: client, staff, company …"""


@functools.cache
def _sample_text(language: str) -> str:
    return resources.files("templates").joinpath("samples", f"{language}.toml").read_text("utf-8")


def samples(language: str) -> dict[str, dict[str, object]]:
    """Sample values of every placeholder in one language, as the nested dict that rendering takes.

    They are kept in ``templates/samples/<language>.toml``; each call gives a fresh dict.
    """
    return tomllib.loads(_sample_text(language), parse_float=Decimal)
