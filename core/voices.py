"""Whose voice our telephone speaks with in each language: the settings', or one chosen at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import ForeignKey, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import audit
from core.config_phone import Phone
from core.db import Base
from core.errors import InputRefused

OFFERED: Final[Mapping[str, tuple[str, ...]]] = {
    "lt": ("Google.lt-LT-Standard-A", "Google.lt-LT-Standard-B"),
    "ru": (
        "Polly.Tatyana",
        "Polly.Maxim",
        *(f"Google.ru-RU-Wavenet-{letter}" for letter in "ABCDE"),
        *(f"Google.ru-RU-Chirp3-HD-{name}" for name in ("Aoede", "Charon", "Kore", "Orus", "Zephyr")),
    ),
    "en": (
        "Polly.Amy",
        "Polly.Amy-Neural",
        "Polly.Emma-Neural",
        "Polly.Brian-Neural",
        "Polly.Arthur-Neural",
        *(f"Google.en-GB-Wavenet-{letter}" for letter in "ABCDF"),
        *(f"Google.en-GB-Chirp3-HD-{name}" for name in ("Aoede", "Charon", "Kore", "Orus", "Zephyr")),
    ),
}
"""Voices of Twilio's that speak each language; for Lithuanian it has these two and no others. They change
without notice, so the settings may name another one, which is offered as well."""


class UnknownVoice(InputRefused):
    """That voice does not speak that language."""

    cure = "Choose one of the list."


class ChosenVoice(Base):
    """A voice that was chosen at the desk."""

    __tablename__ = "chosen_voice"

    language: Mapped[str] = mapped_column(Text, primary_key=True)
    voice: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"))
    chosen_at: Mapped[datetime] = mapped_column(server_default=func.now())


def in_force(session: Session, settings: Phone) -> dict[str, str]:
    """The voice of each language."""
    chosen = dict(session.execute(select(ChosenVoice.language, ChosenVoice.voice)).all())
    return {**settings.voices, **chosen}


def offered(settings: Phone, language: str) -> tuple[str, ...]:
    """The voices to choose from for a language, the settings' own first."""
    own = settings.voices.get(language)
    return tuple(dict.fromkeys([*([own] if own else []), *OFFERED.get(language, ())]))


def insist(settings: Phone, language: str, voice: str) -> str:
    """The voice, where it speaks the language. Raises UnknownVoice."""
    if voice not in offered(settings, language):
        raise UnknownVoice
    return voice


def choose(session: Session, settings: Phone, language: str, voice: str, *, by: int) -> str:
    """Let a voice speak a language from now on; returns the one before. Raises UnknownVoice."""
    insist(settings, language, voice)
    before = in_force(session, settings).get(language, "")
    row = insert(ChosenVoice).values(language=language, voice=voice, staff_id=by)
    session.execute(
        row.on_conflict_do_update(
            index_elements=[ChosenVoice.language],
            set_={"voice": voice, "staff_id": by, "chosen_at": func.now()},
        )
    )
    if before != voice:
        after = {"voice": voice}
        audit.note(session, by, "changed", "voice", language, language, before={"voice": before}, after=after)
    return before
