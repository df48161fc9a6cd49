"""Mails and texts come out as written, with data never taken for template or markup."""

from __future__ import annotations

import html as html_module
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from selectolax.lexbor import LexborHTMLParser

from core.errors import InputRefused
from templates.catalogue import Catalogue, shipped
from templates.errors import MissingValues, TemplateNotFound, TemplateRefused
from templates.localforms import LANGUAGES
from templates.rendered import check, compile_email, render_email, render_text
from templates.segments import segments_of
from templates.unit import compile_unit
from tests.templates.factories import email, overrides, values

SYNTAX = [
    "{{ 7*7 }}",
    "{% for x in range(9) %}x{% endfor %}",
    "{{ config }}",
    "{# gone #}",
    "${7*7}",
    "<%= 7*7 %>",
    "#{7*7}",
    "{{ client.name }}",
    "}}{{",
    "%}{%",
    '{% include "lines" %}',
    "fd-x0x-fd",
    "<!--fd:0-->",
    "\\1 \\g<0>",
]


def words_of(html: str) -> list[str]:
    body = LexborHTMLParser(html).body
    return body.text(separator=" ").split() if body else []


@pytest.mark.parametrize("name", SYNTAX)
def test_a_name_that_looks_like_template_syntax_comes_out_literally(name: str) -> None:
    mail = render_email("answer", "en", values(client__addressed_as=name, answer__text=name))
    assert f"Dear {name}," in mail.text
    assert html_module.escape(name, quote=False) in html_module.unescape(
        mail.html
    ) or name in html_module.unescape(mail.html)
    own = Catalogue(overrides("{{ client.name }}\n", "<p>{{ client.name }}</p>", subject="{{ client.name }}"))
    mail = render_email("own", "en", values(client__name=name), own)
    assert mail.subject == name
    assert mail.text.startswith(name)
    assert " ".join(words_of(mail.html)).count(" ".join(name.split())) == 1


def test_the_wording_may_differ_by_the_clients_segments() -> None:
    body = "{% if 'cooling' in client.segments %}It has been a while.{% else %}Hello.{% endif %}\n"
    own = Catalogue(overrides(body))
    told = render_email("own", "en", values(client__segments="Dealers; cooling"), own)
    other = render_email("own", "en", values(client__segments=None), own)
    assert (told.text.split("\n")[0], other.text.split("\n")[0]) == ("It has been a while.", "Hello.")


def test_text_that_calls_itself_safe_is_escaped_like_any_other() -> None:
    mail = render_email(
        "answer", "en", values(answer__text=Markup("<b>bold</b>"), client__name=Markup("<i>I</i>"))
    )
    assert "<b>" not in mail.html
    assert "<i>" not in mail.html
    assert "<b>bold</b>" in mail.text


@given(st.text(min_size=1, max_size=80))
def test_any_text_of_a_colleague_is_only_text_in_html(text: str) -> None:
    mail = render_email("answer", "en", values(answer__text=f"a{text}a", conversation__quoted=f"b{text}b"))
    tree = LexborHTMLParser(mail.html)
    plain = LexborHTMLParser(
        render_email("answer", "en", values(answer__text="x", conversation__quoted="x")).html
    )
    allowed = {"p", "br"}
    count = {node.tag for node in tree.css("*") if node.tag} - {
        node.tag for node in plain.css("*") if node.tag
    }
    assert count <= allowed


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", shipped().keys("email"))
def test_text_and_html_of_a_shipped_mail_say_the_same(key: str, language: str) -> None:
    if "body.html" not in shipped().source("email", key, language).parts:
        mail = render_email(key, language, values(language))
        assert mail.html
        return
    mail = render_email(key, language, values(language))
    own = set(re.findall(r"\w{4,}", mail.text))
    seen = set(re.findall(r"\w{4,}", " ".join(words_of(mail.html))))
    # Addresses show as buttons in HTML, tables in text have no head, frames differ in a word.
    frame = render_email("answer", language, values(language))
    frame_words = set(re.findall(r"\w{4,}", " ".join(words_of(frame.html))))
    frame_text = set(re.findall(r"\w{4,}", frame.text))
    heads = {"Наименование", "Количество", "Цена", "Сумма", "Pavadinimas", "Kiekis", "Kaina", "Suma"}
    heads |= {"Description", "Quantity", "Unit", "price", "Amount", "Item"}
    assert own - seen - frame_text - {"https", "example", "demo", "7Qm2", "9fK3"} == set()
    assert seen - own - frame_words - heads == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", shipped().keys("email"))
