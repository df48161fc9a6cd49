"""What runs inside the bounded child: one piece of work after another, from standard input to output."""

from __future__ import annotations

import functools
import json
import math
import os
import resource
import select
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from core.errors import FrontdeskError, InputRefused
from templates.bounded import OUT_OF_MEMORY
from templates.errors import UnknownPlaceholder
from templates.unit import Source, Unit, compile_unit, faults_of


@functools.lru_cache(maxsize=64)
def _unit(packed: str) -> Unit:
    return compile_unit(Source(**json.loads(packed)))


def _names(work: Mapping[str, Any]) -> tuple[Any, bytes]:
    names = _unit(work["source"]).names
    return [sorted(names.used), sorted(names.needed)], b""


def _render(work: Mapping[str, Any]) -> tuple[Any, bytes]:
    unit = _unit(work["source"])
    return [unit.render(context) for context in work["contexts"]], b""


def _faults(work: Mapping[str, Any]) -> tuple[Any, bytes]:
    refused = faults_of(Source(**json.loads(work["source"])))
    return [
        {
            "part": error.name.rpartition("/")[2],
            "line": error.line,
            "problem": error.problem,
            "cure": error.cure,
            "unknown": isinstance(error, UnknownPlaceholder),
        }
        for error in refused
    ], b""


def _pdf(work: Mapping[str, Any]) -> tuple[Any, bytes]:
    # WeasyPrint takes half a second to import, and the child that renders text never needs it.
    from templates.document import lay_out

    content, pages = lay_out(
        work["html"],
        title=work["title"],
        author=work["author"],
        language=work["language"],
        moment=work["moment"],
    )
    return pages, content


WORK: Mapping[str, Callable[[Mapping[str, Any]], tuple[Any, bytes]]] = {
    "names": _names,
    "faults": _faults,
    "render": _render,
    "pdf": _pdf,
}


def main() -> None:
    """Serve until the parent closes the pipe or nothing comes for a while."""
    cpu_seconds, memory_bytes, idle_seconds = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, sink = os.fdopen(0, "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not get between the answers.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while select.select([source], [], [], idle_seconds)[0]:
        header = _exactly(source, 4)
        if len(header) < 4:
            return
        _allow(cpu_seconds)
        try:
            request = _exactly(source, int.from_bytes(header, "big"))
            answer, raw = _answered(json.loads(request))
        except MemoryError:
            # No clean-up: it would ask for the memory that is not there.
            os._exit(OUT_OF_MEMORY)
        sink.write(len(answer).to_bytes(4, "big") + len(raw).to_bytes(4, "big") + answer + raw)
        sink.flush()


def _allow(cpu_seconds: int) -> None:
    """Give the next piece of work its processor time; the kernel kills the process that uses more."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(spent.ru_utime + spent.ru_stime) + cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _answered(work: Mapping[str, Any]) -> tuple[bytes, bytes]:
    raw = b""
    try:
        answer, raw = WORK[work["do"]](work)
        plain: dict[str, Any] = {"answer": answer}
    except FrontdeskError as error:
        details = {name: value for name, value in vars(error).items() if name != "cure"}
        plain = {
            "fault": {
                "kind": type(error).__name__,
                "refused": isinstance(error, InputRefused),
                "message": error.message,
                "cure": error.cure,
                "details": details,
            }
        }
    return json.dumps(plain, ensure_ascii=False).encode(), raw


def _exactly(source: BinaryIO, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = source.read(size - len(got))
        if not piece:
            break
        got += piece
    return bytes(got)


if __name__ == "__main__":
    main()
