"""What every request and answer passes: whom we trust about addresses, where a request came from, safe
headers.

Pure decisions first, then the layers that apply them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import NotAllowed

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of our pages: nothing inline, nothing from elsewhere."""

LETTER_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
"""Policy of a client's letter in its frame: no script, no pictures, no forms, an origin of its own."""

DOWNLOAD_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"

HEADERS: dict[str, str] = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cache-control": "no-store",
}
"""Headers of every answer that does not set its own."""

STRICT_TRANSPORT = "max-age=31536000"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

Networks = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]


@lru_cache(maxsize=8)
def networks(trusted: tuple[str, ...]) -> Networks:
    """The proxies we believe, as networks."""
    return tuple(ipaddress.ip_network(item, strict=False) for item in trusted)


def _trusted(address: str, trusted: Networks) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)


def client_address(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """Who is really asking: the peer, or where a trusted proxy names somebody, the last one it did not
    vouch for.

    Read from the right, because everything left of the first stranger was written by that stranger.
    """
    address = peer
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()][-20:]
    while hops and _trusted(address, trusted):
        address = hops.pop()
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return peer


def comes_from_us(fetch_site: str | None, origin: str | None, host: str) -> bool:
    """Whether an unsafe request was made by one of our own pages.

    Browsers say so in Sec-Fetch-Site (W3C Fetch Metadata) where the connection is trustworthy, else in
    Origin; one that says neither is no browser of today.
    """
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    if origin is not None and origin != "null":
        return urlsplit(origin).netloc.lower() == host.lower()
    return False


class ProxyLayer(ASGIMiddleware):
    """Puts the real client's address in ``scope["client"]`` and the real scheme into ``scope["scheme"]``."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, trusted: Sequence[str]) -> None:
        self.trusted = networks(tuple(trusted))

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Apply it to one request."""
        client = scope.get("client")
        peer = client[0] if client else ""
        if self.trusted and _trusted(peer, self.trusted):
            headers = Headers.from_scope(scope)
            address = client_address(peer, headers.get("x-forwarded-for", ""), self.trusted)
            scope["client"] = (address, client[1] if client else 0)
            scheme = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
            if scheme in {"http", "https"}:
                cast("dict[str, Any]", scope)["scheme"] = scheme
        await next_app(scope, receive, send)


class OriginLayer(ASGIMiddleware):
    """Refuses unsafe requests that other sites made in a visitor's name, before any cookie is believed."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "from_anywhere"

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Apply it to one request. Raises NotAllowed for a foreign one."""
        if cast("dict[str, Any]", scope)["method"] not in SAFE_METHODS:
            headers = Headers.from_scope(scope)
            if not comes_from_us(
                headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host", "")
            ):
                raise NotAllowed("The request came from another site.")
        await next_app(scope, receive, send)


async def add_headers(message: Message, scope: Scope) -> None:
    """Add the safe headers to an answer, whatever made it; one that set a header itself keeps it."""
    if message["type"] != "http.response.start":
        return
    message.setdefault("headers", [])
    headers = MutableScopeHeaders.from_message(message)
    wanted = dict(HEADERS)
    if scope.get("scheme") == "https":
        wanted["strict-transport-security"] = STRICT_TRANSPORT
    for name, value in wanted.items():
        if name not in headers:
            headers[name] = value
