"""Whether the world can tell that mail of our domain is ours: its SPF, DKIM and DMARC records, and its MX.

Deciding is apart from asking: `findings` takes a function that answers a DNS question, `by_dns` is the real
one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import dns.exception
import dns.resolver

from core.config_dkim import DkimKey
from core.errors import Unreachable
from outbound.dkim import public_record

Records = Callable[[str, str], list[str]]
"""From a name and a type (TXT, MX, A) to the records' texts, empty where there are none."""

MOST_LOOKUPS = 10
"""DNS questions that an SPF record may cost a receiver (RFC 7208 section 4.6.4)."""
_COSTS = re.compile(r"^[+?~-]?(?:include:|a(?:[:/]|$)|mx(?:[:/]|$)|ptr(?:[:/]|$)|exists:)|^redirect=")


class Grade(StrEnum):
    """How something stands."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One record looked at."""

    what: str
    grade: Grade
    said: str
    cure: str = ""


def findings(domain: str, keys: Sequence[DkimKey], records: Records) -> Iterator[Finding]:
    """How each of the records that receivers look at stands for the domain we write from."""
    yield _spf(domain, records)
    yield from _dkim(domain, keys, records)
    yield _dmarc(domain, records)
    yield _mx(domain, records)


def _tagged(texts: Sequence[str], version: str) -> list[str]:
    return [one for one in texts if one.lower().replace(" ", "").startswith(version)]


def _spf(domain: str, records: Records) -> Finding:
    what = f"SPF of {domain}"
    found = [one for one in records(domain, "TXT") if one.lower().split(" ")[0] == "v=spf1"]
    if not found:
        return Finding(
            what, Grade.WRONG, "there is none.", "Publish one that names your relay: v=spf1 include:… -all"
        )
    if len(found) > 1:
        return Finding(
            what, Grade.WRONG, f"there are {len(found)}; receivers take none.", "Join them in one."
        )
    terms = found[0].lower().split()[1:]
    if any(term in ("all", "+all") for term in terms):
        return Finding(
            what, Grade.WRONG, "it lets everybody write in your name.", "End it with -all or ~all."
        )
    costs = sum(1 for term in terms if _COSTS.match(term))
    if costs > MOST_LOOKUPS:
        return Finding(what, Grade.WRONG, f"it asks for {costs} look-ups, more than 10.", "Take some out.")
    if not any(term.endswith("all") or term.startswith("redirect=") for term in terms):
        return Finding(what, Grade.NOTE, "it does not say what of all others.", "End it with -all or ~all.")
    return Finding(what, Grade.OK, found[0])


def _dkim(domain: str, keys: Sequence[DkimKey], records: Records) -> Iterator[Finding]:
    if not keys:
        yield Finding(
            "DKIM",
            Grade.NOTE,
            "we do not sign, so the relay has to.",
            "Where it does not: make a key and add a [[dkim]] section.",
        )
    for key in keys:
        own = key.domain or domain
        name = f"{key.selector}._domainkey.{own}"
        wanted = public_record(key.private_key_file)
        found = [one for one in records(name, "TXT") if "p=" in one]
        publish = f"Publish as TXT: {wanted}"
        if not found:
            yield Finding(f"DKIM {name}", Grade.WRONG, "there is no record of the key.", publish)
        elif _public(found[0]) == "":
            yield Finding(f"DKIM {name}", Grade.WRONG, "the record says that the key was withdrawn.", publish)
        elif all(_public(one) != _public(wanted) for one in found):
            yield Finding(f"DKIM {name}", Grade.WRONG, "the record is of another key.", publish)
        elif re.search(r"\bt=[^;]*y", found[0]):
            yield Finding(f"DKIM {name}", Grade.NOTE, "the record says that it is a test.", "Take t=y out.")
        else:
            yield Finding(f"DKIM {name}", Grade.OK, "the record is of our key.")


def _public(record: str) -> str:
    found = re.search(r"(?:^|;)\s*p=([^;]*)", record)
    return re.sub(r"\s", "", found[1]) if found else ""


def _dmarc(domain: str, records: Records) -> Finding:
    labels = domain.split(".")
    # A domain without a record takes that of the domain above it (RFC 7489 section 6.6.3).
    for at in range(max(1, len(labels) - 1)):
        name = f"_dmarc.{'.'.join(labels[at:])}"
        found = _tagged(records(name, "TXT"), "v=dmarc1")
        if len(found) > 1:
            return Finding("DMARC", Grade.WRONG, f"{name} has {len(found)} records; receivers take none.")
        if found:
            policy = re.search(r"(?:^|;)\s*p\s*=\s*(\w+)", found[0].lower())
            if policy is None:
                return Finding("DMARC", Grade.WRONG, f"{name} names no policy.", "Add p=none or stricter.")
            if policy[1] == "none":
                return Finding(
                    "DMARC",
                    Grade.NOTE,
                    f"{name} only watches (p=none).",
                    "Go to p=quarantine when reports are clean.",
                )
            return Finding("DMARC", Grade.OK, f"{name}: p={policy[1]}.")
    return Finding(
        "DMARC",
        Grade.WRONG,
        f"{domain} has none, and large receivers refuse mailings without.",
        f"Publish as TXT of _dmarc.{domain}: v=DMARC1; p=none; rua=mailto:postmaster@{domain}",
    )


def _mx(domain: str, records: Records) -> Finding:
    found = records(domain, "MX")
    if any(one.split()[-1] == "." for one in found):
        return Finding("MX", Grade.WRONG, f"{domain} says that it takes no mail, so no bounce comes back.")
    if found or records(domain, "A"):
        return Finding("MX", Grade.OK, f"{domain} takes mail, so bounces come back.")
    return Finding(
        "MX", Grade.WRONG, f"{domain} has neither MX nor A, so no bounce comes back.", "Publish an MX."
    )


def by_dns(
    nameserver: str | None = None, port: int = 53, timeout: float = 5.0, tries: float = 10.0
) -> Records:
    """Answers from the system's name servers, or from one."""
    resolver = dns.resolver.Resolver(configure=nameserver is None)
    if nameserver is not None:
        resolver.nameservers = [nameserver]
        resolver.port = port
    resolver.timeout, resolver.lifetime = timeout, tries

    def records(name: str, kind: str) -> list[str]:
        try:
            answer = resolver.resolve(name, kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return []
        except dns.exception.DNSException as error:
            raise Unreachable(f"DNS does not answer for {name}: {type(error).__name__}.") from error
        if answer.rrset is None:
            return []
        if kind == "TXT":
            return [b"".join(one.strings).decode("utf-8", "replace") for one in answer.rrset]
        return [one.to_text() for one in answer.rrset]

    return records
