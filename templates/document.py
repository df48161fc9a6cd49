"""HTML to PDF without network or files, in a bounded child process."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from templates import limits
from templates.bounded import pdf_child
from templates.errors import PdfFailed, PdfUnavailable, TemplateTooLarge


@dataclass(frozen=True, slots=True)
class Pdf:
    """A finished PDF: its bytes and how many pages it has."""

    content: bytes
    pages: int


def pdf_of(html: str, *, title: str, author: str, language: str, dated: date) -> Pdf:
    """Lay a whole HTML document out as a PDF.

    `dated` goes into the PDF as its date of creation, so that the same input gives the same bytes. Only
    ``data:`` addresses are read. Raises `PdfUnavailable` without Pango, `PdfFailed`, `TemplateTooCostly`
    past the limits of time and memory, `TemplateTooLarge` past those of pages and bytes.
    """
    moment = datetime.combine(dated, time(12), UTC)
    work = {
        "do": "pdf",
        "html": html,
        "title": title,
        "author": author,
        "language": language,
        "moment": moment.isoformat(),
    }
    pages, content = pdf_child().ask(work)
    return Pdf(content, pages)


def lay_out(html: str, *, title: str, author: str, language: str, moment: str) -> tuple[bytes, int]:
    """The PDF's bytes and pages; runs inside the child. `moment` is ISO 8601."""
    with warnings.catch_warnings():
        # WeasyPrint only warns, while it is imported, and without any font Pango crashes a moment later.
        warnings.filterwarnings("error", category=UserWarning)
        try:
            import weasyprint
            from weasyprint.text.fonts import FontConfiguration
            from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse
        except UserWarning:
            raise PdfUnavailable("PDF documents cannot be made on this machine: it has no fonts.") from None
        except OSError as error:
            raise PdfUnavailable from error

    class OnlyData(URLFetcher):
        """Reads `data:` addresses and ends the work at any other."""

        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            if not url.startswith("data:"):
                raise FatalURLFetchingError(
                    f"The document asks for {url[:80]!r}, and documents load nothing."
                )
            return super().fetch(url, headers)

    try:
        laid_out = weasyprint.HTML(
            string=html, url_fetcher=OnlyData(allowed_protocols={"data"}, allow_redirects=False)
        ).render(font_config=FontConfiguration())
        pages = len(laid_out.pages)
        if pages > limits.PDF_PAGES:
            raise TemplateTooLarge(f"The document has {pages} pages, more than {limits.PDF_PAGES}.")
        laid_out.metadata.title = title
        laid_out.metadata.authors = [author]
        laid_out.metadata.lang = language
        laid_out.metadata.created = laid_out.metadata.modified = moment
        laid_out.metadata.generator = "frontdesk"
        content = laid_out.write_pdf(pdf_identifier=title.encode(), custom_metadata=False)
    except FatalURLFetchingError as error:
        raise PdfFailed(str(error)) from None
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        RecursionError,
        ArithmeticError,
    ) as error:
        raise PdfFailed(f"The document could not be laid out ({type(error).__name__}).") from error
    if not content or len(content) > limits.PDF_BYTES:
        raise TemplateTooLarge(f"The document is larger than {limits.PDF_BYTES // 1024 // 1024} MB.")
    return content, pages
