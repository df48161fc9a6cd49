"""`frontdesk ledger`: every letter in and every document out, added up."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from desk import wiring

if TYPE_CHECKING:
    from core.config_sections import Mailbox
    from core.context import Context
    from core.ledger import Ledger
    from inbound.reconcile import PhoneBooks

SERVER_SECONDS = 60.0


@click.command(
    "ledger",
    epilog="""\b
Examples:
  frontdesk ledger
  frontdesk ledger --json | jq .incoming
  frontdesk ledger --offline     do not ask the mail servers
""",
)
@click.option("--json", "as_json", is_flag=True, help="One object with everything.")
@click.option("--offline", is_flag=True, help="Do not compare with the mail servers.")
def command(as_json: bool, offline: bool) -> int:
    """Count letters and documents by state, and compare with what the mail servers hold.

    Exit code 1 when anything is unaccounted for; what it is stands below the counts.
    """
    from core import ledger, phoneevents

    settings = wiring.settings_of_this_process()
    with wiring.opened(settings, application="frontdesk ledger") as context:
        held = {} if offline else on_servers(context)
        with context.transaction() as session:
            books = ledger.balance(session, held)
            events = phoneevents.counts(session)
        phone = None if offline else at_twilio(context)
    sound = books.sound and not events["quarantined"] and (isinstance(phone, str | None) or phone.sound)
    if as_json:
        everything = books.as_dict() | {"sound": sound, "telephone": events}
        everything["twilio"] = phone if isinstance(phone, str | None) else asdict(phone)
        click.echo(json.dumps(everything, ensure_ascii=False, indent=2, default=str))
    else:
        click.echo(shown(books, sound=sound))
        if context.settings.twilio is not None:
            click.echo(shown_phone(events, phone))
    return int(not sound)


def at_twilio(context: Context) -> PhoneBooks | str | None:
    """What Twilio holds of the last two days against our rows, or why it could not be asked."""
    from core.errors import FrontdeskError
    from inbound.reconcile import compare
    from inbound.twilioapi import TwilioApi

    if context.settings.twilio is None:
        return None
    try:
        return compare(context, TwilioApi(context.settings.twilio))
    except FrontdeskError as error:
        return str(error)


def shown_phone(events: Mapping[str, int], phone: PhoneBooks | str | None) -> str:
    """The telephone's part of the books for a person's eyes."""
    lines = ["", click.style("What the telephone told", bold=True), *_counts(events)]
    if isinstance(phone, str):
        lines.append(f"  Twilio was not compared: {phone}")
    elif phone is not None:
        lines.append(f"  Twilio, last two days: {phone.calls} calls and {phone.messages} SMS in")
        lines.append(
            f"  Twilio, last two days: {phone.calls_out} calls and {phone.messages_out} SMS out, "
            f"{phone.uncertain} of ours uncertain"
        )
        if phone.foreign:
            lines.append(f"    not ordered from here: {', '.join(phone.foreign[:20])}")
        missing = (*phone.missing_calls, *phone.missing_messages, *phone.lost)
        if missing:
            lines.append(click.style(f"    unaccounted for: {', '.join(missing[:20])}", fg="red"))
    return "\n".join(lines)


def on_servers(context: Context) -> Mapping[tuple[str, str], set[int] | str]:
    """What each mailbox's server holds now: its UIDs, or why they cannot be compared."""
    import sqlalchemy as sa

    from core.intake import Mailbox as Row

    with context.transaction() as session:
        numbering = {(row.name, row.folder): row.uidvalidity for row in session.scalars(sa.select(Row))}
    held: dict[tuple[str, str], set[int] | str] = {}

    def ask(mailbox: Mailbox) -> None:
        key = (mailbox.name, mailbox.folder)
        held[key] = _uids(context, mailbox, numbering.get(key))

    threads = [threading.Thread(target=ask, args=(mailbox,)) for mailbox in context.settings.mailboxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return held


def _uids(context: Context, mailbox: Mailbox, uidvalidity: int | None) -> set[int] | str:
    from core.config_sections import MailAuth
    from core.errors import FrontdeskError
    from inbound.imap import MailServer
    from inbound.oauth import TokenSource

    tokens = None
    if mailbox.auth is not MailAuth.PASSWORD and mailbox.oauth is not None:
        tokens = TokenSource(mailbox.oauth, store=context.settings.data_dir / "tokens" / mailbox.name)
    try:
        server = MailServer.sign_in(mailbox, tokens=tokens, operation_seconds=SERVER_SECONDS)
        try:
            folder = server.open(mailbox.folder)
            if uidvalidity is not None and folder.uidvalidity != uidvalidity:
                return "The server has numbered it anew, and it has not been read again yet."
            return set(server.uids_above(0, folder.exists))
        finally:
            server.close()
    except (FrontdeskError, OSError) as error:
        return str(error)


def shown(books: Ledger, *, sound: bool) -> str:
    """The books for a person's eyes; `sound` also speaks for what is shown after them."""
    lines = [click.style("Letters in", bold=True), *_counts(books.incoming)]
    lines += ["", click.style("Documents out", bold=True), *_counts(books.outgoing)]
    if books.mailboxes:
        lines += ["", click.style("Mailboxes", bold=True)]
    for box in books.mailboxes:
        server = "not compared" if box.on_server is None else f"{box.on_server} on the server"
        lines.append(f"  {box.name} {box.folder}: {box.recorded} on record, {server}, {box.backlog} waiting")
        if box.missing:
            lines.append(
                click.style(f"    unaccounted for: {', '.join(map(str, box.missing[:20]))}", fg="red")
            )
        if box.error:
            lines.append(f"    {box.error}")
    lines.append("")
    if sound:
        lines.append(click.style("Everything is accounted for.", fg="green"))
    for one in books.discrepancies:
        lines.append(click.style(f"{one.count} {one.what}: {', '.join(one.items[:20])}", fg="red"))
    return "\n".join(lines)


def _counts(counts: Mapping[str, int]) -> list[str]:
    if not any(counts.values()):
        return ["  none"]
    return [f"  {state:<14}{count:>8}" for state, count in counts.items() if count]