def test_a_shipped_mail_reads_well_without_optional_values(key: str, language: str) -> None:
    compiled = compile_email(key, language)
    given_values = values(language)
    kept = compile_names(key, language) | {"links.unsubscribe"}
    bare = {
        group: {name: value for name, value in items.items() if f"{group}.{name}" in kept}
        for group, items in given_values.items()
    }
    mail = compiled.render(bare)
    for text in (mail.text, " ".join(words_of(mail.html))):
        assert "()" not in text
        assert not re.search(r" [,.:;]|: *\.|\(\s|,,|\.\.", text), text
    assert "\n\n\n" not in mail.text
    assert mail.subject.strip(" :,-") == mail.subject


def compile_names(key: str, language: str) -> set[str]:
    return set(compile_unit(shipped().source("email", key, language)).names.needed)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", shipped().keys("email"))
def test_no_sentence_ends_in_two_dots(key: str, language: str) -> None:
    mail = render_email(key, language, values(language))
    assert ".." not in mail.text
    assert ".." not in " ".join(words_of(mail.html))


def test_plain_text_keeps_the_empty_lines_of_the_author() -> None:
    source = "One\n{% if client.name %}\nTwo\n{% endif %}\n\nThree {% if client.name %}x{% endif %}\n\nFour\n"
    mail = render_email("own", "en", values(), Catalogue(overrides(source)))
    assert mail.text.startswith("One\nTwo\n\nThree x\n\nFour\n\nKind regards,\n")


def test_html_is_made_of_the_text_when_there_is_none() -> None:
    source = (
        "Hello & <welcome>,\n\nfirst line\nsecond line\n\n- one\n- two\n\n"
        "{% for line in deal.lines %}\n- {{ line.product }}\n{% endfor %}\n\n"
        "{% if client.name %}\nAsked: {{ client.name }}\n{% endif %}\n\n"
        "{{ answer.text }}\n\nSee {{ links.demo }} or https://example.com/a?b=1&c=2.\n"
    )
    mail = render_email("own", "en", values(), Catalogue(overrides(source)))
    tree = LexborHTMLParser(mail.html)
    assert "Hello &amp; &lt;welcome&gt;," in mail.html
    assert [node.text() for node in tree.css("li")][:3] == ["one", "two", "T5 data collection terminal"]
    assert len(tree.css("ul")) == 2
    links = [node.attributes["href"] for node in tree.css(".body a")]
    assert links == ["https://www.example.com/demo/7Qm2", "https://example.com/a?b=1&c=2"]
    assert "Asked: Helen Carter" in mail.html


def test_styles_are_inlined_once_and_only_media_rules_stay() -> None:
    mail = render_email("commercial_offer", "en", values())
    tree = LexborHTMLParser(mail.html)
    assert "color-scheme: dark" in mail.html
    assert all(node.attributes.get("style") for node in tree.css("td, th, .body p"))
    assert len(tree.css(".lines tbody tr")) == 3
    assert "@import" not in mail.html
    assert "url(" not in mail.html


def test_a_mail_nobody_asked_for_needs_its_way_out() -> None:
    with pytest.raises(MissingValues) as raised:
        render_email("follow_up", "en", values(links__unsubscribe=None))
    assert raised.value.missing == ("links.unsubscribe",)
    assert render_email("follow_up", "en", values()).unsubscribe == "https://www.example.com/u/4tRz"
    assert render_email("answer", "en", values(links__unsubscribe=None)).unsubscribe is None


def test_an_offer_says_which_document_goes_along() -> None:
    assert render_email("commercial_offer", "lt", values("lt")).documents == ("commercial_offer",)
    assert render_email("answer", "lt", values("lt")).documents == ()


def test_a_mailing_is_rendered_from_one_compiled_mail() -> None:
    compiled = compile_email("follow_up", "lt")
    mails = compiled.render_all([values("lt", staff__name=name) for name in ("Jonas", "Rasa")])
    assert ["Jonas" in mail.text for mail in mails] == [True, False]
    assert "links.unsubscribe" in compiled.used


def test_a_company_template_renders_as_a_shipped_one_does() -> None:
    parts = shipped().source("email", "commercial_offer", "ru").parts
    own = Catalogue({f"email/commercial_offer/ru/{part}": text for part, text in parts.items()})
    ours = render_email("commercial_offer", "ru", values("ru"))
    theirs = compile_email("commercial_offer", "ru", own).render_all([values("ru")] * 120)
    assert set(theirs) == {ours}


