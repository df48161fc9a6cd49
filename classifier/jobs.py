"""The background work of this room: learning from corrections."""

from __future__ import annotations

from classifier.learning import NothingToLearn, due, retrain
from core.context import Context
from core.jobs import Registry

registry = Registry()

RETRAIN = "classifier.retrain"


@registry.job(RETRAIN, queue="default", attempts=5, periodic="17 * * * *", concurrency=1)
def learn(context: Context, wanted: bool = False) -> None:
    """Every hour: if enough was corrected (or a person wants it now), train a new version and put it in force
    if it is at least as good."""
    with context.transaction() as session:
        if not wanted and due(session) is None:
            return
        try:
            retrain(session, target=context.settings.classifier.precision)
        except NothingToLearn:
            return
