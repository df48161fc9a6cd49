"""A client's letter as it was sent, in a frame of its own, and its attachments, only ever as downloads."""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote

from litestar import Response, get
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.params import FromPath
from sqlalchemy import select

from core.conversations import Attachment, Message
from core.documents import Document
from core.enclosures import Enclosure
from core.errors import NotFound
from core.intake import RawMessage
from desk.access import WORKERS, conversation_for
from desk.given import Transaction
from desk.letterview import make_safe
from desk.render import PageRequest, html
from desk.security import DOWNLOAD_POLICY, LETTER_POLICY
from desk.threads import in_thread

if TYPE_CHECKING:
    from inbound.parsed import ParsedMail

SAFE_TYPES = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,80}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}")
ACTIVE_TYPES = re.compile(r"html|xml|svg|script|flash|message|multipart", re.IGNORECASE)
"""Types that a browser might run; they go out as bytes."""


def safe_label(name: str) -> str:
    """A file name that is only a label: no path, no control or invisible characters, no device of old
    systems."""
    text = unicodedata.normalize("NFKC", name)
    text = "".join(one for one in text if unicodedata.category(one)[0] != "C")
    text = re.split(r"[/\\]", text)[-1]
    text = re.sub(r'[<>:"|?*%]+', "_", text).strip(" .")
    stem, dot, ending = text.rpartition(".")
    text = f"{stem[:100]}{dot}{ending[:20]}" if dot else text[:120]
    if not text.strip("_. ") or re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", text):
        return "attachment"
    return text


def disposition(name: str) -> str:
    """Content-Disposition for a download (RFC 6266), with the name in UTF-8 and a plain one beside it."""
    label = safe_label(name)
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._ -]", "", plain).strip(" .") or "attachment"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(label, safe='')}"


def media_type(content_type: str) -> str:
    """The type to declare: the attachment's own where it is harmless and well formed."""
    kind = content_type.strip().lower()
    return (
        kind if SAFE_TYPES.fullmatch(kind) and not ACTIVE_TYPES.search(kind) else "application/octet-stream"
    )


PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
"""How a picture that may stand in a letter begins; what it calls itself counts for nothing."""
LARGEST_PICTURE = 1_000_000
MOST_PICTURE_BYTES = 4_000_000


def inline_pictures(mail: ParsedMail, raw: bytes) -> dict[str, str]:
    """The pictures that came with a letter and that its text shows, by Content-ID, as `data:` addresses."""
    from inbound import mime

    found: dict[str, str] = {}
    left = MOST_PICTURE_BYTES
    for one in mail.attachments:
        wanted = one.content_id and one.content_id in (mail.html or "") and one.size <= LARGEST_PICTURE
        if not wanted or one.content_id in found or left <= 0:
            continue
        content = mime.attachment_bytes(raw, one.path)
        kind = next((kind for begins, kind in PICTURES if content.startswith(begins)), None)
        if kind is not None and len(content) <= left:
            left -= len(content)
            found[one.content_id] = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return found


@get("/messages/{message_id:int}/html", enter=WORKERS)
@in_thread
def letter_html(
    request: PageRequest, state: State, session: Transaction, message_id: FromPath[int]
) -> Response[str]:
    """The letter's own HTML, made safe; its frame may run and load nothing."""
    from inbound import mime

    message = session.get(Message, message_id)
    if message is None or message.raw_id is None:
        raise NotFound
    conversation_for(session, request.scope["user"], message.conversation_id)
    data = session.scalar(select(RawMessage.data).where(RawMessage.id == message.raw_id))
    mail = mime.parse(data) if data else None
    if data is None or mail is None or not mail.html:
        raise NotFound
    asked = request.query_params.get("pictures") == "1"
    safe = make_safe(mail.html, state.settings.limits, inline=inline_pictures(mail, data), remote=asked)
    return Response(
        html(request, "letter.html", letter=safe),
        media_type=MediaType.HTML,
        headers={
            "content-security-policy": f"{LETTER_POLICY}; img-src data:{' https:' if asked else ''}",
            "x-frame-options": "SAMEORIGIN",
            "referrer-policy": "no-referrer",
        },
    )


@get("/attachments/{attachment_id:int}", enter=WORKERS)
@in_thread
def download(request: PageRequest, session: Transaction, attachment_id: FromPath[int]) -> Response[bytes]:
    """An attachment of a letter, in or out, by its own number."""
    from inbound import mime

    attachment = session.get(Attachment, attachment_id)
    if attachment is None:
        raise NotFound
    message = session.get_one(Message, attachment.message_id)
    conversation_for(session, request.scope["user"], message.conversation_id)
    content = None
    if attachment.document_id is not None:
        content = session.scalar(select(Document.data).where(Document.id == attachment.document_id))
    elif attachment.enclosure_id is not None:
        content = session.scalar(select(Enclosure.data).where(Enclosure.id == attachment.enclosure_id))
    elif message.raw_id is not None and attachment.part is not None:
        data = session.scalar(select(RawMessage.data).where(RawMessage.id == message.raw_id))
        content = mime.attachment_bytes(data, attachment.part) if data else None
    if content is None:
        raise NotFound
    return Response(
        content,
        media_type=media_type(attachment.content_type),
        headers={
            "content-disposition": disposition(attachment.name),
            "content-security-policy": DOWNLOAD_POLICY,
        },
    )


ROUTES = (letter_html, download)
