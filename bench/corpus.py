"""The tables of `bench.mail`, then every file of the public mail and many broken copies of it, understood.

`python -m bench.corpus [--mutants 200000] [--minutes 60] [--processes 2]`.
Exit code 1 on a crash, a broken limit, or where the time ended before so many copies were read.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple

from bench import mail, mailsets

CPU_SECONDS: Final = 5.0
RSS_BYTES: Final = 512 * 1024 * 1024
PROGRESS: Final = 20_000
"""Copies between two lines that say how it goes."""

LARGEST_SOURCE: Final = 30_000
"""Larger files are read as they are, but not mutated: the same time is better spent on more small ones."""

SPLICES: Final = (
    b"\r", b"\n", b"\0", b"\xff\xfe", b"=?utf-8?B?", b"?=", b"--", b"boundary=", b"Content-Type: "
                                                                                 b"multipart/mixed; "
                                                                                 b"boundary=a\n\n--a\n",
    b"Content-Transfer-Encoding: base64\n", b"charset=zlib", b"charset=utf-16", b"<!--",
    b"<div style='display:none'>", b"<blockquote>",
    b"> ", b"On 1 Jan 2024 10:00, x <a@b> wrote:\n",
    "От: Иван <a@b.example>\nТема: x\n".encode(), b"begin 644 x\n", b"(" * 50, b'"', b"<",
    b"=\n", b"filename*0*=utf-8''", b"\n\n", b"Message/Partial", b"Final-Recipient: rfc822;",
    b"550 5.1.1 ", b";" * 200, b"\x1b$B",
    "\u202e".encode(), b"a" * 3000, b" " * 3000, b"\n" * 500,
)  # fmt: skip
"""What is put into letters: the words that change how they are read."""


class TooSlow(Exception):
    """A file took more processor time than it may."""


class Result(NamedTuple):
    """One batch: how many were read, what went wrong, the slowest, and the most memory held."""

    read: int
    faults: list[str]
    slowest: tuple[float, str]
    rss: int


def one(raw: bytes, name: str) -> tuple[float, str | None]:
    """Processor seconds, and the fault if there was one."""
    from inbound import describe, understanding
    from inbound.parsed import UnreadableMail

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    begin = time.process_time()
    fault = None
    try:
        json.dumps(describe.as_json(name, understanding.understand(raw)))
    except UnreadableMail:
        pass
    except TooSlow:
        fault = f"{name}: more than {CPU_SECONDS:.0f} s"
    except Exception:  # Whatever else is raised is what this run looks for: it is counted and shown.
        fault = f"{name}: {traceback.format_exc(limit=-4)}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - begin, fault


def mutated(raw: bytes, chance: random.Random, other: bytes) -> bytes:
    """A broken copy: bits flipped, pieces cut, doubled, moved, spliced, or taken from another letter."""
    data = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        if not data:
            break
        place = chance.randrange(len(data))
        length = min(chance.choice((1, 2, 8, 60, 500, 4000)), len(data) - place)
        match chance.randrange(8):
            case 0:
                for _ in range(chance.randrange(1, 30)):
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = data[place : place + length] * chance.choice((1, 2, 20))
            case 3:
                data[place:place] = chance.choice(SPLICES) * chance.choice((1, 1, 3, 50))
            case 4:
                begin = chance.randrange(len(other) or 1)
                data[place:place] = other[begin : begin + length]
            case 5:
                del data[place:]
            case 6:
                piece = data[place : place + length]
                del data[place : place + length]
                begin = chance.randrange(len(data) + 1)
                data[begin:begin] = piece
            case _:
                data[place : place + length] = bytes(chance.randrange(256) for _ in range(min(length, 60)))
        if len(data) > 4 * LARGEST_SOURCE:
            del data[4 * LARGEST_SOURCE :]
    return bytes(data)


_sources: list[tuple[str, bytes]] = []


def _load(paths: list[str]) -> None:
    os.nice(10)
    _sources.extend((path, Path(path).read_bytes()) for path in paths)


def _batch(task: tuple[int, int]) -> Result:
    seed, count = task
    chance = random.Random(seed)
    faults: list[str] = []
    slowest = (0.0, "")
    for number in range(count):
        name, raw = chance.choice(_sources)
        taken, fault = one(
            mutated(raw, chance, chance.choice(_sources)[1]), f"{name} (seed {seed}, copy {number})"
        )
        slowest = max(slowest, (taken, f"{name} (seed {seed}, copy {number})"))
        if fault:
            faults.append(fault)
    return Result(count, faults, slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _whole_files(paths: list[Path]) -> Result:
    faults: list[str] = []
    slowest = (0.0, "")
    for path in paths:
        taken, fault = one(path.read_bytes(), str(path.relative_to(mailsets.DATA)))
        slowest = max(slowest, (taken, path.name))
        if fault:
            faults.append(fault)
    return Result(len(paths), faults, slowest, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _tasks(mutants: int, size: int, first: int) -> Iterator[tuple[int, int]]:
    for number in range(0, mutants, size):
        yield first + number, min(size, mutants - number)


def main() -> int:
    """Run both passes and print what happened."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--mutants", type=int, default=200_000)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--only-limits", action="store_true", help="without the tables beside other libraries")
    options = asked.parse_args()
    paths = mailsets.every_file()
    if not paths:
        print("The public mail is not beside the project: nothing to run.")
        return 0
    if not options.only_limits:
        mail.main()
        print()
    whole = _whole_files(paths)
    print(f"as they are: {whole.read} files, {len(whole.faults)} faults, slowest {whole.slowest[0]:.2f} s "
          f"({whole.slowest[1]}), {whole.rss >> 20} MB")  # fmt: skip
    small = [str(path) for path in paths if path.stat().st_size <= LARGEST_SOURCE]
    read, faults, slowest, rss = 0, list(whole.faults), (0.0, ""), 0
    begin, shown = time.monotonic(), PROGRESS
    with multiprocessing.get_context("spawn").Pool(options.processes, _load, (small,)) as pool:
        for result in pool.imap_unordered(_batch, _tasks(options.mutants, 250, options.seed)):
            read += result.read
            faults += result.faults
            slowest = max(slowest, result.slowest)
            rss = max(rss, result.rss)
            if read >= shown:
                print(f"  {read} copies, {len(faults)} faults, slowest {slowest[0]:.2f} s", flush=True)
                shown += PROGRESS
            if time.monotonic() - begin > 60 * options.minutes:
                print(f"stopped after {options.minutes:g} minutes")
                break
    print(f"broken copies: {read} of {len(small)} files, "
          f"{len(faults) - len(whole.faults)} faults, slowest "
          f"{slowest[0]:.2f} s ({slowest[1]}), at most {rss >> 20} MB, "
          f"{time.monotonic() - begin:.0f} s")  # fmt: skip
    for fault in faults[:20]:
        print(fault)
    return int(bool(faults) or max(rss, whole.rss) > RSS_BYTES or read < options.mutants)


if __name__ == "__main__":
    sys.exit(main())
