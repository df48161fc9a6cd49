"""Files as links: who downloads them as far as can be told, until when, and what it tells a follow-up."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from core import demofiles, downloads, outbox, timeline
from core.accounts import Channel, Contact
from core.demofiles import DemoFile
from core.downloads import Deed, DemoVisit, Seen, Standing, Visitor
from core.errors import Conflict, InputRefused
from core.fileasks import DemoLink
from core.outbox import Delivery, Draft
from core.timeline_parts import Sort
from outbound.filelinks import FileLinks
from tests.core.people import client

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"


def film(session: Session, **more: object) -> DemoFile:
    """A file of the library."""
    given = {"title": "Demo", "filename": "demo.mp4", "content_type": "video/mp4", "data": b"film"} | more
    return demofiles.add(session, **given)  # type: ignore[arg-type] - as the caller says


def sent(session: Session, file: DemoFile) -> DemoLink:
    """The link of a letter that brings it."""
    draft = Draft(
        key="k", address="ona@vandenis.lt", files=[file.id], language="lt", contact_id=client(session).id
    )
    number = outbox.queue(session, draft)
    return session.scalars(select(DemoLink).where(DemoLink.delivery_id == number)).one()


@pytest.mark.parametrize(
    ("deed", "seen", "visitor"),
    [
        (Deed.LOOKED, Seen(BROWSER), Visitor.UNCLEAR),
        (Deed.DOWNLOADED, Seen(BROWSER, timedelta(seconds=8), True), Visitor.PERSON),
        (Deed.DOWNLOADED, Seen(BROWSER, timedelta(seconds=8)), Visitor.PERSON),
        (Deed.DOWNLOADED, Seen(BROWSER, timedelta(milliseconds=300), True), Visitor.UNCLEAR),
        (Deed.DOWNLOADED, Seen(BROWSER, None, True), Visitor.UNCLEAR),
        (Deed.DOWNLOADED, Seen(BROWSER, timedelta(seconds=8), False), Visitor.UNCLEAR),
        (Deed.DOWNLOADED, Seen("", timedelta(seconds=8)), Visitor.MACHINE),
        (Deed.DOWNLOADED, Seen("curl/8.5.0", timedelta(seconds=8)), Visitor.MACHINE),
        (Deed.DOWNLOADED, Seen("Mozilla/5.0 (compatible; SafeLinks)", timedelta(8)), Visitor.MACHINE),
    ],
)
def test_who_it_was_is_told_by_order_and_pace(deed: Deed, seen: Seen, visitor: Visitor) -> None:
    assert downloads.visitor_of(deed, seen)[0] is visitor


@given(st.text(max_size=80), st.none() | st.timedeltas(min_value=timedelta()), st.none() | st.booleans())
def test_fetching_the_page_never_makes_a_person(
    agent: str, looked: timedelta | None, navigated: bool | None
) -> None:
    assert downloads.visitor_of(Deed.LOOKED, Seen(agent, looked, navigated))[0] is not Visitor.PERSON


def test_a_letter_brings_a_link_of_its_own_that_expires(session: Session) -> None:
    link = sent(session, film(session, days=3))
    delivery = session.get_one(Delivery, link.delivery_id)
    assert [(one["key"], one["name"]) for one in delivery.files] == [(link.key, "Demo")]
    now = downloads.now_of(session)
    assert downloads.standing(link, now) is Standing.OPEN
    assert downloads.standing(link, now + timedelta(days=3, minutes=1)) is Standing.EXPIRED


def test_an_sms_brings_links_that_are_counted_as_a_letters(session: Session) -> None:
    chosen, by_template = film(session), film(session, data=b"2", templates=["sms/follow_up"])
    drafts = [
        Draft("a", "+37061234567", channel=Channel.SMS, files=[chosen.id]),
        Draft("b", "+37061234567", channel=Channel.SMS, template="follow_up"),
        Draft("c", "ona@vandenis.lt", template="follow_up"),
    ]
    ids = outbox.queue_many(session, drafts)
    links = session.scalars(select(DemoLink).order_by(DemoLink.delivery_id)).all()
    assert [(one.delivery_id, one.file_id) for one in links] == [
        (ids[0], chosen.id), (ids[1], by_template.id),
    ]  # fmt: skip
    kept = session.get_one(Delivery, ids[0]).files
    text = FileLinks("k" * 40, "https://desk.example", ZoneInfo("UTC")).in_text("Labas", kept)
    assert FileLinks("k" * 40, "", ZoneInfo("UTC")).read(text.rpartition("/")[2]) == links[0].key


def test_a_file_goes_by_itself_with_its_template_and_language(session: Session) -> None:
    film(session, templates=["brochure"], language="lt")
    ids = [
        outbox.queue(session, Draft(f"{key}{language}", "ona@vandenis.lt", template=key, language=language))
        for key, language in (("brochure", "lt"), ("brochure", "ru"), ("follow_up", "lt"))
    ]  # fmt: skip
    links = session.scalars(select(DemoLink.delivery_id)).all()
    assert links == ids[:1]


def test_machines_are_written_down_and_not_counted(session: Session) -> None:
    link = sent(session, film(session))
    downloads.record(session, link, Deed.DOWNLOADED, Seen("Barracuda/1"))
    downloads.record(session, link, Deed.LOOKED, Seen(BROWSER))
    downloads.record(session, link, Deed.DOWNLOADED, Seen(BROWSER, timedelta(seconds=5), True))
    session.refresh(link)
    (followed,) = downloads.of_deliveries(session, [link.delivery_id])[link.delivery_id]
    assert (link.downloads, len(followed.visits)) == (1, 3)
    assert followed.last is not None
    assert followed.last.visitor is Visitor.PERSON


def test_a_download_stands_in_the_clients_history(session: Session) -> None:
    link = sent(session, film(session))
    downloads.record(session, link, Deed.DOWNLOADED, Seen("Barracuda/1"))
    downloads.record(session, link, Deed.DOWNLOADED, Seen(BROWSER, timedelta(seconds=5), True))
    contact = session.get_one(Contact, link.contact_id)
    events = timeline.history(session, contact=contact, sorts=[Sort.DOCUMENTS])
    assert [(one.kind, one.title) for one in events] == [("download", "Demo")]


def test_what_is_written_down_of_one_link_is_bounded(session: Session) -> None:
    link = sent(session, film(session))
    session.add_all(
        DemoVisit(link_id=link.id, deed=Deed.LOOKED, visitor=Visitor.MACHINE) for _ in range(downloads.KEPT)
    )
    session.flush()
    assert downloads.record(session, link, Deed.DOWNLOADED, Seen(BROWSER)) is None
    session.refresh(link)
    assert link.downloads == 1


def test_a_withdrawn_link_works_again_when_that_is_undone(session: Session) -> None:
    link = sent(session, film(session))
    downloads.revoke(session, link, by=None)
    assert downloads.standing(link, downloads.now_of(session)) is Standing.REVOKED
    downloads.restore(session, link, by=None)
    assert downloads.standing(link, downloads.now_of(session)) is Standing.OPEN


@pytest.mark.parametrize("name", ["setup.EXE", "..\\..\\run.bat", "a.pdf.lnk"])
def test_programs_are_refused(session: Session, name: str) -> None:
    with pytest.raises(InputRefused, match="Programs"):
        film(session, filename=name)


def test_a_file_is_bounded_and_there_once(session: Session) -> None:
    film(session)
    with pytest.raises(Conflict):
        film(session)
    with pytest.raises(InputRefused, match="empty"):
        film(session, data=b"")
    with pytest.raises(InputRefused, match="larger"):
        film(session, data=bytes(demofiles.MOST_BYTES + 1))


@given(st.text(max_size=300))
def test_a_name_is_a_label_and_never_a_path(name: str) -> None:
    label = demofiles.clean_name(name)
    assert label
    assert len(label) <= 150
    assert not set(label) & set('/\\\0\n"')
