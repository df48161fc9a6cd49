"""Foreign letters and files, shown without harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.letterview import DEEPEST_FORMATTING, MOST_TAGS, make_safe
from desk.pages.letter import disposition, media_type, safe_label
from tests.desk.conftest import SignedIn
from tests.factories import World

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://track.example/p.gif' alt='<script>'>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x'>x</a><a href='file:///etc/passwd'>x</a><a href='smb://evil/x'>x</a>",
    "<a href='\\\\evil\\share'>x</a><a href='//evil.example/x'>x</a><a href='/inbox'>x</a>",
    "<form action='https://evil.example'><input name=p><button>go</button></form>",
    "<base href='https://evil.example/'><meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href='https://evil.example/x.css'><style>@import 'https://evil.example';</style>",
    "<div style='position:fixed;background:url(https://evil.example)'>x</div>",
    "<iframe src='https://evil.example'></iframe><object data=x></object><embed src=x>",
    "<video poster='https://evil.example'><source src=x></video><audio src=x autoplay>",
    "<table background='https://evil.example/p.gif'><tr><td background=x>x</td></tr></table>",
    "<p id=location name=cookie class=btn>x</p>",
    "<template><script>alert(1)</script></template><xmp><script>alert(1)</script></xmp>",
    "<plaintext><script>alert(1)</script>",
    "<textarea><img src=x onerror=alert(1)></textarea><title><script>alert(1)</script></title>",
    "<<script>script>alert(1)<</script>/script>",
    "<p onclick=alert(1) onmouseover='alert(1)'>x</p>",
    "<a href='https://ok.example' target=_self ping='https://evil.example'>x</a>",
    "<!--><script>alert(1)</script>-->",
    "<img srcset='https://evil.example/a 1x' lowsrc=x dynsrc=x>",
)

ATTRIBUTE = re.compile(r"<[a-z0-9]+([^>]*)>", re.IGNORECASE)


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_that_runs_or_calls_home_is_left(html: str) -> None:
    left = make_safe(html).html
    tags = "".join(re.findall(r"<[^>]*>", left)).lower()
    for bad in ("<script", "<img", "<svg", "<style", "<form", "<iframe", "<meta", "<base", "<link", "<input"):
        assert bad not in tags
    for attributes in ATTRIBUTE.findall(left):
        names = {name.lower() for name in re.findall(r'([a-z-]+)="', attributes)}
        assert names <= {"href", "title", "target", "rel", "align", "valign", "colspan", "rowspan", "dir"}
        for link in re.findall(r'href="([^"]*)"', attributes):
            assert link.startswith(("http://", "https://", "mailto:", "tel:")), link


def test_pictures_become_their_description_and_are_counted() -> None:
    safe = make_safe(
        '<p>Hello <img src="https://x.example/logo.png" alt="Our logo"> and <img src="cid:1"></p>'
    )
    assert safe.pictures == 2
    assert "[Our logo]" in safe.html


def test_a_letter_keeps_its_words_and_its_structure() -> None:
    own = (
        "<h2>Kaina</h2><table><tr><td colspan='2'>Siurblys</td></tr></table><ul><li>a</li></ul><b>4 vnt.</b>"
    )
    safe = make_safe(own).html
    for part in ("<h2>Kaina</h2>", '<td colspan="2">Siurblys</td>', "<li>a</li>", "<b>4 vnt.</b>"):
        assert part in safe


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 200_000,
        "<b>" * 300_000,
        "".join(f"<b id={n}>" for n in range(300)) + "<p>x" * 100_000,
        "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x",
        "<table><tr><td>" * 60_000,
        "<div/>" * 160_000,
        "<a><div></a>" * 80_000,
        '<a href="' * 100_000,
        "<" * 1_000_000,
        "<!--" * 250_000,
        "x" * 3_000_000,
    ],
    ids=[
        "divs",
        "bolds",
        "formatting",
        "attributes",
        "tables",
        "slashes",
        "crossed",
        "quotes",
        "open",
        "comments",
        "long",
    ],
)
def test_hostile_letters_are_cut_before_a_parser_meets_them(hostile: str) -> None:
    safe = make_safe(hostile)
    assert safe.html.count("<") <= MOST_TAGS * (DEEPEST_FORMATTING + 2) * 2
    assert len(safe.html) <= 8_000_000


@given(st.text(alphabet="<>/ab \"'=pdivscrte", max_size=300))
def test_whatever_is_sent_no_script_comes_out(html: str) -> None:
    assert "<script" not in make_safe(html).html.lower()


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\x.exe",
        "/etc/passwd",
        "C:\\x",
        "\\\\evil\\share",
        "a\0b.pdf",
        "a\r\nX: y.pdf",
        "x" * 300 + ".pdf",
        "",
        ".",
        "..",
        "CON",
        "con.txt",
        "name. ",
        "\u200b.htaccess",
        "invoice\u202egpj.exe",
        "．．／x",
        "a/b\\c",
        '"; filename="x',
        "%2e%2e%2f",
        "\ufeff",
        "*?<>|",
    ],
)
def test_a_file_name_is_only_a_label(name: str) -> None:
    label = safe_label(name)
    assert label
    assert len(label) <= 125
    assert not re.search(r"[/\\\0\r\n\u200b\u202e\"<>|*?%]", label)
    assert not label.startswith(".")
    header = disposition(name)
    assert header.startswith('attachment; filename="')
    assert "\r" not in header
    assert "\n" not in header
    assert header.isascii()


def test_a_label_keeps_its_letters() -> None:
    assert safe_label("Užklausa Nr. 118.pdf") == "Užklausa Nr. 118.pdf"
    assert "filename*=UTF-8''U%C5%BEklausa%20Nr.%20118.pdf" in disposition("Užklausa Nr. 118.pdf")


@pytest.mark.parametrize(
    ("declared", "sent"),
    [
        ("application/pdf", "application/pdf"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
        ("message/rfc822", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
        ("text/plain\r\nX: y", "application/octet-stream"),
    ],
)
def test_a_file_that_a_browser_might_run_goes_out_as_bytes(declared: str, sent: str) -> None:
    assert media_type(declared) == sent


def test_a_letter_is_shown_in_a_frame_that_may_do_nothing(signed_in: SignedIn, world: World) -> None:
    browser = signed_in("agent")
    page = browser.get(f"/conversations/{world.talks['own'].id}").text
    frame = re.search(r'data-frame="([^"]+)"', page)
    assert frame is not None
    answer = browser.get(frame[1])
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "img-src data:" in policy
    assert "https:" not in policy
    assert "allow-scripts" not in policy
    assert "track.example" not in answer.text
    assert "<script" not in answer.text
    assert "4 vnt." in answer.text


def test_an_attachment_is_always_a_download(signed_in: SignedIn, world: World) -> None:
    browser = signed_in("agent")
    page = browser.get(f"/conversations/{world.talks['own'].id}").text
    link = re.search(r'href="(/attachments/\d+)"', page)
    assert link is not None
    answer = browser.get(link[1])
    assert answer.content == b"%PDF-1.4 sample"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
