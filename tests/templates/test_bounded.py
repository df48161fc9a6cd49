"""The child that renders has no secret, ends with its parent's need, and comes back after a kill."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from templates.bounded import TEXT, Bounds, Child
from templates.catalogue import Catalogue
from templates.rendered import render_email
from tests.templates.factories import email, overrides, values


def pid_of(child: Child) -> int:
    assert child.pid is not None
    return child.pid


def packed() -> dict[str, str]:
    return {"do": "names", "source": json.dumps(email("Hello {{ client.name }}\n").as_plain())}


def test_the_child_sees_none_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_SMTP__PASSWORD", "hunter2")
    child = Child(TEXT)
    child.ask(packed())
    environment = Path(f"/proc/{pid_of(child)}/environ").read_bytes()
    child.close()
    assert b"hunter2" not in environment
    assert b"FRONTDESK" not in environment


def test_a_killed_child_is_replaced_for_the_next_piece_of_work() -> None:
    child = Child(TEXT)
    child.ask(packed())
    first = pid_of(child)
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    child.ask(packed())
    assert pid_of(child) != first
    child.close()


def test_a_child_that_ended_for_want_of_work_is_started_again() -> None:
    child = Child(Bounds(TEXT.cpu_seconds, 60.0, TEXT.memory_bytes, idle_seconds=0.01))
    child.ask(packed())
    os.waitid(os.P_PID, pid_of(child), os.WEXITED | os.WNOWAIT)
    answer, _ = child.ask(packed())
    assert answer[0] == ["client.name", *answer[0][1:]]
    child.close()


def test_threads_share_one_child_without_mixing_answers() -> None:
    catalogue = Catalogue(overrides("{{ client.name }}\n"))
    seen: dict[int, str] = {}

    def work(number: int) -> None:
        seen[number] = render_email("own", "en", values(client__name=f"Client {number}"), catalogue).text

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen[number].startswith(f"Client {number}\n") for number in range(12))
