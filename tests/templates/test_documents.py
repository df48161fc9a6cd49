"""Documents become PDFs without network or files, the same input giving the same bytes."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import struct
import subprocess
import zlib
from datetime import date
from pathlib import Path

import pytest

from core.errors import InputRefused
from templates.bounded import PDF, Bounds, Child
from templates.catalogue import Catalogue, shipped
from templates.document import pdf_of
from templates.errors import MissingValues, PdfFailed, PdfUnavailable, TemplateTooCostly, TemplateTooLarge
from templates.localforms import LANGUAGES
from templates.rendered import render_document
from tests.templates.factories import values


def text_of(content: bytes, folder: Path) -> str:
    file = folder / "document.pdf"
    file.write_bytes(content)
    return subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True
    ).stdout


def made(html: str) -> bytes:
    return pdf_of(html, title="T", author="A", language="en", dated=date(2026, 11, 22)).content


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", shipped().keys("document"))
def test_a_shipped_document_fits_one_page_with_its_samples(key: str, language: str) -> None:
    document = render_document(key, language, values(language))
    assert document.content.startswith(b"%PDF-")
    assert document.pages == 1
    assert document.filename.endswith(".pdf")
    assert not set(document.filename) & set('/\\:*?"<>|')


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "ru",
            [
                "Коммерческое предложение",
                "Терминал сбора данных T5",
                "4 791,60 €",
                "Страница 1 из 1",
                "подпись",
            ],
        ),
        (
            "lt",
            [
                "Komercinis pasiūlymas",
                "Duomenų rinkimo terminalas T5",
                "4 791,60 €",
                "1 psl. iš 1",
                "parašas",
            ],
        ),
        ("en", ["Commercial offer", "T5 data collection terminal", "€4,791.60", "Page 1 of 1", "signature"]),
    ],
)
def test_an_offer_shows_products_sums_and_pages(
    language: str, words: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = render_document("commercial_offer", language, values(language)).content
    text = " ".join(text_of(content, tmp_path_factory.mktemp("pdf")).split())
    for word in words:
        assert word in text


def test_the_same_values_give_the_same_bytes() -> None:
    first = render_document("commercial_offer", "lt", values("lt"))
    assert first.content == render_document("commercial_offer", "lt", values("lt")).content


def test_a_long_offer_runs_over_pages_with_its_table_head_repeated(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    line = {"product": "Terminalas", "article": "T5", "quantity": 1, "unit": "vnt.", "price": 10, "sum": 10}
    document = render_document("commercial_offer", "lt", values("lt", deal__lines=[line] * 120))
    assert document.pages > 3
    text = text_of(document.content, tmp_path_factory.mktemp("pdf"))
    assert text.count("Pavadinimas") >= document.pages - 1
    assert text.count("UAB „Šiaurės sistemos“, įmonės kodas 305123456") == document.pages
    assert f"{document.pages} psl. iš {document.pages}" in text


def test_data_in_a_document_is_only_text(tmp_path_factory: pytest.TempPathFactory) -> None:
    name = '<img src="file:///etc/passwd"><b>{{ 7*7 }}</b>'
    document = render_document("commercial_offer", "en", values(client__company=name))
    assert "{{ 7*7 }}" in text_of(document.content, tmp_path_factory.mktemp("pdf"))


def test_a_document_dates_from_its_values() -> None:
    document = render_document("brochure", "en", values(document__date=date(2026, 3, 4)))
    assert b"D:20260304" in document.content or _inflated(document.content, b"20260304")


def test_a_document_without_its_number_is_not_made() -> None:
    with pytest.raises(MissingValues):
        render_document("commercial_offer", "en", values(document__number=None))


@pytest.mark.parametrize(
    "html",
    [
        '<img src="file:///etc/passwd">',
        '<img src="http://127.0.0.1:9/x.png">',
        '<img src="https://example.com/x.png">',
        '<img src="ftp://example.com/x.png">',
        '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">',
        "<style>@import url(file:///etc/passwd);</style>",
        "<style>@font-face { font-family: a; src: url(http://127.0.0.1:9/a.woff) } * { font: a }</style>",
        '<p style="background: url(http://127.0.0.1:9/b.png)">a</p>',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:9/c.png"/></svg>',
        '<link rel="attachment" href="file:///etc/passwd">',
        '<object data="http://127.0.0.1:9/x.svg"></object>',
    ],
)
def test_nothing_outside_is_ever_loaded(html: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = str(listener.getsockname()[1])
        # An inline drawing passes over its missing picture; everything else ends the work.
        with contextlib.nullcontext() if "<svg" in html else pytest.raises(PdfFailed):
            body = html.replace(":9/", f":{port}/")
            made(f"<!doctype html><html><head></head><body>{body}<p>x</p></body></html>")
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_logo_given_as_data_is_shown() -> None:
    rows = b"".join(b"\x00" + b"\x1b\x4f\x8a" * 4 for _ in range(4))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    logo = "data:image/png;base64," + base64.b64encode(png).decode()
    plain = render_document("brochure", "en", values()).content
    shown = render_document("brochure", "en", values(company__logo=logo)).content
    assert shown.count(b"/Image") > plain.count(b"/Image")


def test_a_document_with_too_many_pages_is_refused() -> None:
    with pytest.raises(TemplateTooLarge):
        made("<p style='break-after: page'>x</p>" * 70)


def test_a_document_that_takes_too_long_is_stopped() -> None:
    child = Child(Bounds(cpu_seconds=1, wall_seconds=60.0, memory_bytes=1 << 30))
    html = "<table>" + "<tr><td>x</td></tr>" * 20_000 + "</table>"
    with pytest.raises(TemplateTooCostly):
        child.ask(
            {"do": "pdf", "html": html, "title": "T", "author": "A", "language": "en", "moment": "2026-01-01"}
        )
    child.close()


def test_a_machine_without_fonts_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fonts")
    (folder / "fonts.conf").write_text(f"<fontconfig><dir>{folder}/none</dir></fontconfig>", "utf-8")
    monkeypatch.setenv("FONTCONFIG_FILE", str(folder / "fonts.conf"))
    child = Child(PDF)
    work = {"title": "T", "author": "A", "language": "en", "moment": "2026-01-01"}
    with pytest.raises(PdfUnavailable) as raised:
        child.ask({"do": "pdf", "html": "<p>x</p>", **work})
    child.close()
    assert "fonts" in raised.value.cure


def test_own_document_markup_is_held_to_the_rules() -> None:
    own = Catalogue(
        {
            "document/brochure/en/title.txt": "T",
            "document/brochure/en/body.html": '<img src="file:///etc/passwd">',
        }
    )
    with pytest.raises(InputRefused):
        render_document("brochure", "en", values(), own)


def _inflated(content: bytes, wanted: bytes) -> bool:
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            if wanted in zlib.decompress(stream):
                return True
        except zlib.error:
            continue
    return False
