"""HTML with template words in it: taken apart, checked for what it may hold, put together again."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

from jinja2 import Environment, TemplateSyntaxError

from templates.errors import TemplateRefused
from templates.placeholders import PLACEHOLDERS, Type

TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "code",
        "div",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "q",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
        "section",
        "figure",
        "figcaption",
        "dl",
        "dt",
        "dd",
    ]
)
"""Elements that a template's own HTML may hold."""

VOID = frozenset({"br", "hr", "img"})

ATTRIBUTES = frozenset(
    [
        "align",
        "alt",
        "bgcolor",
        "border",
        "cellpadding",
        "cellspacing",
        "class",
        "colspan",
        "dir",
        "height",
        "href",
        "lang",
        "role",
        "rowspan",
        "src",
        "style",
        "title",
        "valign",
        "width",
    ]
)
"""Attributes they may carry."""

_SCHEMES = re.compile(r"(?:https?:|mailto:|tel:|#)", re.IGNORECASE)
_PICTURES = re.compile(r"(?:https:|cid:|data:image/(?:png|jpeg|gif);)", re.IGNORECASE)
_STYLE_FAULT = re.compile(r"url\s*\(|expression\s*\(|@import|\\|behavior|position\s*:\s*fixed", re.IGNORECASE)
_DATA_IN_LINK = re.compile(r"(?:mailto:|tel:)?(\x02\d+\x03)")
_MARK = re.compile(r"\x02(\d+)\x03")
_TAG_OR_COMMENT = re.compile(r"<!--.*?-->|<[A-Za-z/!](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL)
_TAG_START = re.compile(r"<[A-Za-z/!?]")
_EXPRESSION = re.compile(r"\{\{-?\s*([\w.]+)\s*-?\}\}")
_IN_TEXT = re.compile(r"<!--fd:(\d+)-->")
_IN_ATTRIBUTE = re.compile(r"fd-x(\d+)x-fd")


def apart(source: str, environment: Environment, name: str) -> tuple[str, list[str]]:
    """The source with every template expression and tag replaced by a mark, and the list of what was
    replaced.

    The mark of number n is ``\\x02n\\x03``. Jinja's own lexer finds them, so that both always agree where
    one ends. Raises `TemplateRefused` where the template cannot be read.
    """
    if "\x02" in source or "\x03" in source:
        raise TemplateRefused(name, "holds control characters.")
    if _IN_TEXT.search(source) or _IN_ATTRIBUTE.search(source):
        raise TemplateRefused(name, "holds a mark that frontdesk uses itself.")
    plain: list[str] = []
    words: list[str] = []
    current: list[str] = []
    inside = ""
    try:
        for line, kind, value in environment.lex(source, name):
            if inside:
                current.append(value)
                if kind == inside:
                    words.append("".join(current))
                    plain.append(f"\x02{len(words) - 1}\x03")
                    inside = ""
            elif kind in ("variable_begin", "block_begin"):
                inside = kind.replace("begin", "end")
                current = [value]
            elif kind == "data":
                plain.append(value)
            elif kind == "raw_begin":
                raise TemplateRefused(name, "holds {% raw %}, which is not allowed.", line=line)
    except TemplateSyntaxError as error:
        raise TemplateRefused(name, f"cannot be read: {error.message}", line=error.lineno) from None
    return "".join(plain), words


def together(text: str, words: list[str]) -> str:
    """The opposite of `apart`."""
    return _MARK.sub(lambda found: words[int(found[1])], text)


def check_own_html(source: str, environment: Environment, name: str) -> None:
    """Hold a template's own HTML to what mail and documents may contain.

    Raises `TemplateRefused` for elements and attributes that are not on the allow-list, scripts and styles
    that load or run something, unbalanced elements, and for data in a place where escaping cannot protect
    it.
    """
    plain, words = apart(source, environment, name)
    _check_places(plain, words, name)
    reader = _Reader(name, words)
    reader.feed(_MARK.sub(lambda found: f"fd-x{found[1]}x-fd", plain))
    reader.close()
    if reader.open:
        raise TemplateRefused(name, f"leaves <{reader.open[-1]}> open.")


def through(source: str, environment: Environment, name: str, work: Callable[[str], str]) -> str:
    """Let `work` rewrite the HTML of a template without ever seeing its template words."""
    plain, words = apart(source, environment, name)
    _check_places(plain, words, name)
    pieces: list[str] = []
    at = 0
    for tag in _TAG_OR_COMMENT.finditer(plain):
        pieces.append(_MARK.sub(r"<!--fd:\1-->", plain[at : tag.start()]))
        pieces.append(_MARK.sub(r"fd-x\1x-fd", tag[0]))
        at = tag.end()
    pieces.append(_MARK.sub(r"<!--fd:\1-->", plain[at:]))
    result = work("".join(pieces))
    for pattern in (_IN_TEXT, _IN_ATTRIBUTE):
        result = pattern.sub(lambda found: words[int(found[1])], result)
    return result


def _check_places(plain: str, words: list[str], name: str) -> None:
    for tag in _TAG_OR_COMMENT.finditer(plain):
        if not _MARK.search(tag[0]):
            continue
        if tag[0].startswith("<!"):
            raise TemplateRefused(name, "has a placeholder inside an HTML comment.")
        rest = re.sub(
            r"\s(href|src|alt|title)=\"([^\"]*)\"", lambda found: _quoted(found, words, name), tag[0]
        )
        if _MARK.search(rest):
            raise TemplateRefused(
                name,
                f"has a placeholder in a place of {_shown(tag[0], words)} where it could break out.",
                cure='In a tag a placeholder may only be a quoted href, src, alt or title: href="{{ … }}".',
            )
    if _TAG_START.search(_TAG_OR_COMMENT.sub("", plain)):
        raise TemplateRefused(name, "holds an element whose tag is not finished.")


def _quoted(found: re.Match[str], words: list[str], name: str) -> str:
    attribute, value = found[1], found[2]
    marks = _MARK.findall(value)
    if not all(words[int(mark)].startswith("{{") for mark in marks):
        return found[0]
    if attribute in ("alt", "title"):
        return ""
    whole = _DATA_IN_LINK.fullmatch(value)
    named = _EXPRESSION.fullmatch(words[int(marks[0])]) if whole else None
    if marks and not (named and (value[0] != "\x02" or _is_address(named[1], attribute))):
        raise TemplateRefused(
            name,
            f"has something else than one address placeholder in {attribute}.",
            cure=f'Write {attribute}="{{{{ links.… }}}}" with a placeholder that is an address.',
        )
    return ""


def _is_address(path: str, attribute: str) -> bool:
    wanted = Type.URL if attribute == "href" else Type.IMAGE
    return path in PLACEHOLDERS and PLACEHOLDERS[path].type is wanted


def _shown(tag: str, words: list[str]) -> str:
    return together(tag, words)[:80]


class _Reader(HTMLParser):
    def __init__(self, name: str, words: list[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.name = name
        self.words = words
        self.open: list[str] = []

    def refuse(self, problem: str) -> TemplateRefused:
        return TemplateRefused(
            self.name, problem, line=self.getpos()[0], cure="See docs/howto/write-a-template.md."
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise self.refuse(f"holds <{tag}>, which is not allowed.")
        for attribute, value in attrs:
            self._attribute(tag, attribute, value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            raise self.refuse(f"closes <{tag}/> at once; write <{tag}></{tag}>.")

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            raise self.refuse(f"closes </{tag}> where it is not the open element.")

    def handle_comment(self, data: str) -> None:
        raise self.refuse("holds an HTML comment, which readers of the mail's source would see.")

    def handle_decl(self, decl: str) -> None:
        raise self.refuse("holds a declaration.")

    def handle_pi(self, data: str) -> None:
        raise self.refuse("holds a processing instruction.")

    def unknown_decl(self, data: str) -> None:
        raise self.refuse("holds a declaration.")

    def _attribute(self, tag: str, attribute: str, value: str) -> None:
        if attribute not in ATTRIBUTES:
            raise self.refuse(f"gives <{tag}> the attribute {attribute!r}, which is not allowed.")
        place = _IN_ATTRIBUTE.search(value)
        if attribute == "href" and not (_SCHEMES.match(value.strip()) or (place and place.start() == 0)):
            raise self.refuse(f"links to {value[:60]!r}; links are http, https, mailto or tel.")
        if attribute == "src" and not (_PICTURES.match(value.strip()) or (place and place.start() == 0)):
            raise self.refuse(f"shows a picture from {value[:60]!r}; pictures are https, cid or data:image.")
        if attribute == "style" and _STYLE_FAULT.search(value):
            raise self.refuse("has a style that loads or hides something.")
