"""Why a deal came to a stage, in words."""

from __future__ import annotations

import pytest

from desk.movewords import in_words


def _plain(message: str, **given: str) -> str:
    return message % given if given else message


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("document_request by mail", "opened by a letter: Request for documents"),
        ("a letter by mail", "opened by a letter"),
        ("order by telephone", "opened by a call: order"),
        ("by rule: meeting_accepted", "by a rule of the stage: meeting accepted"),
        ("moved to version 3", "moved to version 3 of the pipeline"),
        ("Klientas paskambino pats.", "Klientas paskambino pats."),
    ],
)
def test_a_reason_of_a_program_is_told_in_words_and_a_colleagues_stays(reason: str, said: str) -> None:
    names = {"document_request": "Request for documents"}
    assert in_words(reason, _plain, lambda key: names.get(key, key)) == said
