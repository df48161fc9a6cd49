"""The files that pages load: served from memory, compressed once, under names that hold a hash of their
content.

    url("desk.css")  →  /static/desk.5f0c2a9b1e.css

A changed file gets a new name, so browsers may keep each for ever. Icons are put into the page itself.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

FOLDER = Path(__file__).parent / "static"

FILES: dict[str, str] = {
    "tabler.css": "vendor/tabler-1.6.1.min.css",
    "htmx.js": "vendor/htmx-4.0.1.min.js",
    "desk.css": "desk.css",
    "letter.css": "letter.css",
    "desk.js": "desk.js",
    "walk.js": "walk.js",
    "enclose.js": "enclose.js",
    "copies.js": "copies.js",
    "held.js": "held.js",
    "theme.js": "theme.js",
    "icon.svg": "icon.svg",
}
"""Everything that may be asked for: the name pages use, and where it lies."""

MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to be sent."""

    url: str
    media_type: str
    plain: bytes
    packed: bytes


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """All files by the name pages use."""
    found = {}
    for name, place in FILES.items():
        data = (FOLDER / place).read_bytes()
        stem, _, kind = name.rpartition(".")
        digest = hashlib.sha256(data).hexdigest()[:10]
        found[name] = Asset(
            f"/static/{stem}.{digest}.{kind}", MEDIA_TYPES[kind], data, gzip.compress(data, 9, mtime=0)
        )
    return found


@lru_cache(maxsize=1)
def by_url() -> dict[str, Asset]:
    """All files by their address."""
    return {asset.url: asset for asset in assets().values()}


def url(name: str) -> str:
    """The address of a file."""
    return assets()[name].url


@lru_cache(maxsize=1)
def _icons() -> dict[str, str]:
    """What is drawn in each icon, without its frame."""
    drawn = {}
    for path in sorted((FOLDER / "icons").glob("*.svg")):
        inner = re.sub(r"^.*?<svg[^>]*>|</svg>\s*$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", inner)
        drawn[path.stem] = re.sub(r"\s+", " ", inner).strip()
    return drawn


@lru_cache(maxsize=1_024)
def icon(name: str, label: str = "", size: int = 18) -> Markup:
    """An icon as inline SVG; without a label it is decoration, and readers of the screen pass over it."""
    described = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup(
        '<svg class="ico" width="{}" height="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" focusable="false" {}>{}</svg>'
    ).format(size, size, described, Markup(_icons()[name]))  # noqa: S704 - our own files
