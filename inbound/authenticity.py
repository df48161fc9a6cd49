"""Is the sender who the letter says? What our own server checked, what DKIM says, and tricks with names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Protocol

from inbound.lookalikes import Known, mixed_alphabets
from inbound.parsed import Address, ParsedMail


class Warning_(StrEnum):
    """What staff should see beside the sender's name."""

    NAME_HOLDS_OTHER_ADDRESS = "name_holds_other_address"
    REPLY_GOES_ELSEWHERE = "reply_goes_elsewhere"
    MIXED_ALPHABETS = "mixed_alphabets"
    IMITATES_KNOWN_DOMAIN = "imitates_known_domain"
    NAMED_LIKE_STAFF = "named_like_staff"
    CHECKS_FAILED = "checks_failed"
    SEVERAL_SENDERS = "several_senders"


class Verdict(StrEnum):
    """What the checks come to, for the person who reads the letter."""

    CONFIRMED = "confirmed"
    """It is from the domain it names."""
    OTHER_DOMAIN = "other_domain"
    """Somebody stands for it, but not the domain it names."""
    UNCONFIRMED = "unconfirmed"
    """It was checked, and nothing confirms the sender."""
    DENIED = "denied"
    """It is not from the domain it names."""
    UNCHECKED = "unchecked"
    """Nobody has checked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One warning: what the letter shows, what it really is, and the same as a sentence."""

    warning: Warning_
    words: str
    shown: str = ""
    real: str = ""


class Claims(Protocol):
    """Who a letter says it is from; `inbound.parsed.ParsedMail` says so, and `Claimed`."""

    @property
    def from_(self) -> Sequence[Address]: ...

    @property
    def reply_to(self) -> Sequence[Address]: ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """The same without the rest of the letter."""

    from_: Sequence[Address]
    reply_to: Sequence[Address] = ()


@dataclass(frozen=True, slots=True)
class Checks:
    """Results of SPF, DKIM and DMARC (RFC 8601): pass, fail, none, …; empty where nobody checked.

    `by` is the server that says so, always one of those we trust, or `ourselves` for our own DKIM check.
    """

    spf: str = ""
    dkim: str = ""
    dmarc: str = ""
    domain: str = ""
    by: str = ""

    @property
    def words(self) -> str:
        """The result as a sentence for staff."""
        if not self.by:
            return "Nobody has checked whether this letter is from the address it names."
        if self.dmarc == "pass":
            return f"Checked by {self.by}: the letter is from {self.domain or 'the domain it names'}."
        if self._denied:
            return f"Checked by {self.by}: the letter is not from the domain it names."
        if "pass" in (self.dkim, self.spf):
            consent = self.domain or "some domain"
            return f"Checked by {self.by}: sent with the consent of {consent}, which may be another one."
        return f"Checked by {self.by}: nothing confirms the sender."

    @property
    def _denied(self) -> bool:
        return self.dmarc == "fail" or (
            self.by != OURSELVES and self.dkim == "fail" and self.spf in {"", "fail", "softfail"}
        )

    def verdict(self, sender_domain: str) -> Verdict:
        """What that comes to for a letter whose From names `sender_domain`.

        A signature of the same domain or of one above it confirms, as in relaxed alignment of DMARC (RFC 7489
        section 3.1.1). A signature of ours to check that does not fit only fails to confirm: lists and
        forwarders break honest ones (RFC 6376 section 6.1).
        """
        if not self.by:
            return Verdict.UNCHECKED
        if self.dmarc == "pass":
            return Verdict.CONFIRMED
        if self._denied:
            return Verdict.DENIED
        if "pass" not in (self.dkim, self.spf):
            return Verdict.UNCONFIRMED
        if self.domain and _aligned(sender_domain.lower(), self.domain):
            return Verdict.CONFIRMED
        return Verdict.OTHER_DOMAIN


OURSELVES: Final = "ourselves"
"""Who checked where no server of ours did."""


def _aligned(sender: str, signer: str) -> bool:
    return sender == signer or sender.endswith(f".{signer}") or signer.endswith(f".{sender}")


MOST_FIELDS: Final = 20
"""Fields of Authentication-Results that are looked at: honest letters have one for each server."""

