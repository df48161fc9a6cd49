"""Signatures that others verify, and that any change to what was signed breaks."""

from __future__ import annotations

from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config_dkim import DkimKey
from core.errors import ConfigurationError
from outbound import dkim, mime
from outbound.dkim import public_record, signed, signers_of

FIELDS = [
    ("Date", "Sun, 22 Nov 2026 19:52:48 +0200"),
    ("From", "=?utf-8?b?xaBpYXVyxJdz?=\r\n <sales@example.lt>"),
    ("To", "Ona   <ona@example.com>"),
    ("Subject", "Offer  for\r\n\tyou"),
    ("Message-ID", "<fd-1@example.lt>"),
    ("List-Unsubscribe", "<https://desk.example.lt/unsubscribe/x>,\r\n <mailto:sales@example.lt>"),
    ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
]
VISIBLE = st.characters(min_codepoint=33, max_codepoint=126)
LETTER = mime.written(FIELDS, "Hello,  \n\n.\nline \t x\n\n\n", "<p>Hello, Ąžuolai</p>", [], "b0")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A key file of each kind."""
    folder = tmp_path_factory.mktemp("keys")
    made = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "short": rsa.generate_private_key(65537, 1024),  # noqa: S505 - to be refused
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "curve": ec.generate_private_key(ec.SECP256R1()),
    }
    paths = {}
    for name, key in made.items():
        paths[name] = folder / f"{name}.pem"
        paths[name].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return paths


def key(keys: dict[str, Path], name: str, **given_: str) -> DkimKey:
    """A key as the settings give it."""
    return DkimKey.model_validate({"selector": name, "private_key_file": str(keys[name]), **given_})


def verdicts(letter: bytes, keys: dict[str, Path]) -> list[bool]:
    """What an independent verifier says of each signature."""

    def dns(name: bytes | str, timeout: float = 5) -> bytes:
        asked = name.decode() if isinstance(name, bytes) else name
        return public_record(keys[asked.partition(".")[0]]).encode()

    def verified(index: int) -> bool:
        try:
            return dkimpy.DKIM(letter).verify(idx=index, dnsfunc=dns)
        except dkimpy.ValidationError:
            return False

    count = letter.split(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    return [verified(index) for index in range(count)]


@pytest.mark.parametrize("names", [["rsa"], ["ed25519"], ["ed25519", "rsa"]])
def test_signatures_are_verified_by_another_program(keys: dict[str, Path], names: list[str]):
    signers = signers_of([key(keys, name) for name in names], "example.lt")
    letter = signed(LETTER, signers, lambda: 1_700_000_000)
    assert letter.endswith(LETTER)
    assert verdicts(letter, keys) == [True] * len(names)
    assert max(map(len, letter.split(b"\r\n\r\n")[0].split(b"\r\n"))) <= 110


@pytest.mark.parametrize("name", ["rsa", "ed25519"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Hello,", b"Hallo,"),
        (b"Subject: Offer", b"Subject: Other"),
        (b"Subject:", b"Subject: second\r\nSubject:"),
        (b"From:", b"From: evil@example.com\r\nFrom:"),
        (b"To: Ona", b"Reply-To: evil@example.com\r\nTo: Ona"),
        (b"unsubscribe/x", b"unsubscribe/y"),
        (b"List-Unsubscribe-Post:", b"List-Unsubscribe-Post: x\r\nList-Unsubscribe-Post:"),
    ],
)
def test_any_change_to_what_is_signed_breaks_the_signature(
    keys: dict[str, Path], name: str, before: bytes, after: bytes
):
    letter = signed(LETTER, signers_of([key(keys, name)], "example.lt"))
    head, mark, rest = letter.partition(b"\r\nMIME-Version:")
    assert before in mark + rest
    broken = head + (mark + rest).replace(before, after, 1)
    assert verdicts(broken, keys) == [False]


def test_blanks_that_relays_change_do_not_break_it(keys: dict[str, Path]):
    letter = signed(LETTER, signers_of([key(keys, "ed25519")], "example.lt"))
    assert verdicts(letter.replace(b"Subject: Offer  for", b"subject:   Offer for"), keys) == [True]


@given(
    text=st.text(max_size=300),
    subject=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_any_text_verifies(keys: dict[str, Path], text: str, subject: str):
    fields = [("From", "<sales@example.lt>"), ("Subject", subject or "x")]
    letter = signed(
        mime.written(fields, text, "", [], "b0"), signers_of([key(keys, "ed25519")], "example.lt")
    )
    assert verdicts(letter, keys) == [True]


def test_an_empty_body_has_the_hash_of_nothing():
    assert dkim.relaxed_body(b"\r\n\r\n") == b""
    assert dkim.relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"


def test_a_field_is_reduced_as_the_standard_shows():
    assert dkim.relaxed_field(b"A: X") == b"a:X\r\n"
    assert dkim.relaxed_field(b"B : Y\t\r\n\tZ  ") == b"b:Y Z\r\n"


@pytest.mark.parametrize("name", ["short", "curve"])
def test_a_key_that_receivers_do_not_take_is_refused(keys: dict[str, Path], name: str):
    with pytest.raises(ConfigurationError):
        signers_of([key(keys, name)], "example.lt")


def test_a_key_of_another_domain_or_no_key_is_refused(keys: dict[str, Path], tmp_path: Path):
    with pytest.raises(ConfigurationError):
        signers_of([key(keys, "rsa", domain="other.example")], "example.lt")
    (tmp_path / "no.pem").write_text("no key")
    for path in ("no.pem", "nothing.pem"):
        with pytest.raises(ConfigurationError):
            dkim.private_key(tmp_path / path)
    assert signers_of([key(keys, "rsa", domain="example.lt")], "mail.example.lt")
