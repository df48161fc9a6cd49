"""A settings file written: TOML, readable by its owner only, complete or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import ConfigurationError

HEADER = "# Settings of frontdesk; every one is described in docs/operate/settings.md.\n\n"


def render(content: Mapping[str, Any], header: str = HEADER) -> str:
    """The content as TOML: values first, then sections; None and empty sections are left out."""
    return header + "\n".join(_lines(content, "")) + "\n"


def _lines(content: Mapping[str, Any], prefix: str) -> list[str]:
    plain = {name: value for name, value in content.items() if not _is_section(value) and value is not None}
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False, default=str)}" for name, value in plain.items()
    ]
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            lines += ["", f"[{prefix}{name}]", *_lines(value, f"{prefix}{name}.")]
        elif _is_section(value):
            for item in value:
                lines += ["", f"[[{prefix}{name}]]", *_lines(item, f"{prefix}{name}.")]
    return lines


def _is_section(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def write(path: Path, text: str) -> None:
    """Write the file with mode 0600; ConfigurationError when that cannot be done."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        unfinished.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({error.strerror}).", cure="Choose another with --output."
        ) from error
