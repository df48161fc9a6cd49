"""Other libraries behind one face each, for the side-by-side tables; what is not installed is left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

Read = tuple[str, str, str, int]
"""Subject, sender's address, text, number of attachments."""


def _has(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def ours(raw: bytes) -> Read:
    from inbound import mime

    mail = mime.parse(raw)
    return mail.subject, mail.from_[0].address if mail.from_ else "", mail.text, len(mail.attachments)


def policy_default(raw: bytes) -> Read:
    import email
    import email.policy

    message: Any = email.message_from_bytes(raw, policy=email.policy.default)
    body = message.get_body(("plain", "html"))
    sender = message["from"]
    address = sender.addresses[0].addr_spec if sender and sender.addresses else ""
    text = body.get_content() if body else ""
    return str(message["subject"] or ""), address, text, len(list(message.iter_attachments()))


def mail_parser(raw: bytes) -> Read:
    import mailparser

    mail: Any = mailparser.parse_from_bytes(raw)
    text = "\n".join(mail.text_plain) or "\n".join(mail.text_html)
    sender = mail.from_[0][1] if mail.from_ else ""
    return str(mail.subject or ""), sender, text, len(mail.attachments)


def imap_tools(raw: bytes) -> Read:
    import imap_tools

    mail: Any = imap_tools.MailMessage.from_bytes(raw)
    return mail.subject, mail.from_, mail.text or mail.html, len(mail.attachments)


def our_reply(text: str, html: str | None) -> str:
    from inbound import quoting

    return quoting.split(text, html).reply


def mail_parser_reply(text: str, html: str | None) -> str:
    from mailparser_reply import EmailReplyParser

    return (
        EmailReplyParser(languages=["en", "de", "fr", "it", "es", "pl", "nl", "da"]).parse_reply(text=text)
        or ""
    )


def email_reply_parser(text: str, html: str | None) -> str:
    from email_reply_parser import EmailReplyParser

    return EmailReplyParser.parse_reply(text)


def quotequail_reply(text: str, html: str | None) -> str:
    import quotequail

    if html is not None:
        import re

        pieces = quotequail.quote_html(html)
        return re.sub(r"<[^>]+>", " ", " ".join(piece for shown, piece in pieces if shown))
    return "\n".join(piece for shown, piece in quotequail.quote(text, limit=None) if shown)


def our_forward(text: str) -> str:
    from inbound import forwards

    found = forwards.read_text(text)
    return found.from_.address if found and found.from_ else ""


def quotequail_forward(text: str) -> str:
    import re

    import quotequail

    found: Any = quotequail.unwrap(text)
    match = re.search(r"[\w.+-]+@[\w.-]+", (found or {}).get("from", "") or "")
    return match[0] if match else ""


def our_recipients(raw: bytes) -> set[str]:
    from inbound import bounces, mime

    bounce = bounces.read(mime.parse(raw), raw)
    return {one.lower() for one in bounce.recipients} if bounce else set()


def flufl_recipients(raw: bytes) -> set[str]:
    import email

    from flufl.bounce import all_failures

    temporary, permanent = all_failures(email.message_from_bytes(raw))
    return {one.decode("ascii", "replace").lower() for one in temporary | permanent}


def flufl_hard(raw: bytes) -> bool:
    import email

    from flufl.bounce import all_failures

    return bool(all_failures(email.message_from_bytes(raw))[1])


MIME: dict[str, Callable[[bytes], Read]] = {"frontdesk": ours, "policy.default": policy_default}
REPLY: dict[str, Callable[[str, str | None], str]] = {"frontdesk": our_reply}
FORWARD: dict[str, Callable[[str], str]] = {"frontdesk": our_forward}
BOUNCE: dict[str, Callable[[bytes], set[str]]] = {"frontdesk": our_recipients}
if _has("mailparser"):
    MIME["mail-parser"] = mail_parser
if _has("imap_tools"):
    MIME["imap_tools"] = imap_tools
if _has("mailparser_reply"):
    REPLY["mail-parser-reply"] = mail_parser_reply
if _has("email_reply_parser"):
    REPLY["email-reply-parser"] = email_reply_parser
if _has("quotequail"):
    REPLY["quotequail"] = quotequail_reply
    FORWARD["quotequail"] = quotequail_forward
if _has("flufl.bounce"):
    BOUNCE["flufl.bounce"] = flufl_recipients