_RESULT: Final = re.compile(r"(?<![\w-])(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
_FROM_DOMAIN: Final = re.compile(r"header\.(?:from|d|i)\s*=\s*@?([\w.-]+)", re.IGNORECASE)
_COMMENT: Final = re.compile(r"\([^()]{0,500}\)")
_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def checks(mail: ParsedMail, trusted: Iterable[str]) -> Checks:
    """What the configured own servers wrote into Authentication-Results; other servers' fields are ignored.

    `trusted` are authserv-ids. The topmost such field counts, because a forger can only add below it.
    """
    return read_results(mail.headers.all("authentication-results")[:MOST_FIELDS], trusted)


def read_results(fields: Iterable[str], trusted: Iterable[str]) -> Checks:
    """The same from the fields' values, from the top (RFC 8601)."""
    names = {name.lower() for name in trusted}
    for value in fields:
        plain = _COMMENT.sub(" ", value)
        server = plain.split(";", 1)[0].strip().split(" ")[0].lower()
        if server not in names:
            continue
        found: dict[str, str] = {}
        for method, result in _RESULT.findall(plain.split(";", 1)[-1]):
            if found.get(method.lower()) != "pass":
                found[method.lower()] = result.lower()
        domain = _FROM_DOMAIN.search(plain)
        return Checks(
            found.get("spf", ""),
            found.get("dkim", ""),
            found.get("dmarc", ""),
            domain[1].lower() if domain else "",
            server,
        )
    return Checks()


MOST_SIGNATURES: Final = 3
"""Signatures of one letter that are checked: the sender's, and those of who carried it."""


def check_dkim(raw: bytes, lookup: Callable[[bytes, int], bytes | None], sender_domain: str = "") -> Checks:
    """Check the letter's own DKIM signatures (RFC 6376), for mail that no server of ours has checked.

    `lookup` answers a DNS name and a timeout with the TXT record, or None; the network is the caller's, and
    what it raises comes through where it is a FrontdeskError. Of several signatures that fit, the one of
    `sender_domain` counts.
    """
    import dkim

    if b"dkim-signature" not in raw[:200_000].lower():
        return Checks(dkim="none", by=OURSELVES)
    best = Checks(dkim="none", by=OURSELVES)
    for place in range(MOST_SIGNATURES):
        checker = None
        try:
            checker = dkim.DKIM(raw)
            good = checker.verify(idx=place, dnsfunc=lambda name, timeout=5: lookup(name, timeout))
        except (dkim.DKIMException, ValueError, KeyError, IndexError, TypeError, AssertionError):
            found = Checks(dkim="permerror", by=OURSELVES, domain=_signer(checker))
        else:
            found = Checks(dkim="pass" if good else "fail", by=OURSELVES, domain=_signer(checker))
            if not good and not found.domain:
                break
        if found.dkim == "pass" and (not sender_domain or _aligned(sender_domain.lower(), found.domain)):
            return found
        if _RANK[found.dkim] > _RANK[best.dkim]:
            best = found
    return best


_RANK: Final = {"none": 0, "permerror": 1, "fail": 2, "pass": 3}


def _signer(checker: object) -> str:
    domain = getattr(checker, "domain", b"") or b""
    return domain.decode("ascii", "replace").lower() if isinstance(domain, bytes) else str(domain).lower()


def findings(
    mail: Claims,
    known_domains: Iterable[str] | Known = (),
    staff_names: Iterable[str] = (),
    result: Checks | None = None,
    own_domains: Collection[str] = (),
) -> tuple[Finding, ...]:
    """The tricks that a letter's sender fields play. `known_domains` are clients' and our own."""
    if not mail.from_:
        return ()
    sender = mail.from_[0]
    known = known_domains if isinstance(known_domains, Known) else Known(dict.fromkeys(known_domains, 0))
    found = [
        finding for finding in (_name(sender), _reply_to(mail, sender), _domain(sender, known)) if finding
    ]
    if len(mail.from_) > 1:
        others = ", ".join(one.address for one in mail.from_[1:4])
        found.append(
            Finding(Warning_.SEVERAL_SENDERS, f"It names {len(mail.from_)} senders.", others, sender.address)
        )
    folded = _folded(sender.name)
    if folded and sender.domain not in own_domains and any(folded == _folded(name) for name in staff_names):
        found.append(
            Finding(
                Warning_.NAMED_LIKE_STAFF,
                f"The sender is named like our {sender.name} but writes from outside.",
                sender.name,
                sender.address,
            )
        )
    if result is not None and result.verdict(sender.domain) is Verdict.DENIED:
        found.append(Finding(Warning_.CHECKS_FAILED, result.words, sender.domain, result.by))
    return tuple(found)


def as_stored(result: Checks, sender_domain: str, found: Iterable[Finding]) -> dict[str, Any]:
    """Both as `core.conversations.Message.sender_checks` holds them."""
    return {
        "spf": result.spf,
        "dkim": result.dkim,
        "dmarc": result.dmarc,
        "domain": result.domain,
        "by": result.by,
        "verdict": result.verdict(sender_domain).value,
        "findings": [{"code": one.warning.value, "shown": one.shown, "real": one.real} for one in found],
    }


@lru_cache(maxsize=5_000)
def _folded(name: str) -> str:
    return " ".join(sorted(re.findall(r"\w+", name.casefold())))


def _name(sender: Address) -> Finding | None:
    named = _ADDRESS.search(sender.name)
    if named is None or named[0].lower() == sender.address.lower():
        return None
    return Finding(
        Warning_.NAME_HOLDS_OTHER_ADDRESS,
        f"The name shows {named[0]}, but the letter is from {sender.address}.",
        named[0],
        sender.address,
    )


def _reply_to(mail: Claims, sender: Address) -> Finding | None:
    for address in mail.reply_to:
        if address.domain and sender.domain and _site(address.domain) != _site(sender.domain):
            return Finding(
                Warning_.REPLY_GOES_ELSEWHERE,
                f"An answer would go to {address.address}, not to {sender.address}.",
                sender.address,
                address.address,
            )
    return None


_SECOND_LEVEL: Final = frozenset({"co", "com", "org", "net", "gov", "edu", "ac"})


def _site(domain: str) -> str:
    labels = domain.split(".")
    short_ending = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if short_ending else labels[-2:])


def _domain(sender: Address, known: Known) -> Finding | None:
    if not sender.domain:
        return None
    if mixed_alphabets(sender.domain):
        return Finding(
            Warning_.MIXED_ALPHABETS,
            f"The domain {sender.domain} mixes letters of two alphabets.",
            sender.domain,
            sender.domain,
        )
    other = known.imitated(sender.domain)
    if other is not None:
        return Finding(
            Warning_.IMITATES_KNOWN_DOMAIN,
            f"The domain {sender.domain} looks like {other} but is not it.",
            other,
            sender.domain,
        )
    return None
