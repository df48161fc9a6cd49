"""Settings: one file and variables, faults in one line, secrets masked, everything documented."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from core.config import PREFIX, Settings, find_file, load_settings
from core.config_base import model_in
from core.errors import ConfigurationError

MAILBOX = """
[[mailboxes]]
name = "sales"
address = "sales@example.lt"
host = "imap.example.lt"
password = "correct horse"
"""
PAGE = Path(__file__).parents[2] / "docs" / "operate" / "settings.md"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the person who runs the tests is in the way."""
    for name in os.environ:
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_"):
            monkeypatch.delenv(name)


def read(folder: Path, text: str) -> Settings:
    file = folder / "frontdesk.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


def fault(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(folder, text)
    said = str(caught.value)
    assert "\n" not in said
    return said.replace(f" (in {folder / 'frontdesk.toml'})", "")


def test_no_settings_at_all_are_settings() -> None:
    settings = load_settings(None)
    assert settings.database_url is None
    assert settings.desk.port == 8080
    assert settings.limits.mail_bytes == 50_000_000


def test_a_mailbox_takes_its_port_and_user_name_from_the_rest(tmp_path: Path) -> None:
    (mailbox,) = read(tmp_path, MAILBOX).mailboxes
    assert (mailbox.port, mailbox.username, mailbox.folder) == (993, "sales@example.lt", "INBOX")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            MAILBOX + 'security = "ssl"',
            "mailboxes[0].security: 'ssl' should be 'tls', 'starttls' or 'plain'.",
        ),
        (MAILBOX + 'security = "plain"', "mailboxes[0].security: 'plain' would show everything"),
        (
            MAILBOX + 'usernam = "x"',
            "mailboxes[0].usernam is not a setting. Did you mean mailboxes[0].username?",
        ),
        (MAILBOX + 'auth = "xoauth2"', "mailboxes[0].oauth: it is missing, and auth = 'xoauth2' needs it."),
        (MAILBOX.replace("sales@", "sales"), "mailboxes[0].address: 'salesexample.lt' has the wrong form."),
        (MAILBOX.replace('password = "correct horse"', ""), "mailboxes[0].password: it is missing"),
        (
            "[desk]\nport = 99999",
            "desk.port: 99999 should be less than or equal to 65535. Example: port = 8080",
        ),
        ("[desk]\nprot = 80", "desk.prot is not a setting. Did you mean desk.port?"),
        ('desk = "x"', 'desk: it is a section, not one value. Example: [desk] host = "127.0.0.1"'),
        (
            'database_url = "mysql://x"',
            "database_url: it must begin with postgresql://. Example: database_url =",
        ),
        ('[relay]\nhost = "h"', "relay.from_address: it is missing. Example: from_address ="),
        ('[company]\nlanguages = ["pl"]', "company.languages: 'pl' is not one of lt, ru, en."),
        ('[company]\ntimezone = "Vilnius"', "company.timezone: 'Vilnius' is not a time zone."),
        (
            "[limits]\nmail_bytes = -1",
            "limits.mail_bytes: -1 should be greater than 0. Example: mail_bytes =",
        ),
        ("desk", "is not TOML"),
        (MAILBOX + MAILBOX, "mailboxes: two of them are named 'sales'."),
    ],
)
def test_a_wrong_setting_names_itself_its_fault_and_an_example(tmp_path: Path, text: str, said: str) -> None:
    assert said in fault(tmp_path, text)


def test_a_secret_is_in_no_error_and_in_no_text(tmp_path: Path) -> None:
    assert "hunter22" not in fault(tmp_path, 'database_url = "hunter22"')
    settings = read(
        tmp_path, MAILBOX + '[relay]\nhost = "h"\nfrom_address = "a@b.lt"\npassword = "hunter22"\n'
    )
    assert "hunter22" not in repr(settings)
    assert "correct horse" not in str(settings)
    assert settings.secret_values() == {"hunter22", "correct horse"}


def test_a_secret_comes_from_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret value\n")
    settings = read(tmp_path, MAILBOX.replace('password = "correct horse"', 'password_file = "key"'))
    password = settings.mailboxes[0].password
    assert password is not None
    assert password.get_secret_value() == "s3cret value"


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    assert "both given" in fault(tmp_path, MAILBOX + 'password_file = "key"')


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_secret_file_that_is_missing_or_empty_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    said = fault(tmp_path, MAILBOX.replace('password = "correct horse"', 'password_file = "key"'))
    assert said.startswith("mailboxes[0].password_file: ")


def test_a_variable_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_DESK__PORT", "8081")
    settings = read(tmp_path, '[desk]\nport = 9000\nhost = "::1"')
    assert (settings.desk.port, settings.desk.host) == (8081, "::1")


def test_a_wrong_variable_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_DESK__PORT", "many")
    with pytest.raises(
        ConfigurationError, match=r"^desk\.port \(from FRONTDESK_DESK__PORT\): 'many' should be"
    ):
        load_settings(None)


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_DATABSE_URL", "x")
    with pytest.raises(ConfigurationError, match="Did you mean FRONTDESK_DATABASE_URL"):
        load_settings(None)


def test_a_list_in_a_variable_that_is_not_json_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_MAILBOXES", "[x")
    with pytest.raises(ConfigurationError, match="JSON"):
        load_settings(None)


def test_a_named_file_that_is_missing_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml"):
        find_file({"FRONTDESK_CONFIG": "/nowhere.toml"})


def test_the_signing_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    settings = load_settings(None, data_dir=tmp_path / "data")
    key = settings.signing_key()
    assert len(key) == 64
    assert load_settings(None, data_dir=tmp_path / "data").signing_key() == key
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret.key"]


def test_a_signing_key_of_ones_own_is_used(tmp_path: Path) -> None:
    assert load_settings(None, secret_key="k" * 40, data_dir=tmp_path).signing_key() == "k" * 40


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every setting with the heading it is described under."""
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is None:
            yield prefix, name
            assert field.description, f"{prefix}{name} has no description"
        else:
            yield from settings_of(inner, f"{prefix}{name}.")


def test_every_setting_is_described_in_the_documentation() -> None:
    text = PAGE.read_text(encoding="utf-8")
    chapters = {"": text}
    for heading, body in re.findall(r"(?ms)^#+ `\[+([\w.]+)\]+`$(.*?)(?=^##|\Z)", text):
        chapters[f"{heading}."] = body
    missing = [
        f"{prefix}{name}"
        for prefix, name in settings_of(Settings)
        if f"| `{name}` |" not in chapters.get(prefix, "")
    ]
    assert missing == []


@given(
    st.dictionaries(
        st.text(max_size=12), st.one_of(st.none(), st.integers(), st.text(max_size=20)), max_size=4
    )
)
def test_whatever_the_settings_hold_they_are_read_or_refused_in_one_line(content: dict[str, object]) -> None:
    said = ""
    try:
        load_settings(None, **content)
    except ConfigurationError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
