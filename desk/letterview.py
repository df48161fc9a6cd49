"""Foreign HTML made safe to show: a short allow-list after caps on size, tags and depth, and nothing that
calls home.

What stays is structure: paragraphs, lists, tables, emphasis, links to the web and to mail. Pictures that came
with the letter stay as bytes in place; those elsewhere become their description until somebody asks for them.
Styles and classes go. It is shown in a frame whose policy forbids scripts and loading all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

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
    "img": {"src", "alt", "width", "height"},
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
_ON_THE_WEB = re.compile(r"https://[a-z0-9][a-z0-9.-]*\.[a-z0-9-]{2,}(?::\d{1,5})?(?:[/?#]|$)", re.IGNORECASE)
_IMAGE = re.compile(r"<img\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_SOURCE = re.compile(r"""(?<![\w-])src\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SafeLetter:
    """A letter's HTML that may be shown, and what was left out of it."""

    html: str
    pictures: int
    """How many pictures are held back."""
    cut: bool
    """It was longer, or had more in it, than is shown."""
    remote: bool = False
    """Some of those held back are on the web, and would be shown if asked for."""


MOST_PICTURES = 200
"""Pictures that are shown or described; the others are only counted."""

MOST_INLINE = 8_000_000
"""Characters of addresses of pictures; one that came once may be shown many times."""


def make_safe(
    html: str,
    limits: Limits | None = None,
    *,
    inline: Mapping[str, str] | None = None,
    remote: bool = False,
) -> SafeLetter:
    """Foreign HTML to HTML that may be shown in a frame of its own.

    `inline` gives the pictures that came with the letter as `data:` addresses by their Content-ID. With
    `remote`, pictures on the web (https only) are left in: somebody has asked for them.
    """
    own = inline or {}
    limits = limits or Limits()
    text = html[: limits.html_bytes]
    cut = len(text) < len(html)
    pictures = shown = written = 0
    on_the_web = False

    def described(found: re.Match[str]) -> str:
        nonlocal pictures, shown, on_the_web
        source = _source_of(found[1])
        if _shown(source, own, remote) and shown < MOST_PICTURES:
            shown += 1
            return found[0]
        on_the_web = on_the_web or _shown(source, own, True)
        pictures += 1
        alt = _ALT.search(found[1])
        words = ((alt[1] or alt[2] or "") if alt else "").strip()[:200]
        return f" [{nh3.clean_text(words)}] " if words and pictures <= MOST_PICTURES else " "

    text = _IMAGE.sub(described, text)
    text, dropped = _within_caps(text, limits.html_depth)

    def checked(tag: str, name: str, value: str) -> str | None:
        """Addresses of pictures that may be shown, and of links to where links may lead."""
        nonlocal written
        if tag == "img" and name == "src":
            address = value.strip()
            if not _shown(address, own, remote):
                return None
            address = own.get(_content_id(address), address)
            written += len(address)
            return address if written <= MOST_INLINE else None
        if tag == "img" and name in {"width", "height"}:
            return value if value.isdigit() and 0 < int(value[:6]) <= 2000 else None
        if name == "href" and value.strip().partition(":")[0].lower() not in SCHEMES:
            return None
        return value

    clean = nh3.clean(
        text,
        tags={*TAGS, "img"} if shown else set(TAGS),
        clean_content_tags=set(WITH_CONTENT),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        attribute_filter=checked,
        url_schemes={*SCHEMES, "cid"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
        url_relative="deny",
    )
    return SafeLetter(clean, pictures, cut or dropped, on_the_web)


def _source_of(attributes: str) -> str:
    found = _SOURCE.search(attributes)
    return unescape(next(filter(None, found.groups()), "")).strip() if found else ""


def _content_id(source: str) -> str:
    return unquote(source[4:]) if source[:4].lower() == "cid:" else ""


def _shown(source: str, own: Mapping[str, str], remote: bool) -> bool:
    """Whether a picture at that address may be shown; without a host's name it would be one of ours."""
    if source[:4].lower() == "cid:":
        return _content_id(source) in own
    return remote and bool(_ON_THE_WEB.match(source))


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
