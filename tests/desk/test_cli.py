"""The command line: quick, helpful, and one line for what went wrong."""

from __future__ import annotations

import json
import mailbox
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from core import backup, db, jobreport, staff
from core.config import PREFIX, load_settings
from core.errors import ConfigurationError
from core.jobs import enqueue
from core.localdb import LocalDatabase
from desk import cli
from desk.cli import COMMANDS, frontdesk

ROOT = Path(__file__).parents[2]
LETTER = (
    b"From: Ona <ona@klientas.lt>\r\nTo: sales@example.lt\r\nSubject: %s\r\nMessage-ID: <%d@k>\r\n"
    b"\r\nLaba diena.\r\n"
)


def letter(number: int) -> bytes:
    return LETTER % (f"Uzklausa {number}".encode(), number)


def run(
    *arguments: str, database_url: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """`frontdesk …` in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= variables
    if database_url is not None:
        environment["FRONTDESK_DATABASE_URL"] = database_url
    return subprocess.run(
        [sys.executable, "-m", "desk.cli", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine over the very database that `database_url` names."""
    engine = db.make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Variables that keep everything inside this test's folder."""
    return {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "share")}


def test_the_list_of_commands_costs_no_imports() -> None:
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "desk.cli", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in seen.stderr.splitlines()}
    heavy = {
        "sqlalchemy",
        "pydantic",
        "psycopg",
        "litestar",
        "sklearn",
        "numpy",
        "jinja2",
        "pgqueuer",
        "core",
        "inbound",
    }
    assert imported & heavy == set()
    assert all(f"\n  {name}" in seen.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str) -> None:
    outcome = CliRunner().invoke(frontdesk, [name, "--help"])
    assert outcome.exit_code == 0, outcome.output
    if name not in {"staff", "classifier"}:
        assert "Examples:" in outcome.output
    assert len(COMMANDS[name][1]) < 70


def test_a_misspelt_command_is_guessed() -> None:
    done = run("serv")
    assert done.returncode == 2
    assert "Did you mean 'serve'?" in done.stderr


def test_a_wrong_setting_is_one_line_and_no_traceback(home: dict[str, str]) -> None:
    done = run("ledger", **home, FRONTDESK_DESK__PORT="many")
    assert done.returncode == 1
    assert done.stderr.startswith("frontdesk: desk.port (from FRONTDESK_DESK__PORT): 'many' should be")
    assert done.stderr.count("\n") == 1


def test_debug_shows_where_an_error_came_from(home: dict[str, str]) -> None:
    assert "Traceback" in run("--debug", "ledger", **home, FRONTDESK_DESK__PORT="many").stderr


def test_a_database_that_does_not_answer_is_one_line(home: dict[str, str]) -> None:
    done = run("ledger", database_url="postgresql://x@/x?host=/nonexistent", **home)
    assert done.returncode == 1
    assert "The database does not answer" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_database_of_a_newer_version_is_refused_with_a_sentence(
    engine: sa.Engine, database_url: str, home: dict[str, str]
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    for command in (["ledger"], ["work"], ["migrate"]):
        done = run(*command, database_url=database_url, **home)
        assert done.returncode == 1
        assert "made by a newer version" in done.stderr


def test_a_backup_of_a_newer_version_is_refused_and_what_was_there_stays(
    engine: sa.Engine, database_url: str, home: dict[str, str], tmp_path: Path
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    backup.dump(engine.url, tmp_path / "newer.dump")
    with engine.begin() as connection:
        connection.execute(
            sa.text("update alembic_version set version_num = :number"), {"number": db.latest_revision()}
        )
        connection.execute(sa.text("insert into team (name) values ('Sales')"))
    engine.dispose()
    done = run("restore", "--replace", str(tmp_path / "newer.dump"), database_url=database_url, **home)
    assert done.returncode == 1
    assert "made by a newer version" in done.stderr
    db.check_schema(engine)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from team")) == 1


def test_jobs_that_were_given_up_are_listed_and_run_again(
    engine: sa.Engine, database_url: str, home: dict[str, str]
) -> None:
    with db.transaction(engine) as session:
        enqueue(session, "a.kind", number=7)
        session.execute(sa.text("update pgqueuer set status = 'failed'"))
    assert (
        "a.kind(number=7)  no reason given\n1 given up."
        in run("jobs", "list", database_url=database_url, **home).stdout
    )
    assert run("jobs", "again", "--all", database_url=database_url, **home).stdout == "1 wait for a worker.\n"
    with db.transaction(engine) as session:
        assert jobreport.counts(session) == [jobreport.Standing("a.kind", "queued", 1)]


def test_a_file_that_is_not_there_is_one_line(home: dict[str, str]) -> None:
    done = run("--config", "/nowhere.toml", "doctor", **home)
    assert done.returncode == 2
    assert "/nowhere.toml is not there; `frontdesk init` writes one." in done.stderr
    assert cli.explain(PermissionError(13, "Permission denied", "/etc/x")) == "/etc/x: Permission denied."


def test_an_unknown_error_is_one_line_too() -> None:
    assert cli.explain(KeyError("x\ny")).startswith("KeyError: ")
    assert "\n" not in cli.explain(ValueError("a\nb"))
    assert cli.explain(ConfigurationError("It is wrong.", cure="Do this.")) == "It is wrong. Do this."


def test_parse_prints_one_object_a_line_in_order(tmp_path: Path) -> None:
    files = []
    for number in (3, 1, 2):
        files.append(tmp_path / f"{number}.eml")
        files[-1].write_bytes(letter(number))
    done = run("parse", "--json", *map(str, files))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["file"] for one in told] == [str(file) for file in files]
    assert [one["subject"] for one in told] == ["Uzklausa 3", "Uzklausa 1", "Uzklausa 2"]
    assert told[0]["from"] == [{"name": "Ona", "address": "ona@klientas.lt"}]
    assert told[0]["error"] is None


def test_parse_goes_on_after_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(letter(1))
    done = run("parse", "--json", str(tmp_path / "nothing.eml"), str(tmp_path / "one.eml"))
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert "No such file" in told[0]["error"]
    assert told[1]["subject"] == "Uzklausa 1"


def test_parse_shows_a_person_what_matters_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "away.eml").write_bytes(
        b"From: Ona <ona@klientas.lt>\nSubject: Automatic reply: Offer\nDate: Tue, 1 Jul 2025 10:00:00 Z\n"
        b"Message-ID: <a@klientas.lt>\n\nI am out of office until 15 July.\n\n"
        b"On 1 Jul 2025, at 10:00, Us <sales@own.lt> wrote:\n> Offer\n"
    )
    shown = run("parse", str(tmp_path)).stdout
    assert "from        Ona <ona@klientas.lt>" in shown
    assert "written by  a machine: out of office (the subject says so" in shown
    assert "back        2025-07-15" in shown
    assert "  | I am out of office until 15 July." in shown
    assert "(lines left out: 2 quoted; --json shows all)" in shown


