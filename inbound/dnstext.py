"""TXT records of DNS, for checking signatures: each question bounded in time, each answer kept a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Final, Protocol

from core.errors import FrontdeskError

KEPT_SECONDS: Final = 1800.0
"""For so long an answer is given again without asking."""

MOST_ANSWERS: Final = 5000
"""Answers kept; beyond them the oldest go."""


class DnsIsSilent(FrontdeskError):
    """The name servers do not answer."""

    retryable = True
    cure = "See whether this machine can reach its name servers."


class TextRecords(Protocol):
    """Somebody who looks up TXT records."""

    def txt(self, name: bytes) -> bytes | None:
        """The record of a name, its strings joined; None where there is none. Raises DnsIsSilent."""
        ...


class TextRecordsHere:
    """Records out of memory, for tests."""

    def __init__(self, records: Mapping[str, bytes] | None = None, *, silent: bool = False) -> None:
        self.records = dict(records or {})
        self.silent = silent
        self.asked: list[str] = []

    def txt(self, name: bytes) -> bytes | None:
        """The record of a name, or None. Raises DnsIsSilent where it was made so."""
        written = name.decode("ascii", "replace").rstrip(".").lower()
        self.asked.append(written)
        if self.silent:
            raise DnsIsSilent
        return self.records.get(written)


class DnsTextRecords:
    """Records from the machine's own name servers; safe to use from several threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._answers: dict[bytes, tuple[float, bytes | None]] = {}

    def txt(self, name: bytes) -> bytes | None:
        """The record of a name, its strings joined; None where there is none. Raises DnsIsSilent."""
        now = time.monotonic()
        with self._lock:
            kept = self._answers.get(name)
        if kept is not None and now - kept[0] < KEPT_SECONDS:
            return kept[1]
        answer = self._ask(name)
        with self._lock:
            while len(self._answers) >= MOST_ANSWERS:
                del self._answers[next(iter(self._answers))]
            self._answers[name] = (now, answer)
        return answer

    def _ask(self, name: bytes) -> bytes | None:
        import dns.exception
        import dns.resolver

        try:
            found = dns.resolver.resolve(name.decode("ascii", "replace"), "TXT", lifetime=self._seconds)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return None
        except (
            dns.exception.Timeout,
            dns.resolver.NoNameservers,
            dns.resolver.NoResolverConfiguration,
        ) as error:
            raise DnsIsSilent from error
        except (dns.exception.DNSException, UnicodeError, ValueError):
            # A name that is none: the letter's own fault, and no record stands there.
            return None
        return next((b"".join(record.strings) for record in found.rrset or ()), None)
