"""The doctor: what is wrong, with a cure, and nothing that is right called wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import db
from core.config import Settings, load_settings
from core.config_sections import Mailbox, Relay
from core.jobs import enqueue
from desk.doctor import Finding, Verdict, examine, has_font


def findings(settings: Settings, what: str) -> list[Finding]:
    return [finding for finding in examine(settings) if finding.what == what]


def wrong(settings: Settings) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(settings) if finding.verdict is Verdict.WRONG}


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """An engine over the very database that `database_url` names."""
    engine = db.make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def healthy(database_url: str, tmp_path: Path) -> Settings:
    return load_settings(
        None, database_url=database_url, data_dir=tmp_path / "data", limits={"free_disk_bytes": 1}
    )


def test_a_healthy_installation_has_nothing_wrong(healthy: Settings) -> None:
    assert wrong(healthy) == {}


def test_a_database_that_does_not_answer_is_wrong_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    settings = load_settings(None, database_url="postgresql://x@/x?host=/nonexistent", data_dir=tmp_path)
    found = {finding.what: finding for finding in examine(settings)}
    assert found["database"].verdict is Verdict.WRONG
    assert "Check database_url" in found["database"].cure
    assert "disk" in found


def test_a_schema_that_is_not_ours_is_wrong(healthy: Settings, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    assert "newer version" in wrong(healthy)["schema"].said


def test_jobs_that_wait_too_long_are_wrong(healthy: Settings, engine: sa.Engine) -> None:
    with db.transaction(engine) as session:
        enqueue(session, "a.kind")
        session.execute(sa.text("update pgqueuer set execute_after = now() - interval '1 hour'"))
    found = wrong(healthy)["jobs"]
    assert "60 minutes" in found.said
    assert "frontdesk serve" in found.cure


def test_a_mailbox_and_a_relay_that_do_not_answer_are_wrong(healthy: Settings) -> None:
    mailbox = {
        "name": "sales",
        "address": "a@b.lt",
        "host": "127.0.0.1",
        "port": 1,
        "security": "plain",
        "password": "x",
    }
    relay = {"host": "127.0.0.1", "port": 1, "security": "plain", "from_address": "a@b.test"}
    settings = healthy.model_copy(
        update={"mailboxes": [Mailbox.model_validate(mailbox)], "relay": Relay.model_validate(relay)}
    )
    found = wrong(settings)
    assert set(found) == {"mailbox sales", "relay"}
    assert all("name and port" in one.cure for one in found.values())
    assert all(finding.verdict is not Verdict.WRONG for finding in examine(settings, offline=True))


def test_a_full_disk_is_wrong(healthy: Settings) -> None:
    limits = healthy.limits.model_copy(update={"free_disk_bytes": 10**18})
    assert "no" in wrong(healthy.model_copy(update={"limits": limits}))["disk"].said


def test_settings_with_secrets_that_others_may_read_are_wrong(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "frontdesk.toml"
    file.write_text(f'data_dir = "{tmp_path}"\nsecret_key = "{"k" * 40}"\n')
    file.chmod(0o644)
    settings = load_settings(file, database_url=database_url)
    assert "chmod 600" in wrong(settings)["settings"].cure
    file.chmod(0o600)
    assert "settings" not in wrong(settings)


def test_no_language_has_a_font_that_does_not_exist() -> None:
    assert not has_font("xx-nonsense")
