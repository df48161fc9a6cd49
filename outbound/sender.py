"""Who a letter comes from: our addresses and names, and what templates may say of the company."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import Settings
from core.config_sections import Company
from core.errors import ConfigurationError
from core.values import normal_email

PICTURES = frozenset({"image/png", "image/jpeg", "image/gif"})
"""What documents can show as a logo."""


@dataclass(frozen=True)
class Sender:
    """The company as a writer of letters."""

    address: str
    """The address the relay lets us write from."""
    name: str
    mailboxes: Mapping[str, str]
    """The address of each mailbox by its name in the settings."""
    company: Mapping[str, Any]
    """The placeholders of the company."""

    @property
    def domain(self) -> str:
        """The domain under which our Message-IDs are unique."""
        return self.address.rpartition("@")[2]

    @property
    def ours(self) -> frozenset[str]:
        """All our own addresses: whatever is sent to them comes back to us."""
        return frozenset({self.address, *self.mailboxes.values()})

    def answers_to(self, mailbox: str | None) -> str:
        """The address where answers should come: the mailbox's, or our usual one."""
        return self.mailboxes.get(mailbox or "", self.address)


def sender_of(settings: Settings) -> Sender:
    """The sender that the settings describe. Raises ConfigurationError where they name no relay."""
    relay = settings.relay
    if relay is None:
        raise ConfigurationError(
            "There is no relay in the settings, so nothing can be sent.",
            cure='Example: [relay] host = "smtp.example.lt", from_address = "sales@example.lt"',
        )
    return Sender(
        address=normal_email(relay.from_address),
        name=relay.from_name or settings.company.name,
        mailboxes={mailbox.name: normal_email(mailbox.address) for mailbox in settings.mailboxes},
        company=company_values(settings.company),
    )


def company_values(company: Company) -> dict[str, Any]:
    """The company's placeholders, from the settings."""
    website = company.website
    return {
        "name": company.name,
        "legal_name": company.legal_name or company.name,
        "code": company.code,
        "vat_code": company.vat,
        "address": company.address,
        "phone": company.phone,
        "email": company.email,
        "website": f"https://{website}" if website and "://" not in website else website,
        "bank": company.bank,
        "logo": _picture(company.logo),
    }


def _picture(path: Path | None) -> str | None:
    """The logo as a data: address; None for a kind of picture that documents cannot show."""
    if path is None:
        return None
    kind = mimetypes.guess_type(path.name)[0]
    if kind not in PICTURES:
        return None
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
