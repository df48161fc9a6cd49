"""Fax, as a letter to a gateway that turns it into one: the port, the gateway's address, and its twin.

A fax goes through the ledger of sends like every letter, and is as certain as the letter to the gateway; what
the telephone line made of it the gateway reports by mail.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from core.accounts import Channel
from core.config import Settings
from core.dialling import may_call, readable
from core.errors import ConfigurationError, InputRefused
from core.outbox import Draft, Purpose

NUMBER: Final = "{number}"


class NoFax(InputRefused):
    """No fax can go to that number."""

    cure = "Send the document by mail, or add the country to phone.countries."


@dataclass(frozen=True, slots=True)
class Fax:
    """A document for a fax number; see the columns of Delivery for the meaning of the rest."""

    key: str
    number: str
    document: str
    """Key of the document to be made, such as ``commercial_offer``."""
    language: str
    values: Mapping[str, Any] = field(default_factory=dict)
    recipient_name: str = ""
    contact_id: int | None = None
    conversation_id: int | None = None
    deal_id: int | None = None
    staff_id: int | None = None


class FaxSender(Protocol):
    """The port: what a fax is queued as, and where the letter that carries it goes."""

    def draft(self, fax: Fax) -> Draft:
        """What to queue with `core.outbox.queue`. Raises NoFax for a number that may not be reached."""
        ...

    def address_of(self, number: str) -> str:
        """The mail address for a number in E.164 form."""
        ...


class MailGateway:
    """A provider that takes mail to ``<number>@its.domain`` and faxes what is in it."""

    def __init__(self, address: str, countries: Collection[str]) -> None:
        """`address` holds ``{number}``, which stands for the digits. Raises ConfigurationError without it."""
        if NUMBER not in address:
            raise ConfigurationError(
                "phone.fax_gateway is missing.", cure='Example: fax_gateway = "{number}@fax.example.lt"'
            )
        self._address = address
        self._countries = countries

    def draft(self, fax: Fax) -> Draft:
        """A delivery with nothing but the PDF: what stands in a text some gateways print as a cover."""
        number = reachable(fax.number, self._countries)
        return Draft(
            key=fax.key,
            address=number,
            channel=Channel.FAX,
            purpose=Purpose.SERVICE,
            automatic=False,
            recipient_name=fax.recipient_name,
            contact_id=fax.contact_id,
            conversation_id=fax.conversation_id,
            deal_id=fax.deal_id,
            staff_id=fax.staff_id,
            language=fax.language,
            values=dict(fax.values),
            subject=subject_of(number),
            documents=[fax.document],
        )

    def address_of(self, number: str) -> str:
        """The gateway's address for a number."""
        return self._address.replace(NUMBER, number.removeprefix("+"))


@dataclass
class MemoryFax:
    """The in-memory twin: keeps every fax, and has an address that nobody reads."""

    sent: list[Fax] = field(default_factory=list)

    def draft(self, fax: Fax) -> Draft:
        """Keep the fax."""
        self.sent.append(fax)
        return Draft(key=fax.key, address=fax.number, channel=Channel.FAX, subject=subject_of(fax.number))

    def address_of(self, number: str) -> str:
        """The same for every number."""
        del number
        return "fax@memory.invalid"


def subject_of(number: str) -> str:
    """What the letter to a gateway is called."""
    return f"Fax {number}"


def reachable(number: str, countries: Collection[str]) -> str:
    """The number in E.164 form. Raises NoFax where it is none, or in a country we do not call."""
    normal = readable(number)
    if normal is None or not may_call(normal, countries).yes:
        raise NoFax
    return normal


def fax_sender_of(settings: Settings) -> FaxSender:
    """The sender of these settings. Raises ConfigurationError where no gateway is set."""
    return MailGateway(settings.phone.fax_gateway, settings.phone.countries)
