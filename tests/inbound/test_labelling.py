"""A classifier that cannot be loaded keeps no letter from its client's history."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from classifier.inforce import ClassifierInForce
from core import notices
from core.context import Context
from core.conversations import Conversation
from core.errors import FrontdeskError
from inbound.labelling import labeller
from inbound.pipeline import understand
from inbound.readers import ReadersHere
from inbound.work import Tools
from tests.inbound import posting


class Damaged(FrontdeskError):
    """The model file is damaged."""


def _damaged() -> ClassifierInForce:
    raise Damaged


@pytest.fixture
def broken(context: Context) -> Context:
    """A house whose classifier cannot be loaded, with one letter stored."""
    context.provide(ClassifierInForce, _damaged)
    with context.transaction() as session:
        posting.install(session)
    posting.post(context, [posting.letter()])
    return context


def test_the_letter_is_filed_without_a_label(broken: Context) -> None:
    tools = Tools(posting.mail_settings(broken.settings), ReadersHere(), labeller(broken))
    assert understand(broken, tools).understood == 1
    with broken.transaction() as session:
        assert session.scalars(sa.select(Conversation.intent)).one() is None


def test_an_alarm_says_so_and_goes_when_it_is_back(broken: Context) -> None:
    labeller(broken)
    with broken.transaction() as session:
        assert [one.kind for one in notices.open_alarms(session)] == ["classifier_unreadable"]
    broken.provide(ClassifierInForce, lambda: "any classifier")  # pyright: ignore[reportArgumentType]
    labeller(broken)
    with broken.transaction() as session:
        assert notices.open_alarms(session) == []
