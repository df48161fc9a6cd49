"""Letters are composed from the library as their sender's letters take it, and which version went is kept."""

from __future__ import annotations

import email
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from typing import cast

from sqlalchemy import select

from core import staff, templatelibrary_verbs
from core.context import Context
from core.outbox import Delivery
from core.templatelibrary import TemplateScope, TemplateUse, TemplateVersion
from core.templatelibrary_verbs import Place
from templates.asread import keep_as_read
from tests.outbound.conftest import draft, queue, send_all, smtp_channel
from tests.servers_smtp import RecordingServer

Company = Callable[..., Context]
ANSWER = {"answer": {"text": "Yes.", "subject": "Yes"}}


def write(context: Context, place: Place, says: str, base: int = 0) -> None:
    """Save a text that says something in its body."""
    with context.transaction() as session:
        parts = {"subject.txt": "Topic", "body.txt": f"{says}\n"}
        templatelibrary_verbs.save(session, place, "en", parts, base=base, by=None)


def bodies(smtp: RecordingServer) -> list[EmailMessage]:
    """The letters that came, in the order in which they did."""
    return [
        cast("EmailMessage", email.message_from_bytes(one.data, policy=policy.default))
        for one in smtp.received
    ]


async def test_a_letter_is_made_of_its_senders_text_and_its_version_is_kept(
    company: Company, smtp: RecordingServer
):
    context = company(smtp.port)
    with context.transaction() as session:
        ona = staff.add(session, email="ona@example.lt", name="Ona").id
    write(context, Place("email", "price_list", TemplateScope.COMPANY), "From the company.")
    write(context, Place("email", "price_list", TemplateScope.MINE, staff_id=ona), "From Ona.")
    (hers,) = queue(context, draft(1, template="price_list", staff_id=ona))
    (ours,) = queue(context, draft(2, template="price_list"))
    await send_all(context, smtp_channel(context))
    texts = {one["To"].addresses[0].addr_spec: one.get_body(("plain",)).get_content() for one in bodies(smtp)}  # type: ignore[union-attr]
    assert "From Ona." in texts["client1@company1.example"]
    assert "From the company." in texts["client2@company2.example"]
    with context.transaction() as session:
        versions = dict(session.execute(select(TemplateUse.delivery_id, TemplateVersion.template_id).join(
            TemplateVersion, TemplateVersion.id == TemplateUse.version_id
        )).all())  # fmt: skip
    assert versions.keys() == {hers, ours}
    assert versions[hers] != versions[ours]


async def test_a_change_is_in_the_next_letter_and_files_go_along(company: Company, smtp: RecordingServer):
    context, place = company(smtp.port), Place("email", "price_list", TemplateScope.COMPANY)
    write(context, place, "Old words.")
    with context.transaction() as session:
        templatelibrary_verbs.attach(
            session, place, filename="prices.pdf", content_type="application/pdf", data=b"%PDF-1.7", by=None
        )
    queue(context, draft(1, template="price_list"))
    await send_all(context, smtp_channel(context))
    write(context, place, "New words.", base=2)
    queue(context, draft(2, template="price_list"))
    await send_all(context, smtp_channel(context))
    first, second = bodies(smtp)
    assert "Old words." in first.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "New words." in second.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for letter in (first, second):
        assert [part.get_filename() for part in letter.iter_attachments()] == ["prices.pdf"]


async def test_what_somebody_read_goes_out_as_it_was_read(company: Company, smtp: RecordingServer):
    context, place = company(smtp.port), Place("email", "price_list", TemplateScope.COMPANY)
    write(context, place, "Read words.")
    numbers = queue(context, draft(1, template="price_list"), draft(2, template="answer", values=ANSWER))
    with context.transaction() as session:
        for number in numbers:
            keep_as_read(session, session.get_one(Delivery, number))
    write(context, place, "Later words.", base=1)
    write(context, Place("email", "answer", TemplateScope.COMPANY), "Later answer.")
    queue(context, draft(3, template="price_list"))
    await send_all(context, smtp_channel(context))
    texts = {one["To"].addresses[0].addr_spec: one.get_body(("plain",)).get_content() for one in bodies(smtp)}  # type: ignore[union-attr]
    assert "Read words." in texts["client1@company1.example"]
    assert "Yes." in texts["client2@company2.example"]
    assert "Later words." in texts["client3@company3.example"]


async def test_the_shipped_text_is_kept_by_its_digest(company: Company, smtp: RecordingServer):
    context = company(smtp.port)
    queue(context, draft(1, template="answer", values=ANSWER))
    await send_all(context, smtp_channel(context))
    with context.transaction() as session:
        use = session.scalars(select(TemplateUse)).one()
        assert (use.key, use.version_id, len(use.digest)) == ("answer", None, 12)
