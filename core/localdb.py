"""The built-in database: a PostgreSQL of our own, started when needed and shared by all processes of one
machine.

    database = LocalDatabase(settings.data_dir)
    url = database.ensure()      # runs now, whoever started it; 2 to 5 s the first time, 0.5 s later
    database.release()           # stops it if we started it and nobody else is connected

It listens on a unix socket in a folder of mode 0700 and nowhere else, and trusts who can reach that socket.
It runs as an ordinary user; as root, inside a user namespace (`core.userns`), or where those are refused as
`nobody`. It outlives the process that started it, so a kill loses nothing, and what a kill leaves behind (a
half-made folder, a stale pid file whose pid now belongs to somebody else, a dead socket) is cleared by the
next `ensure()`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg

from core import userns
from core.errors import ConfigurationError, DatabaseUnavailable
from core.pgprograms import Programs, find_programs

USER = "frontdesk"
NAME = "frontdesk"
PORT = 5432
LONGEST_SOCKET_PATH = 100
"""A unix socket's path may have 107 bytes on Linux and 103 on macOS."""

SERVER_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
    # Details of errors show the values of rows: what somebody wrote.
    "log_error_verbosity": "terse",
}
START_PATIENCE = 120.0
RECOVERY_PATIENCE = 900.0
STOP_PATIENCE = 60.0
LOG_KEPT_BYTES = 10_000_000


class RunsAs(StrEnum):
    """How the server's processes are owned."""

    OURSELVES = "ourselves"
    NAMESPACE = "namespace"
    NOBODY = "nobody"


class _State(StrEnum):
    RUNNING = "running"
    BUSY = "busy"
    ABSENT = "absent"


