"""The settings: one TOML file and `FRONTDESK_*` variables, checked once, secrets masked.

The file is the one `FRONTDESK_CONFIG` names, else `./frontdesk.toml`, else
`~/.config/frontdesk/frontdesk.toml`; none at all is fine. A variable wins over the file; a nested setting is
written with two underscores (`FRONTDESK_RELAY__PASSWORD`). Every setting is described in
`docs/operate/settings.md`.

    settings = load_settings()
    settings.mailboxes[0].password.get_secret_value()
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pydantic
from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from core import config_base as base
from core import config_sections as sections
from core.config_classifier import Understanding
from core.config_dialling import Dialling
from core.config_dkim import DkimKey
from core.config_phone import Phone
from core.config_senders import Senders
from core.errors import ConfigurationError
from core.limits import Limits

PREFIX = "FRONTDESK_"
NOT_SETTINGS = frozenset({"FRONTDESK_CONFIG"})
"""Variables of ours that are not settings; those that begin with `FRONTDESK_TEST_` are not either."""


def default_data_dir() -> Path:
    """Where the data goes unless told: `~/.local/share/frontdesk`, or `$XDG_DATA_HOME/frontdesk`."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "frontdesk"


class Settings(BaseSettings):
    """Everything that may differ between one company and the next."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    company: sections.Company = Field(default_factory=sections.Company, description="Who we are.")
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the built-in database, the key and stored files.",
        examples=["/var/lib/frontdesk"],
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="A PostgreSQL server of yours, 15 or newer; without it the built-in one runs.",
        examples=["postgresql://frontdesk:password@db.example.lt/frontdesk"],
    )
    database: sections.Database = Field(
        default_factory=sections.Database, description="How the database is used."
    )
    mailboxes: list[sections.Mailbox] = Field(
        default_factory=list, description="The mailboxes that are read."
    )
    relay: sections.Relay | None = Field(default=None, description="The SMTP server that takes our mail.")
    dkim: list[DkimKey] = Field(
        default_factory=list, description="Keys that sign our mail, where the relay does not."
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Signs links and sessions; made on first use. Several machines need the same one.",
        examples=["64 random hexadecimal digits: openssl rand -hex 32"],
    )
    secret_key_file: Path | None = Field(
        default=None, description="A file that holds it instead.", examples=["/run/secrets/key"]
    )
    senders: Senders = Field(
        default_factory=Senders, description="How it is checked that a letter is from whom it names."
    )
    classifier: Understanding = Field(default_factory=Understanding, description="How messages are sorted.")
    twilio: sections.Twilio | None = Field(default=None, description="The telephone.")
    phone: Phone = Field(default_factory=Phone, description="How calls are taken, and whom we may reach.")
    dialling: Dialling = Field(
        default_factory=Dialling, description="What the telephone may spend, and when it calls by itself."
    )
    desk: sections.Desk = Field(default_factory=sections.Desk, description="The web application for staff.")
    pressure: sections.Pressure = Field(
        default_factory=sections.Pressure, description="How much one contact gets by machine."
    )
    workers: sections.Workers = Field(default_factory=sections.Workers, description="Background work.")
    log: sections.Log = Field(default_factory=sections.Log, description="What is logged, and how.")
    limits: Limits = Field(default_factory=Limits, description="Bounds on input and patience.")
    acknowledgement: bool = Field(
        default=True, description="Answer a client's first letter automatically.", examples=[True]
    )

    _file: Path | None = None

    @property
    def file(self) -> Path | None:
        """The file these settings were read from."""
        return self._file

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return base.absolute(value)

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        scheme = value.get_secret_value().partition("://")[0]
        if scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
            raise ValueError("it must begin with postgresql://")
        return value

    @field_validator("mailboxes")
    @classmethod
    def _told_apart(cls, value: list[sections.Mailbox]) -> list[sections.Mailbox]:
        places = [(one.name, one.folder) for one in value]
        if twice := [place for place in places if places.count(place) > 1]:
            raise ValueError(f"two of them are named {twice[0][0]!r}")
        return value

    @pydantic.model_validator(mode="after")
    def _secrets_from_files(self) -> Settings:
        base.read_secret_files(self)
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables win over what the file said, which arrives as the initial values."""
        return (EnvSettingsSource(settings_cls), init_settings)

    def signing_key(self) -> str:
        """The key that signs links and sessions; made with mode 0600 in the data folder when none is set.

        Raises ConfigurationError when the folder cannot be written.
        """
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        path = self.data_dir / "secret.key"
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_name(f"secret.key.{os.getpid()}.{secrets.token_hex(4)}")
            if not path.exists():
                descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as out:
                    out.write(secrets.token_hex(32))
                try:
                    # A link refuses to replace: of several first processes one wins.
                    with suppress(FileExistsError):
                        os.link(fresh, path)
                finally:
                    fresh.unlink()
            return path.read_text().strip()
        except OSError as error:
            raise ConfigurationError(
                f"data_dir: {self.data_dir} cannot be used ({error.strerror}).",
                cure='Example: data_dir = "/var/lib/frontdesk", owned by the user that runs frontdesk.',
            ) from error

    def secret_values(self) -> frozenset[str]:
        """Every secret these settings hold, for the log to refuse."""
        return frozenset(_secrets_in(self))


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        if len(secret := value.get_secret_value()) >= 6:
            yield secret
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _secrets_in(item)


