"""Foreign HTML made safe to show: a short allow-list after caps on size, tags and depth, and nothing that
calls home.

What stays is structure: paragraphs, lists, tables, emphasis, links to the web and to mail. Pictures become
their description, styles and classes go. It is shown in a frame whose policy forbids scripts and loading
all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import nh3

from core.limits import Limits

MOST_TAGS = 20_000
"""Start tags in one letter; the text after them stays."""
LONGEST_TAG = 8_000
"""Characters of one tag's attributes; a longer one loses them all, because many take quadratic time."""
DEEPEST_FORMATTING = 32
"""Open formatting elements: parsers open each again in every paragraph, so few letters would make many
nodes."""

TAGS = frozenset(
    [
        "a",
        "abbr",
        "address",
        "b",
        "bdi",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "i",
        "ins",
        "kbd",
        "li",
        "main",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "tt",
        "u",
        "ul",
        "var",
    ]
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "col": {"span"},
    "colgroup": {"span"},
    "li": {"value"},
    "ol": {"start", "type"},
    "td": {"align", "colspan", "rowspan", "valign"},
    "th": {"align", "colspan", "rowspan", "valign", "scope"},
    "tr": {"align", "valign"},
    "p": {"align", "dir"},
    "div": {"align", "dir"},
}
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
WITH_CONTENT = frozenset(
    {
        "applet",
        "embed",
        "frameset",
        "iframe",
        "math",
        "noembed",
        "noframes",
        "noscript",
        "object",
        "plaintext",
    }
    | {"script", "select", "style", "svg", "template", "textarea", "title", "xmp", "audio", "video", "canvas"}
)
"""Elements that go with everything inside them."""

_FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_CLOSE_THEMSELVES = frozenset(
    ["p", "li", "dt", "dd", "td", "th", "tr", "option", "tbody", "thead", "tfoot", "colgroup"]
)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>?")
_IMAGE = re.compile(r"<img\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SafeLetter:
    """A letter's HTML that may be shown, and what was left out of it."""

    html: str
    pictures: int
    cut: bool
    """It was longer, or had more in it, than is shown."""


def make_safe(html: str, limits: Limits | None = None) -> SafeLetter:
    """Foreign HTML to HTML that may be shown in a frame of its own."""
    limits = limits or Limits()
    text = html[: limits.html_bytes]
    cut = len(text) < len(html)
    pictures = 0

    def described(found: re.Match[str]) -> str:
        nonlocal pictures
        pictures += 1
        alt = _ALT.search(found[1])
        words = ((alt[1] or alt[2] or "") if alt else "").strip()[:200]
        return f" [{nh3.clean_text(words)}] " if words and pictures <= 200 else " "

    text = _IMAGE.sub(described, text)
    text, dropped = _within_caps(text, limits.html_depth)
    clean = nh3.clean(
        text,
        tags=set(TAGS),
        clean_content_tags=set(WITH_CONTENT),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(SCHEMES),
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
        url_relative="deny",
    )
    return SafeLetter(clean, pictures, cut or dropped)


def _within_caps(text: str, deepest: int) -> tuple[str, bool]:
    """Leave out tags that go too deep or are too many; linear, and never deeper than a parser would find
    it."""
    open_tags: list[str] = []
    formatting = tags = 0
    dropped = False

    def judged(found: re.Match[str]) -> str:
        nonlocal formatting, tags, dropped
        closing, name = found[1], found[2].lower()
        if closing:
            if open_tags and name == open_tags[-1]:
                open_tags.pop()
                formatting -= name in _FORMATTING
            elif name in open_tags[-16:]:
                while (left := open_tags.pop()) != name:
                    formatting -= left in _FORMATTING
                formatting -= name in _FORMATTING
            return found[0]
        tags += 1
        too_much = (
            tags > MOST_TAGS
            or len(open_tags) >= deepest
            or (name in _FORMATTING and formatting >= DEEPEST_FORMATTING)
        )
        if too_much:
            dropped = True
            return " "
        if name not in _VOID and name not in _CLOSE_THEMSELVES:
            open_tags.append(name)
            formatting += name in _FORMATTING
        return found[0] if len(found[3]) <= LONGEST_TAG else f"<{name}>"

    return _TAG.sub(judged, text), dropped
