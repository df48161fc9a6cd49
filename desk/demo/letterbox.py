"""A letter put into the demonstration's letterbox: what `frontdesk demo send` does."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from core.errors import InputRefused, Unreachable
from core.values import email_domain, normal_email
from desk.demo import people
from desk.demo.servers import HOST

DESK_PORT = 8080
"""Where the desk is unless the demonstration said otherwise."""
SMTP_PORT = 2525
"""Where the letterbox is unless the demonstration said otherwise."""


class NoDemonstration(Unreachable):
    """No demonstration answers."""

    cure = "Start one in another terminal with `frontdesk demo`; give the port it names with --port."


def post(*, sender: str, to: str, subject: str, text: str, port: int = SMTP_PORT) -> str:
    """Send a letter to one of the mailboxes, by name or address, over SMTP; returns the address it went to.

    Raises NoDemonstration when nobody listens, InputRefused for an unknown mailbox or an empty letter.
    """
    address = people.mailboxes().get(to, to)
    if address not in people.mailboxes().values():
        raise InputRefused(
            f"The demonstration has no mailbox {to}.", cure=f"It has: {', '.join(people.mailboxes())}."
        )
    if not (text.strip() or subject.strip()):
        raise InputRefused("The letter is empty.", cure="Write something, or pipe it in.")
    letter = EmailMessage()
    letter["From"] = normal_email(sender)
    letter["To"] = address
    letter["Subject"] = " ".join(subject.split())
    letter["Date"] = formatdate(localtime=True)
    letter["Message-ID"] = make_msgid(domain=email_domain(normal_email(sender)))
    letter.set_content(text.rstrip() + "\n")
    try:
        with smtplib.SMTP(HOST, port, timeout=10) as client:
            client.send_message(letter)
    except (OSError, smtplib.SMTPException) as error:
        raise NoDemonstration(f"No demonstration answers on port {port} ({error}).") from error
    return address