def find_file(environment: Mapping[str, str] | None = None) -> Path | None:
    """The settings file to read; ConfigurationError when the one that was asked for is not there."""
    named = (os.environ if environment is None else environment).get("FRONTDESK_CONFIG")
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise ConfigurationError(
                f"FRONTDESK_CONFIG names {named}, and there is no such file.",
                cure="`frontdesk init` writes one.",
            )
        return path
    usual = (Path("frontdesk.toml"), Path.home() / ".config/frontdesk/frontdesk.toml")
    return next((path for path in usual if path.is_file()), None)


_USUAL = Path("the usual one")


def load_settings(file: Path | None = _USUAL, **values: Any) -> Settings:
    """Read the settings from the usual file, another one, or none (`None`), and from the variables.

    `values` stand as if they were in the file. Raises ConfigurationError that names the setting, what is
    wrong with its value, and an example.
    """
    if file is _USUAL:
        file = find_file()
    content: dict[str, Any] = _read(file) if file is not None else {}
    content.update(values)
    _refuse_unknown_variables()
    token = base.FOLDER.set(file.parent.absolute() if file is not None else Path.cwd())
    try:
        settings = Settings(**content)
    except pydantic.ValidationError as error:
        raise _explain(error, file) from None
    except pydantic.PydanticUserError:
        raise
    except ValueError as error:  # a nested variable that is not JSON
        raise ConfigurationError(
            f"A FRONTDESK_ variable cannot be read: {error}.", cure="Lists are written as JSON."
        ) from error
    finally:
        base.FOLDER.reset(token)
    settings._file = file
    return settings


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror}.", cure="Check its owner and mode."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not text in UTF-8.", cure="Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{file} is not TOML: {error}.", cure='Strings need quotes. Example: host = "imap.example.lt"'
        ) from error


def _refuse_unknown_variables() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in os.environ:
        if not name.startswith(PREFIX) or name in NOT_SETTINGS or name.startswith(f"{PREFIX}TEST_"):
            continue
        if name.partition("__")[0] not in known:
            close = difflib.get_close_matches(name, known, n=1)
            raise ConfigurationError(
                f"{name} is not a setting.",
                cure=f"Did you mean {close[0]}?" if close else "See docs/operate/settings.md.",
            )


def _explain(error: pydantic.ValidationError, file: Path | None) -> ConfigurationError:
    """The first fault of many, in one line."""
    first = error.errors(include_url=False)[0]
    place = list(first["loc"])
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, base.Fault):
        place.append(cause.setting)
    field, siblings = _field(place)
    name = _dotted(place) or "The settings"
    origin = _origin(place, file)
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(place[-1]), siblings, n=1)
        cure = (
            f"Did you mean {_dotted([*place[:-1], close[0]])}?" if close else "See docs/operate/settings.md."
        )
        return ConfigurationError(f"{name}{origin} is not a setting.", cure=cure)
    example = base.example(place, field)
    return ConfigurationError(
        f"{name}{origin}: {_fault(first, field)}.",
        cure=f"Example: {example}" if example else "See docs/operate/settings.md.",
    )


def _fault(detail: Any, field: pydantic.fields.FieldInfo | None) -> str:
    """What is wrong with the value, showing it unless it is a secret."""
    message = detail["msg"].removeprefix("Value error, ").rstrip(".")
    if detail["type"] == "missing":
        return "it is missing"
    given = detail["input"]
    secret = field is not None and "Secret" in str(field.annotation)
    shown = repr(given) if isinstance(given, str | int | float) and not secret else "it"
    if len(shown) > 60:
        shown = f"{shown[:57]}…'"
    if detail["type"] in {"model_type", "dict_type"}:
        return "it is a section, not one value"
    if detail["type"] == "string_pattern_mismatch":
        return f"{shown} has the wrong form"
    if message.startswith("Input should be "):
        return (
            f"{shown} should be {message.removeprefix('Input should be ').partition(', unable to parse')[0]}"
        )
    return message


def _origin(place: list[Any], file: Path | None) -> str:
    """The variable or the file the value came from."""
    names = [str(part).upper() for part in place]
    for length in range(len(names), 0, -1):
        if (variable := PREFIX + "__".join(names[:length])) in os.environ:
            return f" (from {variable})"
    return f" (in {file})" if file is not None else ""


def _dotted(place: list[Any]) -> str:
    name = ""
    for part in place:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            plain = part if part.isidentifier() else json.dumps(part, ensure_ascii=True)
            name += f".{plain}" if name else plain
    return name


def _field(place: list[Any]) -> tuple[pydantic.fields.FieldInfo | None, list[str]]:
    """The field at a place in the settings, and the names of the fields beside it."""
    model: type[BaseModel] = Settings
    field: pydantic.fields.FieldInfo | None = None
    for number, part in enumerate(place):
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part))
        inner = base.model_in(field.annotation) if field is not None else None
        if inner is None or number == len(place) - 1:
            break
        model = inner
    return field, list(model.model_fields)
