"""Whether the telephone can work: account, numbers, where their webhooks lead, and whom may be called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.config import Settings
from core.config_phone import Engine
from desk.findings import Finding, Verdict
from inbound.twilioaccount import Account, Country, Number
from inbound.twiml import ROAD

CONSOLE = "https://console.twilio.com"


def settings_of(settings: Settings) -> Iterator[Finding]:
    """What the settings alone say."""
    phone = settings.phone
    if settings.twilio is None and not phone.exchanges:
        yield Finding(
            "telephone",
            Verdict.NOTE,
            "none is set up.",
            "Add a [twilio] section, or [[phone.exchanges]] for an exchange of your own.",
        )
        return
    if settings.twilio is not None:
        if not settings.twilio.numbers:
            yield Finding(
                "telephone", Verdict.WRONG, "no number is set.", 'Example: numbers = ["+37052000000"]'
            )
        else:
            yield Finding("telephone", Verdict.OK, f"numbers set: {len(settings.twilio.numbers)}.")
        if not settings.company.public_url.startswith("https://"):
            yield Finding(
                "telephone",
                Verdict.WRONG,
                f"Twilio cannot reach {settings.company.public_url}.",
                "Set company.public_url to the HTTPS address under which the internet reaches the desk.",
            )
        recorded = {*phone.recorded_numbers, *phone.recorded_calls_out}
        if unknown := sorted(recorded - set(settings.twilio.numbers)):
            yield Finding(
                "telephone",
                Verdict.NOTE,
                f"{unknown[0]} is to be recorded and is none of ours.",
                "Compare phone.recorded_numbers and phone.recorded_calls_out with twilio.numbers.",
            )
    for exchange in phone.exchanges:
        yield Finding("telephone", Verdict.OK, f"the exchange {exchange.name} may tell of calls.")
    if phone.transcription.engine is not Engine.NONE and not {
        *phone.recorded_numbers,
        *phone.recorded_calls_out,
    }:
        yield Finding(
            "telephone",
            Verdict.NOTE,
            "transcripts are wanted, but no number is recorded, so only messages have one.",
            "Add numbers to phone.recorded_numbers or phone.recorded_calls_out.",
        )


def account_of(settings: Settings) -> Iterator[Finding]:
    """What Twilio says of the account. Raises Unreachable or LoginRefused."""
    if settings.twilio is None:
        return
    account = Account(settings.twilio)
    state, trial = account.state()
    if state != "active":
        yield Finding("twilio", Verdict.WRONG, f"the account is {state}.", f"Look at {CONSOLE}.")
    elif trial:
        yield Finding(
            "twilio",
            Verdict.NOTE,
            "the token is right; the account is one for trial.",
            "It calls confirmed numbers only, and says so to everybody: upgrade it before clients call.",
        )
    else:
        yield Finding("twilio", Verdict.OK, "the token is right, and the account is active.")
    yield from numbers_of(settings.twilio.numbers, account.numbers(), settings.company.public_url)
    yield from countries_of(settings.phone.countries, account.countries())


def numbers_of(ours: Iterable[str], held: dict[str, Number], public_url: str) -> Iterator[Finding]:
    """Whether the account has our numbers, and whether their webhooks lead to us."""
    for number in ours:
        found = held.get(number)
        what = f"number {number}"
        if found is None:
            yield Finding(
                what,
                Verdict.WRONG,
                "the account has no such number.",
                f"It has: {', '.join(sorted(held)) or 'none'}. Correct twilio.numbers, or buy the number.",
            )
            continue
        wrong = list(_webhooks(found, public_url))
        for title, given, wanted in wrong:
            yield Finding(
                what, Verdict.WRONG, f"“{title}” leads to {given or 'nowhere'}.", f"Set it to {wanted}."
            )
        if found.can_voice and not found.fallback_url:
            yield Finding(
                what,
                Verdict.NOTE,
                "nothing answers calls while our machine is down.",
                "Set “Primary handler fails” to a TwiML Bin that takes a message: docs/operate/twilio.md.",
            )
        if not wrong:
            yield Finding(what, Verdict.OK, "its webhooks lead to us.")


def _webhooks(found: Number, public_url: str) -> Iterator[tuple[str, str, str]]:
    """Each that leads elsewhere: its name in Twilio's console, where it leads, where it should."""
    wanted = [
        (
            "A call comes in",
            found.voice_url if found.voice_method == "POST" else "GET",
            "voice",
            found.can_voice,
        ),
        ("Call status changes", found.status_url, "status", found.can_voice),
        ("A message comes in", found.sms_url, "sms", found.can_sms),
    ]
    for title, given, name, can in wanted:
        right = f"{public_url}{ROAD}/{name}"
        # What follows the # asks Twilio to try again, and is no part of the address.
        if can and given.partition("#")[0] != right:
            yield title, given, f"{right}, with HTTP POST"


def countries_of(wanted: Iterable[str], held: dict[str, Country]) -> Iterator[Finding]:
    """Whether Twilio lets us call whom the settings let us call, and nobody else."""
    wanted = set(wanted)
    cure = f"{CONSOLE} → Voice → Settings → Geo permissions."
    closed = sorted(code for code in wanted if code in held and not held[code].plain)
    if closed:
        yield Finding(
            "countries", Verdict.WRONG, f"Twilio calls nobody in {', '.join(closed)}.", f"Allow it: {cure}"
        )
    more = sorted(code for code, one in held.items() if one.plain and code not in wanted)
    named = ", ".join(more[:5]) + (" and more" if len(more) > 5 else "")
    if more:
        yield Finding(
            "countries",
            Verdict.NOTE,
            f"Twilio may call {named}, which phone.countries leaves out.",
            f"Close them against fraud: {cure}",
        )
    special = sorted(code for code, one in held.items() if one.special)
    if special:
        yield Finding(
            "countries",
            Verdict.WRONG,
            f"expensive numbers may be called in {', '.join(special[:5])}.",
            f"Take “high risk” off: {cure}",
        )
    if not closed and not special and not more:
        yield Finding("countries", Verdict.OK, "Twilio calls the countries of the settings and no others.")
