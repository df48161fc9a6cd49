"""From a fax to the letter that a gateway turns into it: the document alone, or a letter's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from core.accounts import Channel
from core.config import Settings
from core.documents import Document
from core.errors import FrontdeskError
from core.outbox_pages import Claimed
from core.phoneorders import OrderKind
from outbound.channels.fax import FaxSender, fax_sender_of, subject_of
from outbound.compose import Composed, Composer
from outbound.phonecompose import PhoneComposed
from outbound.sender import Sender
from templates.catalogue import Catalogue


class FaxComposer:
    """Composes faxes for one company; made once a process."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue | None = None, gateway: FaxSender | None = None
    ) -> None:
        """Raises ConfigurationError where the settings name no relay or no gateway."""
        gateway = gateway or fax_sender_of(settings)
        self._letters = Composer(settings, catalogue, gateway=gateway.address_of)

    @property
    def sender(self) -> Sender:
        """Whom faxes come from: who sends our mail."""
        return self._letters.sender

    def make_documents(self, session: Session, claimed: Claimed) -> list[Document]:
        """The documents of a fax, made as those of a letter are."""
        return self._letters.make_documents(session, claimed)

    def compose_page(
        self, page: Sequence[Claimed], made: dict[int, list[Document]]
    ) -> Mapping[int, Composed | FrontdeskError]:
        """Each fax as a letter to the gateway, or the error that keeps it from being one."""
        faxes = {one.id: one for one in page}
        letters = self._letters.compose_page([_letter(one) for one in page], made)
        return {
            number: done if isinstance(done, FrontdeskError) else _ordered(faxes[number], done)
            for number, done in letters.items()
        }


def _letter(fax: Claimed) -> Claimed:
    """What carries it: where a document goes, nothing else does, for a gateway would print that too."""
    alone = {"template": None, "body": ""} if fax.documents else {}
    return replace(
        fax,
        subject=subject_of(fax.address),
        in_reply_to=None,
        reference_ids=[],
        files=[],
        **alone,
    )


def _ordered(fax: Claimed, letter: Composed) -> PhoneComposed:
    """The letter as something that costs money, and its copy as what went to a number."""
    copy = letter.copy and replace(
        letter.copy, recipient=fax.address, channel=Channel.FAX, subject=fax.subject or letter.copy.subject
    )
    return PhoneComposed(
        letter.letter, letter.rfc_id, copy, fax, OrderKind.FAX, "", fax.address, 1, use=letter.use
    )
