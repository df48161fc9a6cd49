"""From a delivery by telephone to the order that is given: the words, the number, and what it may cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from core.accounts import Channel
from core.config import Settings
from core.documents import Document
from core.errors import ConfigurationError, FrontdeskError, InputRefused
from core.outbox import Purpose
from core.outbox_history import Copy
from core.outbox_pages import Claimed
from core.phoneorders import OrderKind
from core.phoneroads import DELIVERY, SENT, STATUS, road
from core.templatelibrary_uses import Use
from outbound.channels.base import Letter
from outbound.channels.twiliowire import CallOrder, TextOrder
from outbound.compose import Composed
from outbound.filelinks import FileLinks
from outbound.mailingtexts import of, use_of
from outbound.placing import template_values
from outbound.sender import company_values
from templates.catalogue import Catalogue
from templates.rendered import render_text
from templates.segments import segments_of

TRIAL_MINUTES: Final = 2
"""The longest that a call may last by which a colleague hears a voice."""


@dataclass(frozen=True, slots=True)
class PhoneComposed(Composed):
    """An order ready to be given, with what it is counted as."""

    claimed: Claimed
    kind: OrderKind
    text: str
    dialled: str
    units: int


@dataclass(frozen=True, slots=True)
class PhoneSender:
    """Whom SMS and calls of ours come from."""

    number: str
    """Our first number, which calls show."""
    texts_from: str
    numbers: frozenset[str]

    @property
    def ours(self) -> frozenset[str]:
        """All our numbers: whoever rings them reaches us."""
        return self.numbers


class PhoneComposer:
    """Composes what goes by telephone for one company; made once a process."""

    def __init__(self, settings: Settings, channel: Channel, catalogue: Catalogue | None = None) -> None:
        """Raises ConfigurationError where the settings name no number of ours."""
        if settings.twilio is None or not settings.twilio.numbers:
            raise ConfigurationError(
                "The settings name no telephone number of ours.", cure='Add one: [twilio] numbers = ["+370…"]'
            )
        numbers = settings.twilio.numbers
        self.sender = PhoneSender(numbers[0], settings.dialling.sms_from or numbers[0], frozenset(numbers))
        self._settings = settings
        self._channel = channel
        self._catalogue = catalogue
        self._company = company_values(settings.company)
        zone = ZoneInfo(settings.company.timezone)
        self._file_links = FileLinks(settings.signing_key(), settings.company.public_url, zone)

    def make_documents(self, session: Session, claimed: Claimed) -> list[Document]:
        """Nothing is attached to a call. Raises InputRefused."""
        raise InputRefused("A document cannot go by telephone.")

    def compose_page(
        self, page: Sequence[Claimed], made: dict[int, list[Document]]
    ) -> dict[int, Composed | FrontdeskError]:
        """Each delivery's order, or the error that keeps it from being one."""
        results: dict[int, Composed | FrontdeskError] = {}
        for claimed in page:
            try:
                results[claimed.id] = self._compose(claimed)
            except FrontdeskError as error:
                results[claimed.id] = error
        return results

    def _compose(self, claimed: Claimed) -> PhoneComposed:
        if self._channel == Channel.SMS:
            return self._text(claimed)
        if claimed.purpose == Purpose.STAFF:
            return self._trial(claimed)
        if claimed.template is None:
            return self._click(claimed)
        return self._message(claimed)

    def _text(self, claimed: Claimed) -> PhoneComposed:
        words, language, use = self._words("sms", claimed)
        text = self._file_links.in_text(words, claimed.files)
        order = TextOrder(claimed.address, self.sender.texts_from, text, self._road(SENT, claimed))
        units = segments_of(text).count
        return self._composed(
            claimed,
            OrderKind.SMS,
            text,
            claimed.address,
            units,
            order.packed(),
            self._copy(claimed, text, language),
            use,
        )

    def _message(self, claimed: Claimed) -> PhoneComposed:
        text, language, use = self._words("voice", claimed)
        minutes = min(
            self._settings.dialling.longest_message_minutes, self._settings.phone.longest_call_minutes
        )
        order = self._call(claimed, claimed.address, "message", minutes, detect=True)
        return self._composed(
            claimed, OrderKind.MESSAGE, text, claimed.address, minutes, order.packed(),
            self._copy(claimed, text, language), use,
        )  # fmt: skip

    def _click(self, claimed: Claimed) -> PhoneComposed:
        own = str((claimed.values.get("staff") or {}).get("phone") or "")
        if not own:
            raise InputRefused("The call names no colleague's telephone.")
        minutes = self._settings.phone.longest_call_minutes
        order = self._call(claimed, own, "click", minutes, detect=False)
        return self._composed(claimed, OrderKind.CLICK, claimed.body, own, minutes, order.packed(), None)

    def _trial(self, claimed: Claimed) -> PhoneComposed:
        order = self._call(claimed, claimed.address, "message", TRIAL_MINUTES, detect=False)
        return self._composed(
            claimed, OrderKind.TRIAL, claimed.body, claimed.address, TRIAL_MINUTES, order.packed(), None
        )

    def _call(self, claimed: Claimed, to: str, step: str, minutes: int, *, detect: bool) -> CallOrder:
        return CallOrder(
            to,
            self.sender.number,
            self._road(step, claimed),
            self._road(STATUS, claimed),
            self._settings.dialling.ring_seconds,
            minutes * 60,
            detect,
        )

    def _road(self, name: str, claimed: Claimed) -> str:
        return road(self._settings.company.public_url, name, {DELIVERY: claimed.token})

    def _words(self, kind: str, claimed: Claimed) -> tuple[str, str, Use | None]:
        if claimed.template is None:
            return claimed.body, claimed.language, None
        values = template_values(claimed.values, self._company, staff={"name": self._settings.company.name})
        catalogue = of(self._catalogue, claimed.staff_id, claimed.versions)
        rendered = render_text(kind, claimed.template, claimed.language, values, catalogue)
        use = use_of(catalogue, catalogue.source(kind, claimed.template, claimed.language), claimed.id)
        return rendered.text, rendered.language, use

    def _copy(self, claimed: Claimed, text: str, language: str) -> Copy | None:
        if claimed.conversation_id is None:
            return None
        sms = self._channel == Channel.SMS
        return Copy(
            delivery_id=claimed.id,
            conversation_id=claimed.conversation_id,
            contact_id=claimed.contact_id,
            staff_id=claimed.staff_id,
            recipient_name=claimed.recipient_name,
            recipient=claimed.address,
            subject=claimed.subject,
            text=text,
            language=language,
            channel=self._channel,
            sender_name=self._settings.company.name,
            sender=self.sender.texts_from if sms else self.sender.number,
        )

    def _composed(
        self,
        claimed: Claimed,
        kind: OrderKind,
        text: str,
        dialled: str,
        units: int,
        data: bytes,
        copy: Copy | None,
        use: Use | None = None,
    ) -> PhoneComposed:
        sender = self.sender.texts_from if kind is OrderKind.SMS else self.sender.number
        letter = Letter(claimed.id, sender, (dialled,), data, claimed.token)
        return PhoneComposed(letter, None, copy, claimed, kind, text, dialled, units, use=use)
