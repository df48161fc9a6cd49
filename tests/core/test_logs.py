"""Logs: structured, and without secrets or what somebody wrote."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from core import logs
from core.config_sections import Log, LogFormat


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as JSON; the root logger is put back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    out = io.StringIO()
    logs.configure(Log(format=LogFormat.JSON), secrets=["correct horse", "short"], stream=out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def only(lines: io.StringIO) -> dict[str, Any]:
    (line,) = lines.getvalue().splitlines()
    return json.loads(line)


def test_an_event_is_one_json_object_with_its_values(lines: io.StringIO) -> None:
    structlog.get_logger("room").info("mail stored", mailbox="sales", uid=17, dėžutė="taip")
    told = only(lines)
    assert (told["event"], told["mailbox"], told["uid"], told["level"]) == (
        "mail stored",
        "sales",
        17,
        "info",
    )
    assert told["dėžutė"] == "taip"
    assert told["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    "key",
    ["password", "smtp_password", "access_token", "Authorization", "cookie", "client_secret", "api_key"],
)
def test_a_value_under_the_name_of_a_secret_is_hidden(lines: io.StringIO, key: str) -> None:
    structlog.get_logger().info("signed in", **{key: "abc"})
    assert only(lines)[key] == logs.HIDDEN


@pytest.mark.parametrize("key", ["body", "text", "html", "subject", "payload", "transcript"])
def test_what_somebody_wrote_is_hidden(lines: io.StringIO, key: str) -> None:
    structlog.get_logger().info("read", **{key: "Dear colleagues"})
    assert only(lines)[key] == logs.HIDDEN


def test_secrets_are_hidden_in_values_inside_values(lines: io.StringIO) -> None:
    structlog.get_logger().info("x", inner={"token": "abc", "list": [{"body": "b"}, b"12345"]})
    assert only(lines)["inner"] == {"token": logs.HIDDEN, "list": [{"body": logs.HIDDEN}, "[5 bytes]"]}


def test_a_known_secret_is_blotted_out_wherever_it_turns_up(lines: io.StringIO) -> None:
    try:
        raise ValueError("refused: correct horse")
    except ValueError:
        structlog.get_logger().exception("failed with correct horse", where="at correct horse's")
    assert "correct horse" not in lines.getvalue()
    assert "ValueError" in only(lines)["exception"]


def test_what_is_too_short_to_be_a_secret_stays(lines: io.StringIO) -> None:
    structlog.get_logger().info("a short word")
    assert only(lines)["event"] == "a short word"


def test_other_libraries_log_the_same_way(lines: io.StringIO) -> None:
    logging.getLogger("somebody.else").warning("told %s", "correct horse", extra={"token": "abc"})
    told = only(lines)
    assert told["event"] == f"told {logs.HIDDEN}"
    assert told["token"] == logs.HIDDEN


def test_a_count_is_shown_even_under_such_a_name(lines: io.StringIO) -> None:
    structlog.get_logger().info("x", tokens=3, text=None)
    assert (only(lines)["tokens"], only(lines)["text"]) == (3, None)


def test_a_long_value_is_cut(lines: io.StringIO) -> None:
    structlog.get_logger().info("x", reason="a" * 5000)
    assert len(only(lines)["reason"]) == logs.LONGEST + 1


def test_what_is_bound_to_the_job_is_in_each_of_its_lines(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(job="inbound.understand"):
        structlog.get_logger().info("x")
    assert only(lines)["job"] == "inbound.understand"


def test_quiet_shows_warnings_only() -> None:
    out = io.StringIO()
    logs.configure(Log(format=LogFormat.CONSOLE), stream=out, quiet=True)
    structlog.get_logger().info("nothing")
    structlog.get_logger().warning("something")
    structlog.reset_defaults()
    assert "something" in out.getvalue()
    assert "nothing" not in out.getvalue()


def test_what_the_database_tells_of_a_rows_values_is_hidden(lines: io.StringIO) -> None:
    said = (
        'null value in column "kind" violates a constraint\n'
        "DETAIL:  Failing row contains (7, Dear colleagues,\nhere is our offer).\n"
        "CONTEXT:  COPY message, line 1: with kind regards"
    )
    try:
        raise ValueError(said)
    except ValueError as error:
        structlog.get_logger().exception("failed", error=str(error))
    told = only(lines)
    assert "null value" in told["error"]
    assert "ValueError" in told["exception"]
    for words in ("Dear colleagues", "our offer", "kind regards"):
        assert words not in lines.getvalue()
