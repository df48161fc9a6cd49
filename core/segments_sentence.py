"""Conditions read aloud: one sentence in the reader's language, with its cases and plural forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.i18n import N_, Texts
from core.intents import intent_name
from core.segments_language import Group, Leaf, Mode, Node, When
from core.values import LANGUAGES

Given = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """How what conditions name by key or number is called in the reader's language."""

    products: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, str] = field(default_factory=dict)
    staff: Mapping[int, str] = field(default_factory=dict)
    lists: Mapping[int, str] = field(default_factory=dict)
    intents: Mapping[str, str] = field(default_factory=dict)
    """Only those that the company added."""


LANGUAGE_WORDS = {"en": N_("English"), "ru": N_("Russian"), "lt": N_("Lithuanian")}
ROLES = {
    "decision_maker": N_("decision maker"),
    "influencer": N_("influencer"),
    "champion": N_("champion"),
    "user": N_("user"),
    "buyer": N_("buyer"),
    "gatekeeper": N_("gatekeeper"),
}
REASONS = {
    "price": N_("price"),
    "competitor": N_("a competitor was chosen"),
    "no_budget": N_("no budget"),
    "no_need": N_("no need any more"),
    "timing": N_("wrong time"),
    "no_answer": N_("they stopped answering"),
    "other": N_("another reason"),
}

VALUES = {
    "region": (N_("the client’s region is %(what)s"), N_("the client’s region is not %(what)s")),
    "industry": (N_("the client’s industry is %(what)s"), N_("the client’s industry is not %(what)s")),
    "country": (N_("the client’s country is %(what)s"), N_("the client’s country is not %(what)s")),
    "source": (
        N_("the client came to us through: %(what)s"),
        N_("the client did not come to us through: %(what)s"),
    ),
    "tag": (
        N_("the contact or the client is tagged %(what)s"),
        N_("neither the contact nor the client is tagged %(what)s"),
    ),
    "curator": (N_("the client’s curator is %(what)s"), N_("the client’s curator is not %(what)s")),
    "role": (N_("the contact’s role is %(what)s"), N_("the contact’s role is not %(what)s")),
    "language": (N_("the contact’s language is %(what)s"), N_("the contact’s language is not %(what)s")),
    "list": (N_("the contact is on the list %(what)s"), N_("the contact is not on the list %(what)s")),
}
"""Facts that compare with values: said plainly, and denied."""
NO_CURATOR = (N_("the client has no curator"), N_("the client has a curator"))

REACHABLE = {
    "email": (N_("the contact has an e-mail address"), N_("the contact has no e-mail address")),
    "sms": (N_("the contact has a telephone number"), N_("the contact has no telephone number")),
    "voice": (N_("the contact has a telephone number"), N_("the contact has no telephone number")),
}
CONSENT = {
    ("email", "granted"): N_("the contact agreed to receive e-mail"),
    ("email", "refused"): N_("the contact wants no e-mail"),
    ("email", "unknown"): N_("the contact has not said whether they want e-mail"),
    ("sms", "granted"): N_("the contact agreed to receive SMS"),
    ("sms", "refused"): N_("the contact wants no SMS"),
    ("sms", "unknown"): N_("the contact has not said whether they want SMS"),
    ("voice", "granted"): N_("the contact agreed to be called"),
    ("voice", "refused"): N_("the contact wants no calls"),
    ("voice", "unknown"): N_("the contact has not said whether they want calls"),
}
PAST = {
    ("wrote", "within"): (
        N_("the client got in touch %(when)s"),
        N_("the client has not got in touch %(when)s"),
    ),
    ("wrote", "before"): (
        N_("the client last got in touch %(when)s"),
        N_("it is not so that the client last got in touch %(when)s"),
    ),
    ("wrote", "never"): (
        N_("the client has never got in touch"),
        N_("the client has got in touch at least once"),
    ),
    ("written", "within"): (
        N_("we wrote to the client %(when)s"),
        N_("we have not written to the client %(when)s"),
    ),
    ("written", "before"): (
        N_("we last wrote to the client %(when)s"),
        N_("it is not so that we last wrote to the client %(when)s"),
    ),
    ("written", "never"): (
        N_("we have never written to the client"),
        N_("we have written to the client at least once"),
    ),
    ("mailed", "within"): (
        N_("the contact was sent a mailing %(when)s"),
        N_("the contact was sent no mailing %(when)s"),
    ),
    ("mailed", "before"): (
        N_("the last mailing to the contact went out %(when)s"),
        N_("it is not so that the last mailing to the contact went out %(when)s"),
    ),
    ("mailed", "never"): (
        N_("the contact has had no mailing yet"),
        N_("the contact has had a mailing"),
    ),
    ("added", "within"): (N_("the contact was added %(when)s"), N_("the contact was not added %(when)s")),
    ("added", "before"): (N_("the contact was added %(when)s"), N_("the contact was not added %(when)s")),
}
"""Said and denied."""
PAST_FACTS = frozenset(fact for fact, _when in PAST)


