"""Templates written to escape, to cost or to break out are refused, and the child that met them goes on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from core.errors import InputRefused
from templates import limits
from templates.bounded import Bounds, Child
from templates.catalogue import Catalogue
from templates.errors import RendererFailed, TemplateRefused, TemplateTooCostly, TemplateTooLarge
from templates.grammar import Names
from templates.rendered import check, render_email, render_text
from templates.unit import compile_unit
from templates.values import context
from tests.templates.factories import email, overrides, values

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ client.__class__ }}",
    "{{ client.name.__class__.__base__ }}",
    "{{ client['__class__'] }}",
    "{{ client.name.__len__ }}",
    "{{ client.name['__add__'] }}",
    "{{ client.keys }}",
    "{{ client.name.upper }}",
    "{{ client.name.format }}",
    "{{ '%s' % client.name }}",
    "{{ '{0.__class__}'.format(client) }}",
    "{{ client.name.format_map(client) }}",
    "{{ client.pop('name') }}",
    "{{ deal.lines.clear() }}",
    "{{ deal.lines.append(1) }}",
    "{{ deal.lines[0].product }}",
    "{{ (client.name).join }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ config }}",
    "{{ request }}",
    "{{ environment }}",
    "{{ _ }}",
    "{{ __builtins__ }}",
    "{{ loop }}",
    "{{ loop.__class__ }}",
    "{{ words.total.__class__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{{ dict.__base__ }}",
    "{{ ''|attr('__class__') }}",
    "{{ client|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ client.name|map(attribute='__class__') }}",
    "{{ deal.lines|map('attr','__class__')|list }}",
    "{{ deal.lines|groupby('__class__') }}",
    "{{ deal.lines|selectattr('product')|list }}",
    "{% for line in deal.lines %}{{ loop.__class__ }}{% endfor %}",
    "{% for line in deal.lines %}{{ loop.cycle(1) }}{% endfor %}",
    "{% for line in deal.lines %}{{ line.__class__ }}{% endfor %}",
    "{% for line in deal.lines %}{{ line['product'] }}{% endfor %}",
    "{% for _, x in client.items() %}{{ x }}{% endfor %}",
]

FUNCTIONS_AND_TAGS = [
    "{{ range(10) }}",
    "{{ lipsum(5) }}",
    "{{ dict(a=1) }}",
    "{{ cycler('a') }}",
    "{{ namespace(x=1) }}",
    "{{ client.name() }}",
    "{{ super() }}",
    "{{ caller() }}",
    "{{ env('SECRET') }}",
    "{{ db.sql('select 1') }}",
    "{{ open('/etc/passwd') }}",
    "{% include 'body' %}",
    "{% include '../../../../etc/passwd' %}",
    "{% include 'email/own/en/body.txt' %}",
    "{% include client.name %}",
    "{% include ['a', 'b'] ignore missing %}",
    "{% import 'x' as x %}",
    "{% from 'x' import y %}",
    "{% extends 'mail.html' %}",
    "{% block a %}{% endblock %}",
    "{% macro a() %}{{ a() }}{% endmacro %}",
    "{% call a() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set x = 1 %}",
    "{% set x %}y{% endset %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% autoescape false %}{{ client.name }}{% endautoescape %}",
    "{% do client.clear() %}",
    "{% trans %}x{% endtrans %}",
    "{% debug %}",
    "{% break %}",
    "{{ client.name|safe }}",
    "{{ client.name|e|safe }}",
    "{{ client.name|forceescape }}",
    "{{ client|tojson }}",
    "{{ client|pprint }}",
    "{{ client|xmlattr }}",
    "{{ client.name|urlize }}",
    "{{ client.name|default('x') }}",
    "{{ client.name|plural('a', 'b') }}",
    "{{ deal.lines|length|plural(client.name, 'b') }}",
    "{{ deal.lines|length|plural(*client) }}",
    "{{ deal.lines|upper }}",
    "{{ client.name is defined }}",
    "{{ client.name is callable }}",
    "{{ client.name is string }}",
]

COSTS = [
    "{{ 'a' * 1000000000 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 2 ** 2 }}",
    "{{ client.name * 1000 }}",
    "{{ 1 + 1 }}",
    "{{ 7 // 0 }}",
    "{{ 7 % 2 }}",
    "{{ -client.name }}",
    "{{ 'a' ~ 'b' }}",
    "{{ [1, 2, 3] }}",
    "{{ {'a': 1} }}",
    "{{ (1, 2) }}",
    "{{ 1.5e300 }}",
    "{{ client.name[::-1] }}",
    "{{ client.name|center(100000000) }}",
    "{{ client.name|indent(100000000) }}",
    "{{ client.name|wordwrap(1) }}",
    "{{ client.name|format(1) }}",
    "{{ client.name|replace('a', 'aaaaaaaaaaaaaaaaaaaa') }}",
    "{{ deal.lines|sort }}",
    "{{ deal.lines|batch(1)|list }}",
    "{% for x in range(1000000000) %}x{% endfor %}",
    "{% for x in 'abc' %}x{% endfor %}",
    "{% if client.name in client.company %}x{% endif %}",
    "{% if 'x' in deal.lines %}x{% endif %}",
    "{% if 1 in client.name %}x{% endif %}",
    "{% for x in client.name %}x{% endfor %}",
    "{% for x in client %}x{% endfor %}",
    "{% for x in [1, 2] %}x{% endfor %}",
    "{% for x in deal.lines recursive %}{{ loop(deal.lines) }}{% endfor %}",
    "{% for x in deal.lines if x.product %}x{% endfor %}",
    "{% for x in deal.lines %}" * 3 + "{% endfor %}" * 3,
    "{% for a in deal.lines %}{% for b in deal.lines %}{% for c in deal.lines %}"
    "x{% endfor %}{% endfor %}{% endfor %}",
    "{% for client in deal.lines %}x{% endfor %}",
    "{% for loop in deal.lines %}x{% endfor %}",
    "{% if client.name %}" * 50 + "x" + "{% endif %}" * 50,
    "{{ " + "(" * 5000 + "client.name" + ")" * 5000 + " }}",
    "{{ " + "not " * 2000 + "client.name }}",
    "{{ client.name if " * 500 + "client.name" + " else 1 }}" * 500,
    "{{ " + " and ".join(["client.name"] * 500) + " }}",
    "{{ client.name" + "|upper" * 500 + " }}",
    "{{ 'x' }}" * (limits.TAGS + 1),
    "{{ '" + "x" * 2000 + "' }}",
    "x" * (limits.SOURCE_BYTES + 1),
    "ж" * (limits.SOURCE_BYTES // 2 + 1),
    "x\n" * limits.SOURCE_BYTES,
    "x" * (limits.SOURCE_LINE_CHARS + 1),
]

BROKEN = [
    "{{ client.name",
    "{{ client.name }",
    "{% if client.name %}",
    "{% endif %}",
    "{% endfor %}",
    "{% if %}x{% endif %}",
    "{% for %}x{% endfor %}",
    "{% for x deal.lines %}x{% endfor %}",
    "{# never closed",
    "{% raw %}{{ x }}",
    "{{ }}",
    "{{ client. }}",
    "{{ 'unclosed }}",
    "{% unknown_tag %}",
    "{{ client.name | }}",
    "{{ client.name | nosuchfilter }}",
    "{{ nosuch }}",
    "{{ client }}",
    "{{ deal.lines }}",
    "{{ deal.lines.product }}",
    "{{ client.password }}",
    "{{ deal.total.currency }}",
    "{{ client.name if client.company }}",
    "{{ client.name < 5 }}",
    "",
    "   \n  ",
    "\x02\x03",
]

MARKUP = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<svg onload=alert(1)></svg>",
    "<p onclick='x()'>a</p>",
    "<img src=x onerror=alert(1)>",
    "<iframe src='https://evil.example'></iframe>",
    "<object data='x'></object>",
    "<embed src='x'>",
    "<form action='https://evil.example'><input></form>",
    "<base href='https://evil.example'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>p { background: url(https://evil.example) }</style>",
    "<p style='background: url(https://evil.example/p.gif)'>a</p>",
    "<p style='width: expression(alert(1))'>a</p>",
    "<p style='position: fixed; top: 0'>a</p>",
    "<p style='b\\61 ckground: red'>a</p>",
    "<a href='javascript:alert(1)'>a</a>",
    "<a href='JaVaScRiPt:alert(1)'>a</a>",
    "<a href='&#106;avascript:alert(1)'>a</a>",
    "<a href='data:text/html,<script>1</script>'>a</a>",
    "<a href='vbscript:x'>a</a>",
    "<a href='file:///etc/passwd'>a</a>",
    "<a href='//evil.example'>a</a>",
    "<img src='http://evil.example/pixel.gif'>",
    "<img src='file:///etc/passwd'>",
    "<img srcset='https://evil.example/a 1x'>",
    "<video poster='https://evil.example'></video>",
    "<math><mtext></mtext></math>",
    "<!-- comment -->",
    "<!-- {{ client.name }} -->",
    "<!DOCTYPE html>",
    "<![CDATA[x]]>",
    "<?php x ?>",
    "<p>a",
    "a</p>",
    "</div></body></html>",
    "<b><i>a</b></i>",
    "<p",
    "<p title='a",
    "<a href={{ links.demo }}>a</a>",
    "<a href='{{ links.demo }}' {{ client.name }}>a</a>",
    '<a href="{{ client.name }}">a</a>',
    '<a href="{{ staff.email }}">a</a>',
    '<a href="https://x.example/{{ client.name }}">a</a>',
    '<a href="{{ links.demo }}{{ links.demo }}">a</a>',
    '<a href="{{ links.demo | lower }}">a</a>',
    '<a href="{% if client.name %}javascript:1{% endif %}">a</a>',
    '<img src="{{ links.demo }}" alt="">',
    '<p style="color: {{ client.name }}">a</p>',
    '<p class="{{ client.name }}">a</p>',
    '<p id="{{ client.name }}">a</p>',
    "<{{ client.name }}>a</p>",
    "<p {% if client.name %}onclick=1{% endif %}>a</p>",
    "<p {{ client.name }}=1>a</p>",
    "{% raw %}<p style='{{ client.name }}'>a</p>{% endraw %}",
    "<p style='fd-x0x-fd'>{{ client.name }}</p>",
    "<p>fd-x9x-fd</p>",
    "<p>&lt;!--fd:0--&gt;</p><!--fd:0-->",
    "<p title=\"{% include 'lines' %}\">a</p>",
    "<p title='\n{% include \"lines\" %}\n'>a</p>",
    "<p {% include 'lines' %}>a</p>",
]


def _refused(body: str, html: str | None = None) -> None:
    with pytest.raises(InputRefused) as raised:
        check(email(body, html))
    assert raised.value.message
    assert check(email("Dear {{ client.name }},\n")) >= {"client.name"}


@pytest.mark.parametrize("source", ESCAPES)
def test_a_template_cannot_reach_python_from_a_value(source: str) -> None:
    _refused(source)


@pytest.mark.parametrize("source", FUNCTIONS_AND_TAGS)
def test_a_template_has_no_function_tag_or_filter_off_the_list(source: str) -> None:
    _refused(source)


@pytest.mark.parametrize("source", COSTS, ids=range(len(COSTS)))
def test_a_template_cannot_be_written_to_cost(source: str) -> None:
    _refused(source)


@pytest.mark.parametrize("source", BROKEN)
def test_a_template_that_cannot_work_is_refused_with_a_sentence(source: str) -> None:
    _refused(source)


@pytest.mark.parametrize("source", MARKUP)
def test_html_that_runs_loads_or_breaks_out_is_refused(source: str) -> None:
    _refused("Fine.\n", source)


def test_the_hostile_set_has_more_than_a_hundred_members() -> None:
    assert len(ESCAPES + FUNCTIONS_AND_TAGS + COSTS + BROKEN + MARKUP) >= 200


@pytest.mark.parametrize("source", [*ESCAPES[:5], *COSTS[:5]])
def test_a_subject_and_an_sms_are_held_to_the_same(source: str) -> None:
    with pytest.raises(InputRefused):
        check(email("Fine.\n", subject=source))
    catalogue = Catalogue({"sms/own/en/text.txt": source})
    with pytest.raises(InputRefused):
        render_text("sms", "own", "en", values(), catalogue)


# fmt: off
PIECES = [
    "{{", "}}", "{%", "%}", "{#", "#}", "{{client.name}}", "{%endif%}", "{%endfor%}",
    "{{line.product}}", "{%raw%}", "{%endraw%}", "<p>", "</p>", "<a", "{{links.demo}}", "</a>", "<!--",
    "-->", "fd-x0x-fd", "|safe", "client", ".", "[0]", "(", ")", ">", "<", "&", "'", "x",
    "{% if client.name %}", "{% for line in deal.lines %}", '{% include "lines" %}', ' href="', '"',
    "\n", "- ",
]
# fmt: on
SOUP = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@settings(max_examples=400, deadline=None)
@given(SOUP, SOUP)
def test_any_heap_of_template_pieces_compiles_or_is_refused(text: str, html: str) -> None:
    source = email(text, html or None)
    try:
        unit = compile_unit(source)
    except TemplateRefused:
        return
    given_values = values(client__name='" onmouseover="x" <script>', deal__lines=[])
    rendered = unit.render(context(source.name, Names(unit.names.used, frozenset()), given_values, "en"))
    tree = LexborHTMLParser(rendered["body.html"])
    assert not tree.css("script, style ~ style, iframe, [onmouseover]")


def test_output_that_grows_past_the_limit_is_refused() -> None:
    catalogue = Catalogue(
        overrides(
            "{% for a in deal.lines %}{% for b in deal.lines %}{{ a.product }}{% endfor %}{% endfor %}\n"
        )
    )
    line = {"product": "x" * 900, "quantity": 1, "price": 1, "sum": 1}
    with pytest.raises(TemplateTooLarge):
        render_email("own", "en", values(deal__lines=[line] * 500), catalogue)


def test_a_million_lines_of_output_are_refused() -> None:
    catalogue = Catalogue(
        overrides("{% for a in deal.lines %}{% for b in deal.lines %}\n\n\n\n{% endfor %}{% endfor %}x\n")
    )
    line = {"product": "x", "quantity": 1, "price": 1, "sum": 1}
    with pytest.raises(TemplateTooLarge):
        render_email("own", "en", values(deal__lines=[line] * 500), catalogue)


BUSY = (
    "{% for a in deal.lines %}{% for b in deal.lines %}"
    + "{% if a.product == b.product and a.product != b.product %}x{% endif %}" * 120
    + "{% endfor %}{% endfor %}end\n"
)


def test_a_template_that_computes_for_too_long_is_stopped() -> None:
    line = {"product": "x" * 40, "quantity": 1, "price": 1, "sum": 1}
    with pytest.raises(TemplateTooCostly):
        render_email("own", "en", values(deal__lines=[line] * 500), Catalogue(overrides(BUSY)))
    assert render_email("own", "en", values(), Catalogue(overrides("Still here.\n"))).text.startswith("Still")


def test_the_caller_does_not_wait_longer_than_the_wall_clock_allows() -> None:
    child = Child(Bounds(cpu_seconds=60, wall_seconds=0.01, memory_bytes=limits.RENDER_MEMORY_BYTES))
    with pytest.raises(RendererFailed):
        child.ask({"do": "names", "source": "{}"})
    child.close()


def test_a_child_that_runs_out_of_memory_is_told_from_a_broken_one() -> None:
    child = Child(Bounds(cpu_seconds=30, wall_seconds=60.0, memory_bytes=limits.RENDER_MEMORY_BYTES))
    with pytest.raises(TemplateTooCostly):
        child.ask({"do": "names", "source": "x" * (300 * 1024 * 1024)})
    child.close()


def test_the_fault_names_template_line_and_cure() -> None:
    with pytest.raises(TemplateRefused) as raised:
        check(email("Hello\n{{ client.nmae }}\n"))
    assert raised.value.name == "email/own/en/body.txt"
    assert raised.value.line == 2
    assert "client.name" in raised.value.cure
