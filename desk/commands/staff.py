"""`frontdesk staff`: colleagues."""

from __future__ import annotations

import secrets
import sys

import click

from desk import wiring


@click.group("staff")
def command() -> None:
    """Add colleagues who may sign in at the desk."""


@command.command(
    "add",
    epilog="""\b
Examples:
  frontdesk staff add ona@example.lt --name "Ona Petraitė" --language lt
  frontdesk staff add boss@example.lt --role head --team sales
  pass show desk | frontdesk staff add ivan@example.lt --password-stdin
""",
)
@click.argument("email")
@click.option("--name", default="", help="Name and surname; else the address.")
@click.option("--language", type=click.Choice(["lt", "ru", "en"]), help="Language of their screens.")
@click.option("--role", default=None, help="What they may do, such as agent, head or admin.")
@click.option("--team", default=None, help="Their team; made if there is none of that name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(
    email: str, name: str, language: str | None, role: str | None, team: str | None, password_stdin: bool
) -> None:
    """Add a colleague; asks for the password, or makes one and shows it once."""
    from core import staff
    from core.errors import InputRefused

    settings = wiring.settings_of_this_process()
    roles = [one.value for one in staff.Role]
    if role is not None and role not in roles:
        raise click.BadParameter(f"{role!r} is not one of {', '.join(roles)}.", param_hint="--role")
    made = ""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt(
            "Password (empty: one is made)", hide_input=True, default="", show_default=False
        )
        if password and password != click.prompt("Once more", hide_input=True):
            raise InputRefused("The two passwords differ.")
    else:
        password = ""
    if not password:
        password = made = secrets.token_urlsafe(12)
    with wiring.opened(settings) as context, context.transaction() as session:
        member = staff.add(
            session,
            email=email,
            name=name,
            language=staff.Language(language or settings.company.default_language),
            role=staff.Role(role) if role else staff.Role.AGENT,
            password=password,
            team=team,
        )
        click.echo(f"{member.name} <{member.email}> may sign in now.")
    if made:
        click.echo(f"Password: {made}")
