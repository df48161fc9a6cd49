"""The sandboxed Jinja2 all templates go through: compiled once, strict about names, bounded in output."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from templates import grammar, limits, localforms
from templates.errors import TemplateRefused, TemplateTooLarge
from templates.grammar import Names
from templates.values import Context

_BLANK_LINES = re.compile(r"\n{3,}")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
PIECES = 128
"""Of a rendering, pieces between two looks at its size; each is a value or a bit of the template."""


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 with nothing in it but if, for and the filters of `grammar.FILTERS`.

    Names are looked up in dicts only, so a placeholder can never reach a method; nothing is callable.
    """

    language = "en"

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The item of a dict, or what the loop variable knows; anything else is undefined."""
        if type(obj) is dict:
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing may be called."""
        return False


def _plural(language: str) -> Any:
    def plural(count: int, *forms: str) -> str:
        return localforms.plural(count, language, forms)

    return plural


def _capitalize(text: str) -> str:
    # Jinja's own also lowers the rest, which spoils names and abbreviations.
    return text[:1].upper() + text[1:]


def _paragraphs_html(text: str) -> Markup:
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.strip()]
    shown = (Markup("<br>\n").join(escape(line) for line in block.split("\n")) for block in blocks)
    return Markup("\n").join(Markup('<p style="margin:0 0 14px 0">{}</p>').format(block) for block in shown)


def _quoted_html(text: str) -> Markup:
    lines = Markup("<br>\n").join(escape(line) for line in text.split("\n"))
    style = "margin:0;padding:0 0 0 12px;border-left:3px solid #c8ced6;color:#6b7480"
    return Markup('<blockquote style="{}">{}</blockquote>').format(style, lines)


def _quoted_text(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def environment(language: str, *, html: bool) -> TemplateEnvironment:
    """A fresh environment for one language; `html` switches escaping of all data on."""
    made = TemplateEnvironment(
        undefined=StrictUndefined,
        autoescape=html,
        keep_trailing_newline=True,
        cache_size=0,
        auto_reload=False,
    )
    made.language = language
    made.globals.clear()
    made.tests.clear()
    shipped = made.filters
    made.filters = {name: shipped[name] for name in grammar.FILTERS & shipped.keys()}
    made.filters["capitalize"] = _capitalize
    made.filters["plural"] = _plural(language)
    made.filters["paragraphs"] = _paragraphs_html if html else str
    made.filters["quoted"] = _quoted_html if html else _quoted_text
    return made


_ENVIRONMENTS = {
    (language, html): environment(language, html=html)
    for language in localforms.LANGUAGES
    for html in (False, True)
}


def environment_for(language: str, *, html: bool) -> Environment:
    """The shared environment of one language."""
    return _ENVIRONMENTS[language, html]


@dataclass(frozen=True, slots=True)
class Compiled:
    """One template part ready to render any number of times, from any thread."""

    name: str
    language: str
    html: bool
    names: Names
    _template: Template

    def render(self, context: Context) -> str:
        """The text for one context made by `values.context`.

        Raises `TemplateTooLarge` when it grows past `limits.OUTPUT_BYTES`, `TemplateRefused` when it cannot
        run.
        """
        pieces: list[str] = []
        size = 0
        try:
            made = self._template.root_render_func(self._template.new_context(context))
            while some := list(islice(made, PIECES)):
                pieces += some
                size += sum(map(len, some))
                if size > limits.OUTPUT_BYTES:
                    break
        except UndefinedError as error:
            raise TemplateRefused(self.name, f"names something that has no value: {error.message}.") from None
        except (SecurityError, TypeError, ValueError) as error:
            raise TemplateRefused(self.name, f"cannot be rendered: {error}.") from None
        text = "".join(pieces)
        if size > limits.OUTPUT_BYTES or (
            size > limits.OUTPUT_BYTES // 4 and len(text.encode()) > limits.OUTPUT_BYTES
        ):
            raise TemplateTooLarge(
                f"Template {self.name} renders to more than {limits.OUTPUT_BYTES // 1024} kB."
            )
        return text


def check_source(source: str, name: str) -> None:
    """Refuse a part that is too large to look at. Raises `TemplateRefused`."""
    if len(source) > limits.SOURCE_BYTES or len(source.encode("utf-8", "replace")) > limits.SOURCE_BYTES:
        raise TemplateRefused(name, f"is larger than {limits.SOURCE_BYTES // 1024} kB.")
    for number, line in enumerate(source.split("\n"), 1):
        if len(line) > limits.SOURCE_LINE_CHARS:
            raise TemplateRefused(
                name, f"has a line of more than {limits.SOURCE_LINE_CHARS} characters.", line=number
            )


def compile_part(source: str, name: str, language: str, *, html: bool) -> Compiled:
    """Parse, check against the allow-list and compile one part.

    Raises `TemplateRefused` (with the line) for anything not allowed, `UnknownPlaceholder` for an
    undeclared name.
    """
    engine = environment_for(language, html=html)
    try:
        tree = engine.parse(source, name)
        names = grammar.check(tree, name)
        code = engine.compile(tree, name, name)
    except TemplateSyntaxError as error:
        raise TemplateRefused(
            name, f"cannot be read: {error.message}", line=error.lineno, cure=grammar.ALLOWED
        ) from None
    except (RecursionError, MemoryError, OverflowError, SyntaxError, ValueError) as error:
        raise TemplateRefused(name, f"is too tangled to compile ({type(error).__name__}).") from None
    return Compiled(name, language, html, names, Template.from_code(engine, code, {}))


def tidy_text(text: str) -> str:
    """Plain text without trailing spaces and with at most one blank line in a row, ending in one newline."""
    stripped = _TRAILING.sub("", text) if " \n" in text or "\t\n" in text else text.rstrip(" \t")
    if "\n\n\n" in stripped:
        stripped = _BLANK_LINES.sub("\n\n", stripped)
    return stripped.strip("\n") + "\n"


def tidy_line(text: str) -> str:
    """One line: for subjects and titles, cut at `limits.SUBJECT_CHARS`."""
    line = " ".join(text.split())
    return line if len(line) <= limits.SUBJECT_CHARS else line[: limits.SUBJECT_CHARS - 1].rstrip() + "…"
