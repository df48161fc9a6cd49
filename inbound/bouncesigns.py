"""Does a letter look like a delivery report, by its sender, subject and parts, before it is read as one?"""

from __future__ import annotations

import re
from typing import Final

from inbound.parsed import ParsedMail

_DAEMON: Final = re.compile(
    r"^(?:mailer[-_.]?dae?mon|mail[-_.]?dae?mon|post[-_]?master|mdaemon|maildaemon|mailer|mdeamon|double-bounce|mail-?deliver\S*|bounces?|mmdf|uucp"
    r"|microsoftexchange[0-9a-f]*|mail[-_.]?system|ndr|mail|no-?reply|root|exchange|notification|smtp|mailadmin|deliverysubsystem|imss)(?:[-+=_].{0,80})?@?",
    re.IGNORECASE,
)
_SURE_DAEMON: Final = re.compile(
    r"^(?:mailer[-_.]?dae?mon|mail[-_.]?dae?mon|post[-_]?master|mdaemon|maildaemon|double-bounce|microsoftexchange)",
    re.IGNORECASE,
)
_DAEMON_NAME: Final = re.compile(
    r"mail(?:er)?[ -](?:delivery|daemon)|delivery (?:sub)?system|mailer-?daemon|postmaster|mail administrator|mail system"
    r"|система доставки|почтовая система|подсистема доставки|почтовый робот|pašto sistema|pristatymo (?:sub|po)?sistema",
    re.IGNORECASE,
)
SUBJECT: Final = re.compile(
    r"undeliver|non-delivery|mail failed|returning (?:message )?to sender|non remis|delivery (?:status notification|fail|report|problem|error|notification|has failed|unsuccessful|incomplete|delayed?)|returned (?:mail|e-?mail|message)"
    r"|return(?:ed)? to sender|mail (?:delivery|system error|could not be delivered|failure|delivery failed|returned)|failure notice|failed (?:mail|delivery|to deliver)|message (?:delivery|not delivered|undeliverable)"
    r"|nondeliverable|non[- ]delivery|could not (?:be delivered|deliver)|unzustellbar|rejected mail|mail rejected|error sending|mail error"
    r"|delayed (?:mail|delivery|message)|delivery delayed|warning: (?:message|could not|e-?mail)|still being retried|не ?доставлен|не удалось доставить|недоставк"
    r"|ошибка (?:при )?доставк|сообщение (?:не доставлено|возвращено)|отчет о доставке|отч[её]т о недоставке|уведомление о (?:состоянии доставки|недоставке|задержке)|возврат (?:письма|почты|сообщения)"
    r"|доставка (?:невозможна|задерж|отложен)|nepristat|pristatyti nepavyko|nepavyko (?:pristatyti|išsiųsti)|pristatymo (?:klaida|būsen|pranešim|nesėkm)|grąžint\S* laišk|laiškas grąž"
    r"|neįmanoma pristatyti|pristatymas (?:nepavyko|vėluoja|atidėtas)|^(?:dsn|bounce|ndn|ndr)\b|user unknown|unknown (?:user|recipient)|mail block|system error",
    re.IGNORECASE,
)
"""Subjects of delivery reports."""

_TEXT: Final = re.compile(
    r"could not be delivered|undeliverable|delivery (?:to the following|failed|has failed|failure)|(?:was|were) not delivered|unable to deliver|permanent (?:fatal )?error"
    r"|did not reach the following|error message below|invalid user address|failed (?:permanently|recipient)|message that you sent|couldn't be delivered|recipient.{0,40}(?:rejected|unknown)|returned (?:message|mail)"
    r"|не (?:было|может быть|удалось|был[аи]?) доставл?|не доставлено|nebuvo pristatyt|nepavyko pristatyti|negali būti pristatyt|could not deliver|delivery attempt|has been delayed",
    re.IGNORECASE,
)

_STRONG: Final = re.compile(
    r"failed recipients?\b|non-?delivery report|could not be delivered to(?: the following)?(?: recipient| user|\s*:|\s*\n)|could not deliver message to the following"
    r"|smtp (?:error|reply|code)|remote host said|the following (?:recipient|address)\S* (?:failed|could not)|delivery to the following recipient",
    re.IGNORECASE,
)


def from_daemon(mail: ParsedMail) -> bool:
    """True where the sender is a mail server's own address."""
    for address in mail.from_ + mail.sender:
        if _SURE_DAEMON.match(address.address) or _DAEMON_NAME.search(address.name):
            return True
    return False


def signs(mail: ParsedMail) -> str:
    """Why a letter counts as a delivery report; empty where it does not."""
    for part in mail.parts:
        if part.content_type == "message/delivery-status":
            return "a delivery status part (RFC 3464)"
        if part.parameters.get("report-type", "").lower() == "delivery-status":
            return "a delivery report (RFC 3464)"
    headers = mail.headers
    if "x-failed-recipients" in headers:
        return "the field X-Failed-Recipients"
    subject = SUBJECT.search(mail.subject) is not None
    daemon = from_daemon(mail)
    empty = mail.return_path == "" or (not mail.from_ and not mail.return_path)
    if daemon and (subject or empty) and not _is_answer(mail):
        return f"a mail server's address and {'such a subject' if subject else 'an empty envelope sender'}"
    if not daemon and not subject:
        return ""
    text = _TEXT.search(mail.text[:3000]) is not None
    if daemon and text:
        return "a mail server's address and such words"
    weak = any(_DAEMON.match(address.address) for address in mail.from_) or not mail.from_
    if subject and empty and (weak or text):
        return "the subject and an empty envelope sender"
    if subject and text and (weak or _STRONG.search(mail.text[:1500])) and not mail.in_reply_to:
        return "the subject and the words of a delivery report"
    if daemon and any(part.content_type in {"message/rfc822", "text/rfc822-headers"} for part in mail.parts):
        return "a mail server's address and a letter inside"
    return ""


def _is_answer(mail: ParsedMail) -> bool:
    """A person who is the postmaster and answers: the subject is an answer's and nothing speaks of delivery."""
    return (
        mail.subject[:3].lower() == "re:"
        and _TEXT.search(mail.text[:3000]) is None
        and bool(mail.return_path)
    )
