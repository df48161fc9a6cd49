"""`frontdesk doctor`: what is wrong, and what to do."""

from __future__ import annotations

import json

import click

from desk import wiring


@click.command(
    "doctor",
    epilog="""\b
Examples:
  frontdesk doctor
  frontdesk doctor --json
  frontdesk doctor --offline     ask no mail server and not Twilio
""",
)
@click.option("--json", "as_json", is_flag=True, help="One object with a list of findings.")
@click.option("--offline", is_flag=True, help="Do not connect to mailboxes, relay and Twilio.")
def command(as_json: bool, offline: bool) -> int:
    """Look at the database, mailboxes, relay, telephone, disk, clock and fonts.

    Exit code 1 when anything is wrong.
    """
    from desk import doctor

    settings = wiring.settings_of_this_process()
    findings = list(doctor.examine(settings, offline=offline))
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            mark = {"ok": click.style("ok    ", fg="green"), "note": click.style("note  ", fg="yellow")}
            click.echo(f"{mark.get(finding.verdict, click.style('WRONG ', fg='red', bold=True))}{finding}")
    return int(any(finding.verdict is doctor.Verdict.WRONG for finding in findings))
