"""A composed letter says who writes, to whom, in which thread, and how to stop it where that is due."""

from __future__ import annotations

import email
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest

from core import outbox_pages
from core.context import Context
from core.errors import FrontdeskError
from core.outbox import Purpose
from outbound.compose import Composed, Composer
from outbound.placing import ValueUnreadable, template_values
from tests.outbound.conftest import draft, queue

Company = Callable[..., Context]


def composed(context: Context, **given: Any) -> tuple[EmailMessage, Composed]:
    """The letter of one draft, read back, and what was composed."""
    queue(context, draft(**given))
    with context.transaction() as session:
        page = outbox_pages.claim(session, owner="me", channel="email", priorities=range(1, 10), most=1)
    (result,) = Composer(context.settings).compose_page(page, {}).values()
    if isinstance(result, FrontdeskError):
        raise result
    message = email.message_from_bytes(result.letter.data, policy=policy.default)
    return message, result  # type: ignore[return-value]


def test_an_automatic_answer_says_so_and_stands_in_its_thread(company: Company):
    message, _ = composed(
        company(), in_reply_to="question@client.example", reference_ids=["first@client.example"]
    )
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == "<question@client.example>"
    assert message["References"] == "<first@client.example> <question@client.example>"


def test_an_automatic_letter_that_answers_nothing_is_generated(company: Company):
    message, _ = composed(company())
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_persons_letter_carries_their_name_and_no_mark_of_a_machine(company: Company):
    message, _ = composed(
        company(), automatic=False, purpose=Purpose.ANSWER, values={"staff": {"name": "Jonas Žukas"}}
    )
    assert message["Auto-Submitted"] is None
    sender = message["From"].addresses[0]
    assert sender.display_name == "Jonas Žukas (Šiaurės siurbliai)"
    assert sender.addr_spec == "sales@example.lt"


def test_answers_come_back_to_the_mailbox_the_client_wrote_to(company: Company):
    message, _ = composed(company(), mailbox="support")
    assert message["Reply-To"].addresses[0].addr_spec == "support@example.lt"
    assert message["From"].addresses[0].addr_spec == "sales@example.lt"


def test_the_message_id_is_the_reply_key(company: Company):
    message, result = composed(company())
    assert message["Message-ID"] == f"<{result.rfc_id}>"
    assert result.rfc_id == f"fd-{result.letter.token}@example.lt"
    assert len(result.letter.token) == 32


def test_marketing_can_be_stopped_with_one_click_and_by_a_link_in_the_text(company: Company):
    message, _ = composed(
        company(),
        purpose=Purpose.MARKETING,
        template="follow_up",
        language="lt",
        values={"client": {"name": "Ona"}, "staff": {"name": "Jonas"}},
    )
    offered = str(message["List-Unsubscribe"])
    assert "<https://desk.example.lt/unsubscribe/" in offered
    assert "<mailto:sales@example.lt?subject=unsubscribe>" in offered
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    body = message.get_body(("plain",))
    assert body is not None
    assert offered.partition("<")[2].partition(">")[0] in body.get_content()


def test_an_answer_offers_no_unsubscription(company: Company):
    message, _ = composed(company(), purpose=Purpose.ANSWER, automatic=False)
    assert message["List-Unsubscribe"] is None


@pytest.mark.parametrize("trick", ["Hi\r\nBcc: evil@x.example", "Hi\nX: y", "Hi\x0bthere"])
def test_a_subject_with_a_line_break_is_refused(company: Company, trick: str):
    with pytest.raises(FrontdeskError):
        composed(company(), subject=trick)


def test_a_nul_in_what_a_client_wrote_keeps_nothing_from_being_queued(company: Company):
    message, _ = composed(company(), subject="Hi\x00 there", values={"client": {"name": "O\x00na"}})
    assert message["Subject"] == "Hi there"


def test_a_name_with_a_line_break_adds_no_field(company: Company):
    message, _ = composed(company(), recipient_name="Ona\r\nBcc: evil@x.example")
    assert message["Bcc"] is None
    assert message["To"].addresses[0].display_name == "Ona Bcc: evil@x.example"


def test_an_encoded_line_break_in_a_subject_is_shown_and_not_obeyed(company: Company):
    trick = "=?utf-8?q?x=0D=0ABcc:=20evil@x.example?="
    message, _ = composed(company(), subject=trick)
    assert message["Bcc"] is None
    assert message["Subject"] == trick


def test_stored_values_come_back_in_their_declared_types():
    values = template_values(
        {
            "client": {"name": "Ona"},
            "deal": {
                "total": "992.20",
                "vat_rate": "21",
                "valid_until": "2026-12-31",
                "lines": [{"product": "NP-200", "quantity": "2", "price": "410.00"}],
            },
            "message": {"received": "2026-11-22"},
            "staff": None,
        },
        {"name": "Mes"},
        staff={"name": "Mes"},
        document={"number": "KP-1"},
        links={"unsubscribe": "https://x.example"},
    )
    assert values["deal"]["total"] == Decimal("992.20")
    assert values["deal"]["valid_until"] == date(2026, 12, 31)
    assert values["deal"]["lines"] == [{"product": "NP-200", "quantity": Decimal(2), "price": Decimal(410)}]
    assert values["message"]["received"] == date(2026, 11, 22)
    assert values["staff"] == {"name": "Mes"}
    assert values["document"] == {"number": "KP-1"}


@pytest.mark.parametrize(("leaf", "stored"), [("total", "much"), ("valid_until", "soon"), ("lines", ["x"])])
def test_a_stored_value_that_cannot_be_read_names_its_placeholder(leaf: str, stored: Any):
    with pytest.raises(ValueUnreadable, match=f"deal.{leaf}"):
        template_values({"deal": {leaf: stored}}, {})
