"""Backup and restore: everything there and back, and refusals before anything is lost."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import backup, db, restored
from core.errors import ConfigurationError, InputRefused
from core.jobs import enqueue
from core.localdb import LocalDatabase
from core.outbox import Delivery, DeliveryState

WORDS = "Sąskaita „№ 5“ ёлка"


@pytest.fixture
def full(engine: sa.Engine) -> sa.Engine:
    """A database with something in it."""
    with db.transaction(engine) as session:
        session.execute(sa.text("create table probe (word text, raw bytea)"))
        session.execute(
            sa.text("insert into probe values (:word, :raw)"), {"word": WORDS, "raw": bytes(range(256))}
        )
        enqueue(session, "a.kind", text=WORDS)
    return engine


@pytest.fixture
def empty(server: LocalDatabase) -> Iterator[sa.Engine]:
    """A database without a table."""
    name = f"empty_{os.getpid()}"
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f'create database "{name}"'.encode())
    engine = db.make_engine(server.url_of(name))
    yield engine
    engine.dispose()
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)'.encode())


def test_what_was_backed_up_is_restored(full: sa.Engine, empty: sa.Engine, tmp_path: Path) -> None:
    size = backup.dump(full.url, tmp_path / "file")
    backup.load(empty, tmp_path / "file")
    with db.transaction(empty) as session:
        assert session.execute(sa.text("select word, raw from probe")).one() == (WORDS, bytes(range(256)))
        assert session.scalar(sa.text("select count(*) from pgqueuer")) == 1
    assert size == (tmp_path / "file").stat().st_size
    db.check_schema(empty)


def test_a_restored_queue_takes_jobs(full: sa.Engine, empty: sa.Engine, tmp_path: Path) -> None:
    backup.dump(full.url, tmp_path / "file")
    backup.load(empty, tmp_path / "file")
    db.migrate(empty)
    with db.transaction(empty) as session:
        assert enqueue(session, "a.kind") is not None


def test_the_file_is_readable_by_its_owner_only(full: sa.Engine, tmp_path: Path) -> None:
    backup.dump(full.url, tmp_path / "file")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_a_file_that_exists_is_overwritten_only_when_asked(full: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputRefused, match="--force"):
        backup.dump(full.url, tmp_path / "file")
    backup.dump(full.url, tmp_path / "file", overwrite=True)
    assert (tmp_path / "file").read_bytes().startswith(backup.HEAD)


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(backup.BackupFailed, match="pg_dump failed"):
        backup.dump(sa.make_url("postgresql://nobody@/nothing?host=/nonexistent"), tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_database_with_something_in_it_is_not_overwritten(full: sa.Engine, tmp_path: Path) -> None:
    backup.dump(full.url, tmp_path / "file")
    with pytest.raises(InputRefused, match="--replace"):
        backup.load(full, tmp_path / "file")


def test_a_database_is_replaced_when_asked(full: sa.Engine, tmp_path: Path) -> None:
    backup.dump(full.url, tmp_path / "file")
    with full.begin() as connection:
        connection.execute(sa.text("delete from probe"))
    backup.load(full, tmp_path / "file", replace=True)
    with full.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from probe")) == 1


def test_what_is_no_backup_is_refused_before_anything_is_deleted(full: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("select 1;")
    with pytest.raises(InputRefused, match="not a backup"):
        backup.load(full, tmp_path / "file", replace=True)
    with full.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from probe")) == 1


@pytest.mark.parametrize("kept", [0.1, 0.66, 0.999])
def test_a_backup_that_was_cut_short_is_refused(full: sa.Engine, tmp_path: Path, kept: float) -> None:
    backup.dump(full.url, tmp_path / "file")
    whole = (tmp_path / "file").read_bytes()
    (tmp_path / "file").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(InputRefused, match="cut short"):
        backup.load(full, tmp_path / "file", replace=True)
    with full.connect() as connection:
        assert connection.scalar(sa.text("select count(*) from probe")) == 1


def test_a_backup_of_which_one_byte_was_changed_is_refused(full: sa.Engine, tmp_path: Path) -> None:
    backup.dump(full.url, tmp_path / "file")
    changed = bytearray((tmp_path / "file").read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / "file").write_bytes(changed)
    with pytest.raises(InputRefused, match="changed"):
        backup.load(full, tmp_path / "file", replace=True)


def probes(engine: sa.Engine) -> int:
    """How many probes there are, in a database whose extensions are at their place."""
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select similarity('насос', 'насос')")) == 1
        return int(connection.scalar(sa.text("select count(*) from probe")) or 0)


def test_a_backup_that_cannot_be_read_back_leaves_what_is_there(full: sa.Engine, tmp_path: Path) -> None:
    nonsense = backup.HEAD + b"\x01\x0f nonsense" * 20
    digest = hashlib.sha256(nonsense).hexdigest().encode()
    (tmp_path / "file").write_bytes(nonsense + backup.LAST_LINE + digest + b"\n")
    with pytest.raises(backup.RestoreFailed):
        backup.load(full, tmp_path / "file", replace=True)
    assert probes(full) == 1
    db.check_schema(full)


def test_what_is_broken_off_after_a_restore_brings_back_what_was_there(
    full: sa.Engine, tmp_path: Path
) -> None:
    backup.dump(full.url, tmp_path / "file")
    with full.begin() as connection:
        connection.execute(sa.text("insert into probe select * from probe"))

    def broken_off() -> None:
        with backup.restoring(full, tmp_path / "file", replace=True):
            assert probes(full) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert probes(full) == 2


def test_a_restore_that_was_killed_is_undone_by_the_next(full: sa.Engine, tmp_path: Path) -> None:
    backup.dump(full.url, tmp_path / "file")
    with full.begin() as connection:
        connection.execute(sa.text("insert into probe select * from probe"))
        connection.execute(sa.text(f'alter schema public rename to "{backup.ASIDE}"'))
        connection.execute(sa.text("create schema public"))
        connection.execute(sa.text("create table half (made int)"))
    with pytest.raises(InputRefused, match="--replace"):
        backup.load(full, tmp_path / "file")
    assert probes(full) == 2


def test_nothing_is_restored_while_a_worker_is_connected(full: sa.Engine, tmp_path: Path) -> None:
    backup.dump(full.url, tmp_path / "file")
    worker = db.make_engine(full.url, application="frontdesk work")
    try:
        with worker.connect(), pytest.raises(InputRefused, match="frontdesk work"):
            backup.load(full, tmp_path / "file", replace=True)
    finally:
        worker.dispose()
    assert probes(full) == 1


def test_programs_that_are_not_there_are_named(full: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "initdb").touch()
    with pytest.raises(ConfigurationError, match="pg_dump is not there"):
        backup.dump(full.url, tmp_path / "file", bin_dir=tmp_path / "bin")


def test_what_was_on_its_way_out_is_left_for_a_person_after_a_restore(session: Session) -> None:
    states = [
        DeliveryState(state) for state in ("queued", "claimed", "transmitting", "deferred", "sent", "refused")
    ]
    for state in states:
        session.add(Delivery(key=state, token=state, state=state, address="a@b.lt", address_key="a@b.lt"))
    session.flush()
    assert restored.hold_deliveries(session) == 4
    rows = session.execute(sa.text("select key, state from delivery"))
    after = dict(tuple(row) for row in rows)
    assert after == dict.fromkeys(states[:4], "uncertain") | {
        "sent": "sent",
        "refused": "refused",
    }
    assert session.scalar(sa.text("select count(*) from delivery_event where state = 'uncertain'")) == 4
    assert restored.hold_deliveries(session) == 0
