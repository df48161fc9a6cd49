"""Letters are labelled by what was newly written; a classifier that cannot be loaded keeps none from its
client's history."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from classifier.inforce import ClassifierInForce
from core import notices
from core.accounts import Channel
from core.consent import suppression_of
from core.context import Context
from core.conversations import Conversation
from core.errors import FrontdeskError
from inbound.labelling import labeller
from inbound.pipeline import understand
from inbound.readers import ReadersHere
from inbound.work import Tools
from tests.inbound import posting

QUOTED = """On Mon, 23 Nov 2026 at 09:00, Sales <sales@siurbliai.lt> wrote:
> Jei laiškų nenorite, parašykite: nebesiųskite.
"""
FORWARDED = """-------- Forwarded Message --------
Subject: Laiškai
Date: Mon, 23 Nov 2026 09:00:00 +0200
From: Jonas <jonas@kitas.lt>
To: ona@vandenis.lt

Prašau, nebesiųskite laiškų.
"""


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


@pytest.mark.parametrize(
    ("text", "wished"),
    [
        ("nebesiųskite laiškų", True),
        (f"\n{QUOTED}", False),
        (f"Priede sutartis.\n\n{QUOTED}", False),
        (FORWARDED, True),
    ],
)
def test_what_is_only_quoted_says_nothing(context: Context, text: str, wished: bool) -> None:
    with context.transaction() as session:
        posting.install(session)
    posting.run(context, [posting.letter(subject="Re: Pasiūlymas", text=text)])
    with context.transaction() as session:
        assert (suppression_of(session, Channel.EMAIL, "ona@vandenis.lt") is not None) == wished


def test_an_alarm_says_so_and_goes_when_it_is_back(broken: Context) -> None:
    labeller(broken)
    with broken.transaction() as session:
        assert [one.kind for one in notices.open_alarms(session)] == ["classifier_unreadable"]
    broken.provide(ClassifierInForce, lambda: "any classifier")  # pyright: ignore[reportArgumentType]
    labeller(broken)
    with broken.transaction() as session:
        assert notices.open_alarms(session) == []
