"""A child process that renders under limits of time and memory, and is killed when it passes them."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any

from core.errors import FrontdeskError, InputRefused
from templates import errors, limits
from templates.errors import RendererFailed, TemplateTooCostly

HEADER = 8
"""Bytes before each answer: its length, big-endian, of the JSON part and of the raw part, four bytes each."""


OUT_OF_MEMORY = 71
"""Exit status of a child that ran out of its address space."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one piece of work may cost; the wall clock runs in the parent, the rest in the child."""

    cpu_seconds: int
    wall_seconds: float
    memory_bytes: int
    idle_seconds: float = limits.IDLE_SECONDS


TEXT = Bounds(limits.RENDER_CPU_SECONDS, limits.RENDER_WALL_SECONDS, limits.RENDER_MEMORY_BYTES)
PDF = Bounds(limits.PDF_CPU_SECONDS, limits.PDF_WALL_SECONDS, limits.PDF_MEMORY_BYTES)


class Child:
    """One child process at a time, started at first need and again after a kill.

    Work is done one piece after another; several threads may ask. The child has no environment variables of
    ours, so no secret, and ends by itself when its parent is gone or nothing is asked for
    `limits.IDLE_SECONDS`.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, work: dict[str, Any]) -> tuple[Any, bytes]:
        """Let the child do one piece of work: its plain answer and its raw bytes.

        Raises what the child raised, `TemplateTooCostly` when it used up its processor time or memory,
        `RendererFailed` when it cannot be started, gave no answer in time (a busy machine: worth another
        try) or broke off for no visible reason.
        """
        request = json.dumps(work, ensure_ascii=False).encode()
        with self._lock:
            for last in (False, True):
                process = self._running()
                try:
                    answer = self._exchange(process, request)
                except BrokenPipeError:
                    process.wait()
                    answer = self._fate(process)
                if answer is not None:
                    return _opened(answer)
                if not self._ended_idle(process) or last:
                    raise RendererFailed(
                        f"The process that renders templates broke off ({process.returncode})."
                    )
        raise RendererFailed

    @property
    def pid(self) -> int | None:
        """The child's process id, or None when none was started yet."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            if self._process is not None and self._owner == os.getpid():
                self._end(self._process)
            self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is not None and self._owner == os.getpid() and process.poll() is None:
            return process
        if process is not None:
            self._close_pipes(process)
        # The import path is handed over because the child may be started from any folder.
        environment = {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
            "PATH": os.defpath,
            "HOME": "/nonexistent",
            "FONTCONFIG_FILE": os.environ.get("FONTCONFIG_FILE", ""),
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")),
        }
        environment = {name: value for name, value in environment.items() if value}
        try:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, nothing from outside
                [
                    sys.executable,
                    "-m",
                    "templates.child",
                    json.dumps([self.bounds.cpu_seconds, self.bounds.memory_bytes, self.bounds.idle_seconds]),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                close_fds=True,
            )
        except OSError as error:
            raise RendererFailed(f"The process that renders templates cannot be started: {error}.") from error
        self._process, self._owner = process, os.getpid()
        return process

    def _exchange(self, process: subprocess.Popen[bytes], request: bytes) -> tuple[bytes, bytes] | None:
        sink, source = process.stdin, process.stdout
        if sink is None or source is None:
            raise RendererFailed
        sink.write(len(request).to_bytes(4, "big") + request)
        sink.flush()
        deadline = time.monotonic() + self.bounds.wall_seconds
        descriptor = source.fileno()
        got = bytearray()
        wanted = HEADER
        plain = raw = 0
        while len(got) < wanted:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                self._end(process)
                # Its processor time is bounded apart from this, so what ran out is the machine's patience.
                raise RendererFailed(
                    f"The process that renders templates gave no answer in {self.bounds.wall_seconds:g} s."
                )
            piece = os.read(descriptor, 1 << 16)
            if not piece:
                process.wait()
                return self._fate(process)
            got += piece
            if wanted == HEADER and len(got) >= HEADER:
                plain, raw = int.from_bytes(got[:4], "big"), int.from_bytes(got[4:HEADER], "big")
                wanted = HEADER + plain + raw
                if plain + raw > limits.ANSWER_BYTES:
                    self._end(process)
                    raise TemplateTooCostly
        return bytes(got[HEADER : HEADER + plain]), bytes(got[HEADER + plain :])

    def _fate(self, process: subprocess.Popen[bytes]) -> None:
        if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL, OUT_OF_MEMORY):
            raise TemplateTooCostly

    def _ended_idle(self, process: subprocess.Popen[bytes]) -> bool:
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            self._end(process)
            return False
        self._close_pipes(process)
        return process.returncode == 0

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        self._close_pipes(process)

    def _close_pipes(self, process: subprocess.Popen[bytes]) -> None:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    # What was still buffered for a dead child is of no use to anybody.
                    continue


_TEXT_CHILD = Child(TEXT)
_PDF_CHILD = Child(PDF)
atexit.register(_TEXT_CHILD.close)
atexit.register(_PDF_CHILD.close)


def text_child() -> Child:
    """The child that renders companies' own templates."""
    return _TEXT_CHILD


def pdf_child() -> Child:
    """The child that makes PDFs."""
    return _PDF_CHILD


def _opened(answer: tuple[bytes, bytes]) -> tuple[Any, bytes]:
    plain = json.loads(answer[0])
    if "fault" not in plain:
        return plain["answer"], answer[1]
    fault = plain["fault"]
    kinds: dict[str, type[FrontdeskError]] = {
        kind.__name__: kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, FrontdeskError)
    }
    kind = kinds.get(fault["kind"], InputRefused if fault["refused"] else RendererFailed)
    raised = kind.__new__(kind, fault["message"])
    raised.__dict__.update(fault["details"])
    raised.args = (fault["message"],)
    raised.cure = fault["cure"]
    raise raised
