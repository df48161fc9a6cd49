"""SMTP servers for tests: one that records and misbehaves as told, and Debian's Postfix where it is
installed.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from tests.ports import free_port

STEPS = ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", ".")
"""Where a fault may be placed; "." comes after the whole text was read."""


@dataclass(frozen=True)
class Fault:
    """What to do at a step instead of the usual: answer ``reply`` (nothing when empty), then maybe close.

    ``kept`` stores the letter all the same, ``silence`` waits so many seconds first.
    """

    reply: str = ""
    close: bool = False
    kept: bool = False
    silence: float = 0.0


DISCONNECT = Fault(close=True)


@dataclass
class Received:
    """A letter that the server took."""

    sender: str
    recipients: list[str]
    data: bytes
    """As it arrived, with the doubled dots undone."""
    tls: bool
    session: int


@dataclass
class RecordingServer:
    """An SMTP server in a thread of its own, on loopback."""

    extensions: Sequence[str] = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN")
    implicit_tls: bool = False
    tls: ssl.SSLContext | None = None
    starttls: bool = True
    """Offer STARTTLS where there is a certificate."""
    login: tuple[str, str] | None = None
    pause: float = 0.0
    """Seconds before each answer to a final dot."""
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    """A reply to RCPT by address, every time."""
    received: list[Received] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    sessions: int = 0
    at_dot: threading.Event = field(default_factory=threading.Event)
    """Set when a whole letter was read and its answer is still owed."""
    port: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    watch: Callable[[str], None] = field(default=lambda step: None)
    """Called at each step before it is answered, and with "250" after a final dot was answered."""

    def fault(self, step: str, *faults: Fault | str) -> None:
        """Misbehave at a step, once for each fault given."""
        scripted = self.faults.setdefault(step, deque())
        scripted.extend(Fault(reply=fault) if isinstance(fault, str) else fault for fault in faults)

    @property
    def copies(self) -> Counter[str]:
        """How many times each recipient was given something."""
        return Counter(address for letter in self.received for address in letter.recipients)

    @property
    def message_ids(self) -> Counter[str]:
        """How many times each Message-ID was taken."""
        found: Counter[str] = Counter()
        for letter in self.received:
            for line in letter.data.split(b"\r\n\r\n", 1)[0].split(b"\r\n"):
                if line.lower().startswith(b"message-id:"):
                    found[line.split(b":", 1)[1].strip().decode()] += 1
        return found

    def _serve(self, plain: socket.socket, number: int) -> None:
        connection = plain
        try:
            if self.implicit_tls and self.tls is not None:
                connection = self.tls.wrap_socket(plain, server_side=True)
            session = _Session(self, connection, number)
            try:
                session.run()
            finally:
                connection = session.connection
        except (OSError, _Closed):
            pass  # The client went away, or the script says to.
        finally:
            connection.close()
            plain.close()


class _Closed(Exception):
    """The script says to close."""


class _Session:
    def __init__(self, server: RecordingServer, connection: socket.socket, number: int) -> None:
        self.server = server
        self.connection = connection
        self.number = number
        self.buffer = b""
        self.tls = server.implicit_tls
        self.sender: str | None = None
        self.recipients: list[str] = []

    def run(self) -> None:
        self.answer("CONNECT", "220 recording server")
        while True:
            command = self.line().decode("utf-8", "surrogateescape").rstrip("\r\n")
            self.server.commands.append(command)
            if not self.obey(command):
                return

    def line(self) -> bytes:
        """A line with its CRLF; nothing else ends one, so that a smuggled letter would show as a hang."""
        while b"\r\n" not in self.buffer:
            more = self.connection.recv(65536)
            if not more:
                raise _Closed
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line + b"\r\n"

    def say(self, reply: str) -> None:
        self.connection.sendall(reply.encode() + b"\r\n")

    def answer(self, step: str, usual: str) -> bool:
        """Answer as usual, or as the script says; True when it was as usual."""
        self.server.watch(step)
        scripted = self.server.faults.get(step)
        if not scripted:
            self.say(usual)
            return True
        fault = scripted.popleft()
        self.server.stopping.wait(fault.silence)
        if fault.reply:
            self.say(fault.reply)
        if fault.close or fault.reply.startswith("421"):
            raise _Closed
        return not fault.reply and not fault.close

    def obey(self, command: str) -> bool:
        word = command.upper().partition(" ")[0]
        match word:
            case "EHLO":
                offered = [*self.server.extensions]
                if self.server.tls is not None and self.server.starttls and not self.tls:
                    offered.append("STARTTLS")
                if self.server.login is not None:
                    offered.append("AUTH PLAIN LOGIN")
                lines = ["recording", *offered]
                usual = "\r\n".join(f"250-{line}" for line in lines[:-1]) + f"\r\n250 {lines[-1]}"
                self.answer("EHLO", usual)
            case "STARTTLS" if self.server.tls is not None and self.server.starttls:
                self.say("220 go on")
                self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
                self.tls = True
            case "AUTH":
                self.authenticate(command)
            case "MAIL":
                if self.answer("MAIL", "250 2.1.0 ok"):
                    self.sender = command.partition("<")[2].partition(">")[0]
                    self.recipients = []
            case "RCPT":
                self.recipient(command.partition("<")[2].partition(">")[0])
            case "DATA":
                self.data()
            case "RSET":
                self.sender, self.recipients = None, []
                self.say("250 ok")
            case "NOOP":
                self.say("250 ok")
            case "QUIT":
                self.say("221 bye")
                return False
            case _:
                self.say("500 5.5.2 what?")
        return True

    def authenticate(self, command: str) -> None:
        import base64

        words = command.split(" ")
        usual = "535 5.7.8 wrong"
        if words[1].upper() == "PLAIN" and len(words) == 3:
            _, user, password = base64.b64decode(words[2]).decode().split("\0")
            if (user, password) == self.server.login:
                usual = "235 2.7.0 welcome"
        self.answer("AUTH", usual)

    def recipient(self, address: str) -> None:
        if self.sender is None:
            self.say("503 5.5.1 MAIL first")
        elif address in self.server.refusals:
            self.say(self.server.refusals[address])
        elif self.answer("RCPT", "250 2.1.5 ok"):
            self.recipients.append(address)

    def data(self) -> None:
        if not self.recipients:
            self.say("503 5.5.1 RCPT first")
            return
        if not self.answer("DATA", "354 go on"):
            return
        lines: list[bytes] = []
        while (line := self.line()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        assert self.sender is not None
        letter = Received(self.sender, self.recipients, b"".join(lines), self.tls, self.number)
        self.sender, self.recipients = None, []
        scripted = self.server.faults.get(".")
        if not scripted or scripted[0].kept:
            self.server.received.append(letter)
        self.server.at_dot.set()
        self.server.stopping.wait(self.server.pause)
        if self.answer(".", "250 2.0.0 queued"):
            self.server.watch("250")


@contextmanager
def recording(server: RecordingServer | None = None) -> Iterator[RecordingServer]:
    """Run a recording server; its port is in ``port``."""
    server = server or RecordingServer()
    listening = socket.create_server(("127.0.0.1", server.port), backlog=100)
    server.port = listening.getsockname()[1]
    open_ones: list[tuple[socket.socket, threading.Thread]] = []

    def accept() -> None:
        while not server.stopping.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.sessions += 1
            thread = threading.Thread(target=server._serve, args=(connection, server.sessions), daemon=True)
            open_ones.append((connection, thread))
            thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.stopping.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(10)
        for connection, thread in open_ones:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@dataclass(frozen=True)
class Certificates:
    """A made-up authority and what it signed for 127.0.0.1 and localhost."""

    ca_file: Path
    server: ssl.SSLContext

    @classmethod
    def made(cls, folder: Path, *names: str) -> Certificates:
        """Make them for some names (127.0.0.1 and localhost unless given), with the authority in
        ``folder``.
        """
        authority = trustme.CA()
        issued = authority.issue_cert(*(names or ("127.0.0.1", "localhost")))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        for number, blob in enumerate(issued.cert_chain_pems):
            blob.write_to_path(str(folder / "server.pem"), append=number > 0)
        issued.private_key_pem.write_to_path(str(folder / "server.key"))
        return cls(ca_file, context)


MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.test
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
alias_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:inbox/
virtual_mailbox_base = {folder}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {folder}/server.pem
smtpd_tls_key_file = {folder}/server.key
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_forbid_bare_newline = yes
smtpd_client_connection_rate_limit = 0
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""

MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass
class Postfix:
    """A Postfix of our own: TLS demanded, everything delivered into one Maildir."""

    port: int
    ca_file: Path
    inbox: Path
    log: Path

    def letters(self, expected: int, patience: float = 180.0) -> list[bytes]:
        """The letters delivered, once there are so many of them or patience ends."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            found = sorted(self.inbox.glob("new/*"))
            if len(found) >= expected:
                break
            time.sleep(0.1)
        return [path.read_bytes() for path in sorted(self.inbox.glob("new/*"))]


@contextmanager
def postfix() -> Iterator[Postfix]:
    """Run Debian's Postfix with a queue, a configuration and certificates of its own."""
    folder = Path(tempfile.mkdtemp(prefix="fdpf", dir="/var/tmp"))
    folder.chmod(0o755)
    owner = pwd.getpwnam("postfix")
    certificates = Certificates.made(folder)
    for name in ("queue", "data", "mail"):
        (folder / name).mkdir()
    os.chown(folder / "data", owner.pw_uid, -1)
    os.chown(folder / "mail", owner.pw_uid, owner.pw_gid)
    port = free_port()
    given = {"folder": folder, "port": port, "uid": owner.pw_uid, "gid": owner.pw_gid}
    (folder / "main.cf").write_text(MAIN_CF.format(**given))
    (folder / "master.cf").write_text(MASTER_CF.format(**given))
    command = ["/usr/sbin/postfix", "-c", str(folder)]
    started = subprocess.run([*command, "start"], capture_output=True, text=True, check=False)
    try:
        for _ in range(1_200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise AssertionError(f"Postfix does not answer: {started.stderr} {_text_of(folder / 'log')}")
        yield Postfix(port, certificates.ca_file, folder / "mail" / "inbox", folder / "log")
    finally:
        subprocess.run([*command, "stop"], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _text_of(path: Path) -> str:
    return path.read_text()[-2000:] if path.exists() else ""
