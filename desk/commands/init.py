"""`frontdesk init`: asks what is needed, tests it and writes the settings file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from desk.settingsfile import render, write

KNOWN_SERVERS = {
    "gmail.com": ("imap.gmail.com", "smtp.gmail.com"),
    "googlemail.com": ("imap.gmail.com", "smtp.gmail.com"),
    "outlook.com": ("outlook.office365.com", "smtp.office365.com"),
    "hotmail.com": ("outlook.office365.com", "smtp.office365.com"),
    "yandex.ru": ("imap.yandex.ru", "smtp.yandex.ru"),
    "mail.ru": ("imap.mail.ru", "smtp.mail.ru"),
}


class MailAddress(click.ParamType):
    """An address of the form name@domain."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address without spaces around it; fails for anything else."""
        address = str(value).strip()
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
            self.fail(f"{address!r} is no mail address.", param, ctx)
        return address


SECURITY = click.Choice(["tls", "starttls", "plain"])


@dataclass(frozen=True)
class Asker:
    """Asks a person, or takes the default when nobody is to be asked."""

    ask: bool

    def text(
        self,
        question: str,
        given: str | None,
        default: str | None = None,
        kind: click.ParamType = click.STRING,
    ) -> str:
        """The given value, an answer, or the default; a needed value without one is a usage error.

        An answer that is not of its kind is asked for again.
        """
        if given is not None:
            return str(kind.convert(given, None, None))
        if self.ask:
            answer = click.prompt(question, default=default, type=kind, show_choices=False)
            return str(answer).strip()
        if default is None:
            raise click.UsageError(f"{question}: it is not given, and --yes asks nobody.")
        return default

    def secret(self, question: str, given_file: Path | None) -> dict[str, str]:
        """Where a password comes from: a file that was named, or an answer; without either a usage error."""
        if given_file is not None:
            return {"password_file": str(given_file.absolute())}
        if self.ask:
            return {"password": click.prompt(question, hide_input=True)}
        raise click.UsageError(f"{question}: --yes asks nobody. Name a file that holds it: --password-file.")

    def agreed(self, question: str, *, default: bool) -> bool:
        """Whether a person agrees; the default when nobody is asked."""
        return click.confirm(question, default=default) if self.ask else default


@click.command(
    "init",
    epilog="""\b
Examples:
  frontdesk init
  frontdesk init --output /etc/frontdesk/frontdesk.toml
  frontdesk init --yes --company "UAB Siurbliai" --address sales@example.lt \\
      --imap-host imap.example.lt --smtp-host smtp.example.lt --password-file /run/secrets/sales
""",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("frontdesk.toml"))
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--yes", "quiet", is_flag=True, help="Ask nothing; take defaults for what is not given.")
@click.option("--test/--no-test", default=True, help="Sign in to mailbox and relay before writing.")
@click.option("--company", help="Name of the company.")
@click.option("--language", type=click.Choice(["lt", "ru", "en"]), help="Where a client's is not known.")
@click.option("--public-url", help="Address at which clients reach us.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder for the data.")
@click.option("--database-url", help="A PostgreSQL of yours; else the built-in one.")
@click.option("--address", help="The mailbox's address.")
@click.option("--mailbox", "mailbox_name", help="Our name for the mailbox; else the part before the @.")
@click.option("--imap-host", help="Its IMAP server.")
@click.option("--imap-port", type=int, help="Its port.")
@click.option("--imap-security", type=SECURITY, help="Else tls.")
@click.option("--username", help="Its user name; else the address.")
@click.option("--password-file", type=click.Path(path_type=Path), help="A file that holds its password.")
@click.option("--smtp-host", help="The relay that takes our mail.")
@click.option("--smtp-port", type=int, help="Its port.")
@click.option("--smtp-security", type=SECURITY, help="Else starttls.")
@click.option("--smtp-username", help="Its user name; else the mailbox's, empty for none.")
@click.option("--smtp-password-file", type=click.Path(path_type=Path), help="Else the mailbox's password.")
def command(output: Path, force: bool, quiet: bool, test: bool, **given: Any) -> None:
    """Ask what is needed, test the mailbox and the relay, and write the settings file with mode 0600."""
    from core.config import load_settings
    from core.errors import InputRefused

    if output.exists() and not force:
        raise InputRefused(f"{output} exists.", cure="Use --force to overwrite it, or --output for another.")
    _refuse_unwritable(output)
    asker = Asker(ask=not quiet)
    content = _ask_everything(asker, given)
    settings = load_settings(None, **content)
    if test and not _works(settings) and not asker.agreed("Write the file all the same?", default=False):
        raise InputRefused("Nothing was written.", cure="Correct what failed, or use --no-test.")
    write(output, render(content))
    click.echo(
        f"{output} is written. Next:\n  frontdesk serve\n  frontdesk staff add YOUR@ADDRESS --role admin"
    )


