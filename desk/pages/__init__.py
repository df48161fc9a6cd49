"""The rooms of the desk, one file per noun."""

from __future__ import annotations

from desk.pages import (
    answer,
    conversation,
    deal,
    door,
    doubts,
    files,
    followups,
    health,
    inbox,
    letter,
    mailboxes,
    offer,
    preferences,
    quarantine,
    search,
    segments,
    sends,
    stream,
    tasks,
    unsubscribe,
)

ROUTES = (
    *door.ROUTES,
    *inbox.ROUTES,
    *search.ROUTES,
    *segments.ROUTES,
    *conversation.ROUTES,
    *doubts.ROUTES,
    *answer.ROUTES,
    *deal.ROUTES,
    *offer.ROUTES,
    *followups.ROUTES,
    *tasks.ROUTES,
    *letter.ROUTES,
    *quarantine.ROUTES,
    *sends.ROUTES,
    *mailboxes.ROUTES,
    *preferences.ROUTES,
    *stream.ROUTES,
    *unsubscribe.ROUTES,
    *files.ROUTES,
    *health.ROUTES,
)
"""Every route of the desk."""
