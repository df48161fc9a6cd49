"""`frontdesk territory`: which colleagues answer for which countries and regions."""

from __future__ import annotations

import click
from sqlalchemy import select

from desk import wiring


@click.group(
    "territory",
    epilog="""\b
Examples:
  frontdesk territory put Latvia --country LV --staff ilze@example.lt
  frontdesk territory list
""",
)
def command() -> None:
    """Say who answers for which places: their telephones ring first for callers from there."""


@command.command(
    "put",
    epilog="""\b
Examples:
  frontdesk territory put Latvia --country LV --staff ilze@example.lt
  frontdesk territory put Kaunas --country LT --region Kaunas --staff jonas@example.lt
""",
)
@click.argument("name")
@click.option("--country", "countries", multiple=True, help="A country code; may be given several times.")
@click.option("--region", "regions", multiple=True, help="A region as clients' cards name it.")
@click.option("--staff", "staff", multiple=True, required=True, help="Mail address of who answers for it.")
def put(name: str, countries: tuple[str, ...], regions: tuple[str, ...], staff: tuple[str, ...]) -> None:
    """Make the territory NAME, or replace what it covers and who answers for it."""
    from core import territories

    with wiring.opened(wiring.settings_of_this_process()) as context, context.transaction() as session:
        territories.put(session, name, countries=list(countries), regions=list(regions), staff=list(staff))
    click.echo(f"{name}: {', '.join((*countries, *regions))} → {', '.join(staff)}")


@command.command("list")
def show() -> None:
    """Show every territory."""
    from core.staff import StaffMember
    from core.territories import Territory, TerritoryStaff

    with wiring.opened(wiring.settings_of_this_process()) as context, context.transaction() as session:
        rows = list(session.scalars(select(Territory).order_by(Territory.name)))
        for one in rows:
            query = select(StaffMember.email).join(TerritoryStaff).order_by(StaffMember.email)
            names = ", ".join(session.scalars(query.where(TerritoryStaff.territory_id == one.id)))
            click.echo(f"{one.name}: {', '.join((*one.countries, *one.regions))} → {names}")
        if not rows:
            click.echo("There are no territories. Add one with `frontdesk territory put`.")