def sentence(tree: Group, t: Texts, names: Names | None = None) -> str:
    """The whole sentence."""
    if not tree.of:
        return t.gettext("All contacts.") if tree.mode != Mode.ANY else t.gettext("Nobody.")
    return t.gettext("Contacts where %(what)s.", what=_node(tree, t, names or Names(), top=True))


def phrase(leaf: Leaf, t: Texts, names: Names | None = None) -> str:
    """One condition as a phrase without capital letter and full stop."""
    return _leaf(leaf, t, names or Names())


def _node(node: Node, t: Texts, names: Names, *, top: bool = False) -> str:
    if isinstance(node, Leaf):
        return _leaf(node, t, names)
    parts = [_node(one, t, names) for one in node.of]
    if not parts:
        return t.gettext("this holds for nobody") if node.mode == Mode.ANY else t.gettext("anything holds")
    if node.mode == Mode.ALL:
        said = _joined(parts, t.gettext("and"))
        return said if top or len(parts) == 1 else f"({said})"
    said = _joined(parts, t.gettext("or"))
    if node.mode == Mode.NONE:
        return t.gettext("it is not so that %(what)s", what=f"({said})" if len(parts) > 1 else said)
    return said if top or len(parts) == 1 else f"({said})"


def _joined(parts: list[str], word: str) -> str:
    """Phrases with their word between all of them, after a comma, for they are long."""
    return f", {word} ".join(parts)


def _any_of(parts: list[str], t: Texts) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {t.gettext('or')} {parts[-1]}"


INNER: dict[str, dict[str, str]] = {
    "en": {"“": "‘", "”": "’"},
    "ru": {"«": "„", "»": "“"},
    "lt": {"„": "‚", "“": "‘"},
}
"""What quotation marks within quotation marks are written as."""


def _quoted(parts: list[str], t: Texts) -> str:
    """Names in quotation marks; those in a name give way to the inner ones of the language."""
    inner = str.maketrans(INNER.get(t.language, INNER["en"]))
    return _any_of([t.gettext("“%(name)s”", name=part.translate(inner)) for part in parts], t)


def _leaf(leaf: Leaf, t: Texts, names: Names) -> str:
    given = leaf.given
    if leaf.fact == "curator" and given["values"] == [0]:
        return t.gettext(NO_CURATOR[leaf.negated])
    if leaf.fact in VALUES:
        return t.gettext(VALUES[leaf.fact][leaf.negated], what=_values(leaf, t, names))
    if leaf.fact in PAST_FACTS:
        return _past(leaf, t)
    return _OTHERS[leaf.fact](given, leaf.negated, t, names)


def _values(leaf: Leaf, t: Texts, names: Names) -> str:
    values = leaf.given.get("values", [])
    match leaf.fact:
        case "curator":
            nobody = t.gettext("nobody")
            return _any_of([names.staff.get(one, f"№ {one}") if one else nobody for one in values], t)
        case "role":
            return _any_of([t.gettext(ROLES[one]) for one in values], t)
        case "language":
            return _any_of([t.gettext(LANGUAGE_WORDS[one]) for one in LANGUAGES if one in values], t)
        case "list":
            number = leaf.given["list"]
            return _quoted([names.lists.get(number, f"№ {number}")], t)
        case "tag":
            return _quoted(values, t)
        case _:
            return _any_of(values, t)


def _within(days: int, t: Texts) -> str:
    return t.ngettext("in the last %(num)d day", "in the last %(num)d days", days)


def _ago(days: int, t: Texts) -> str:
    return t.ngettext("more than %(num)d day ago", "more than %(num)d days ago", days)


def _span(given: Given, t: Texts) -> str:
    """The span as a tail of a phrase, with a space before it; empty where none is asked."""
    if "days" not in given:
        return ""
    before = given.get("when") == When.BEFORE
    return " " + (_ago(given["days"], t) if before else _within(given["days"], t))


def _past(leaf: Leaf, t: Texts) -> str:
    words = PAST[leaf.fact, leaf.given["when"]][leaf.negated]
    return t.gettext(words, when=_span(leaf.given, t).strip()) if "days" in leaf.given else t.gettext(words)


