"""Placeholders are declared once, documented, and all that shipped templates name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from templates.catalogue import KINDS, shipped
from templates.localforms import LANGUAGES
from templates.placeholders import PLACEHOLDERS, Need, Type, samples
from templates.rendered import preview
from templates.unit import compile_unit
from templates.values import show

PAGE = Path(__file__).parent.parent.parent / "docs" / "operate" / "placeholders.md"

SHIPPED = [(kind, key, language) for kind in KINDS for key in shipped().keys(kind) for language in LANGUAGES]


def test_every_placeholder_has_its_row_in_the_documentation() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert set(rows) == set(PLACEHOLDERS)
    for name, type_ in rows.items():
        assert type_.strip() == PLACEHOLDERS[name].type.name.lower(), name


def test_the_documentation_says_which_values_are_needed() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| ([^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert {name: need.strip() for name, need in rows} == {
        name: placeholder.need.name.lower() for name, placeholder in PLACEHOLDERS.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_has_a_sample_of_its_type(language: str) -> None:
    values = samples(language)
    # A logo and a form of address are rare; samples show the document without them.
    without = {"company.logo", "client.addressed_as"}
    for placeholder in PLACEHOLDERS.values():
        group, _, name = placeholder.name.partition(".")
        if placeholder.need is Need.COMPUTED or placeholder.name in without:
            continue
        if placeholder.type is Type.LIST:
            assert values[group][name]
        elif "[]." in name:
            whole, _, leaf = name.partition("[].")
            items = values[group][whole]
            assert isinstance(items, list)
            assert all(show(placeholder, item[leaf], language) for item in items)
        else:
            assert show(placeholder, values[group][name], language) != "", placeholder.name


def test_samples_hold_nothing_undeclared() -> None:
    for language in LANGUAGES:
        for group, values in samples(language).items():
            assert {f"{group}.{name}" for name in values} <= set(PLACEHOLDERS)


@pytest.mark.parametrize(("kind", "key", "language"), SHIPPED)
def test_a_shipped_template_names_only_declared_placeholders(kind: str, key: str, language: str) -> None:
    assert compile_unit(shipped().source(kind, key, language)).names.used <= set(PLACEHOLDERS)


@pytest.mark.parametrize(("kind", "key", "language"), SHIPPED)
def test_a_shipped_template_can_be_previewed(kind: str, key: str, language: str) -> None:
    shown = preview(kind, key, language)
    assert shown.language == language
    assert all(text.strip() for text in shown.parts.values())
    assert not any("{{" in text or "{%" in text for text in shown.parts.values())


@pytest.mark.parametrize("key", sorted({key for kind, key, _ in SHIPPED if kind == "email"}))
def test_language_variants_need_the_same_values(key: str) -> None:
    needed = {compile_unit(shipped().source("email", key, language)).names.needed for language in LANGUAGES}
    assert len(needed) == 1
