"""Who labels letters: the classifier, or nobody while it cannot be loaded, so that mail goes on arriving."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from classifier.classify import Labels, ProductTerms, Reason, Text
from classifier.inforce import ClassifierInForce
from core import notices
from core.context import Context
from core.errors import FrontdeskError
from core.intents import Signal, Urgency
from inbound.work import Labeller

log = structlog.get_logger(__name__)

ALARM = "classifier_unreadable"


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
