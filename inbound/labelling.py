"""Who labels letters: the classifier, or nobody while it cannot be loaded, so that mail goes on arriving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from classifier import rules
from classifier.classify import Labels, ProductTerms, Reason, Text
from classifier.inforce import ClassifierInForce
from core import notices
from core.clock import now
from core.context import Context
from core.conversations import Message
from core.errors import FrontdeskError
from core.intents import Signal, Urgency
from core.labels import Classification
from inbound.work import Labeller

log = structlog.get_logger(__name__)

ALARM = "classifier_unreadable"

URGENT_WITHIN = timedelta(days=1)


class Silent:
    """Abstains from every letter: staff sort by hand until the classifier is back."""

    def classify(self, texts: Sequence[Text], products: Sequence[ProductTerms] = ()) -> list[Labels]:
        """One abstention for each text."""
        return [
            Labels(
                language=None,
                intent=None,
                confidence=0.0,
                alternatives=(),
                urgency=Urgency.NORMAL,
                interests=(),
                signal=Signal.NONE,
                reasons=(Reason("abstain", "the classifier cannot be loaded", 1.0),),
                abstained=True,
                model_version="none",
            )
            for _ in texts
        ]


def labeller(context: Context) -> Labeller:
    """The classifier; where it cannot be loaded, one that abstains, and an alarm that says so."""
    try:
        found = context.port(ClassifierInForce)
    except FrontdeskError as error:
        log.error("the classifier cannot be loaded", error=str(error))
        with context.transaction() as session:
            notices.raise_alarm(session, ALARM, "classifier", str(error))
        return Silent()
    with context.transaction() as session:
        notices.clear_alarm(session, ALARM, "classifier")
    return found


def bound_urgency(
    session: Session, writers: Sequence[int | None], labelled: Sequence[Labels]
) -> list[Labels]:
    """The labels with the urgency to act on: who wrote several urgent messages in a day is urgent no more.

    `writers` are the contacts who wrote, in the order of `labelled`; messages of one batch count each other.
    """
    crying = {who for who, one in zip(writers, labelled, strict=True) if one.urgency is Urgency.HIGH} - {None}
    if not crying:
        return list(labelled)
    rows = session.execute(
        select(Message.contact_id, func.count())
        .join(Classification, Classification.message_id == Message.id)
        .where(
            Message.contact_id.in_(crying),
            Message.happened_at >= now() - URGENT_WITHIN,
            Classification.urgency == Urgency.HIGH,
        )
        .group_by(Message.contact_id)
    )
    lately: Counter[int | None] = Counter({row[0]: row[1] for row in rows})
    bounded: list[Labels] = []
    for who, one in zip(writers, labelled, strict=True):
        value, why = (one.urgency, "") if who is None else rules.bounded_urgency(one.urgency, lately[who])
        lately[who] += one.urgency is Urgency.HIGH
        reasons = (*one.reasons, Reason("urgency", why, 0.0)) if why else one.reasons
        bounded.append(replace(one, urgency=value, reasons=reasons))
    return bounded
