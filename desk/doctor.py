"""What is wrong with this installation, and what to do about it: one finding for each thing looked at."""

from __future__ import annotations

import asyncio
import ctypes
import ctypes.util
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import sqlalchemy as sa

from core.config import Settings
from core.config_sections import MailAuth, Mailbox, Relay
from core.context import Context
from core.errors import DatabaseTooNew, DatabaseTooOld, FrontdeskError
from desk import doctorphone, wiring
from desk.findings import Finding, Verdict

SKEW_NOTE, SKEW_WRONG = 2.0, 30.0
"""Seconds between our clock and the database's."""
STALE_QUEUE = 600.0
"""Seconds a job may wait before it seems that nobody works."""
RESERVED = frozenset({"test", "example", "invalid", "localhost", "local"})
"""Top-level names that nobody can register (RFC 2606, RFC 6762)."""
LATE_MAILBOX = 900.0
"""Seconds since a mailbox was last asked before it seems that nobody fetches."""


def examine(settings: Settings, *, offline: bool = False) -> Iterator[Finding]:
    """Look at everything, one thing after the other; with `offline` no server outside is asked."""
    yield from _guarded("settings", lambda: check_settings(settings))
    yield from _guarded("database", lambda: check_database(settings))
    if not offline:
        for mailbox in settings.mailboxes:
            yield from _guarded(
                f"mailbox {mailbox.name}", lambda mailbox=mailbox: check_mailbox(settings, mailbox)
            )
    if not settings.mailboxes:
        yield Finding(
            "mailboxes", Verdict.NOTE, "none is set up.", "Add a [[mailboxes]] section to the settings."
        )
    if settings.relay is None:
        yield Finding("relay", Verdict.NOTE, "none is set up, so nothing is sent.", "Add a [relay] section.")
    elif not offline:
        relay = settings.relay
        yield from _guarded("relay", lambda: check_relay(settings, relay))
        yield from _guarded("mail domain", lambda: check_mail_domain(settings, relay))
    yield from _guarded("telephone", lambda: doctorphone.settings_of(settings))
    if settings.twilio is not None and not offline:
        yield from _guarded("twilio", lambda: doctorphone.account_of(settings))
    yield from _guarded("disk", lambda: check_disk(settings))
    yield from _guarded("fonts", check_fonts)


