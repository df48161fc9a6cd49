"""Verify: whether the sender is who the letter says, as far as our own mail server and the letter show."""

from __future__ import annotations

from inbound.authenticity import Claimed, findings, read_results
from inbound.parsed import Address
from inbound.work import Batch, Item


def run(batch: Batch) -> None:
    """Read the results of our own server, and look for tricks with names and domains; machines are left."""
    items = [item for item in batch.on_their_way() if item.machine is None and item.reading.from_]
    if not items:
        return
    tools = batch.tools
    trusted = tools.settings.senders.trusted_servers
    own = {address.rpartition("@")[2] for address in tools.own_addresses()}
    known, staff = tools.known.read(batch.session, own)
    for item in items:
        item.checks = read_results(item.reading.auth_results, trusted)
        item.findings = findings(_claims(item), known, staff, item.checks, own)
        if item.checks.by:
            item.note("verify", f"{item.checks.verdict(_domain(item)).value} by {item.checks.by}")


def _claims(item: Item) -> Claimed:
    reading = item.reading
    senders = [reading.from_, *reading.more_senders] if reading.from_ else []
    return Claimed(
        [Address(name, address) for name, address in senders],
        [Address(name, address) for name, address in reading.reply_to],
    )


def _domain(item: Item) -> str:
    return item.reading.from_[1].rpartition("@")[2].lower() if item.reading.from_ else ""
