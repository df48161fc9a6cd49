"""A segment reads as a sentence, whatever names stand in it."""

from __future__ import annotations

import pytest

from core.i18n import texts
from core.segments_language import parse
from core.segments_sentence import Names, sentence


@pytest.mark.parametrize(
    ("language", "name", "quoted"),
    [
        ("ru", "Насос «Аура 25-60»", "«Насос „Аура 25-60“»"),
        ("lt", "Siurblys „Aura 25-60“", "„Siurblys ‚Aura 25-60‘“"),
        ("en", "Pump “Aura 25-60”", "“Pump ‘Aura 25-60’”"),
    ],
)
def test_quotation_marks_of_a_name_give_way_to_inner_ones(language: str, name: str, quoted: str):
    tree = parse({"version": 1, "group": "all", "of": [{"fact": "bought", "products": ["p"]}]})
    assert quoted in sentence(tree, texts(language), Names(products={"p": name}))
