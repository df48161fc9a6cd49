"""Domains and names that a stranger might borrow: kept in memory, and brought up to date now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import AccountDomain
from core.staff import StaffMember
from inbound.lookalikes import Known

FRESH_SECONDS: Final = 60.0
"""For so long what was read is believed."""

MOST_DOMAINS: Final = 20_000
"""The newest clients' domains that are watched; each takes about a kilobyte."""


class KnownSenders:
    """What one process knows of them; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known = Known({})
        self._staff: frozenset[str] = frozenset()
        self._newest = 0
        self._read_at = float("-inf")

    def read(self, session: Session, own_domains: Iterable[str]) -> tuple[Known, frozenset[str]]:
        """Clients' and our own domains with their age, and the names of our staff."""
        with self._lock:
            if time.monotonic() - self._read_at > FRESH_SECONDS:
                self._refresh(session, own_domains)
                self._read_at = time.monotonic()
            return self._known, self._staff

    def _refresh(self, session: Session, own_domains: Iterable[str]) -> None:
        for domain in own_domains:
            self._known.add(domain, 0)
        query = (
            select(AccountDomain.domain, AccountDomain.account_id)
            .where(AccountDomain.account_id > self._newest)
            .order_by(AccountDomain.account_id.desc())
            .limit(MOST_DOMAINS)
        )
        for domain, account_id in session.execute(query):
            self._known.add(domain, account_id)
            self._newest = max(self._newest, account_id)
        names = session.scalars(select(StaffMember.name).where(StaffMember.active.is_(True)))
        # One word is a first name, which many a client has too.
        self._staff = frozenset(name for name in names if len(name.split()) > 1)
