"""What our telephone says of itself: menus, what a colleague hears before a call, calls in the history."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGE_PROMPTS: Mapping[str, str] = {
    "lt": "Lietuviškai – spauskite {key}.",
    "ru": "Для разговора на русском языке нажмите {key}.",
    "en": "For English, press {key}.",
}
TOPIC_PROMPTS: Mapping[str, str] = {
    "lt": "{topic} – spauskite {key}.",
    "ru": "{topic} — нажмите {key}.",
    "en": "{topic}: press {key}.",
}
GOODBYE: Mapping[str, str] = {
    "lt": "Ačiū, žinutę gavome. Viso gero!",
    "ru": "Спасибо, ваше сообщение записано. До свидания!",
    "en": "Thank you, we have your message. Goodbye!",
}
WHISPER: Mapping[str, str] = {
    "lt": "Skambina {who}. Norėdami atsiliepti, spauskite vieną.",
    "ru": "Звонит {who}. Чтобы ответить, нажмите один.",
    "en": "{who} is calling. Press one to take the call.",
}
UNKNOWN_CALLER: Mapping[str, str] = {
    "lt": "nežinomas numeris",
    "ru": "неизвестный номер",
    "en": "An unknown number",
}
CLICK_TO_CALL: Mapping[str, str] = {
    "lt": "Skambiname klientui.",
    "ru": "Звоним клиенту.",
    "en": "Calling the client.",
}
CLICK_WHISPER: Mapping[str, str] = {
    "lt": "Jūsų skambutis: {who}. Norėdami sujungti, spauskite vieną.",
    "ru": "Ваш звонок: {who}. Чтобы соединить, нажмите один.",
    "en": "Your call to {who}. Press one to be connected.",
}
CALL_RECORDED: Mapping[str, str] = {
    "lt": "Laba diena, jums skambina {company}. Pokalbis įrašomas.",
    "ru": "Здравствуйте, вам звонит компания {company}. Разговор записывается.",
    "en": "Hello, {company} is calling. This call is recorded.",
}
CALLED_NOBODY: Mapping[str, str] = {
    "lt": "Klientas neatsiliepė.",
    "ru": "Клиент не ответил.",
    "en": "The client did not answer.",
}
MESSAGE_KEYS: Mapping[str, str] = {
    "lt": "Norėdami pasikalbėti su darbuotoju, spauskite vieną. "
    "Jei nepageidaujate tokių skambučių, spauskite devynis.",
    "ru": "Чтобы поговорить с сотрудником, нажмите один. "
    "Чтобы больше не получать таких звонков, нажмите девять.",
    "en": "To talk to a colleague, press one. To receive no more calls of this kind, press nine.",
}
CALLED_STOPPED: Mapping[str, str] = {
    "lt": "Daugiau tokių skambučių nebus. Viso gero!",
    "ru": "Больше мы так звонить не будем. До свидания!",
    "en": "You will receive no more of these calls. Goodbye!",
}
CALLED_THANKS: Mapping[str, str] = {
    "lt": "Ačiū, viso gero!",
    "ru": "Спасибо, до свидания!",
    "en": "Thank you, goodbye!",
}
SUBJECT: Mapping[str, str] = {"lt": "Telefono skambutis", "ru": "Телефонный звонок", "en": "Telephone call"}
SMS_SUBJECT: Mapping[str, str] = {"lt": "SMS žinutė", "ru": "SMS-сообщение", "en": "SMS"}

HISTORY: Mapping[str, Mapping[str, str]] = {
    "ringing": {"lt": "Skambina.", "ru": "Звонит.", "en": "Ringing."},
    "connected": {"lt": "Kalbasi.", "ru": "Идёт разговор.", "en": "Talking."},
    "rejected": {
        "lt": "Skambutis atmestas: numeris užblokuotas.",
        "ru": "Звонок отклонён: номер заблокирован.",
        "en": "Refused: the number is blocked.",
    },
    "missed": {"lt": "Praleistas skambutis.", "ru": "Пропущенный звонок.", "en": "Missed call."},
    "voicemail": {
        "lt": "Paliko balso žinutę, {seconds} s.",
        "ru": "Оставлено голосовое сообщение, {seconds} с.",
        "en": "Left a voice message, {seconds} s.",
    },
    "answered": {
        "lt": "Pokalbis su darbuotoju, {seconds} s.",
        "ru": "Разговор с сотрудником, {seconds} с.",
        "en": "Talked with a colleague, {seconds} s.",
    },
}
HISTORY_OUT: Mapping[str, Mapping[str, str]] = {
    "ringing": {"lt": "Skambiname klientui.", "ru": "Звоним клиенту.", "en": "Calling the client."},
    "connected": {
        "lt": "Kalbamės su klientu.",
        "ru": "Разговариваем с клиентом.",
        "en": "Talking with the client.",
    },
    "missed": {
        "lt": "Skambinome, klientas neatsiliepė.",
        "ru": "Звонили, клиент не ответил.",
        "en": "We called; the client did not answer.",
    },
    "answered": {
        "lt": "Skambinome klientui, pokalbis {seconds} s.",
        "ru": "Звонили клиенту, разговор {seconds} с.",
        "en": "We called the client and talked, {seconds} s.",
    },
    "voicemail": {
        "lt": "Skambinome, palikta žinutė atsakiklyje.",
        "ru": "Звонили, оставлено сообщение на автоответчике.",
        "en": "We called and left a message on the answering machine.",
    },
}
"""The same for calls that we make; what cannot happen to one falls back to the words of the others."""
MINUTES: Mapping[str, str] = {"lt": "min.", "ru": "мин", "en": "min"}
CALL_BACK: Mapping[str, str] = {
    "lt": "Perskambinti: {who}",
    "ru": "Перезвонить: {who}",
    "en": "Call back: {who}",
}


def said(words: Mapping[str, str], language: str | None, **values: object) -> str:
    """Words in a language, else in English, with their gaps filled."""
    return words.get(language or "en", words["en"]).format(**values)


def retold(text: str, language: str) -> str:
    """A text that begins with our own words on a call, with these said in another language.

    So are titles of tasks to ring back. Any other text comes back as it is.
    """
    for words in (CALL_BACK, *HISTORY.values(), *HISTORY_OUT.values()):
        for mine in words.values():
            before, gap, after = mine.partition("{")
            rest = text.removeprefix(before)
            if rest == text:
                continue
            if gap and words is CALL_BACK:
                return said(words, language, who=rest)
            after = after.partition("}")[2]
            seconds = rest[: len(rest) - len(rest.lstrip("0123456789"))] if gap else ""
            tail = rest[len(seconds) :]
            if bool(gap) == bool(seconds) and tail.startswith(after) and not tail[len(after) :][:1].strip():
                return (
                    _lasting(said(words, language, seconds=seconds), seconds, language) + tail[len(after) :]
                )
    return text


def _lasting(told: str, seconds: str, language: str) -> str:
    """The same with minutes, where it took one or more."""
    if len(seconds) > 6 or int(seconds or 0) < 60:
        return told
    minutes, rest = divmod(int(seconds), 60)
    minute, second = MINUTES.get(language, MINUTES["en"]), "с" if language == "ru" else "s"
    return told.replace(f"{seconds} {second}.", f"{minutes} {minute} {rest} {second}.")


def retitled(subject: str, language: str) -> str:
    """What a conversation is called that a call or an SMS began, in another language; others as they are."""
    for words in (SUBJECT, SMS_SUBJECT):
        if subject in words.values():
            return said(words, language)
    return subject
