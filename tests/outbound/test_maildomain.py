"""What the records of our domain say, asked of a real name server on this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from core.config_dkim import DkimKey
from core.errors import Unreachable
from outbound.dkim import public_record
from outbound.maildomain import Grade, Records, by_dns, findings

Zone = dict[tuple[str, str], list[str]]


class NameServer:
    """A name server on loopback that knows one zone; `silent` lets it fail."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone
        self.silent = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                wire, sender = self._socket.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(wire)
            question = query.question[0]
            name, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            if self.silent:
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif records := self.zone.get((name, kind)):
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *records))
            elif not any(known == name for known, _ in self.zone):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.sendto(answer.to_wire(), sender)

    def close(self) -> None:
        """End it."""
        self._socket.close()


@pytest.fixture
def served() -> Iterator[Callable[[Zone], Records]]:
    """A function that serves a zone and gives the way to ask it."""
    servers: list[NameServer] = []

    def serve(zone: Zone) -> Records:
        servers.append(NameServer(zone))
        return by_dns("127.0.0.1", servers[-1].port, timeout=60.0, tries=120.0)

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def key(tmp_path: Path) -> DkimKey:
    """A key of ours."""
    path = tmp_path / "key.pem"
    path.write_bytes(
        ed25519.Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return DkimKey(selector="fd", private_key_file=path)


def zone(key: DkimKey | None = None) -> Zone:
    """The records of a domain that has everything in order."""
    made: Zone = {
        ("example.lt", "TXT"): ['"other"', '"v=spf1 include:relay.example -all"'],
        ("_dmarc.example.lt", "TXT"): ['"v=DMARC1; p=quarantine"'],
        ("example.lt", "MX"): ["10 mx.example.lt."],
    }
    if key is not None:
        made["fd._domainkey.example.lt", "TXT"] = [f'"{public_record(key.private_key_file)}"']
    return made


def grades(records: Records, *keys: DkimKey) -> dict[str, Grade]:
    """How each record stands, by its first word."""
    return {one.what.split()[0]: one.grade for one in findings("example.lt", keys, records)}


def test_a_domain_in_order_is_found_so(served: Callable[[Zone], Records], key: DkimKey):
    assert set(grades(served(zone(key)), key).values()) == {Grade.OK}


def test_a_domain_without_records_is_told_what_to_publish(served: Callable[[Zone], Records], key: DkimKey):
    found = list(findings("example.lt", [key], served({})))
    assert [one.grade for one in found] == [Grade.WRONG] * 4
    assert any(public_record(key.private_key_file) in one.cure for one in found)
    assert any("v=DMARC1" in one.cure for one in found)


@pytest.mark.parametrize(
    ("records", "grade"),
    [
        (['"v=spf1 +all"'], Grade.WRONG),
        (['"v=spf1 -all"', '"v=spf1 mx -all"'], Grade.WRONG),
        (['"v=spf1 ' + " ".join(f"include:r{n}.example" for n in range(11)) + ' -all"'], Grade.WRONG),
        (['"v=spf1 mx"'], Grade.NOTE),
        (['"v=spf1 redirect=_spf.example.lt"'], Grade.OK),
        (['"v=spf1 ip4:192.0.2.1 " "~all"'], Grade.OK),
    ],
)
def test_faults_of_spf_are_told(served: Callable[[Zone], Records], records: list[str], grade: Grade):
    assert grades(served(zone() | {("example.lt", "TXT"): records}))["SPF"] is grade


def test_the_record_of_another_or_a_withdrawn_key_is_told(served: Callable[[Zone], Records], key: DkimKey):
    for record in ('"v=DKIM1; k=ed25519; p=AAAA"', '"v=DKIM1; p="'):
        found = grades(served(zone() | {("fd._domainkey.example.lt", "TXT"): [record]}), key)
        assert found["DKIM"] is Grade.WRONG


@pytest.mark.parametrize(
    ("records", "grade"),
    [
        (['"v=DMARC1; p=none"'], Grade.NOTE),
        (['"v=DMARC1"'], Grade.WRONG),
        (['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'], Grade.WRONG),
    ],
)
def test_faults_of_dmarc_are_told(served: Callable[[Zone], Records], records: list[str], grade: Grade):
    assert grades(served(zone() | {("_dmarc.example.lt", "TXT"): records}))["DMARC"] is grade


def test_a_domain_takes_the_dmarc_record_of_the_one_above_it(served: Callable[[Zone], Records]):
    found = {one.what.split()[0]: one for one in findings("mail.example.lt", [], served(zone()))}
    assert found["DMARC"].grade is Grade.OK


def test_a_domain_that_takes_no_mail_gets_no_bounces(served: Callable[[Zone], Records]):
    assert grades(served(zone() | {("example.lt", "MX"): ["0 ."]}))["MX"] is Grade.WRONG


def test_a_name_server_that_fails_is_told_apart_from_a_missing_record(key: DkimKey):
    server = NameServer(zone(key))
    server.silent = True
    try:
        with pytest.raises(Unreachable):
            grades(by_dns("127.0.0.1", server.port, timeout=0.5, tries=1.0), key)
    finally:
        server.close()
