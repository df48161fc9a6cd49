"""A client's letter as it was sent, in a frame of its own, and its attachments, only ever as downloads."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from litestar import Response, get
from litestar.datastructures import State
from litestar.enums import MediaType
from litestar.params import FromPath
from sqlalchemy import select

from core.conversations import Attachment, Message
from core.documents import Document
from core.errors import NotFound
from core.intake import RawMessage
from desk.access import WORKERS, conversation_for
from desk.given import Transaction
from desk.letterview import make_safe
from desk.render import PageRequest, html
from desk.security import DOWNLOAD_POLICY, LETTER_POLICY
from desk.threads import in_thread

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
    own = mime.parse(data).html if data else None
    if not own:
        raise NotFound
    safe = make_safe(own, state.settings.limits)
    return Response(
        html(request, "letter.html", letter=safe),
        media_type=MediaType.HTML,
        headers={"content-security-policy": LETTER_POLICY, "x-frame-options": "SAMEORIGIN"},
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
