"""Words of the house's own rooms: roles, and rules of routing as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core import segments_ready, standardpipeline
from core.i18n import LANGUAGE_NAMES, N_, Texts
from core.intents import Intent, intent_name
from core.routingrules import OWN, conditions_of
from core.staff import Role

ROLES: dict[str, str] = {
    Role.AGENT: N_("Answers clients"),
    Role.SUPPORT: N_("Support"),
    Role.MARKETING: N_("Marketing"),
    Role.HEAD: N_("Head of sales"),
    Role.ADMIN: N_("Administrator"),
}

RULES: dict[str, tuple[str, str]] = {
    "keeps_conversation": (
        N_("Whoever has the conversation already keeps it."),
        N_("A client’s next letter goes to who knows the matter."),
    ),
    "owns_deal": (N_("It goes to whoever has the client’s open deal."), ""),
    "curates_account": (N_("It goes to the client’s curator."), ""),
    "topic_person": (
        N_("It goes to whoever takes its topic in the curator’s team."),
        N_("Topics of colleagues stand on their own pages."),
    ),
    "topic_team": (N_("It goes to the team of its topic."), N_("Topics of teams stand on the page “Teams”.")),
    "mailbox_team": (N_("It goes to the team of the mailbox."), ""),
    "likely_topic": (
        N_("It goes to the team of the likely topic."),
        N_("Where the classifier is not sure enough to name one."),
    ),
    "territory": (
        N_("It goes to whoever answers for the client’s territory."),
        N_("Territories stand on the page “Teams”."),
    ),
    "industry": (
        N_("It goes to whoever knows the client’s industry."),
        N_("Industries of colleagues stand on their own pages."),
    ),
    "least_loaded": (N_("It goes to any colleague who answers clients."), ""),
    "prefer_territory": (N_("First who answers for the client’s territory"), ""),
    "prefer_industry": (N_("First who knows the client’s industry"), ""),
    "prefer_language": (N_("First who speaks the client’s language"), ""),
}
"""Each rule of the house as a sentence, and what a reader may want to know beside it."""

CONDITIONS: dict[str, tuple[str, str]] = {
    "topic": (N_("Topic"), N_("the topic is “%(value)s”")),
    "language": (N_("Language"), N_("the language is “%(value)s”")),
    "country": (N_("Country"), N_("the client’s country is %(value)s")),
    "region": (N_("Region or town"), N_("the client’s region is %(value)s")),
    "territory": (N_("Territory"), N_("the territory is “%(value)s”")),
    "industry": (N_("Industry"), N_("the industry is “%(value)s”")),
    "segment": (N_("Segment"), N_("the client is in the segment “%(value)s”")),
    "product": (N_("Product"), N_("it is about the product “%(value)s”")),
    "stage": (N_("Stage of the deal"), N_("the client’s deal stands in the stage “%(value)s”")),
    "mailbox": (N_("Mailbox"), N_("it came to the mailbox “%(value)s”")),
}
"""What a condition is called, and how it stands in a sentence."""

STAGES: dict[str, dict[str, str]] = {
    stage["key"]: stage["names"] for stage in standardpipeline.DOCUMENT["stages"]
}
"""What the stages that frontdesk ships are called."""

REASONS: dict[str, str] = {
    "topic_person": N_("%(who)s takes this topic in the team %(team)s"),
    "territory": N_("%(who)s answers for the client’s territory"),
    "industry": N_("%(who)s knows the client’s industry"),
    "away": N_("it is back in the queue, because whoever had it is away"),
    "left": N_("it is back in the queue, because whoever had it no longer works here"),
    "took_the_call": N_("%(who)s took the call"),
}
"""Why a conversation came to somebody, or left them."""

NOTHING = "–"
"""What stands for an empty value."""


def held(counts: Mapping[str, int], language: Texts) -> list[str]:
    """What somebody still has, in words; what they have none of is left out."""
    words: dict[str, Callable[[int], str]] = {
        "conversations": lambda n: language.ngettext(
            "%(num)d open conversation", "%(num)d open conversations", n
        ),
        "deals": lambda n: language.ngettext("%(num)d open deal", "%(num)d open deals", n),
        "tasks": lambda n: language.ngettext("%(num)d open task", "%(num)d open tasks", n),
        "clients": lambda n: language.ngettext("curator of %(num)d client", "curator of %(num)d clients", n),
        "territories": lambda n: language.ngettext("%(num)d territory", "%(num)d territories", n),
        "rules": lambda n: language.ngettext("%(num)d routing rule", "%(num)d routing rules", n),
    }
    return [words[key](number) for key, number in counts.items() if number]


def when(conditions: Mapping[str, str], language: Texts) -> str:
    """The conditions of a rule as a part of a sentence, joined by “and”."""
    parts = [
        language.gettext(CONDITIONS[key][1], value=value_of(key, value, language))
        for key, value in conditions.items()
        if key in CONDITIONS
    ]
    return language.gettext(" and ").join(parts)


def value_of(key: str, value: str, language: Texts) -> str:
    """What a condition asks for, as people call it."""
    if key == "topic" and value in Intent.__members__.values():
        return intent_name(value, language.language)
    if key == "language":
        return LANGUAGE_NAMES.get(value, value)
    if key == "segment":
        return segments_ready.called(value, language)
    if key == "stage":
        return STAGES.get(value, {}).get(language.language) or value
    return value


def rule(
    kind: str, conditions: Mapping[str, str], who: str | None, team: str | None, language: Texts
) -> tuple[str, str]:
    """A rule as a sentence, and a note beside it."""
    if kind != OWN:
        sentence, note = RULES.get(kind, (kind, ""))
        return language.gettext(sentence), language.gettext(note) if note else ""
    if who is not None:
        said = N_("When %(when)s, it goes to %(who)s.")
    else:
        said, who = N_("When %(when)s, it goes to the team “%(who)s”."), team or "?"
    return language.gettext(said, when=when(conditions, language), who=who), ""


def reason(name: str, who: str | None, team: str | None, language: Texts) -> str | None:
    """Why a rule of this file brought a conversation to somebody; None for a rule told elsewhere."""
    conditions = conditions_of(name)
    if conditions is not None:
        said = (
            N_("our rule: when %(when)s, to %(who)s") if who else N_("our rule: when %(when)s, to %(team)s")
        )
        return language.gettext(said, when=when(conditions, language), who=who or "?", team=team or "?")
    if name in REASONS:
        return language.gettext(REASONS[name], who=who or "?", team=team or "?")
    return None
