"""Style sheets, scripts and the icon: from memory, for ever, because a changed file has a new name."""

from __future__ import annotations

from litestar import Request, Response, get
from litestar.params import FromPath

from core.errors import NotFound
from desk import assets
from desk.access import PUBLIC


@get("/static/{name:str}", enter=PUBLIC, without_session=True)
async def static_file(request: Request, name: FromPath[str]) -> Response[bytes]:
    """One file of those that pages load."""
    asset = assets.by_url().get(f"/static/{name}")
    if asset is None:
        raise NotFound
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "cache-control": "public, max-age=31536000, immutable",
        "vary": "Accept-Encoding",
        # A letter in its frame has an origin of its own and still needs its style sheet.
        "cross-origin-resource-policy": "cross-origin",
    }
    if packed:
        headers["content-encoding"] = "gzip"
    return Response(asset.packed if packed else asset.plain, media_type=asset.media_type, headers=headers)


@get("/favicon.ico", enter=PUBLIC, without_session=True)
async def favicon() -> Response[bytes]:
    """The icon, for browsers that ask without being told."""
    asset = assets.assets()["icon.svg"]
    return Response(asset.plain, media_type=asset.media_type, headers={"cache-control": "max-age=86400"})


ROUTES = (static_file, favicon)