def _size(given: Given, negated: bool, t: Texts, _names: Names) -> str:
    least, most = given.get("least"), given.get("most")
    if least is not None and most is None:
        text = t.gettext("at least %(least)s people", least=t.number(least))
    elif most is not None and least is None:
        text = t.gettext("at most %(most)s people", most=t.number(most))
    else:
        fewest, many = t.number(least or 0), t.number(most or 0)
        text = t.gettext("from %(least)s to %(most)s people", least=fewest, most=many)
    if negated:
        return t.gettext("it is not known that the client has %(what)s", what=text)
    return t.gettext("the client has %(what)s", what=text)


def _consent(given: Given, negated: bool, t: Texts, _names: Names) -> str:
    words = CONSENT[given["channel"], given["state"]]
    text = t.gettext(words)
    if given.get("purpose"):
        text += t.gettext(" (purpose: %(purpose)s)", purpose=given["purpose"])
    return t.gettext("it is not so that %(what)s", what=text) if negated else text


def _reachable(given: Given, negated: bool, t: Texts, _names: Names) -> str:
    words = REACHABLE[given["channel"]][negated]
    return t.gettext(words)


def _bought(given: Given, negated: bool, t: Texts, names: Names) -> str:
    if not given["products"]:
        text = t.gettext("the client has bought nothing") if negated else t.gettext("the client has bought")
    else:
        what = _quoted([names.products.get(key, key) for key in given["products"]], t)
        text = (
            t.gettext("the client has not bought %(what)s", what=what)
            if negated
            else t.gettext("the client has bought %(what)s", what=what)
        )
    return text + _span(given, t)


def _interest(given: Given, negated: bool, t: Texts, names: Names) -> str:
    if not given["products"]:
        text = (
            t.gettext("the client has shown no interest in any product")
            if negated
            else t.gettext("the client has shown interest in some product")
        )
    else:
        what = _quoted([names.products.get(key, key) for key in given["products"]], t)
        text = (
            t.gettext("the client has shown no interest in %(what)s", what=what)
            if negated
            else t.gettext("the client has shown interest in %(what)s", what=what)
        )
    text += _span(given, t)
    if given.get("confidence"):
        text += t.gettext(" (confidence at least %(share)s)", share=t.percent(given["confidence"] / 100))
    return text


def _deal(given: Given, negated: bool, t: Texts, names: Names) -> str:
    if not given["stages"]:
        return (
            t.gettext("the client has no open deal") if negated else t.gettext("the client has an open deal")
        )
    what = _quoted([names.stages.get(key, key) for key in given["stages"]], t)
    if negated:
        return t.gettext("the client has no open deal in the stage %(what)s", what=what)
    return t.gettext("the client has an open deal in the stage %(what)s", what=what)


def _outcome(given: Given, negated: bool, t: Texts, _names: Names) -> str:
    won = given["outcome"] == "won"
    if won:
        text = t.gettext("no deal with the client was won") if negated else t.gettext("a deal was won")
    else:
        text = t.gettext("no deal with the client was lost") if negated else t.gettext("a deal was lost")
    text += _span(given, t)
    if given.get("reasons"):
        reasons = _any_of([t.gettext(REASONS[one]) for one in given["reasons"]], t)
        text += t.gettext(" (reason: %(reasons)s)", reasons=reasons)
    return text


def _silence(given: Given, negated: bool, t: Texts, _names: Names) -> str:
    if negated:
        return t.ngettext(
            "the client and we have been in touch in the last %(num)d day, or never",
            "the client and we have been in touch in the last %(num)d days, or never",
            given["days"],
        )
    return t.ngettext(
        "the client and we have not been in touch for more than %(num)d day",
        "the client and we have not been in touch for more than %(num)d days",
        given["days"],
    )


def _intent(given: Given, negated: bool, t: Texts, names: Names) -> str:
    what = _quoted([names.intents.get(key) or intent_name(key, t.language) for key in given["values"]], t)
    text = (
        t.gettext("the contact has not written about %(what)s", what=what)
        if negated
        else t.gettext("the contact has written about %(what)s", what=what)
    )
    return text + _span(given, t)


_OTHERS: dict[str, Callable[[Given, bool, Texts, Names], str]] = {
    "size": _size,
    "consent": _consent,
    "reachable": _reachable,
    "bought": _bought,
    "interest": _interest,
    "deal": _deal,
    "outcome": _outcome,
    "silence": _silence,
    "intent": _intent,
}
