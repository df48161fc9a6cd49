"""The journal tells how far a dead worker came, and nothing about a living one."""

from __future__ import annotations

import os
from pathlib import Path

from outbound.journal import SLOTS, Journal, Mark, folder_of_this_boot, remains


def test_what_a_dead_worker_had_in_hand_is_read_once(tmp_path: Path):
    child = os.fork()
    if child == 0:
        journal = Journal(tmp_path, "host:1:abc")
        journal.hold([10, 11, 12, 13])
        journal.mark(11, Mark.DOTTED)
        journal.mark(12, Mark.TAKEN)
        journal.release([13])
        os._exit(0)
    os.waitpid(child, 0)
    with remains(tmp_path) as found:
        (left,) = found
        assert left.owner == "host:1:abc"
        assert left.marks == {10: Mark.HELD, 11: Mark.DOTTED, 12: Mark.TAKEN}
    with remains(tmp_path) as found:
        assert found == []


def test_a_living_workers_journal_is_left_alone(tmp_path: Path):
    journal = Journal(tmp_path, "alive")
    journal.hold([1])
    with remains(tmp_path) as found:
        assert found == []
    journal.release([1])
    journal.close()
    assert list(tmp_path.glob("*")) == []


def test_more_letters_than_slots_are_simply_not_known(tmp_path: Path):
    journal = Journal(tmp_path, "busy")
    journal.hold(range(1, SLOTS + 10))
    journal.mark(SLOTS + 5, Mark.DOTTED)
    journal.release(range(1, SLOTS + 10))
    journal.hold([SLOTS + 20])
    journal.mark(SLOTS + 20, Mark.DOTTED)
    journal.close()
    with remains(tmp_path) as found:
        assert found[0].marks == {SLOTS + 20: Mark.DOTTED}


def test_journals_of_an_earlier_boot_prove_nothing_and_are_removed(tmp_path: Path):
    folder = folder_of_this_boot(tmp_path)
    assert folder is not None
    host = folder.name[: -len("-00000000-0000-0000-0000-000000000000")]
    earlier = folder.with_name(f"{host}-11111111-0000-0000-0000-000000000000")
    earlier.mkdir()
    (earlier / "old.journal").write_bytes(b"x")
    assert folder_of_this_boot(tmp_path) == folder
    assert not earlier.exists()