def _refuse_unwritable(output: Path) -> None:
    """Before a dozen questions are answered in vain."""
    from core.errors import ConfigurationError

    folder = output.absolute().parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"{output} cannot be written: {folder} is not ours to write in.",
            cure="Choose another with --output.",
        )


def _ask_everything(asker: Asker, given: dict[str, Any]) -> dict[str, Any]:
    company = {
        "name": asker.text("Name of the company", given["company"], "Our company"),
        "default_language": asker.text(
            "Language where a client's is not known (lt, ru, en)",
            given["language"],
            "en",
            click.Choice(["lt", "ru", "en"]),
        ),
    }
    if given["public_url"]:
        company["public_url"] = given["public_url"]
    content: dict[str, Any] = {"company": company}
    if given["data_dir"]:
        content["data_dir"] = str(given["data_dir"].absolute())
    if given["database_url"]:
        content["database_url"] = given["database_url"]
    mailbox = _ask_mailbox(asker, given)
    content["mailboxes"] = [mailbox]
    content["relay"] = _ask_relay(asker, given, mailbox)
    while asker.ask and click.confirm("Another mailbox?", default=False):
        content["mailboxes"].append(_ask_mailbox(asker, dict.fromkeys(given)))
    return content


def _ask_mailbox(asker: Asker, given: dict[str, Any]) -> dict[str, Any]:
    address = asker.text(
        "Address of the mailbox, such as sales@example.lt", given["address"], kind=MailAddress()
    )
    local, _, domain = address.partition("@")
    host = asker.text(
        "Its IMAP server", given["imap_host"], KNOWN_SERVERS.get(domain, (f"imap.{domain}", ""))[0]
    )
    mailbox: dict[str, Any] = {
        "name": given["mailbox_name"] or local,
        "address": address,
        "host": host,
        "security": given["imap_security"] or "tls",
        "username": asker.text("Its user name", given["username"], address),
    }
    if given["imap_port"]:
        mailbox["port"] = given["imap_port"]
    return mailbox | asker.secret("Password of the mailbox", given["password_file"])


def _ask_relay(asker: Asker, given: dict[str, Any], mailbox: dict[str, Any]) -> dict[str, Any]:
    domain = mailbox["address"].partition("@")[2]
    host = asker.text(
        "The SMTP server", given["smtp_host"], KNOWN_SERVERS.get(domain, ("", f"smtp.{domain}"))[1]
    )
    relay: dict[str, Any] = {
        "host": host,
        "security": given["smtp_security"] or "starttls",
        "username": asker.text("Its user name (- for none)", given["smtp_username"], mailbox["username"]),
        "from_address": mailbox["address"],
    }
    if relay["username"] in {"-", ""}:
        relay["username"] = ""
    elif given["smtp_password_file"]:
        relay["password_file"] = str(given["smtp_password_file"].absolute())
    else:
        relay |= {name: mailbox[name] for name in ("password", "password_file") if name in mailbox}
    if given["smtp_port"]:
        relay["port"] = given["smtp_port"]
    return relay


def _works(settings: Any) -> bool:
    """Sign in to every mailbox and the relay, and say how it went."""
    from core.errors import FrontdeskError
    from desk import doctor

    checks = [partial(doctor.check_mailbox, settings, box) for box in settings.mailboxes]
    if settings.relay is not None:
        checks.append(partial(doctor.check_relay, settings, settings.relay))
    well = True
    for check in checks:
        try:
            for finding in check():
                click.echo(str(finding))
        except (FrontdeskError, OSError) as error:
            well = False
            click.echo(click.style(str(error), fg="red"), err=True)
    return well
