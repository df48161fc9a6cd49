"""What every section of the settings shares: secrets from files, paths from the file's folder, faults with
examples."""

from __future__ import annotations

import ipaddress
import json
import typing
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator
from pydantic.fields import FieldInfo

FOLDER: ContextVar[Path | None] = ContextVar("frontdesk_settings_folder", default=None)
"""The folder of the file being read: relative paths in it start there."""


def absolute(path: Path) -> Path:
    """The path with `~` opened, starting from the settings file's folder when relative."""
    path = path.expanduser()
    return path if path.is_absolute() else (FOLDER.get() or Path.cwd()) / path


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The section inside an annotation such as `Relay | None` or `list[Mailbox]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := model_in(part))), None)


class Fault(ValueError):
    """A value is wrong beside the others of its section; `setting` is the one to change."""

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


def example(place: list[Any], field: FieldInfo | None) -> str:
    """A line of TOML that would do for the setting at that place; empty when nothing sensible can be said."""
    if field is None or not place:
        return ""
    if (section := model_in(field.annotation)) is not None:
        head = "[[{}]]" if "list" in str(field.annotation) else "[{}]"
        path = ".".join(str(part) for part in place if isinstance(part, str))
        name, inner = next(iter(section.model_fields.items()))
        return f"{head.format(path)} {example([name], inner)}".strip()
    value = field.examples[0] if field.examples else field.get_default(call_default_factory=True)
    return f"{place[-1]} = {json.dumps(value, ensure_ascii=False, default=str)}"


def read_secret_files(section: BaseModel) -> None:
    """Fill each `x` from the file that `x_file` names; ValueError when both are given or the file cannot be
    read."""
    for name in type(section).model_fields:
        path: Path | None = getattr(section, f"{name}_file", None)
        if path is None:
            continue
        if getattr(section, name) is not None:
            raise Fault(name, f"it and {name}_file are both given, and only one may be")
        try:
            secret = absolute(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not text"
            raise Fault(f"{name}_file", f"{path} cannot be read ({reason})") from error
        if not secret:
            raise Fault(f"{name}_file", f"{path} is empty")
        object.__setattr__(section, name, SecretStr(secret))


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", "localhost.localdomain"}


class Section(BaseModel):
    """A section: unknown names are refused, values in errors are hidden, secrets may come from files."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)

    @model_validator(mode="after")
    def _secrets_from_files(self) -> Self:
        read_secret_files(self)
        return self
