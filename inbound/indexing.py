"""Writes the words by which messages are found, a batch at a time, a moment after the messages."""

from __future__ import annotations

from classifier.searchwords import lexemes
from core import search
from core.context import Context

BATCH = 500
BATCHES = 40
"""After so many a job ends, so that a worker told to stop can; the promoter asks for the next."""


def index(context: Context) -> int:
    """Write the words of messages that wait for it; returns how many."""
    total = 0
    for _ in range(BATCHES):
        with context.transaction() as session:
            taken = search.take_waiting(session, BATCH)
            found = search.texts_of(session, taken)
            search.write_words(
                session, [(number, at, lexemes(texts)) for number, (at, texts) in sorted(found.items())]
            )
        total += len(taken)
        if len(taken) < BATCH:
            break
    return total
