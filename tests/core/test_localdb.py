"""The built-in database: started by whoever needs it, shared, and back after any kill."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core.errors import ConfigurationError, DatabaseUnavailable
from core.localdb import LocalDatabase, RunsAs
from core.pgprograms import find_programs

ROOT = Path(__file__).parents[2]
FAST = {"fsync": "off"}

ENSURE = """
import sys
from pathlib import Path
from core.localdb import LocalDatabase
import psycopg
url = LocalDatabase(Path(sys.argv[1]), server_settings={"fsync": "off"}).ensure()
with psycopg.connect(url) as connection:
    print(connection.execute("select pg_postmaster_start_time()").fetchone()[0])
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a short path, and nothing running in it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fdl"))
    yield folder
    for data in folder.rglob("postmaster.pid"):
        database = LocalDatabase(data.parent.parent)
        database.stop(signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(place: Path) -> LocalDatabase:
    return LocalDatabase(place / "db", server_settings=FAST)


def said(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def write(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept values (7)")


def test_the_first_start_makes_a_database_that_speaks_our_languages(database: LocalDatabase) -> None:
    url = database.ensure()
    assert said(url, "show server_encoding") == "UTF8"
    with psycopg.connect(url) as connection:
        connection.execute("create extension pg_trgm")
    assert said(url, "select similarity('насосы', 'насос') > 0.5") is True
    assert (
        said(url, "select to_tsvector('lithuanian', 'sąskaitų') @@ to_tsquery('lithuanian', 'sąskaita')")
        is True
    )
    assert said(url, "select to_tsvector('russian', 'счета') @@ to_tsquery('russian', 'счетов')") is True


def test_it_listens_on_a_socket_that_only_its_owner_reaches(database: LocalDatabase) -> None:
    url = database.ensure()
    assert said(url, "show listen_addresses") == ""
    assert database.socket_dir.stat().st_mode & 0o777 == 0o700
    assert database.data.stat().st_mode & 0o777 == 0o700


def test_what_was_written_is_there_after_a_stop_and_a_start(database: LocalDatabase) -> None:
    write(database.ensure())
    database.stop()
    assert database.postmaster_pid() is None
    assert said(database.ensure(), "select n from kept") == 7


def test_a_server_that_runs_is_used_and_not_started_again(database: LocalDatabase) -> None:
    url = database.ensure()
    other = LocalDatabase(database.folder)
    assert other.ensure() == url
    assert (database.started, other.started) == (True, False)


def test_whoever_started_it_stops_it_when_nobody_else_is_connected(database: LocalDatabase) -> None:
    url = database.ensure()
    with psycopg.connect(url):
        assert database.release() is False
    _wait_until_alone(database)
    assert database.release() is True
    assert database.postmaster_pid() is None


def _wait_until_alone(database: LocalDatabase) -> None:
    query = "select count(*) from pg_stat_activity where backend_type = 'client backend'"
    deadline = time.monotonic() + 120
    while said(database.url, query) != 1 and time.monotonic() < deadline:
        time.sleep(0.05)


def test_who_did_not_start_it_leaves_it_running_unless_asked_to_adopt_it(database: LocalDatabase) -> None:
    database.ensure()
    other = LocalDatabase(database.folder)
    other.ensure()
    assert other.release() is False
    _wait_until_alone(database)
    assert other.release(adopt=True) is True


def test_a_killed_server_is_back_with_all_that_was_committed(place: Path) -> None:
    database = LocalDatabase(place / "db")
    write(database.ensure())
    pid = database.postmaster_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert said(database.ensure(), "select n from kept") == 7


def test_a_server_of_which_every_process_was_killed_is_back(place: Path) -> None:
    database = LocalDatabase(place / "db")
    write(database.ensure())
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{name}/cwd") == str(database.data):
                os.kill(int(name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    assert said(database.ensure(), "select n from kept") == 7


def test_a_stale_pid_file_that_names_a_living_stranger_is_seen_through(database: LocalDatabase) -> None:
    database.ensure()
    database.stop()
    stranger = str(os.getpid())
    (database.data / "postmaster.pid").write_text(
        f"{stranger}\n{database.data}\n1\n5432\n{database.socket_dir}\n\n"
    )
    (database.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{stranger}\n")
    assert said(database.ensure(), "select 1") == 1


def test_a_half_made_cluster_is_made_again(database: LocalDatabase) -> None:
    leftover = database.folder / "pg.new.999999"
    leftover.mkdir(parents=True)
    (leftover / "PG_VERSION").write_text("18\n")
    assert said(database.ensure(), "select 1") == 1
    assert not leftover.exists()


def test_a_launcher_killed_while_it_makes_the_cluster_does_no_harm(place: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", ENSURE, str(place / "db")], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list((place / "db").glob("pg.new.*")) and time.monotonic() < deadline and first.poll() is None:
        time.sleep(0.005)
    first.kill()
    first.wait()
    database = LocalDatabase(place / "db", server_settings=FAST)
    assert said(database.ensure(), "select 1") == 1


def test_several_processes_starting_at_once_share_one_server(place: Path) -> None:
    command = [sys.executable, "-c", ENSURE, str(place / "db")]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = [process.communicate(timeout=300)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert len(set(answers)) == 1


def test_the_server_outlives_the_process_that_started_it(place: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", ENSURE, str(place / "db")], cwd=ROOT, check=True, capture_output=True
    )
    database = LocalDatabase(place / "db")
    assert database.postmaster_pid() is not None
    database.ensure()
    assert not database.started


def test_a_path_too_long_for_a_socket_gets_a_short_one_of_its_own(place: Path) -> None:
    database = LocalDatabase(place / ("long" * 20) / "db", server_settings=FAST)
    try:
        assert said(database.ensure(), "select 1") == 1
        assert not database.socket_dir.is_relative_to(place)
        assert database.socket_dir.stat().st_mode & 0o777 == 0o700
    finally:
        database.stop()
        shutil.rmtree(database.socket_dir, ignore_errors=True)


def test_a_folder_with_spaces_quotes_and_letters_of_ours_works(place: Path) -> None:
    database = LocalDatabase(place / "duomenų 'bazė' $x", server_settings=FAST)
    assert said(database.ensure(), "select 1") == 1


def test_a_cluster_of_another_major_version_is_refused_with_the_way_out(database: LocalDatabase) -> None:
    database.ensure()
    database.stop()
    (database.data / "PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match=r"made by PostgreSQL 14.*backup"):
        database.ensure()


def test_a_server_that_cannot_start_says_why(place: Path) -> None:
    database = LocalDatabase(place / "db", server_settings={"shared_buffers": "much"})
    with pytest.raises(DatabaseUnavailable, match=r"shared_buffers"):
        database.ensure()


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"^data_dir: "):
        LocalDatabase(tmp_path / "file" / "db").ensure()


def test_the_log_begins_anew_when_it_is_long(database: LocalDatabase) -> None:
    database.ensure()
    database.stop()
    with database.log_file.open("ab") as log:
        log.truncate(11_000_000)
    database.ensure()
    assert database.log_file.stat().st_size < 1_000_000
    assert database.log_file.with_suffix(".log.1").stat().st_size == 11_000_000


@pytest.mark.root
def test_root_without_namespaces_runs_it_as_nobody(place: Path) -> None:
    place.chmod(0o755)
    database = LocalDatabase(place / "db", server_settings=FAST, runs_as=RunsAs.NOBODY)
    assert said(database.ensure(), "select 1") == 1
    assert database.data.stat().st_uid == pwd.getpwnam("nobody").pw_uid


@pytest.mark.root
def test_a_folder_that_nobody_cannot_reach_is_explained(place: Path) -> None:
    database = LocalDatabase(place / "closed" / "db", server_settings=FAST, runs_as=RunsAs.NOBODY)
    (place / "closed").mkdir(mode=0o700)
    with pytest.raises(DatabaseUnavailable, match="/var/lib/frontdesk"):
        database.ensure()


@pytest.mark.system_postgresql
def test_the_systems_own_programs_serve_as_well(place: Path) -> None:
    (newest, *_) = sorted(Path("/usr/lib/postgresql").glob("1[5-9]/bin"), reverse=True)
    database = LocalDatabase(place / "db", bin_dir=newest, server_settings=FAST)
    assert str(said(database.ensure(), "show server_version")).startswith(newest.parent.name)


def test_a_folder_without_programs_is_refused_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"database\.bin_dir.*Example"):
        find_programs(tmp_path)
