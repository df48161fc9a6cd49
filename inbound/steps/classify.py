"""Classify: intent, urgency, products and language of what was newly written, the whole batch at once."""

from __future__ import annotations

from classifier.classify import Labels, ProductTerms, Text
from core.accounts import Channel
from core.catalogue import Product, active_products
from core.consent import Scope, SuppressionReason, suppress
from core.intents import Intent
from core.labels import resolve_labels
from inbound.labelling import bound_urgency
from inbound.work import Batch, Item


def run(batch: Batch) -> None:
    """Label what people wrote; a machine's letter has nothing to ask."""
    items = [item for item in batch.on_their_way() if item.machine is None]
    if not items:
        return
    products = active_products(batch.session)
    texts = [
        Text(item.reading.subject, item.reading.written, "email", item.reading.language) for item in items
    ]
    merged = resolve_labels(batch.session)
    labelled = batch.tools.classifier.classify(texts, [terms(product) for product in products])
    writers = [item.person.id if item.person is not None else None for item in items]
    labelled = bound_urgency(batch.session, writers, labelled)
    by_key = {product.key: product.id for product in products}
    for item, labels in zip(items, labelled, strict=True):
        item.labels = labels
        item.note("classify", describe(labels))
        if item.human:
            _into_talk(item, labels, merged)
            _opt_out(batch, item, labels)
        if item.person is not None:
            company = item.person.company
            batch.interests += [
                (by_key[key], item.person.id, company.id if company else None, item, confidence, reason)
                for key, confidence, reason in labels.interests
                if key in by_key
            ]


def terms(product: Product) -> ProductTerms:
    """A product as the classifier knows it."""
    words = [*product.names.values(), *(word for words in product.terms.values() for word in words)]
    return ProductTerms(product.key, tuple(dict.fromkeys(words)), tuple(product.articles))


def describe(labels: Labels) -> str:
    """The verdict in a few words for the letter's trail."""
    seen = ", ".join(reason.text for reason in labels.reasons[:3] if reason.text)
    verdict = "not sure" if labels.intent is None else labels.intent
    return f"{verdict} {labels.confidence:.2f}" + (f" ({seen})" if seen else "")


def _into_talk(item: Item, labels: Labels, merged: dict[str, str | None]) -> None:
    talk = item.talk
    if talk is None:
        return
    if labels.intent is not None:
        talk.intent = merged.get(labels.intent, labels.intent)
    talk.urgency = labels.urgency.value
    talk.language = labels.language or item.reading.language or talk.language
    if item.person is not None and item.person.new and labels.language:
        item.person.language = labels.language


def _opt_out(batch: Batch, item: Item, labels: Labels) -> None:
    """A plain wish not to be written to holds at once; a guess of the model alone is left to a person."""
    sure = any(reason.kind == "rule" for reason in labels.reasons)
    if labels.intent != Intent.UNSUBSCRIBE or not sure or item.sender is None:
        return
    suppress(
        batch.session,
        Channel.EMAIL,
        item.sender,
        scope=Scope.MARKETING,
        reason=SuppressionReason.UNSUBSCRIBED,
        source=f"letter:{item.raw.id}",
    )
    item.note("classify", "asked not to be written to: no more mailings")
