"""Reading letters in child processes: one that dies is replaced, and the letter it died of is named."""

from __future__ import annotations

import marshal
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from core.errors import FrontdeskError
from inbound.reading import Reading, read

WALL_FACTOR: Final = 8
"""A child that answers nothing for so many times its processor time is stuck or starved, and ended."""

STARTING: Final = 60.0
"""Seconds a child may take to start on top of that."""

MOST_LETTERS: Final = 20_000
"""After so many letters a child is replaced, whatever it may have piled up."""


class LetterDefeatsReader(FrontdeskError):
    """The process that was reading the letter died."""

    retryable = True


Outcome = Reading | FrontdeskError
"""What became of one letter: its reading, or why it could not be read."""


class Readers(Protocol):
    """Somebody who reads letters."""

    def read_many(self, letters: Sequence[bytes], own_addresses: frozenset[str]) -> list[Outcome]:
        """One outcome for each letter, in order."""
        ...


class ReadersHere:
    """Reads in this very process, unbounded: for tests, and for one letter given on the command line."""

    def read_many(self, letters: Sequence[bytes], own_addresses: frozenset[str]) -> list[Outcome]:
        """One outcome for each letter, in order."""
        return [_here(letter, own_addresses) for letter in letters]


def _here(letter: bytes, own: frozenset[str]) -> Outcome:
    try:
        return read(letter, own)
    except FrontdeskError as error:
        return error
    except Exception as error:
        return FrontdeskError(f"Reading it failed: {type(error).__name__}: {str(error)[:300]}")


class ReaderProcesses:
    """Reads in child processes, one for each batch that is being read at the moment.

    Each letter is given `cpu_seconds` of processor time and `memory_bytes` beyond what the reader itself
    takes. Safe to use from several threads.
    """

    def __init__(self, *, cpu_seconds: float = 5.0, memory_bytes: int = 512_000_000) -> None:
        self._cpu = cpu_seconds
        self._memory = memory_bytes
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        self._closed = False

    def read_many(self, letters: Sequence[bytes], own_addresses: frozenset[str]) -> list[Outcome]:
        """One outcome for each letter, in order; one that kills its reader costs no other its reading."""
        outcomes: list[Outcome] = []
        while len(outcomes) < len(letters):
            child = self._borrow()
            try:
                outcomes += child.ask(letters[len(outcomes) :], own_addresses)
            except BaseException:
                child.end()
                raise
            if child.dead or child.answered > MOST_LETTERS:
                child.end()
            else:
                self._return(child)
        return outcomes

    def close(self) -> None:
        """End the children that wait for work."""
        with self._lock:
            self._closed = True
            children, self._idle = self._idle, []
        for child in children:
            child.end()

    def pids(self) -> list[int]:
        """The children that wait for work."""
        with self._lock:
            return [child.pid for child in self._idle]

    def _borrow(self) -> _Child:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Child(self._cpu, self._memory)

    def _return(self, child: _Child) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(child)
                return
        child.end()


class _Child:
    """One child process."""

    def __init__(self, cpu_seconds: float, memory_bytes: int) -> None:
        root = str(Path(__file__).resolve().parent.parent)
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "inbound.readerchild", str(cpu_seconds), str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdin is not None  # noqa: S101 - it was asked for
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        self._requests = self._process.stdin.fileno()
        self._answers = self._process.stdout.fileno()
        self._buffer = bytearray()
        self._patience = cpu_seconds * WALL_FACTOR
        self._cpu = cpu_seconds
        self.answered = 0
        self.dead = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, letters: Sequence[bytes], own: frozenset[str]) -> list[Outcome]:
        """Outcomes up to the end, or up to and with the letter that killed the child."""
        outcomes: list[Outcome] = []
        if self._send(marshal.dumps((tuple(own), list(letters)))):
            extra = STARTING if not self.answered else 0.0
            for _ in letters:
                answer = self._receive(self._patience + extra)
                if answer is None:
                    break
                extra = 0.0
                readable, value = answer
                outcomes.append(Reading.loaded(value) if readable else FrontdeskError(value))
                self.answered += 1
        if len(outcomes) < len(letters):
            self.dead = True
            self.end()
            outcomes.append(LetterDefeatsReader(self._cause()))
        return outcomes

    def _send(self, request: bytes) -> bool:
        waiting = memoryview(len(request).to_bytes(8, "big") + request)
        while waiting:
            try:
                waiting = waiting[os.write(self._requests, waiting) :]
            except BrokenPipeError:
                return False
        return True

    def _receive(self, patience: float) -> Any:
        until = time.monotonic() + patience
        head = self._exactly(8, until)
        if head is None:
            return None
        body = self._exactly(int.from_bytes(head, "big"), until)
        return None if body is None else marshal.loads(body)  # noqa: S302 - from our own child

    def _exactly(self, size: int, until: float) -> bytes | None:
        """So many bytes of the answer; None when the child closed or was silent too long."""
        while len(self._buffer) < size:
            if not select.select([self._answers], [], [], max(0.0, until - time.monotonic()))[0]:
                return None
            piece = os.read(self._answers, 262_144)
            if not piece:
                return None
            self._buffer += piece
        taken = bytes(memoryview(self._buffer)[:size])
        del self._buffer[:size]
        return taken

    def _cause(self) -> str:
        code = self._process.returncode
        if code == -signal.SIGPROF:
            return f"Reading it took more than {self._cpu:g} s of processor time."
        if code == -signal.SIGKILL:
            return "Reading it took too long, or more memory than one letter is given."
        return f"The process that was reading it died ({code})."

    def end(self) -> None:
        """Kill the child and wait for it."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()
