"""What the page on writing templates shows really works."""

from __future__ import annotations

import re
from pathlib import Path

from templates import grammar
from templates.composition import PIECES
from templates.rendered import check
from tests.templates.factories import email

PAGE = (Path(__file__).parent.parent.parent / "docs" / "howto" / "write-a-template.md").read_text("utf-8")


def test_the_letter_on_the_page_is_a_good_template() -> None:
    letter = re.search(r"## A letter\n\n```\n(.*?)```", PAGE, re.DOTALL)
    assert letter
    assert {"deal.lines[].product", "links.download"} <= check(email(letter[1]))


def test_the_page_names_every_filter_and_every_piece() -> None:
    for word in (*grammar.FILTERS, *PIECES, *(f"loop.{word}" for word in grammar.LOOP_WORDS)):
        assert word in PAGE
