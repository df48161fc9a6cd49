"""Mail files given on the command line are read as the intake reads them."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from desk.cli import frontdesk
from desk.lettertext import letter_text

HTML_ONLY = (
    b"From: ona@example.lt\r\nTo: sales@example.lt\r\nSubject: Re: Offer\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>Please remove me from your mailing list.</p>"
    b"<div class='gmail_quote'>On Monday you wrote:<blockquote>How much is the pump?</blockquote></div>\r\n"
)


def test_a_letter_in_html_only_is_classified_by_what_was_newly_written(tmp_path: Path) -> None:
    file = tmp_path / "letter.eml"
    file.write_bytes(HTML_ONLY)
    done = CliRunner().invoke(frontdesk, ["classify", "--json", str(file)])
    assert json.loads(done.output)["intent"] == "unsubscribe"
    assert "pump" not in letter_text(HTML_ONLY).body
