"""How a template's own part becomes a whole mail or document: frame, pieces, words and inlined styles."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib import resources

import css_inline
from markupsafe import escape

from templates import engine, markup
from templates.errors import TemplateRefused
from templates.textform import html_of_text

PIECES = ("lines", "totals", "terms", "requisites", "recipient", "signature", "quote")
"""Shipped pieces a template may take in with ``{% include "lines" %}``; there is no other include.

"quote" is put after the signature of a mail, wherever the template names it."""

_INCLUDE = re.compile(r"\{%-?\s*include\s+[\"'](\w+)[\"']\s*-?%\}")
_QUOTE = re.compile(r"\{%\s*include\s+[\"']quote[\"']\s*%\}\n?")
_PROBE = "<div title=\"x\" lang='y'></div>"
"""Stands for a piece while a template's own HTML is checked; its quotes break any attribute around it."""

_WORDS = re.compile(r"\{\{\s*words\.(\w+)\s*\}\}")
_TAG_LINE = re.compile(r"^[ \t]*((?:\{%(?:(?!%\}).)*%\}[ \t]*)+)\n", re.MULTILINE)
_BLANKS_BETWEEN_TAGS = re.compile(r">\s*\n\s*<")


@functools.cache
def _shipped(path: str) -> str:
    return resources.files("templates").joinpath("_base", *path.split("/")).read_text("utf-8")


@functools.cache
def words(language: str) -> Mapping[str, str]:
    """The fixed words of frames in one language (``templates/_base/words/<language>.toml``)."""
    return tomllib.loads(_shipped(f"words/{language}.toml"))


def mail_text(own: str, name: str, language: str) -> str:
    """The source of a mail's plain text: the template's body in the frame ``_base/mail.txt``."""
    _check_own(own, name, language, html=False)
    return _framed("mail.txt", own, language, html=False)


def mail_html(own: str | None, text: str, name: str, language: str) -> str:
    """The source of a mail's HTML with styles inlined; made of the plain text when it has no own HTML."""
    if own is None:
        own = html_of_text(text)
    _check_own(own, name, language, html=True)
    framed = _framed("mail.html", own, language, html=True)
    environment = engine.environment_for(language, html=True)
    inlined = markup.through(framed, environment, name, functools.partial(_inline, css=_shipped("mail.css")))
    return _BLANKS_BETWEEN_TAGS.sub(">\n<", inlined)


def document_html(own: str, name: str, language: str) -> str:
    """The source of a document's HTML: the template's body in the frame ``_base/document.html``."""
    _check_own(own, name, language, html=True)
    framed = _framed("document.html", own, language, html=True)
    return framed.replace("/* document.css */", _words_in(_shipped("document.css"), language, html=False))


def plain(own: str, name: str, language: str) -> str:
    """The source of a part that stands without a frame: subjects, titles, SMS, what a voice says."""
    _check_own(own, name, language, html=False)
    return _with_pieces(own, language, html=False)


def _check_own(own: str, name: str, language: str, *, html: bool) -> None:
    engine.check_source(own, name)
    for piece in _INCLUDE.findall(own):
        if piece not in PIECES:
            raise TemplateRefused(name, f"includes {piece!r}.", cure=f"There are only {', '.join(PIECES)}.")
    bare = _INCLUDE.sub(_PROBE if html else "", own)
    engine.compile_part(bare, name, language, html=html)
    if html:
        markup.check_own_html(bare, engine.environment_for(language, html=True), name)


def _framed(frame: str, own: str, language: str, *, html: bool) -> str:
    own, quotes = _QUOTE.subn("", own)
    before, _, rest = _shipped(frame).partition('{% include "body" %}')
    between, _, after = rest.partition('{% include "quote" %}')
    quote = _shipped(f"pieces/quote.{'html' if html else 'txt'}") if quotes else ""
    parts = (before, own, between, quote, after)
    return "".join(_with_pieces(part, language, html=html) for part in parts)


def _with_pieces(source: str, language: str, *, html: bool) -> str:
    ending = "html" if html else "txt"
    whole = _INCLUDE.sub(lambda found: _shipped(f"pieces/{found[1]}.{ending}"), source)
    worded = _words_in(whole, language, html=html)
    # A line of tags alone leaves no empty line behind in plain text.
    return worded if html else _TAG_LINE.sub(r"\1", worded)


def _words_in(source: str, language: str, *, html: bool) -> str:
    known = words(language)
    return _WORDS.sub(lambda found: str(escape(known[found[1]])) if html else known[found[1]], source)


def _inline(html: str, css: str) -> str:
    inliner = css_inline.CSSInliner(
        load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True, extra_css=css
    )
    return inliner.inline(html)
