"""DKIM signatures of what we send (RFC 6376, Ed25519 of RFC 8463), relaxed/relaxed, made with `cryptography`.

Every field that bulk receivers look at is signed, and those that a stranger could add a second time are
signed once more than they occur, so that an added one breaks the signature. With two keys a letter gets two
signatures: receivers that know no Ed25519 pass over that one.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from core.config_dkim import DkimKey
from core.errors import ConfigurationError

SIGNED = (
    "From", "To", "Cc", "Subject", "Date", "Message-ID", "Reply-To", "In-Reply-To", "References",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted", "List-Unsubscribe",
    "List-Unsubscribe-Post", "Feedback-ID", "List-Id",
)  # fmt: skip
"""Fields that are signed where they stand (RFC 6376 section 5.4.1, RFC 8058 section 4)."""
OVERSIGNED = (
    "From", "To", "Subject", "Date", "Message-ID", "Reply-To", "Content-Type", "List-Unsubscribe",
    "List-Unsubscribe-Post",
)  # fmt: skip
"""Fields named once more than they occur, so that none can be added (RFC 6376 section 8.15)."""
LEAST_RSA_BITS = 2048

_BLANKS = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n(?=[ \t])")

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Signer:
    """One key of one domain."""

    domain: str
    selector: str
    algorithm: str
    """``rsa-sha256`` or ``ed25519-sha256``."""
    sign: Sign

    def field(self, head: Sequence[tuple[str, bytes]], body_hash: bytes, when: int) -> bytes:
        """The DKIM-Signature field for header fields (name in lower case, whole field) and a body's hash."""
        chosen = _chosen(head)
        names = ":".join(name for name, _ in chosen)
        unsigned = (
            f"DKIM-Signature: v=1; a={self.algorithm}; c=relaxed/relaxed;\r\n"
            f" d={self.domain}; s={self.selector}; t={when};\r\n"
            f" bh={base64.b64encode(body_hash).decode()};\r\n"
            f" h={_folded(names)};\r\n b="
        ).encode()
        signed = b"".join(relaxed_field(field) for _, field in chosen if field)
        # The signature's own field comes last, without its value and without a line's end (section 3.7).
        signed += relaxed_field(unsigned)[:-2]
        made = base64.b64encode(self.sign(signed)).decode()
        pieces = [made[at : at + 72] for at in range(0, len(made), 72)]
        return unsigned + "\r\n ".join(pieces).encode() + b"\r\n"


def signed(data: bytes, signers: Sequence[Signer], now: Callable[[], float] = time.time) -> bytes:
    """A letter with a signature of each key before it; as it is where there is none."""
    if not signers:
        return data
    head, _, body = data.partition(b"\r\n\r\n")
    fields = split_fields(head)
    digest = sha256(relaxed_body(body)).digest()
    when = int(now())
    return b"".join(one.field(fields, digest, when) for one in signers) + data


def split_fields(head: bytes) -> list[tuple[str, bytes]]:
    """Header fields, each with its folded lines, by name in lower case."""
    unfolded: list[tuple[str, bytes]] = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and unfolded:
            name, field = unfolded[-1]
            unfolded[-1] = (name, field + b"\r\n" + line)
        else:
            unfolded.append((line.partition(b":")[0].decode("ascii", "replace").strip().lower(), line))
    return unfolded


def _chosen(head: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Names in the order of ``h=`` with the field of each; the last of equals first (section 5.4.2)."""
    chosen: list[tuple[str, bytes]] = []
    for name in SIGNED:
        present = [field for known, field in head if known == name.lower()]
        chosen += [(name, field) for field in reversed(present)]
        if name in OVERSIGNED:
            chosen.append((name, b""))
    return chosen


def _folded(names: str) -> str:
    lines, line = [], ""
    for name in names.split(":"):
        if len(line) + len(name) > 68:
            lines.append(line)
            line = ""
        line += (":" if line or lines else "") + name
    return "\r\n  ".join([*lines, line])


def relaxed_field(field: bytes) -> bytes:
    """One header field in the relaxed form (RFC 6376 section 3.4.2), with its line's end."""
    name, _, value = field.partition(b":")
    value = _BLANKS.sub(b" ", _FOLD.sub(b"", value)).strip(b" \t")
    return name.strip().lower() + b":" + value + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """A body in the relaxed form (section 3.4.4): blanks reduced, none at ends of lines or of the body."""
    if b"  " in body or b"\t" in body:
        body = _BLANKS.sub(b" ", body)
    body = body.replace(b" \r\n", b"\r\n")
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def signers_of(keys: Sequence[DkimKey], domain: str) -> tuple[Signer, ...]:
    """The signers that the settings describe, for the domain we write from.

    Raises ConfigurationError for a key that cannot be read, is too short, or signs for another domain.
    """
    return tuple(_signer(key, domain) for key in keys)


def _signer(key: DkimKey, domain: str) -> Signer:
    own = (key.domain or domain).lower()
    if domain != own and not domain.endswith(f".{own}"):
        raise ConfigurationError(
            f"dkim: the key {key.selector} is of {own}, and we write from {domain}.",
            cure="A signature counts only when it is of the domain in From (DMARC alignment).",
        )
    private = private_key(key.private_key_file)
    if isinstance(private, rsa.RSAPrivateKey):
        return Signer(
            own,
            key.selector,
            "rsa-sha256",
            lambda data: private.sign(data, padding.PKCS1v15(), hashes.SHA256()),
        )
    return Signer(own, key.selector, "ed25519-sha256", lambda data: private.sign(sha256(data).digest()))


def private_key(path: Path) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    """The key in a PEM file. Raises ConfigurationError for what is none, or too short to count."""
    try:
        loaded = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(
            f"dkim: {path} holds no private key that we can read: {type(error).__name__}.",
            cure="It is a PEM file without a password, as openssl genpkey writes it.",
        ) from error
    if isinstance(loaded, rsa.RSAPrivateKey):
        if loaded.key_size < LEAST_RSA_BITS:
            raise ConfigurationError(
                f"dkim: {path} is an RSA key of {loaded.key_size} bits; receivers want {LEAST_RSA_BITS}."
            )
        return loaded
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return loaded
    raise ConfigurationError(f"dkim: {path} is neither an RSA nor an Ed25519 key.")


def public_record(path: Path) -> str:
    """The TXT record that belongs to a key file (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
    public = private_key(path).public_key()
    if isinstance(public, rsa.RSAPublicKey):
        raw = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(raw).decode()}"
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"
