"""`frontdesk demo`: the demonstration, and the letterbox through which anybody writes to it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from desk.demo.letterbox import DESK_PORT, SMTP_PORT


@click.group(
    "demo",
    invoke_without_command=True,
    epilog="""\b
Examples:
  frontdesk demo             open a made-up company's desk; Ctrl-C ends it
  frontdesk demo --once      play the scene, check all of it, and end
  frontdesk demo send --subject "Two pumps" "What do two Aura 25-60 pumps cost?"
  frontdesk demo call +37061200101 --says "Could you send us an offer for four pumps?"
""",
)
@click.option(
    "--once", is_flag=True, help="Play the whole scene without staying; exit 1 unless all of it holds."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything in this empty folder; else in a temporary one that is removed at the end.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="The desk's port."
)
@click.option(
    "--smtp-port",
    type=click.IntRange(1, 65535),
    default=SMTP_PORT,
    show_default=True,
    help="Where letters to the company are taken.",
)
@click.pass_context
def command(ctx: click.Context, once: bool, folder: Path | None, port: int, smtp_port: int) -> int:
    """Play a made-up company's day through real programs and real servers on this machine.

    A database, an IMAP and an SMTP server are started, sixty letters in three languages arrive, and frontdesk
    works them as it would anywhere. Nothing leaves the machine. A port that is taken is replaced by another.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from desk.demo import scene

    return scene.run(once=once, folder=folder, desk_port=port, smtp_port=smtp_port)


@command.command(
    "send",
    epilog="""\b
Examples:
  frontdesk demo send "Laba diena, kiek kainuoja siurblys „Aura 25-60“?"
  frontdesk demo send --to support --from anna@baltic-yachts.example --subject "Error E4" < letter.txt
""",
)
@click.option(
    "--from", "sender", default="anna@baltic-yachts.example", show_default=True, help="Who writes the letter."
)
@click.option("--to", default="sales", show_default=True, help="The mailbox it goes to, by name or address.")
@click.option("--subject", default="", help="Its subject.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=SMTP_PORT,
    show_default=True,
    help="The SMTP port that the demonstration named.",
)
@click.argument("text", required=False)
def send(sender: str, to: str, subject: str, port: int, text: str | None) -> None:
    """Send the running demonstration a letter with TEXT, or what stands on standard input."""
    from desk.demo import letterbox

    words = sys.stdin.read() if text is None and not sys.stdin.isatty() else text or ""
    address = letterbox.post(sender=sender, to=to, subject=subject, text=words, port=port)
    click.echo(f"On its way to {address}.")


@command.command(
    "call",
    epilog="""\b
Examples:
  frontdesk demo call +37061200101 --says "Ar galėtumėte atsiųsti pasiūlymą?"
  frontdesk demo call +37061234567 --keys 21 --nobody --says "Перезвоните, пожалуйста."
""",
)
@click.argument("number")
@click.option("--says", default="", help="What the caller says, to a colleague or after the tone.")
@click.option("--keys", default="", help="Keys the caller presses when asked: language, then topic.")
@click.option("--nobody", is_flag=True, help="No colleague picks up.")
@click.option(
    "--rings", type=click.FloatRange(0, 60), default=4.0, show_default=True, help="Seconds of ringing."
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=DESK_PORT, show_default=True, help="The desk's port."
)
def call(number: str, says: str, keys: str, nobody: bool, rings: float, port: int) -> None:
    """Ring the running demonstration from NUMBER; who is rung sees on the desk who is calling."""
    from desk.demo import people
    from desk.demo.pretended import Pretended
    from desk.demo.servers import HOST

    pretended = Pretended(
        desk=f"http://{HOST}:{port}", number=number, to=people.number(), says=says, keys=keys,
        answered=not nobody, rings=rings, told=click.echo,
    )  # fmt: skip
    pretended.place()
