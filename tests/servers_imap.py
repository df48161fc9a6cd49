"""IMAP servers for tests: Debian's Dovecot where it is installed, with its own folder, ports and users."""

from __future__ import annotations

import contextlib
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"
PASSWORD = "sesame-seven"
"""What every user signs in with."""

_CONFIG = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login_user}
first_valid_uid = 0
first_valid_gid = 0
default_process_limit = 200
default_client_limit = 1000
mail_location = maildir:{base}/mail/%n
mailbox_list_index = no
maildir_very_dirty_syncs = no
disable_plaintext_auth = no
auth_mechanisms = plain login{mechanisms}
auth_failure_delay = 0
ssl = {ssl}
{tls}
protocol imap {{
  mail_max_userip_connections = 200
  imap_idle_notify_interval = 2 mins
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/home/%n
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Dovecot:
    """A running Dovecot: any user signs in with PASSWORD."""

    base: Path
    port: int
    tls_port: int
    process: subprocess.Popen[bytes]

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        """The maildir of a folder."""
        root = self.base / "mail" / user
        return root if folder == "INBOX" else root / f".{folder}"

    def deliver(self, user: str, letters: Sequence[bytes], folder: str = "INBOX") -> None:
        """Put letters into a folder as a delivery agent does (maildir: written aside, then renamed)."""
        root = self.maildir(user, folder)
        for part in ("tmp", "new", "cur"):
            (root / part).mkdir(parents=True, exist_ok=True)
            _give(root / part)
        _give(root)
        for letter in letters:
            _count[0] += 1
            name = f"{int(time.time())}.M{_count[0]:09d}P{os.getpid()}.test"
            aside = root / "tmp" / name
            aside.write_bytes(letter.replace(b"\r\n", b"\n"))
            _give(aside)
            aside.rename(root / "new" / name)

    def append(self, user: str, letters: Sequence[bytes], folder: str = "INBOX") -> None:
        """Put letters into a folder over IMAP."""
        with self.client(user) as client:
            for letter in letters:
                client.append(folder, "", "", letter)

    def uids(self, user: str, folder: str = "INBOX") -> list[int]:
        """The UIDs the folder holds."""
        with self.client(user) as client:
            client.select(folder, readonly=True)
            answer = client.uid("SEARCH", "ALL")[1][0]
            return [int(uid) for uid in (answer or b"").split()]

    def flags(self, user: str) -> set[str]:
        """Every flag that is set on any message of the inbox."""
        return {
            flag for path in (self.maildir(user) / "cur").glob("*") for flag in path.name.partition(":2,")[2]
        }

    @contextlib.contextmanager
    def client(self, user: str) -> Iterator[imaplib.IMAP4]:
        """A signed-in plain client."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=120)
        try:
            client.login(user, PASSWORD)
            yield client
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def renumber(self, user: str) -> None:
        """Lose the folder's UID list, so that it gets another UIDVALIDITY."""
        root = self.maildir(user)
        time.sleep(1.1)  # UIDVALIDITY is the time in seconds
        for path in root.glob("dovecot*"):
            path.unlink()
        self.kick()

    def kick(self) -> None:
        """End all sessions at once."""
        for pid in _children(self.process.pid):
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                name = Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
                if name == "imap":
                    os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """kill -9 of everything."""
        children = _children(self.process.pid)
        self.process.kill()
        self.process.wait()
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start_again(self) -> None:
        """Start on the same ports after `kill`."""
        (self.base / "run" / "master.pid").unlink(missing_ok=True)
        self.process = _spawn(self.base, self.port)

    def stop(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()


_count = [0]


def _owner() -> tuple[int, int]:
    """Whom the mail belongs to: us, or nobody where we are root, since Dovecot refuses to be root there."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _give(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, *_owner())


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def installed() -> bool:
    """Whether Dovecot is on this machine."""
    return Path(DOVECOT).exists()


@contextlib.contextmanager
def running(*, certificate: Path | None = None, key: Path | None = None) -> Iterator[Dovecot]:
    """A Dovecot in a new folder, ended and removed afterwards."""
    base = Path(tempfile.mkdtemp(prefix="dv"))  # short: a socket's path has at most 107 bytes
    try:
        server = start(base, certificate=certificate, key=key)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(base, ignore_errors=True)


def start(
    base: Path, *, certificate: Path | None = None, key: Path | None = None, ssl: str = "yes"
) -> Dovecot:
    """Start Dovecot in a folder of its own. Without a certificate there is no TLS."""
    for name in ("run", "state", "mail", "home"):
        (base / name).mkdir(parents=True, exist_ok=True)
    _give(base / "mail")
    _give(base / "home")
    if os.geteuid() == 0:
        for path in [base, *base.parents]:
            if path == Path(tempfile.gettempdir()) or path == path.parent:
                break
            path.chmod(path.stat().st_mode | 0o055)
    me = pwd.getpwuid(os.geteuid())
    root = os.geteuid() == 0
    port, tls_port = free_port(), free_port()
    (base / "dovecot.conf").write_text(
        _CONFIG.format(
            base=base,
            port=port,
            tls_port=tls_port if certificate else 0,
            user="dovecot" if root else me.pw_name,
            group="dovecot" if root else _group(me.pw_gid),
            login_user="dovenull" if root else me.pw_name,
            uid=_owner()[0],
            gid=_owner()[1],
            password=PASSWORD,
            mechanisms=" xoauth2 oauthbearer",
            ssl=ssl if certificate else "no",
            tls=f"ssl_cert = <{certificate}\nssl_key = <{key}" if certificate else "",
        ),
        encoding="utf-8",
    )
    return Dovecot(base, port, tls_port, _spawn(base, port))


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _spawn(base: Path, port: int) -> subprocess.Popen[bytes]:
    with (base / "out").open("ab") as out:
        process = subprocess.Popen(
            [DOVECOT, "-F", "-c", str(base / "dovecot.conf")], stdout=out, stderr=out, start_new_session=True
        )
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
                if sock.recv(20).startswith(b"* OK"):
                    return process
        except OSError:
            if process.poll() is not None:
                break
        time.sleep(0.02)
    process.kill()
    log = base / "log"
    raise RuntimeError((base / "out").read_text() + (log.read_text() if log.exists() else ""))
