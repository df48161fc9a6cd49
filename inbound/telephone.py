"""How our telephone takes calls: settings and templates for voices as a `House` that plans start from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from core.callplan import House, Say
from core.config import Settings
from core.config_phone import Engine
from core.phonewords import GOODBYE, LANGUAGE_PROMPTS, TOPIC_PROMPTS, said
from core.worktime import Calendar, Hours
from inbound.twiml import LOCALES
from templates.rendered import render_text


class Telephone:
    """The words and rules of one company, rendered once a process; every answer to a call starts here."""

    def __init__(self, settings: Settings) -> None:
        """Raises what rendering the templates for voices raises."""
        phone, company = settings.phone, settings.company
        languages = tuple(company.languages)
        self._recorded = frozenset(phone.recorded_numbers)
        self._blocked = frozenset(phone.blocked)
        self._calendar = Calendar(
            zone=company.timezone,
            week={day - 1: (Hours(phone.opens, phone.closes),) for day in phone.days},
            country=phone.holidays,
        )
        self._house = House(
            languages=languages,
            default_language=company.default_language,
            language_prompts=tuple(
                Say(said(LANGUAGE_PROMPTS, language, key=key), language)
                for key, language in enumerate(languages, start=1)
            ),
            topics=tuple(topic.intent.value for topic in phone.topics),
            topic_prompts={
                language: tuple(
                    Say(said(TOPIC_PROMPTS, language, topic=getattr(topic, language), key=key), language)
                    for key, topic in enumerate(phone.topics, start=1)
                    if getattr(topic, language)
                )
                for language in languages
            },
            greeting=_rendered("greeting", settings),
            closed=_rendered("out_of_hours", settings),
            busy=_rendered("voicemail", settings),
            goodbye={language: Say(said(GOODBYE, language), language) for language in languages},
            ring=phone.ring,
            ring_seconds=phone.ring_seconds,
            voicemail=phone.voicemail,
            voicemail_seconds=phone.voicemail_seconds,
            longest_seconds=phone.longest_call_minutes * 60,
            transcribes=frozenset(LOCALES) if phone.transcription.engine is Engine.TWILIO else frozenset(),
        )

    @property
    def calendar(self) -> Calendar:
        """When the telephone is open."""
        return self._calendar

    def house(self, called: str) -> House:
        """How a call to one of our numbers is taken."""
        return replace(self._house, record=called in self._recorded)

    def written_down(self, language: str) -> str | None:
        """The language itself, where the exchange writes down what is said in it."""
        return language if language in self._house.transcribes else None

    def is_open(self, moment: datetime) -> bool:
        """Whether we take calls at that moment."""
        return self._calendar.is_open(moment)

    def blocks(self, number: str | None) -> bool:
        """Whether calls of a number are refused."""
        return number in self._blocked


def _rendered(key: str, settings: Settings) -> dict[str, Say]:
    values = {"company": {"name": settings.company.name}}
    return {
        language: Say(render_text("voice", key, language, values).text, language)
        for language in settings.company.languages
    }