class LocalDatabase:
    """One PostgreSQL server in one folder."""

    def __init__(
        self,
        folder: Path,
        *,
        bin_dir: Path | None = None,
        server_settings: Mapping[str, str] | None = None,
        runs_as: RunsAs | None = None,
    ) -> None:
        """`server_settings` are added to ours; `runs_as` is found out unless given.

        Raises ConfigurationError when no PostgreSQL programs are found.
        """
        self.folder = Path(os.path.abspath(folder))
        self.data = self.folder / "pg"
        self.programs: Programs = find_programs(bin_dir)
        self.started = False
        self._settings = {**SERVER_SETTINGS, **(server_settings or {})}
        self._runs_as = runs_as
        self.socket_dir = self._socket_dir()

    @property
    def url(self) -> str:
        """The URL of the database, for SQLAlchemy, psycopg and asyncpg."""
        return self.url_of(NAME)

    def url_of(self, name: str) -> str:
        """The URL of another database on the same server."""
        return f"postgresql://{USER}@/{quote(name)}?host={quote(str(self.socket_dir), safe='')}"

    @property
    def runs_as(self) -> RunsAs:
        """How the server's processes are owned here."""
        if self._runs_as is None:
            self._runs_as = self._find_owner()
        return self._runs_as

    def ensure(self, *, patience: float = RECOVERY_PATIENCE) -> str:
        """Make sure the server runs, and return the database's URL; any number of processes may call it at
        once.

        A server that recovers from a crash is waited for as long as `patience` says, in seconds. Raises
        ConfigurationError when the folder cannot be used, DatabaseUnavailable when the server does not
        start.
        """
        try:
            return self._ensured(patience)
        except psycopg.OperationalError as error:
            # It answered a moment ago: somebody stopped or killed it meanwhile.
            said = (str(error).strip().splitlines() or ["no reason given"])[0]
            raise DatabaseUnavailable(
                f"The built-in database does not answer: {said}", cure=f"See {self.log_file}."
            ) from error

    def _ensured(self, patience: float) -> str:
        if self._state() is _State.RUNNING and self._has_database():
            return self.url
        with self._lock():
            if self._state() is not _State.RUNNING:
                self._prepare()
                self._start(patience)
            if not self._has_database():
                with self._connect("postgres") as connection:
                    connection.execute(f'create database "{NAME}"')
        return self.url

    def release(self, *, adopt: bool = False) -> bool:
        """Stop the server if we started it and nobody else is connected; returns whether it was stopped.

        With `adopt` it is stopped even if somebody who is gone started it.
        """
        if not (self.started or adopt) or self._state() is not _State.RUNNING:
            return False
        with self._lock():
            try:
                with self._connect("postgres") as connection:
                    row = connection.execute(
                        "select count(*) from pg_stat_activity"
                        " where backend_type = 'client backend' and pid <> pg_backend_pid()"
                    ).fetchone()
            except psycopg.OperationalError:
                # It ended, or is so busy that somebody must be at it.
                return False
            if row and row[0]:
                return False
            self.stop()
        return True

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends sessions and stops (fast), SIGTERM waits for them, SIGQUIT simulates a
        crash.

        Raises DatabaseUnavailable when it does not stop.
        """
        self.started = False
        if (pid := self.postmaster_pid()) is None:
            return
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + STOP_PATIENCE
        while self._in_use(self.data):
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    "The built-in database does not stop.", cure=f"See {self.log_file}."
                )
            time.sleep(0.02)

    @property
    def log_file(self) -> Path:
        """What the server itself says."""
        return self.folder / "server.log"

    def postmaster_pid(self) -> int | None:
        """The pid of the server's first process; None when it does not run."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if _works_in(pid, self.data) else None

    def _socket_dir(self) -> Path:
        near = self.folder / "run"
        if len(os.fsencode(near / f".s.PGSQL.{PORT}.lock")) <= LONGEST_SOCKET_PATH:
            return near
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return Path(tempfile.gettempdir(), f"frontdesk-{os.geteuid()}-{digest}")

    def _find_owner(self) -> RunsAs:
        if os.geteuid() != 0:
            return RunsAs.OURSELVES
        trial = subprocess.run(  # noqa: S603 - our own argument list
            [*_namespace(), "/bin/true"], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        return RunsAs.NAMESPACE if trial.returncode == 0 else RunsAs.NOBODY

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        arguments = [str(part) for part in command]
        if self.runs_as is RunsAs.NAMESPACE:
            arguments = [*_namespace(), *arguments]
        run = partial(
            subprocess.run,
            arguments,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            start_new_session=True,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        )
        if self.runs_as is RunsAs.NOBODY:
            nobody = pwd.getpwnam("nobody")
            return run(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
        return run()

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Only one process at a time starts or stops the server; a killed one lets go by dying."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise ConfigurationError(
                f"data_dir: {self.folder} cannot be used ({error.strerror}).",
                cure='Example: data_dir = "/var/lib/frontdesk", owned by the user that runs frontdesk.',
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _connect(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.socket_dir),
            port=PORT,
            user=USER,
            dbname=name,
            connect_timeout=3,
            autocommit=True,
        )

    def _state(self) -> _State:
        try:
            self._connect("postgres").close()
        except psycopg.OperationalError as error:
            said = str(error)
            busy = (
                "starting up",
                "recovery",
                "shutting down",
                "too many clients",
                "not yet accepting",
                "timeout",
            )
            return _State.BUSY if any(sign in said for sign in busy) else _State.ABSENT
        return _State.RUNNING

    def _has_database(self) -> bool:
        with self._connect("postgres") as connection:
            return bool(connection.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone())

    def _prepare(self) -> None:
        """Folders with the right owner and mode, and a cluster in them."""
        if self.runs_as is RunsAs.NOBODY:
            self.folder.chmod(0o711)
        self._own_folder(self.socket_dir)
        for leftover in self.folder.glob("pg.new.*"):
            if not self._in_use(leftover):
                shutil.rmtree(leftover, ignore_errors=True)
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        self._own_folder(self.data)
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(self.programs.major):
            raise ConfigurationError(
                f"The built-in database in {self.data} was made by PostgreSQL {made_by}, "
                f"and the programs in {self.programs.folder} are version {self.programs.major}.",
                cure="Make a backup with the version of frontdesk that made it, move the folder away, "
                "and restore with this one.",
            )

    def _own_folder(self, path: Path) -> None:
        path.mkdir(exist_ok=True, mode=0o700)
        status = path.lstat()
        ours = {os.geteuid()}
        if self.runs_as is RunsAs.NOBODY:
            ours.add(pwd.getpwnam("nobody").pw_uid)
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in ours:
            raise ConfigurationError(
                f"{path} belongs to somebody else.",
                cure="Choose another data_dir, or give the folder to this user.",
            )
        path.chmod(0o700)
        if self.runs_as is RunsAs.NOBODY:
            nobody = pwd.getpwnam("nobody")
            os.chown(path, nobody.pw_uid, nobody.pw_gid)

    def _create_cluster(self) -> None:
        fresh = self.folder / f"pg.new.{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        self._own_folder(fresh)
        done = self._run(
            self.programs.initdb,
            *("-D", fresh, "-U", USER, "-E", "UTF8", "-k"),
            *("--auth-local=trust", "--auth-host=reject", "--no-instructions"),
            # Without a UTF-8 LC_CTYPE, pg_trgm does not see Cyrillic.
            *(
                ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--lc-ctype=C.UTF-8")
                if self.programs.major >= 17
                else ("--locale=C.UTF-8",)
            ),
        )
        if done.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
            cure = "Check that data_dir is writable and has 100 MB free."
            if self.runs_as is RunsAs.NOBODY and "ermission" in said:
                cure = (
                    "Root without user namespaces needs parent folders that let others through. "
                    'Example: data_dir = "/var/lib/frontdesk"'
                )
            raise DatabaseUnavailable(f"The built-in database cannot be made: {said}", cure=cure)
        with suppress(FileNotFoundError):
            self.data.rmdir()
        fresh.rename(self.data)

    def _start(self, patience: float) -> None:
        """Start the server and wait until it answers."""
        begun = time.monotonic()
        attempts = 0
        while (state := self._state()) is not _State.RUNNING:
            waited = time.monotonic() - begun
            if waited > (patience if state is _State.BUSY else START_PATIENCE):
                raise self._did_not_start()
            if state is _State.ABSENT and not self._in_use(self.data):
                attempts += 1
                if attempts > 2:
                    raise self._did_not_start()
                self._clear_stale_locks()
                self._spawn()
            time.sleep(0.03)
        self.started = self.started or attempts > 0

    def _clear_stale_locks(self) -> None:
        """Remove what a crash left; only called when no live process works in the data folder."""
        for path in (
            self.data / "postmaster.pid",
            self.socket_dir / f".s.PGSQL.{PORT}.lock",
            self.socket_dir / f".s.PGSQL.{PORT}",
        ):
            path.unlink(missing_ok=True)

    def _spawn(self) -> None:
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_KEPT_BYTES:
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        self.log_file.touch(mode=0o600)
        if self.runs_as is RunsAs.NOBODY:
            os.chown(self.log_file, pwd.getpwnam("nobody").pw_uid, -1)
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        # The shell puts it in the background and goes, so that it is nobody's child and outlives us.
        done = self._run(
            *("/bin/sh", "-c", 'log=$1; shift; "$@" >>"$log" 2>&1 </dev/null &', "sh", self.log_file),
            *(self.programs.postgres, "-D", self.data, "-k", self.socket_dir, *options),
        )
        if done.returncode:
            raise DatabaseUnavailable(f"The built-in database does not start: {done.stderr.strip()[-300:]}")
        # Until it has entered its folder it cannot be told from one that never started.
        deadline = time.monotonic() + 2
        while not self._in_use(self.data) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _did_not_start(self) -> DatabaseUnavailable:
        lines = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        fatal = [line for line in lines if "FATAL" in line or "PANIC" in line or "could not" in line]
        said = (fatal or lines or ["it says nothing"])[-1]
        return DatabaseUnavailable(
            f"The built-in database does not start: {said.strip()}", cure=f"See {self.log_file}."
        )

    def _in_use(self, folder: Path) -> bool:
        """Whether a live process works in the folder: each of PostgreSQL's does, wherever its pid file is."""
        if not Path("/proc/self/cwd").exists():
            return self.postmaster_pid() is not None
        return any(_works_in(int(name), folder) for name in os.listdir("/proc") if name.isdigit())


def _works_in(pid: int, folder: Path) -> bool:
    if Path("/proc/self/cwd").exists():
        try:
            return os.readlink(f"/proc/{pid}/cwd") == os.path.realpath(folder)
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _namespace() -> list[str]:
    nobody = pwd.getpwnam("nobody")
    return [sys.executable, "-I", "-S", userns.__file__, str(nobody.pw_uid), str(nobody.pw_gid)]
