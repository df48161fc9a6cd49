"""Letters for tests: bytes made here, and the pipeline run over them in this process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from classifier.classify import Labels, ProductTerms, Reason, Text
from core import defaults
from core.config import Settings, load_settings
from core.context import Context
from core.conversations import Message
from core.intake import RawMessage
from core.intents import Intent, Signal, Urgency
from inbound.intake import Letter, store
from inbound.pipeline import Outcome, understand
from inbound.readers import Readers, ReadersHere
from inbound.work import Tools

OURS = "sales@siurbliai.example"

NOW = format_datetime(datetime.now(UTC).replace(microsecond=0))
"""One moment for all letters of a run: what was written long ago is history, and not acknowledged."""

PRICE = "Labas, prašome atsiųsti siurblių kainas ir pristatymo terminus. Mums reikia dešimties vienetų."


def letter(
    *,
    sender: str = "Ona Petraitė <ona@vandenis.lt>",
    to: str = OURS,
    subject: str = "Siurblių kainos",
    text: str = PRICE,
    message_id: str | None = "<a1@vandenis.lt>",
    date: str | None = NOW,
    **headers: str,
) -> bytes:
    """One letter; header names are written with underscores (`in_reply_to="<x@y>"`)."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    if message_id:
        message["Message-ID"] = message_id
    if date:
        message["Date"] = date
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


class Keywords:
    """A labeller that goes by plain words, so that what the pipeline does with labels is tested alone."""

    WORDS = (
        ("nebesiųskite", Intent.UNSUBSCRIBE, "rule"),
        ("kain", Intent.PRICE_REQUEST, "word"),
        ("užsakom", Intent.ORDER, "word"),
        ("neveikia", Intent.SUPPORT_PROBLEM, "word"),
        ("ačiū", Intent.POSITIVE_REPLY, "word"),
    )

    def classify(self, texts: Sequence[Text], products: Sequence[ProductTerms] = ()) -> list[Labels]:
        """The first word of the list that the text holds decides; without one nobody is sure."""
        return [self._labels(f"{text.subject} {text.body}".lower(), products) for text in texts]

    def _labels(self, text: str, products: Sequence[ProductTerms]) -> Labels:
        found = next((entry for entry in self.WORDS if entry[0] in text), None)
        interests = tuple(
            (product.key, 0.9, term) for product in products for term in product.terms if term.lower() in text
        )
        return Labels(
            language="lt",
            intent=found[1].value if found else None,
            confidence=0.9 if found else 0.2,
            alternatives=(),
            urgency=Urgency.HIGH if "skubu" in text else Urgency.NORMAL,
            interests=interests,
            signal=Signal.NONE,
            reasons=(Reason(found[2], found[0], 1.0),) if found else (),
            abstained=found is None,
            model_version="words",
        )


def mail_settings(settings: Settings, **values: object) -> Settings:
    """The settings with one mailbox of ours."""
    mailbox = {"name": "sales", "address": OURS, "host": "127.0.0.1", "security": "plain", "password": "x"}
    return load_settings(file=None, data_dir=settings.data_dir, mailboxes=[mailbox], **values)


def tools(context: Context, readers: Readers | None = None) -> Tools:
    """What the steps work with, in this process."""
    return Tools(context.settings, readers or ReadersHere(), Keywords())


def post(context: Context, letters: Sequence[bytes], source: str = "sales") -> list[int]:
    """Store letters as a mailbox would; returns the ids of the new ones."""
    with context.transaction() as session:
        return list(store(session, [Letter(one) for one in letters], source=source).new_ids)


def run(context: Context, letters: Sequence[bytes] = (), readers: Readers | None = None) -> Outcome:
    """Store letters and work on everything that waits."""
    if letters:
        post(context, letters)
    whole = Outcome()
    while (outcome := understand(context, tools(context, readers))).total:
        whole.understood += outcome.understood
        whole.ignored += outcome.ignored
        whole.failed += outcome.failed
        whole.quarantined += outcome.quarantined
        if outcome.failed:
            at_once(context)
    return whole


def at_once(context: Context) -> None:
    """Let what failed be tried again now."""
    with context.transaction() as session:
        session.execute(sa.update(RawMessage).values(not_before=None))


def install(session: Session) -> None:
    """The standard pipeline and teams."""
    defaults.install(session)


def messages(session: Session) -> list[Message]:
    """All messages, in order."""
    return list(session.scalars(sa.select(Message).order_by(Message.id)))
