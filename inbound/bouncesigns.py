"""Does a letter look like a delivery report, by its sender, subject and parts, before it is read as one?"""

from __future__ import annotations

import re
from typing import Final

from inbound import subjects
from inbound.parsed import ParsedMail

_DAEMON: Final = re.compile(
    r"^(?:mailer[-_.]?dae?mon|mail[-_.]?dae?mon|post[-_]?master|mdaemon|maildaemon|mailer|mdeamon"
    r"|double-bounce|mail-?deliver\S*|bounces?|mmdf|uucp"
    r"|microsoftexchange[0-9a-f]*|mail[-_.]?system|ndr|mail|no-?reply|root|exchange|notification"
    r"|smtp|mailadmin|deliverysubsystem|imss)(?:[-+=_].{0,80})?@?",
    re.IGNORECASE,
)
_SURE_DAEMON: Final = re.compile(
    r"^(?:mailer[-_.]?dae?mon|mail[-_.]?dae?mon|post[-_]?master|mdaemon|maildaemon|double-bounce"
    r"|microsoftexchange)",
    re.IGNORECASE,
)
_DAEMON_NAME: Final = re.compile(
    r"mail(?:er)?[ -](?:delivery|daemon)|delivery (?:sub)?system|mailer-?daemon|postmaster"
    r"|mail administrator|mail system"
    r"|система доставки|почтовая система|подсистема доставки|почтовый робот|pašto sistema"
    r"|pristatymo (?:sub|po)?sistema",
    re.IGNORECASE,
)
SUBJECT: Final = re.compile(
    r"undeliver|non-delivery|mail failed|returning (?:message )?to sender|non remis"
    r"|delivery (?:status notification|fail|report|problem|error|notification|has failed"
    r"|unsuccessful|incomplete|delayed?)|returned (?:mail|e-?mail|message)"
    r"|return(?:ed)? to sender|mail (?:delivery|system error|could not be delivered|failure"
    r"|delivery failed|returned)|failure notice|failed (?:mail|delivery|to deliver)"
    r"|message (?:delivery|not delivered|undeliverable)"
    r"|nondeliverable|non[- ]delivery|could not (?:be delivered|deliver)|unzustellbar|rejected mail"
    r"|mail rejected|error sending|mail error"
    r"|delayed (?:mail|delivery|message)|delivery delayed|warning: (?:message|could not|e-?mail)"
    r"|still being retried|не ?доставлен|не удалось доставить|недоставк"
    r"|ошибка (?:при )?доставк|сообщение (?:не доставлено|возвращено)|отчет о доставке"
    r"|отч[её]т о недоставке|уведомление о (?:состоянии доставки|недоставке|задержке)"
    r"|возврат (?:письма|почты|сообщения)"
    r"|доставка (?:невозможна|задерж|отложен)|nepristat|pristatyti nepavyko|nepavyko (?:pristatyti"
    r"|išsiųsti)|pristatymo (?:klaida|būsen|pranešim|nesėkm)|grąžint\S* laišk|laiškas grąž"
    r"|neįmanoma pristatyti|pristatymas (?:nepavyko|vėluoja|atidėtas)|^(?:dsn|bounce|ndn|ndr)\b"
    r"|user unknown|unknown (?:user|recipient)|mail block|system error",
    re.IGNORECASE,
)
"""Subjects of delivery reports."""

_TEXT: Final = re.compile(
    r"could not be delivered|undeliverable|delivery (?:to the following|failed|has failed|failure)"
    r"|(?:was|were) not delivered|unable to deliver|permanent (?:fatal )?error"
    r"|did not reach the following|error message below|invalid user address|failed (?:permanently"
    r"|recipient)|message that you sent|couldn't be delivered|recipient.{0,40}(?:rejected|unknown)"
    r"|returned (?:message|mail)"
    r"|не (?:было|может быть|удалось|был[аи]?) доставл?|не доставлено|nebuvo pristatyt"
    r"|(?:nepavyko|negalima|neįmanoma) pristatyti|negali būti pristatyt|(?:laišk"
    r"|pranešim)\S* .{0,80}nepristatyt"
    r"|pristatyti (?:nepavyko|negalima)|(?:письмо|сообщение)\b.{0,120}\bне (?:было |может быть )?доставлен"
    r"|could not deliver|delivery attempt|has been delayed",
    re.IGNORECASE,
)

_STRONG: Final = re.compile(
    r"failed recipients?\b|non-?delivery report"
    r"|could not be delivered to(?: the following)?(?: recipient| user|\s*:|\s*\n)"
    r"|could not deliver message to the following"
    r"|smtp (?:error|reply|code)|remote host said|the following (?:recipient|address)\S* (?:failed"
    r"|could not)|delivery to the following recipient",
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
    passed_on = subjects.kind(mail.subject) == "forward"
    if (
        subject
        and text
        and (weak or (_STRONG.search(mail.text[:1500]) and not passed_on))
        and not mail.in_reply_to
    ):
        return "the subject and the words of a delivery report"
    if daemon and any(part.content_type in {"message/rfc822", "text/rfc822-headers"} for part in mail.parts):
        return "a mail server's address and a letter inside"
    return ""


def _is_answer(mail: ParsedMail) -> bool:
    """A person who is the postmaster and answers: an answer's subject and no word of delivery."""
    return (
        mail.subject[:3].lower() == "re:"
        and _TEXT.search(mail.text[:3000]) is None
        and bool(mail.return_path)
    )