def _guarded(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except FrontdeskError as error:
        usual = "Check its name and port in the settings, and the network." if error.retryable else ""
        yield Finding(what, Verdict.WRONG, error.message, error.cure or usual)
    except Exception as error:
        yield Finding(what, Verdict.WRONG, f"looking at it failed: {type(error).__name__}: {error}")


def check_settings(settings: Settings) -> Iterator[Finding]:
    """The settings file, and what in it will bite later."""
    yield Finding("settings", Verdict.OK, f"read from {settings.file or 'variables and defaults'}.")
    if settings.file is not None and settings.file.stat().st_mode & 0o077 and settings.secret_values():
        yield Finding(
            "settings",
            Verdict.WRONG,
            f"{settings.file} holds secrets and others may read it.",
            f"Run: chmod 600 {settings.file}",
        )
    url = settings.company.public_url
    if url.startswith("http://") and not url.startswith(("http://127.", "http://localhost")):
        yield Finding(
            "settings",
            Verdict.NOTE,
            f"company.public_url is {url}, without TLS.",
            "Put a proxy with TLS before the desk.",
        )
    names = [mailbox.name for mailbox in settings.mailboxes]
    if len(set(names)) < len(names):
        yield Finding("settings", Verdict.WRONG, "two mailboxes have the same name.", "Rename one of them.")
    settings.signing_key()


def check_database(settings: Settings) -> Iterator[Finding]:
    """That it answers, has our schema and our clock, and that somebody does its jobs."""
    with wiring.opened(settings, application="frontdesk doctor", schema=wiring.Schema.LEAVE) as context:
        yield from _database(settings, context)


def _database(settings: Settings, context: Context) -> Iterator[Finding]:
    from core import db

    db.check_server(context.engine)
    kind = "the built-in server" if settings.database_url is None else "a server of yours"
    before = time.time()
    with context.engine.connect() as connection:
        version = connection.scalar(sa.text("show server_version"))
        yield Finding("database", Verdict.OK, f"{kind} answers, PostgreSQL {version}.")
        theirs = connection.scalar(sa.text("select extract(epoch from clock_timestamp())::float8")) or 0.0
    skew = abs(theirs - (before + time.time()) / 2)
    if skew > SKEW_NOTE:
        verdict = Verdict.WRONG if skew > SKEW_WRONG else Verdict.NOTE
        yield Finding(
            "clock", verdict, f"ours and the database's differ by {skew:.0f} s.", "Set both by NTP."
        )
    else:
        yield Finding("clock", Verdict.OK, "ours and the database's agree.")
    try:
        db.check_schema(context.engine)
    except (DatabaseTooNew, DatabaseTooOld) as error:
        yield Finding("schema", Verdict.WRONG, error.message, error.cure)
        return
    yield Finding("schema", Verdict.OK, f"stands at migration {db.latest_revision()}.")
    yield from _jobs(context)
    yield from _mailbox_health(settings, context)


def _jobs(context: Context) -> Iterator[Finding]:
    from core import jobreport

    with context.transaction() as session:
        given_up = len(jobreport.failed(session))
        waiting = session.execute(
            sa.text(
                "select count(*), extract(epoch from now() - min(execute_after))::float8 from pgqueuer"
                " where status = 'queued' and execute_after < now()"
            )
        ).one()
    if given_up:
        yield Finding(
            "jobs", Verdict.NOTE, f"{given_up} were given up.", "`frontdesk jobs list` shows them and why."
        )
    if waiting[0] and waiting[1] > STALE_QUEUE:
        yield Finding(
            "jobs",
            Verdict.WRONG,
            f"{waiting[0]} wait, the oldest for {waiting[1] / 60:.0f} minutes.",
            "Is a worker running? Start `frontdesk serve`, or more of `frontdesk work`.",
        )
    else:
        yield Finding("jobs", Verdict.OK, f"{waiting[0]} wait.")


def _mailbox_health(settings: Settings, context: Context) -> Iterator[Finding]:
    from core.intake import Mailbox as Row

    configured = {(mailbox.name, mailbox.folder) for mailbox in settings.mailboxes}
    with context.transaction() as session:
        rows = [row for row in session.scalars(sa.select(Row)) if (row.name, row.folder) in configured]
        for row in rows:
            what = f"mailbox {row.name}"
            if row.error:
                yield Finding(what, Verdict.WRONG, f"the last look at it failed: {row.error}")
            elif row.last_fetched_at is None:
                yield Finding(what, Verdict.NOTE, "it has never been fetched.", "Start `frontdesk serve`.")
            elif (age := (datetime.now(UTC) - row.last_fetched_at).total_seconds()) > LATE_MAILBOX:
                yield Finding(
                    what, Verdict.NOTE, f"last fetched {age / 60:.0f} minutes ago.", "Is a worker running?"
                )
            else:
                yield Finding(what, Verdict.OK, f"last fetched {age:.0f} s ago, {row.backlog} waiting.")


def check_mailbox(settings: Settings, mailbox: Mailbox) -> Iterator[Finding]:
    """Sign in and open the folder."""
    from inbound.imap import MailServer
    from inbound.oauth import TokenSource

    tokens = None
    if mailbox.auth is not MailAuth.PASSWORD and mailbox.oauth is not None:
        tokens = TokenSource(mailbox.oauth, store=settings.data_dir / "tokens" / mailbox.name)
    server = MailServer.sign_in(mailbox, tokens=tokens, operation_seconds=30.0)
    try:
        folder = server.open(mailbox.folder)
    finally:
        server.close()
    yield Finding(
        f"mailbox {mailbox.name}",
        Verdict.OK,
        f"{mailbox.host} lets us in; {mailbox.folder} holds {folder.exists}.",
    )


def check_relay(settings: Settings, relay: Relay) -> Iterator[Finding]:
    """Connect, secure and sign in, and send nothing."""
    from outbound.channels.smtp import SmtpChannel

    async def knock() -> None:
        line = SmtpChannel(relay, settings.limits).line()
        await line.open()
        await line.close()

    asyncio.run(knock())
    yield Finding("relay", Verdict.OK, f"{relay.host}:{relay.port} lets us in.")


def check_mail_domain(settings: Settings, relay: Relay) -> Iterator[Finding]:
    """Whether receivers can tell that mail of our domain is ours: SPF, DKIM, DMARC and MX."""
    from core.errors import Unreachable
    from outbound import maildomain

    domain = relay.from_address.rpartition("@")[2].lower()
    if domain.rpartition(".")[2] in RESERVED or "." not in domain:
        yield Finding("mail domain", Verdict.NOTE, f"{domain} is no domain of the internet's.")
        return
    try:
        for one in maildomain.findings(domain, settings.dkim, maildomain.by_dns(timeout=2.0, tries=4.0)):
            yield Finding(one.what, Verdict(one.grade.value), one.said, one.cure)
    except Unreachable as error:
        yield Finding("mail domain", Verdict.NOTE, error.message, "Look again where DNS can be asked.")


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Free space where the data is."""
    place = settings.data_dir
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    needed = settings.limits.free_disk_bytes
    if free < needed:
        yield Finding(
            "disk",
            Verdict.WRONG,
            f"{free / 1e9:.1f} GB are free at {place}; with less than {needed / 1e9:.1f} nothing is fetched.",
            "Make room, or move data_dir.",
        )
    else:
        verdict = Verdict.NOTE if free < 3 * needed else Verdict.OK
        yield Finding("disk", verdict, f"{free / 1e9:.0f} GB are free at {place}.")


def check_fonts() -> Iterator[Finding]:
    """Whether PDF documents can be made, and in letters of our languages."""
    try:
        import weasyprint
    except OSError as error:
        yield Finding(
            "fonts",
            Verdict.WRONG,
            f"PDF documents cannot be made: {str(error).splitlines()[0]}",
            "Install Pango, on Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0",
        )
        return
    del weasyprint
    missing = [language for language in ("lt", "ru") if not has_font(language)]
    if missing:
        yield Finding(
            "fonts",
            Verdict.WRONG,
            f"no font has all letters of {' and '.join(missing)}.",
            "Install one, on Debian: apt-get install fonts-dejavu-core",
        )
    else:
        yield Finding("fonts", Verdict.OK, "letters of Lithuanian and Russian are there.")


def has_font(language: str) -> bool:
    """Whether an installed font has all letters of the language, as fontconfig knows it."""
    found = ctypes.util.find_library("fontconfig")
    library = ctypes.CDLL(found or "libfontconfig.so.1")
    library.FcInitLoadConfigAndFonts.restype = ctypes.c_void_p
    library.FcNameParse.restype = ctypes.c_void_p
    library.FcObjectSetCreate.restype = ctypes.c_void_p
    library.FcFontList.restype = ctypes.POINTER(ctypes.c_int)
    library.FcFontList.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    config = library.FcInitLoadConfigAndFonts()
    pattern = library.FcNameParse(f":lang={language}".encode())
    fonts = library.FcFontList(config, pattern, library.FcObjectSetCreate())
    # The first member of the set that fontconfig returns is the number of fonts.
    return bool(fonts and fonts[0])
