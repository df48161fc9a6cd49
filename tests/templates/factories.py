"""Values and templates that the tests of this room start from."""

from __future__ import annotations

import copy
from typing import Any

from templates.placeholders import samples
from templates.unit import Source


def values(language: str = "en", **changes: Any) -> dict[str, dict[str, Any]]:
    """Sample values with changes given as `client__name="…"`; None takes the value away."""
    made: dict[str, dict[str, Any]] = copy.deepcopy(samples(language))
    for path, value in changes.items():
        group, _, name = path.partition("__")
        if value is None:
            made.get(group, {}).pop(name, None)
        else:
            made.setdefault(group, {})[name] = value
    return made


def email(body: str, html: str | None = None, subject: str = "Hello", language: str = "en") -> Source:
    """A company's own email template."""
    parts = {"subject.txt": subject, "body.txt": body}
    if html is not None:
        parts["body.html"] = html
    return Source("email", "own", language, parts, own=True)


def overrides(
    body: str, html: str | None = None, subject: str = "Hello", language: str = "en"
) -> dict[str, str]:
    """The same as overrides of a catalogue, under the key "own"."""
    source = email(body, html, subject, language)
    return {f"email/own/{language}/{part}": text for part, text in source.parts.items()}
