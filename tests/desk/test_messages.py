"""The catalogues hold every message of the screens, with the same things to fill in."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog

from core.values import LANGUAGES
from desk import messages

TRANSLATED = [language for language in LANGUAGES if language != "en"]
_FILLED = re.compile(r"%\((\w+)\)[sd]")


@pytest.fixture(scope="module")
def template() -> Catalog:
    """Every message of the screens: looking for them takes seconds."""
    return messages.collected()


@pytest.mark.parametrize("language", TRANSLATED)
def test_nothing_is_untranslated_or_doubtful(language: str, template: Catalog) -> None:
    assert messages.missing(language, template) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_fills_in_what_the_message_does(language: str) -> None:
    for message in messages.load(language):
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        translated = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = {name for text in originals for name in _FILLED.findall(text)}
        for text in translated if message.id else []:
            assert set(_FILLED.findall(text)) == wanted, text


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_left_over(language: str, template: Catalog) -> None:
    wanted = {message.id for message in template}
    assert [message.id for message in messages.load(language) if message.id not in wanted] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_message_ends_as_its_translation_does(language: str) -> None:
    for message in messages.load(language):
        if isinstance(message.id, str) and isinstance(message.string, str) and message.id:
            for mark in (".", "?", ":", "…"):
                if mark == ":" or not message.id.endswith(mark):
                    continue
                assert message.string.endswith(mark), message.string