def test_import_takes_each_letter_once_from_files_mbox_and_maildir(
    tmp_path: Path, engine: sa.Engine, database_url: str, home: dict[str, str]
) -> None:
    (tmp_path / "one.eml").write_bytes(letter(1))
    box = mailbox.mbox(tmp_path / "box")
    box.add(letter(1).replace(b"\r\n", b"\n"))
    box.add(letter(2).replace(b"\r\n", b"\n") + b"From here on\n")
    box.close()
    folder = mailbox.Maildir(tmp_path / "folder")
    folder.add(letter(3))
    folder.close()
    places = [str(tmp_path / name) for name in ("one.eml", "box", "folder")]
    done = run("import", *places, database_url=database_url, **home)
    assert done.stdout == "3 new, 1 known already.\n", done.stderr
    again = run("import", *places, database_url=database_url, **home)
    assert again.stdout == "0 new, 4 known already.\n"
    with engine.connect() as connection:
        (two,) = connection.scalars(sa.text("select data from raw_message where source = 'box'")).all()
    assert bytes(two).endswith(b"\nFrom here on\n")


def test_the_books_of_an_empty_database_are_sound(database_url: str, home: dict[str, str]) -> None:
    done = run("ledger", "--json", database_url=database_url, **home)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) >= {"incoming", "outgoing"}


def test_a_colleague_is_added_and_shown_a_made_password_once(
    engine: sa.Engine, database_url: str, home: dict[str, str]
) -> None:
    done = run(
        "staff",
        "add",
        "Ona@Example.lt",
        "--name",
        "Ona Petraitė",
        "--language",
        "lt",
        database_url=database_url,
        **home,
    )
    assert done.returncode == 0, done.stderr
    made = re.search(r"Password: (\S{16})", done.stdout)
    assert made is not None
    with engine.connect() as connection:
        row = connection.execute(
            sa.text("select email, name, language, password_hash from staff_member")
        ).one()
    assert (row.email, row.name, row.language) == ("ona@example.lt", "Ona Petraitė", "lt")
    assert row.password_hash.startswith("$argon2")
    again = run("staff", "add", "ona@example.lt", database_url=database_url, **home)
    assert again.returncode == 1
    assert "is a staff member already" in again.stderr
    renewed = run("staff", "password", "ONA@example.lt", database_url=database_url, **home)
    other = re.search(r"Password: (\S{16})", renewed.stdout)
    assert other is not None
    with db.transaction(engine) as session:
        assert staff.sign_in(session, "ona@example.lt", other[1]) is not None
        deeds = session.execute(sa.text("select deed, staff_id from audit_entry order by id"))
        assert [tuple(row) for row in deeds] == [("added", None), ("password", None)]


