"""`frontdesk staff`: colleagues."""

from __future__ import annotations

import secrets
import sys

import click

from desk import wiring


@click.group(
    "staff",
    epilog="""\b
Examples:
  frontdesk staff add ona@example.lt --name "Ona Petraitė" --role admin
  frontdesk staff list
  frontdesk staff password ona@example.lt
""",
)
def command() -> None:
    """Add colleagues who may sign in at the desk, list them, and set their passwords."""


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
    from core import audit, staff

    settings = wiring.settings_of_this_process()
    roles = [one.value for one in staff.Role]
    if role is not None and role not in roles:
        raise click.BadParameter(f"{role!r} is not one of {', '.join(roles)}.", param_hint="--role")
    chosen, made = _chosen(password_stdin)
    with wiring.opened(settings) as context, context.transaction() as session:
        member = staff.add(
            session,
            email=email,
            name=name,
            language=staff.Language(language or settings.company.default_language),
            role=staff.Role(role) if role else staff.Role.AGENT,
            password=chosen,
            team=team,
        )
        told = {"email": member.email, "role": member.role, "team": team}
        audit.note(session, None, "added", "staff", member.id, member.name, after=told)
        click.echo(f"{member.name} <{member.email}> may sign in now.")
    if made:
        click.echo(f"Password: {made}")


@command.command(
    "password",
    epilog="""\b
Examples:
  frontdesk staff password ona@example.lt
  pass show desk | frontdesk staff password ivan@example.lt --password-stdin
""",
)
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def password(email: str, password_stdin: bool) -> None:
    """Give a colleague a new password and sign them out everywhere; asks for it, or makes one."""
    from core import staffroom

    settings = wiring.settings_of_this_process()
    chosen, made = _chosen(password_stdin)
    with wiring.opened(settings) as context, context.transaction() as session:
        member = staffroom.find_by_email(session, email)
        staffroom.set_password(session, member, chosen, by=None)
        click.echo(f"{member.name} <{member.email}> signs in with the new password.")
    if made:
        click.echo(f"Password: {made}")


@command.command(
    "list",
    epilog="""\b
Examples:
  frontdesk staff list
""",
)
def show() -> None:
    """Show every colleague: address, name, role, team, and who may not sign in."""
    import sqlalchemy as sa

    from core.staff import StaffMember

    with wiring.opened(wiring.settings_of_this_process()) as context, context.transaction() as session:
        people = session.scalars(sa.select(StaffMember).order_by(StaffMember.email)).all()
        for one in people:
            team = f", {one.team.name}" if one.team is not None else ""
            left = "" if one.active else ", has left"
            locked = ", has no password yet" if one.active and not one.password_hash else ""
            click.echo(f"{one.email}  {one.name}, {one.role.value}{team}{left}{locked}")
    if not people:
        click.echo("Nobody may sign in yet. Add somebody with `frontdesk staff add`.")


def _chosen(from_stdin: bool) -> tuple[str, str]:
    """The password that was given, or one that was made; and that one once more, to be shown."""
    from core.errors import InputRefused

    given = ""
    if from_stdin:
        given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            raise InputRefused("Standard input holds no password.")
    elif sys.stdin.isatty():
        given = click.prompt("Password (empty: one is made)", hide_input=True, default="", show_default=False)
        if given and given != click.prompt("Once more", hide_input=True):
            raise InputRefused("The two passwords differ.")
    made = "" if given else secrets.token_urlsafe(12)
    return given or made, made
