"""Recordings brought into our own storage, and deleted at their provider afterwards where that is wished."""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import func, select

from core import notices, recordings, transcripts
from core.calls import Recording
from core.config_phone import Engine
from core.context import Context
from core.errors import FrontdeskError, Unreachable
from core.recordings import TooLong, Waiting
from inbound import callhistory
from inbound.twiliomedia import Media, TwilioMedia

FETCH: Final = "inbound.recordings"
"""The job that fetches what is due."""
ALARM: Final = "recordings_not_fetched"
AT_ONCE: Final = 20

log = structlog.get_logger(__name__)


def fetch_due(context: Context, media: Media | None = None) -> int:
    """Fetch what is due, each recording in a transaction of its own; returns how many came."""
    if media is None:
        if context.settings.twilio is None:
            return 0
        media = TwilioMedia(context.settings.twilio)
    with context.transaction() as session:
        waiting = recordings.due(session, AT_ONCE)
    came = sum(_fetch(context, media, one) for one in waiting)
    if context.settings.phone.delete_recordings:
        _remove(context, media)
    return came


def _fetch(context: Context, media: Media, one: Waiting) -> bool:
    most = context.settings.limits.recording_bytes
    try:
        with media.sound(one.sid) as sound, context.transaction() as session:
            size = recordings.keep_sound(
                session, one.id, sound.pieces, media_type=sound.media_type, most=most
            )
            if sound.length is not None and size != sound.length:
                raise Unreachable(f"{size} of {sound.length} bytes came.")
            if not size:
                raise Unreachable("No bytes came.")
            recording = session.get_one(Recording, one.id)
            if context.settings.phone.transcription.engine is Engine.HTTP:
                transcripts.wanted(recording, session.execute(select(func.now())).scalar_one())
            callhistory.announce(session, recording.call)
        log.info("recording.fetched", recording=one.id, bytes=size)
        return True
    except FrontdeskError as error:
        with context.transaction() as session:
            given_up = recordings.failed(session, one.id, error.message, for_good=isinstance(error, TooLong))
            recording = session.get_one(Recording, one.id)
            callhistory.announce(session, recording.call)
            if given_up:
                notices.raise_alarm(session, ALARM, str(recording.call_id), error.message)
        log.warning("recording.not_fetched", recording=one.id, error=error.message, given_up=given_up)
        return False


def _remove(context: Context, media: Media) -> None:
    """Delete at the provider what lies here, once its bytes have been read back and are the same."""
    with context.transaction() as session:
        here = recordings.to_remove(session, AT_ONCE)
    for number, sid in here:
        with context.transaction() as session:
            sound = recordings.intact(session, session.get_one(Recording, number))
        if not sound:
            log.error("recording.damaged", recording=number)
            continue
        try:
            media.remove(sid)
        except FrontdeskError as error:
            log.warning("recording.not_removed", recording=number, error=error.message)
            return
        with context.transaction() as session:
            recordings.removed(session, number)
