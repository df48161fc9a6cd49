"""The process in which letters are read: it may run out of time or memory without taking anybody with it.

It reads frames on standard input and writes frames on standard output; a frame is eight bytes of length and
as many of marshal. A request is (own addresses, letters); to each letter, in order, there is one answer:
(True, the reading's bytes) or (False, what went wrong). More processor time than is allowed ends the process.
"""

from __future__ import annotations

import marshal
import resource
import signal
import sys
from typing import Any, BinaryIO

from core import collector
from core.errors import FrontdeskError
from inbound.reading import read


def main(cpu_seconds: float, memory_bytes: int) -> None:
    """Answer requests until standard input ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _bound_memory(memory_bytes)
    collector.settle()
    while (request := read_frame(requests)) is not None:
        own, letters = request
        for letter in letters:
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
            answer = _answer(letter, frozenset(own))
            signal.setitimer(signal.ITIMER_PROF, 0)
            write_frame(answers, answer)
        answers.flush()


def _answer(letter: bytes, own: frozenset[str]) -> tuple[bool, Any]:
    try:
        return True, read(letter, own).dumped()
    except FrontdeskError as error:
        return False, error.message
    except MemoryError:
        return False, "Reading it took more memory than one letter is given."
    except Exception as error:  # whatever a letter can do to its reader is the letter's fault, and named
        return False, f"Reading it failed: {type(error).__name__}: {str(error)[:300]}"


def _bound_memory(memory_bytes: int) -> None:
    with open("/proc/self/statm", encoding="ascii") as statm:
        present = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (present + memory_bytes, present + memory_bytes))


def read_frame(source: BinaryIO) -> Any:
    """The next frame's value; None at the end."""
    head = source.read(8)
    if len(head) < 8:
        return None
    return marshal.loads(source.read(int.from_bytes(head, "big")))  # noqa: S302 - from our own parent


def write_frame(target: BinaryIO, value: Any) -> None:
    """Write one frame."""
    data = marshal.dumps(value)
    target.write(len(data).to_bytes(8, "big"))
    target.write(data)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
