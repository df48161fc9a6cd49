"""Structured logs that never hold a secret or what somebody wrote.

`configure` is called once a process. Then everywhere:

    log = structlog.get_logger(__name__)
    log.info("mail stored", mailbox="sales", uid=17, size=8120)

What is logged are ids, counts, names of states and reasons. A value under a key that names a secret or a text
is replaced, bytes become their length, long values are cut, and the values of all secrets in the settings and
what the database tells of a row's values are blotted out wherever they turn up, tracebacks and other
libraries' messages included.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, TextIO

import structlog

from core.config_sections import Log, LogFormat

SECRET_KEYS = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|authori[sz]ation|cookie|credential|api_?key|private_?key|session_?id",
    re.IGNORECASE,
)
TEXT_KEYS = frozenset(
    {"body", "text", "html", "raw", "content", "payload", "quoted", "reply", "signature", "transcript"}
    | {"subject", "snippet", "parameters", "params"}
)
DATABASE_DETAIL = re.compile(
    r"\b(DETAIL|CONTEXT):\s.*?(?=\n(?:HINT|DETAIL|CONTEXT):|\n\[SQL|\n\(Background|\n\n|\nTraceback|\Z)",
    re.DOTALL,
)
"""What PostgreSQL adds to an error: the values of the row that would not fit."""
OWN_KEYS = frozenset({"event", "exception", "exc_info", "level", "timestamp", "logger"})
LONGEST = 500
HIDDEN = "[hidden]"
LOUD_LIBRARIES = {
    "pgqueuer": logging.CRITICAL,  # our worker reports each failure itself, once
    "sqlalchemy": logging.WARNING,
    "asyncio": logging.WARNING,
    "fontTools": logging.ERROR,
    "weasyprint": logging.ERROR,
    "httpx": logging.WARNING,
    "alembic": logging.WARNING,
    "PIL": logging.WARNING,
}

Event = MutableMapping[str, Any]
Processor = Callable[[Any, str, Event], Event]


class Redactor:
    """The processor that keeps secrets and texts out; numbers pass under any name."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` are values that must not appear anywhere; the longest are blotted out first."""
        known = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: Any, _method: str, event: Event) -> Event:
        for key, value in list(event.items()):
            event[key] = self._value(key, value)
        return event

    def _value(self, key: str, value: Any) -> Any:
        name = key.lower()
        hides = name in TEXT_KEYS or SECRET_KEYS.search(name) is not None
        if hides and key not in OWN_KEYS and not isinstance(value, bool | int | float):
            return HIDDEN if value not in (None, "", b"") else value
        if isinstance(value, bytes | bytearray | memoryview):
            return f"[{len(value)} bytes]"
        if isinstance(value, str):
            return self._blot(value if key == "exception" or len(value) <= LONGEST else f"{value[:LONGEST]}…")
        if isinstance(value, dict):
            return {str(inner): self._value(str(inner), item) for inner, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", item) for item in value]
        if value is None or isinstance(value, bool | int | float) or key in {"exc_info", "_record"}:
            return value
        return self._value(key, str(value))

    def _blot(self, text: str) -> str:
        text = DATABASE_DETAIL.sub(rf"\1: {HIDDEN}", text)
        return self._known.sub(HIDDEN, text) if self._known is not None else text


def configure(
    log: Log | None = None, *, secrets: Iterable[str] = (), stream: TextIO | None = None, quiet: bool = False
) -> None:
    """Send our logs and the libraries' the same way, to standard error unless `stream` is given.

    `quiet` shows warnings only, for commands a person runs.
    """
    log = log or Log()
    out = stream or sys.stderr
    as_json = log.format is LogFormat.JSON or (log.format is LogFormat.AUTO and not out.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        Redactor(secrets),
    ]
    last: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared[:2],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder()],
            processors=[
                *shared[2:4],
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *shared[4:],
                last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING if quiet else log.level.value.upper())
    for name, level in LOUD_LIBRARIES.items():
        logging.getLogger(name).setLevel(level)
