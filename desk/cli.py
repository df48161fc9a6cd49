"""The command line: `frontdesk COMMAND`. Nothing of a command is imported before it is asked for.

Each command is a file in `desk/commands`, listed in `COMMANDS` with the line that `--help` shows. An error of
ours is one line with its cause and its cure, and exit code 1; `--debug` shows where it came from.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from desk.lettertext import letter_text

COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("desk.commands.init", "Ask what is needed, test it and write the settings file."),
    "serve": ("desk.commands.serve", "Run everything: database, desk and workers."),
    "desk": ("desk.commands.desk", "Run the web application for staff."),
    "work": ("desk.commands.work", "Run a worker: fetch mail, do background jobs."),
    "migrate": ("desk.commands.migrate", "Bring the database to this version's schema."),
    "demo": ("desk.commands.demo", "Play a scene through real servers and open the desk."),
    "import": ("desk.commands.import_", "Take in letters from files, an mbox or a maildir."),
    "parse": ("desk.commands.parse", "Show what is understood of letters."),
    "classify": ("desk.commands.classify", "Say what letters want, how sure that is and why."),
    "classifier": ("desk.commands.classifier", "Train, evaluate and compare classifiers."),
    "suppressions": ("desk.commands.suppressions", "Addresses that must not be written to."),
    "ledger": ("desk.commands.ledger", "Add up every letter in and every document out."),
    "doctor": ("desk.commands.doctor", "Find what is wrong and say what to do."),
    "jobs": ("desk.commands.jobs", "Background work that was given up: look, run it again."),
    "staff": ("desk.commands.staff", "Add colleagues, list them, set their passwords."),
    "territory": ("desk.commands.territory", "Say who answers for which places."),
    "pipelines": ("desk.commands.pipelines", "Write, check and put in force the roads of deals."),
    "rehearse": ("desk.commands.rehearse", "Show what changed rules would have made of the past."),
    "backup": ("desk.commands.backup", "Write the whole database to a file."),
    "restore": ("desk.commands.restore", "Read a backup into an empty database."),
}
"""Name → the module whose `command` it is, and its line in the list of commands."""

EXAMPLES = """\b
Examples:
  frontdesk init                 ask what is needed and write frontdesk.toml
  frontdesk serve                run everything on this machine
  frontdesk staff add ona@example.lt --name "Ona Petraitė"
  frontdesk doctor               what is wrong, and what to do
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(COMMANDS[cmd_name][0]).command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and for a misspelt one say which was meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"There is no command {args[0]!r}." + (f" Did you mean {close[0]!r}?" if close else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"frontdesk {version('frontdesk')}")
    ctx.exit()


@click.group(cls=LazyGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file; else $FRONTDESK_CONFIG, ./frontdesk.toml or ~/.config/frontdesk/frontdesk.toml.",
)
@click.option("--debug", is_flag=True, help="Show where an error came from.")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
@click.pass_context
def frontdesk(ctx: click.Context, config: Path | None, debug: bool) -> None:
    """Work the mail and calls of a company that sells to companies."""
    del debug  # main() has seen it
    ctx.obj = {"read_letter": letter_text}
    if config is not None:
        if not config.is_file():
            raise click.BadParameter(
                f"{config} is not there; `frontdesk init` writes one.", param_hint="--config"
            )
        # Processes started from here read the same file.
        os.environ["FRONTDESK_CONFIG"] = str(config.absolute())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 well, 1 an error of ours, 2 used wrongly, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    try:
        code = frontdesk.main(args=given, prog_name="frontdesk", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if debug:
            raise
        click.echo(f"frontdesk: {explain(error)}", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def explain(error: Exception) -> str:
    """An error in one line: what happened and what to do."""
    from core.errors import FrontdeskError

    if isinstance(error, FrontdeskError):
        said = str(error)
    elif type(error).__module__.startswith("sqlalchemy") and type(error).__name__ == "OperationalError":
        from core.db import unavailable

        said = str(unavailable(error))  # pyright: ignore[reportArgumentType] - checked by name, so as not to import it
    elif isinstance(error, OSError) and error.strerror:
        said = f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    else:
        said = f"{type(error).__name__}: {error}. Run it again with --debug to see where."
    return " ".join(said.split())


if __name__ == "__main__":
    main()
