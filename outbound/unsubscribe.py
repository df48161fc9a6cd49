"""Signed links by which a client stops marketing letters, and what happens when one is followed (RFC 8058).

The link never expires: whoever finds an old letter may still stop the next one. It names the address itself,
so that it works even where the delivery is no longer on record. A GET of its page must not act, since
scanners follow links; the desk acts on a POST.
"""

from __future__ import annotations

import json
from typing import Any

import itsdangerous
from itsdangerous.encoding import base64_encode
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from core import wishes
from core.campaigns import CampaignRecipient
from core.errors import InputRefused

PATH = "/unsubscribe/"
"""Under `company.public_url`; what follows it is the token."""

_PURPOSE = "frontdesk.unsubscribe"


class BadLink(InputRefused):
    """The link is not one of ours, or a part of it is missing."""

    cure = "Open it from the letter again, or answer the letter with the word “unsubscribe”."


class _Serializer(itsdangerous.URLSafeSerializer):
    """Reads every link; writes plain ones, since packing so few bytes costs more than all the rest."""

    def dump_payload(self, obj: Any, *args: Any, **kwargs: Any) -> bytes:
        """JSON in base64."""
        return base64_encode(json.dumps(obj, separators=(",", ":")))


class Unsubscriber:
    """Makes and reads the links; `key` is the settings' signing key."""

    def __init__(self, key: str, public_url: str) -> None:
        self._serializer = _Serializer(key, salt=_PURPOSE)
        self._signer = self._serializer.make_signer(_PURPOSE)
        self._base = public_url.rstrip("/") + PATH

    @property
    def one_click(self) -> bool:
        """Whether mail programs may offer one-click unsubscription: the address must be https."""
        return self._base.startswith("https://")

    def link(self, address: str, delivery_id: int) -> str:
        """The link for one letter to one address."""
        return self._base + self.token(address, delivery_id)

    def token(self, address: str, delivery_id: int) -> str:
        """What stands in the link after `PATH`."""
        return self._signer.sign(self._serializer.dump_payload([address, delivery_id])).decode()

    def read(self, token: str) -> tuple[str, int]:
        """The address and the delivery of a token. Raises BadLink for any that we did not sign."""
        try:
            address, delivery_id = self._serializer.loads(token[:2000])
        except (itsdangerous.BadData, ValueError, TypeError) as error:
            raise BadLink from error
        return str(address), int(delivery_id)

    def follow(self, session: Session, token: str) -> str:
        """Put the link's address on the suppression list for marketing, and write down that its owner wants
        no more mailings; returns the address, which for a fax is its number. Following it twice does nothing
        more. Raises BadLink.
        """
        address, delivery_id = self.read(token)
        refuse = wishes.refuse_faxes if wishes.is_number(address) else wishes.refuse_mail
        refuse(session, address, proof=f"link in delivery {delivery_id}")
        session.execute(
            update(CampaignRecipient)
            .where(CampaignRecipient.delivery_id == delivery_id, CampaignRecipient.opted_out_at.is_(None))
            .values(opted_out_at=func.now())
        )
        return address
