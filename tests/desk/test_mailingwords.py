"""What the check found, and where closed addresses come from, stand in the reader's words."""

from __future__ import annotations

import pytest

from core.i18n import texts
from desk import mailingwords, suppressionwords
from outbound.campaigncheck import Fault, Finding, Gravity


def test_a_missing_language_says_what_its_readers_get_instead() -> None:
    finding = Finding(Fault.MISSING_LANGUAGE, Gravity.WARN, "A/lt", "ru", 8)
    said = mailingwords.said(finding, texts("en"))
    assert said.startswith("A · Lithuanian: ")
    assert said.endswith("They get the text in another one: Russian.")


def test_a_placeholder_is_called_by_its_name_and_not_by_its_code() -> None:
    finding = Finding(Fault.EMPTY_PLACEHOLDER, Gravity.WARN, "A/ru", "client.name", 3)
    assert "имя" in mailingwords.said(finding, texts("ru"))


@pytest.mark.parametrize(
    ("noted", "said"),
    [
        ("letter:24", "they wrote it in a letter"),
        ("link in delivery 7", "they followed the link in our letter"),
        ("delivery 7: RCPT: 550 5.1.1 No such user", "the server said: 550 5.1.1 No such user"),
        ("import: old.csv", "from the file old.csv"),
        ("Ona: said so in a call", "Ona: said so in a call"),
    ],
)
def test_a_closed_address_says_where_that_is_known_from(noted: str, said: str) -> None:
    assert suppressionwords.source(noted, texts("en")) == said