def test_the_client_gets_the_default_language_when_theirs_is_missing() -> None:
    own = Catalogue(overrides("Labas\n", language="lt"), default_language="lt")
    assert render_email("own", "ru", values("lt"), own).language == "lt"
    assert own.choose("email", "own", "en") == "lt"
    both = Catalogue({**overrides("Labas\n", language="lt"), **overrides("Hello\n")}, default_language="lt")
    assert both.choose("email", "own", "en") == "en"
    assert both.choose("email", "own", "ru") == "lt"


def test_missing_variants_are_listed() -> None:
    own = Catalogue(overrides("Labas\n", language="lt"))
    assert [(missing.key, missing.language) for missing in own.missing()] == [("own", "ru"), ("own", "en")]
    assert shipped().missing() == []


def test_an_unknown_template_is_named_with_the_known_ones() -> None:
    with pytest.raises(TemplateNotFound) as raised:
        render_email("offer", "en", values())
    assert "commercial_offer" in raised.value.cure


def test_own_text_takes_the_shipped_html_out_of_use() -> None:
    own = Catalogue({"email/commercial_offer/en/body.txt": "Our own words.\n"})
    mail = render_email("commercial_offer", "en", values(), own)
    assert "Our own words." in mail.text
    assert "Our own words." in mail.html
    assert "Here it is in brief" not in mail.html


def test_a_folder_of_overrides_is_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("own")
    part = folder / "email" / "answer" / "en" / "body.txt"
    part.parent.mkdir(parents=True)
    part.write_text("{{ answer.text }}\n", "utf-8")
    (folder / "email" / "answer" / "en" / "notes.md").write_text("not a part", "utf-8")
    assert render_email("answer", "en", values(), Catalogue.with_folder(folder)).text.startswith(
        "Yes, the terminals"
    )
    part.write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateRefused):
        Catalogue.with_folder(folder)


@pytest.mark.parametrize(
    "path",
    ["email/x/lt/evil.txt", "../x", "email/../en/body.txt", "fax/x/en/text.txt", "email/x/de/body.txt"],
)
def test_an_override_must_name_a_part(path: str) -> None:
    with pytest.raises(InputRefused):
        Catalogue({path: "x"})


def test_a_piece_is_taken_in_and_nothing_else_is() -> None:
    used = check(email('{% include "lines" %}\n{% include "totals" %}\n', '{% include "lines" %}'))
    assert "deal.lines[].price" in used
    with pytest.raises(TemplateRefused):
        check(email('{% include "mail" %}\n'))


def test_the_quotation_stands_after_the_signature() -> None:
    text = render_email("answer", "lt", values("lt")).text
    assert text.index("Pagarbiai") < text.index("rašėte:") < text.index("> Laba diena,")
    assert "rašėte" not in render_email("answer", "lt", values("lt", conversation__quoted=None)).text


@pytest.mark.parametrize(
    ("text", "count", "encoding"),
    [
        ("a" * 160, 1, "gsm7"),
        ("a" * 161, 2, "gsm7"),
        ("€" * 80, 1, "gsm7"),
        ("€" * 81, 2, "gsm7"),
        ("ė" * 70, 1, "ucs2"),
        ("ж" * 71, 2, "ucs2"),
        ("a" * 134 + "ё", 3, "ucs2"),
        ("😀" * 35, 1, "ucs2"),
        ("", 1, "gsm7"),
    ],
)
def test_sms_parts_are_counted_as_the_operator_counts(text: str, count: int, encoding: str) -> None:
    segments = segments_of(text)
    assert (segments.count, segments.encoding) == (count, encoding)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", shipped().keys("sms"))
def test_a_shipped_sms_costs_at_most_two_parts(key: str, language: str) -> None:
    segments = render_text("sms", key, language, values(language)).segments
    assert segments is not None
    assert segments.count <= 2


def test_a_sum_in_an_sms_does_not_leave_the_gsm_alphabet() -> None:
    own = Catalogue({"sms/own/lt/text.txt": "Suma {{ deal.total }}"})
    segments = render_text("sms", "own", "lt", values("lt"), own).segments
    assert segments is not None
    assert segments.encoding == "gsm7"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", shipped().keys("voice"))
def test_a_voice_text_is_one_line_without_markup(key: str, language: str) -> None:
    said = render_text("voice", key, language, values(language, company__name="<Say>&Co"))
    assert "\n" not in said.text
    assert said.segments is None
    assert "&amp;" not in said.text
