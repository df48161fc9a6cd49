"""Is the sender who the letter says? What our own server checked, what DKIM says, and tricks with names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inbound import lookalikes
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


@dataclass(frozen=True, slots=True)
class Finding:
    """One warning, with its reason in words."""

    warning: Warning_
    words: str


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
        if self.dmarc == "fail" or (self.dkim == "fail" and self.spf in {"", "fail", "softfail"}):
            return f"Checked by {self.by}: the letter is not from the domain it names."
        if "pass" in (self.dkim, self.spf):
            consent = self.domain or "some domain"
            return f"Checked by {self.by}: sent with the consent of {consent}, which may be another one."
        return f"Checked by {self.by}: nothing confirms the sender."


_RESULT: Final = re.compile(r"(?<![\w-])(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
_FROM_DOMAIN: Final = re.compile(r"header\.(?:from|d|i)\s*=\s*@?([\w.-]+)", re.IGNORECASE)
_COMMENT: Final = re.compile(r"\([^()]{0,500}\)")
_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def checks(mail: ParsedMail, trusted: Iterable[str]) -> Checks:
    """What the configured own servers wrote into Authentication-Results; other servers' fields are ignored.

    `trusted` are authserv-ids. The topmost such field counts, because a forger can only add below it.
    """
    names = {name.lower() for name in trusted}
    for value in mail.headers.all("authentication-results")[:20]:
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


def check_dkim(raw: bytes, lookup: Callable[[bytes, int], bytes | None]) -> Checks:
    """Check the letter's own DKIM signature (RFC 6376), for mail that no server of ours has checked.

    `lookup` answers a DNS name and a timeout with the TXT record, or None; the network is the caller's.
    """
    import dkim

    if b"dkim-signature" not in raw[:200_000].lower():
        return Checks(dkim="none", by="ourselves")
    checker = dkim.DKIM(raw)
    try:
        good = checker.verify(dnsfunc=lambda name, timeout=5: lookup(name, timeout))
    except (dkim.DKIMException, ValueError, KeyError, IndexError, TypeError, AssertionError) as error:
        return Checks(dkim="permerror", by="ourselves", domain=_signer(checker) or str(error)[:0])
    return Checks(dkim="pass" if good else "fail", by="ourselves", domain=_signer(checker))


def _signer(checker: object) -> str:
    domain = getattr(checker, "domain", b"") or b""
    return domain.decode("ascii", "replace").lower() if isinstance(domain, bytes) else str(domain).lower()


def findings(
    mail: ParsedMail,
    known_domains: Iterable[str] = (),
    staff_names: Iterable[str] = (),
    result: Checks | None = None,
) -> tuple[Finding, ...]:
    """The tricks that a letter's sender fields play. `known_domains` are clients' and our own."""
    if not mail.from_:
        return ()
    sender = mail.from_[0]
    known = frozenset(domain.lower() for domain in known_domains)
    found = [
        finding for finding in (_name(sender), _reply_to(mail, sender), _domain(sender, known)) if finding
    ]
    if len(mail.from_) > 1:
        found.append(Finding(Warning_.SEVERAL_SENDERS, f"It names {len(mail.from_)} senders."))
    if sender.name and sender.domain not in known:
        folded = sender.name.casefold().strip()
        if any(folded == name.casefold().strip() for name in staff_names):
            found.append(
                Finding(
                    Warning_.NAMED_LIKE_STAFF,
                    f"The sender is named like our {sender.name} but writes from outside.",
                )
            )
    if result is not None and (result.dmarc == "fail" or (not result.dmarc and result.dkim == "fail")):
        found.append(Finding(Warning_.CHECKS_FAILED, result.words))
    return tuple(found)


def _name(sender: Address) -> Finding | None:
    named = _ADDRESS.search(sender.name)
    if named is None or named[0].lower() == sender.address.lower():
        return None
    return Finding(
        Warning_.NAME_HOLDS_OTHER_ADDRESS,
        f"The name shows {named[0]}, but the letter is from {sender.address}.",
    )


def _reply_to(mail: ParsedMail, sender: Address) -> Finding | None:
    for address in mail.reply_to:
        if address.domain and sender.domain and _site(address.domain) != _site(sender.domain):
            return Finding(
                Warning_.REPLY_GOES_ELSEWHERE,
                f"An answer would go to {address.address}, not to {sender.address}.",
            )
    return None


def _site(domain: str) -> str:
    return ".".join(domain.split(".")[-2:])


def _domain(sender: Address, known: frozenset[str]) -> Finding | None:
    if not sender.domain:
        return None
    if lookalikes.mixed_alphabets(sender.domain):
        return Finding(
            Warning_.MIXED_ALPHABETS, f"The domain {sender.domain} mixes letters of two alphabets."
        )
    other = lookalikes.imitated(sender.domain, known)
    if other is not None:
        return Finding(
            Warning_.IMITATES_KNOWN_DOMAIN, f"The domain {sender.domain} looks like {other} but is not it."
        )
    return None
