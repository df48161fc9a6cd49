"""Templates in words: their names, kinds and groups of placeholders, and what is wrong with one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from core.i18n import N_, Texts
from core.templateplaces import Where
from core.templatetitles import NAMES

KINDS: dict[str, tuple[str, str]] = {
    "email": (N_("Letters"), "mail"),
    "sms": (N_("SMS"), "message-circle"),
    "voice": (N_("Words for a voice"), "phone"),
    "document": (N_("Documents (PDF)"), "paperclip"),
}
"""By kind: the heading, and the icon."""

WHERES: dict[str, tuple[str, str]] = {
    Where.STAGE: (N_("The stage “%(name)s” of the pipeline “%(of)s” sends it."), "/pipelines"),
    Where.DRAFT: (N_("The stage “%(name)s” of the pipeline “%(of)s” names it in its draft."), "/pipelines"),
    Where.STEP: (N_("The follow-up “%(name)s” sends it in step %(number)d."), "/sequences"),
    Where.RULE: (N_("Letters of it wait for approval."), "/approvals"),
    Where.FILE: (N_("The file “%(name)s” goes along with it."), "/files"),
    Where.WAITING: (
        N_("%(number)d of it wait to leave; they go out with these words all the same."),
        "/sends",
    ),
}
"""What names a template, as a sentence, and the page where that is changed."""

GROUPS: dict[str, str] = {
    "client": N_("The client"),
    "staff": N_("Who writes"),
    "company": N_("Our company"),
    "deal": N_("The deal"),
    "conversation": N_("The conversation"),
    "message": N_("The client’s letter"),
    "answer": N_("A colleague’s own text"),
    "call": N_("The call"),
    "product": N_("The product"),
    "proposal": N_("The proposal"),
    "document": N_("The document"),
    "invoice": N_("The invoice"),
    "demo": N_("The demo"),
    "meeting": N_("The meeting"),
    "links": N_("Links"),
}

PARTS: dict[str, str] = {
    "subject.txt": N_("Subject"),
    "body.txt": N_("Text"),
    "body.html": N_("HTML"),
    "text.txt": N_("Text"),
    "title.txt": N_("Title"),
}

FAULTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        (
            r"names '(?P<what>.*)', and there is no such placeholder\.",
            N_("There is no placeholder %(what)s."),
        ),
        (r"is empty or missing\.", N_("It is empty.")),
        (
            r"cannot be read: .*(?:end of template|Unclosed|closed is).*'(?P<what>\w+)'.*",
            N_("A tag that begins with “%(what)s” is not closed."),
        ),
        (r"cannot be read: (?P<what>.*)", N_("It cannot be read: %(what)s")),
        (r"holds <(?P<what>[^>]*)>.*", N_("The element <%(what)s> is not allowed.")),
        (r"leaves <(?P<what>[^>]*)> open\.", N_("The element <%(what)s> is not closed.")),
        (r"includes '(?P<what>.*)'\.", N_("There is no piece %(what)s.")),
        (r"uses the filter '(?P<what>.*)'", N_("There is no filter %(what)s.")),
        (
            r"shows (?P<what>\S+) as a whole; loop over it",
            N_("%(what)s is a list: go through it with “for”."),
        ),
        (r"calls a function", N_("Functions cannot be called.")),
        (r"renders to an empty line\.", N_("The line would be empty.")),
        (r"renders to nothing\.", N_("Nothing would be left of it.")),
        (r"Template .* needs (?P<what>.*), and no value was given\.", N_("No value is known for: %(what)s.")),
        (
            r"The template took more processor time or memory than is allowed and was stopped\.",
            N_("It takes too long to fill in."),
        ),
    )
)
"""What the checks say, as patterns of their English words, and how a reader is told."""

CURES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        (r"Did you mean (?P<what>\S+)\? .*", N_("Did you mean %(what)s?")),
        (r"All are listed in .*", N_("All placeholders are listed below.")),
        (r"Templates may hold .*", N_("Allowed are placeholders, “if”, “for” and a few filters.")),
        (r"There are only (?P<what>.*)\.", N_("There are only: %(what)s.")),
        (r"Fill in the data.*", N_("Fill in the data, or take the placeholder out of the template.")),
        (r"See docs/.*", N_("Use text, lists, tables, links and pictures only.")),
        (r"Simplify the template.*", N_("Simplify it: fewer loops.")),
    )
)

MESSAGES = (
    N_("Somebody else saved this template meanwhile."),
    N_("No language would be left."),
    N_("Delete the template instead."),
    N_("The name is too long."),
    N_("The file is empty or too large."),
    N_("At most 5 MB."),
    N_("A template carries at most 10 files of 10 MB together."),
    N_("There is no such version."),
    N_("Give the template a name."),
    N_("Files go along with letters only."),
    N_("These templates are changed by others."),
    N_("That template is not written in this language."),
    N_("Stages or follow-ups still send this template, and no other text would stand in its place."),
    N_("Let them send another one first."),
)
"""What refusals say; kept here for translation."""

_RUSSIAN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        [*"abvgdee", "zh", *"ziiklmnoprstuf", "kh", "ts", "ch", "sh", "shch", "_", "y", "_", "e", "yu", "ya"],
        strict=True,
    )
)


def name(names: Mapping[str, str], key: str, t: Texts) -> str:
    """What a reader calls a template."""
    own = names.get(t.language) or names.get("en") or next(iter(names.values()), "")
    if own:
        return own
    return t.gettext(NAMES[key]) if key in NAMES else key.replace("_", " ").capitalize()


def told(text: str, table: tuple[tuple[re.Pattern[str], str], ...], t: Texts) -> str:
    """A check's words in the reader's language; as they are where nobody translated them."""
    for pattern, said in table:
        if found := pattern.fullmatch(text):
            return t.gettext(said, **found.groupdict())
    return t.gettext(text) if text else ""


def key_from(said: str) -> str:
    """A key made of a name in any of our languages: ``Kainų sąrašas`` becomes ``kainu_sarasas``."""
    spelled = "".join(_RUSSIAN.get(letter, letter) for letter in said.lower()).replace("_", "")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_").lstrip("0123456789_")[:50].rstrip("_")
