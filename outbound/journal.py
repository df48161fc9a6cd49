"""What a worker did with each letter in hand, in a file that outlives its death, so that a kill leaves little
open.

The database says which letters are being transmitted, a page at a time, and that alone is safe: whatever is
not known is uncertain. The journal only makes more known. Each letter in hand has a slot of sixteen bytes in
a memory-mapped file: not yet offered, its final dot written, or taken by the server. Writing a slot costs no
call to the system, and the page cache keeps it when the process is killed. Another worker of the same machine
that can lock the file knows its owner to be dead, and settles what it held at once instead of waiting for the
lease.

After a crash of the machine the file proves nothing: it lies in a folder named after the boot, and only the
present boot's folder is read.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
MAGIC = b"frontdesk outbox 1\n"
HEADER = 512
SLOT = struct.Struct("<qQ")
SLOTS = 4096
"""Letters in hand at once; one that finds no free slot is merely uncertain after a kill."""


class Mark(IntEnum):
    """How far a letter in hand has come."""

    HELD = 0
    """Its final dot was not written."""
    DOTTED = 1
    TAKEN = 2
    """The server took responsibility."""


@dataclass(frozen=True)
class Remains:
    """What a dead worker left: its name and the letters it had in hand."""

    owner: str
    marks: dict[int, Mark]


class Journal:
    """The journal of one living worker; threads may share it."""

    def __init__(self, folder: Path, owner: str) -> None:
        """Make and lock the file. Raises OSError where the folder cannot be used."""
        self._path = folder / f"{owner.replace('/', '-').replace(':', '-')}.journal"
        self._lock = threading.Lock()
        self._slots: dict[int, int] = {}
        self._free = list(range(SLOTS - 1, -1, -1))
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # Not at once or never: a sweeping neighbour may be looking into the new file for a moment.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.ftruncate(descriptor, HEADER + SLOT.size * SLOTS)
            self._map = mmap.mmap(descriptor, HEADER + SLOT.size * SLOTS)
            head = MAGIC + owner.encode() + b"\n"
            self._map[: len(head)] = head
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def hold(self, ids: Iterable[int]) -> None:
        """Give letters their slots, before they are marked as being transmitted in the database."""
        with self._lock:
            for one in ids:
                if self._free:
                    self._slots[one] = slot = self._free.pop()
                    SLOT.pack_into(self._map, HEADER + slot * SLOT.size, one, Mark.HELD)

    def mark(self, one: int, mark: Mark) -> None:
        """Say how far a letter has come."""
        slot = self._slots.get(one)
        if slot is not None:
            self._map[HEADER + slot * SLOT.size + 8] = mark

    def release(self, ids: Iterable[int]) -> None:
        """Take letters out: the database knows now what became of them."""
        with self._lock:
            for one in ids:
                slot = self._slots.pop(one, None)
                if slot is not None:
                    SLOT.pack_into(self._map, HEADER + slot * SLOT.size, 0, 0)
                    self._free.append(slot)

    def close(self) -> None:
        """Unlock the file, and remove it where nothing is left in hand."""
        if not self._slots:
            self._path.unlink(missing_ok=True)
        self._map.close()
        os.close(self._descriptor)


def folder_of_this_boot(data_dir: Path) -> Path | None:
    """The folder of this boot's journals, made where needed; older ones of this machine are removed.

    None where the system does not name its boots: then there is no journal, and leases alone decide.
    """
    if not BOOT.is_file():
        return None
    name = f"{socket.gethostname()}-{BOOT.read_text().strip()}"
    folder = data_dir / "outbox" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.parent.glob(f"{socket.gethostname()}-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[bytes | None]:
    """The file's content where its owner is dead, else None."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        yield None
        return
    try:
        yield os.pread(descriptor, HEADER + SLOT.size * SLOTS, 0)
    finally:
        os.close(descriptor)


@contextmanager
def remains(folder: Path) -> Iterator[list[Remains]]:
    """What dead workers of this machine left; their files are removed when the block ends without an
    error.
    """
    found: list[Remains] = []
    paths: list[Path] = []
    for path in sorted(folder.glob("*.journal")):
        with _locked(path) as content:
            if content is None or not content.startswith(MAGIC):
                continue
            owner = content[len(MAGIC) : HEADER].partition(b"\n")[0].decode()
            slots = SLOT.iter_unpack(content[HEADER : len(content) // SLOT.size * SLOT.size])
            marks = {one: Mark(mark & 0xFF) for one, mark in slots if one}
            found.append(Remains(owner, marks))
            paths.append(path)
    yield found
    for path in paths:
        path.unlink(missing_ok=True)