def test_a_first_command_on_an_empty_machine_makes_its_database_and_stops_it(home: dict[str, str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="fdc"))
    done = run("ledger", **home, FRONTDESK_DATA_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    assert LocalDatabase(folder / "database").postmaster_pid() is None
    shutil.rmtree(folder)


def test_migrate_makes_the_schema_and_says_where_it_stands(
    engine: sa.Engine, database_url: str, home: dict[str, str]
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("drop schema public cascade"))
        connection.execute(sa.text("create schema public"))
    refused = run("migrate", "--check", database_url=database_url, **home)
    assert refused.returncode == 1
    assert "Run `frontdesk migrate`" in refused.stderr
    assert "stands at migration" in run("migrate", database_url=database_url, **home).stdout
    assert run("migrate", "--check", database_url=database_url, **home).returncode == 0


def test_init_writes_settings_that_only_the_owner_reads(tmp_path: Path, home: dict[str, str]) -> None:
    (tmp_path / "key").write_text("secret words")
    file = tmp_path / "etc" / "frontdesk.toml"
    arguments = ["init", "--yes", "--no-test", "--output", str(file), "--company", 'UAB "Šiaurės" siurbliai']
    arguments += [
        "--address",
        "sales@example.lt",
        "--password-file",
        str(tmp_path / "key"),
        "--language",
        "lt",
    ]
    done = run(*arguments, **home)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    settings = load_settings(file)
    assert settings.company.name == 'UAB "Šiaurės" siurbliai'
    assert settings.mailboxes[0].host == "imap.example.lt"
    assert settings.relay is not None
    assert settings.relay.from_address == "sales@example.lt"
    again = run(*arguments, **home)
    assert again.returncode == 1
    assert "--force" in again.stderr


def test_init_writes_nothing_when_the_servers_refuse_us(tmp_path: Path, home: dict[str, str]) -> None:
    (tmp_path / "key").write_text("secret words")
    file = tmp_path / "frontdesk.toml"
    done = run(
        *("init", "--yes", "--output", str(file), "--address", "sales@example.lt", "--password-file"),
        *(str(tmp_path / "key"), "--imap-host", "127.0.0.1", "--imap-port", "1", "--imap-security", "plain"),
        *("--smtp-host", "127.0.0.1", "--smtp-port", "1", "--smtp-security", "plain"),
        **home,
    )
    assert done.returncode == 1
    assert "Nothing was written" in done.stderr
    assert not file.exists()


def test_init_asks_again_for_what_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "frontdesk.toml"
    answers = [
        "UAB Siurbliai",
        "de",
        "lt",
        "sales",
        "sales@example.lt",
        "",
        "",
        "secret words",
        "",
        "",
        "n",
        "",
    ]
    done = CliRunner().invoke(
        frontdesk, ["init", "--no-test", "--output", str(file)], input="\n".join(answers)
    )
    assert done.exit_code == 0, done.output
    assert load_settings(file).company.default_language == "lt"


def test_init_says_that_it_cannot_write_before_it_asks(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = CliRunner().invoke(frontdesk, ["init", "--output", str(tmp_path / "file" / "frontdesk.toml")])
    assert isinstance(outcome.exception, ConfigurationError)
    assert outcome.output == ""


def test_init_without_an_address_says_what_is_missing(home: dict[str, str]) -> None:
    done = run("init", "--yes", "--no-test", "--output", "/nonexistent/x.toml", **home)
    assert done.returncode == 2
    assert "Address of the mailbox" in done.stderr


def test_init_without_a_password_names_the_option_that_gives_one(tmp_path: Path) -> None:
    file = tmp_path / "frontdesk.toml"
    arguments = ["init", "--yes", "--no-test", "--output", str(file), "--address", "sales@example.lt"]
    done = CliRunner().invoke(frontdesk, arguments)
    assert (done.exit_code, file.exists()) == (2, False)
    assert "--password-file" in done.output


def test_work_names_the_queues_there_are(database_url: str, home: dict[str, str]) -> None:
    done = run("work", "--queues", "inbuond", database_url=database_url, **home)
    assert done.returncode == 2
    assert "inbound" in done.stderr


def test_a_rehearsal_says_by_its_exit_code_whether_something_would_differ(
    database_url: str, home: dict[str, str], tmp_path: Path
) -> None:
    nothing = run("rehearse", database_url=database_url, **home)
    assert (nothing.returncode, nothing.stderr) == (0, "")
    assert "0 clients would see a difference" in nothing.stdout
    change = tmp_path / "change.toml"
    change.write_text("[[routing]]\nkind = 'strange'\n")
    faulty = run("rehearse", str(change), database_url=database_url, **home)
    assert (faulty.returncode, faulty.stderr.count("\n")) == (1, 1)
    assert run("rehearse", str(change), "--draft", "b2b", database_url=database_url, **home).returncode == 2
