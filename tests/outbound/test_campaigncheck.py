"""What a check before the start finds, and what it lets pass."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core import campaign_verbs, consent
from core.accounts import Channel, Contact
from core.consent import Scope, SuppressionReason
from core.outbox import Delivery, Draft, Purpose, queue_many
from core.staff import Role, StaffMember
from outbound.campaigncheck import Facts, Fault, Gravity, Tried, fault_of_link, findings, may_start
from outbound.campaignfacts import examine, is_reserved, send_test, tried
from outbound.channels.memory import MemoryChannel
from outbound.mailingtexts import Words
from tests.outbound.audiences import mailing, people
from tests.outbound.conftest import Company, send_all

PLACE = ("A", "lt")
SOUND = Facts(
    channel=Channel.EMAIL,
    texts={PLACE: Words("lt", "Rudens pasiūlymas", "Sveiki, https://example.lt/siurbliai")},
    tried={PLACE: Tried(frozenset({"client.name", "links.unsubscribe"}), 5000)},
    default_language="lt",
    audience=10,
    languages={"lt": 10},
    postal_address="Savanorių pr. 1, Vilnius",
)


def found(facts: Facts) -> set[Fault]:
    """Which faults are found."""
    return {one.fault for one in findings(facts)}


def words(subject: str = "Rudens pasiūlymas", body: str = "Sveiki", html: str | None = None) -> Facts:
    """The sound campaign with another text."""
    return replace(SOUND, texts={PLACE: Words("lt", subject, body, html)})


def test_a_demonstration_may_start_without_https_and_a_real_company_may_not():
    assert may_start(findings(replace(SOUND, one_click=False, fictional=True)))
    assert not may_start(findings(replace(SOUND, one_click=False)))


@pytest.mark.parametrize(
    ("address", "reserved"),
    [("sales@pumps.example", True), ("sales@example.lt", False), ("sales@pumps.example.lt", False)],
)
def test_only_a_domain_that_never_exists_is_a_demonstration(address: str, reserved: bool):
    assert is_reserved(address) is reserved


def test_a_sound_mailing_has_no_findings():
    assert findings(SOUND) == []
    assert may_start(findings(SOUND))


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        (replace(SOUND, texts={}), Fault.NO_TEXT),
        (replace(SOUND, audience=0), Fault.NO_AUDIENCE),
        (replace(SOUND, languages={"ru": 3}, default_language="en"), Fault.MISSING_LANGUAGE),
        (replace(SOUND, tried={PLACE: Tried(error="line 3")}), Fault.BROKEN_TEMPLATE),
        (replace(SOUND, tried={PLACE: Tried(frozenset({"deal.sum"}))}), Fault.UNKNOWN_PLACEHOLDER),
        (replace(SOUND, one_click=False), Fault.NO_UNSUBSCRIBE),
        (words("Re: jūsų užklausa"), Fault.FALSE_REPLY),
        (words("Отв: ваш запрос"), Fault.FALSE_REPLY),
        (words(html="<form action='x'></form>"), Fault.ACTIVE_HTML),
        (words(html="<p onclick='x()'>x</p>"), Fault.ACTIVE_HTML),
        (words(body="javascript:alert(1)"), Fault.UNSAFE_LINK),
    ],
)
def test_what_must_not_go_out_stops_the_start(facts: Facts, fault: Fault):
    assert fault in found(facts)
    assert not may_start(findings(facts))


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        (replace(SOUND, languages={"ru": 3}), Fault.MISSING_LANGUAGE),
        (replace(SOUND, without={"client.name": 2}), Fault.EMPTY_PLACEHOLDER),
        (replace(SOUND, tried={PLACE: Tried(size=200_000)}), Fault.TOO_LARGE),
        (replace(SOUND, channel=Channel.SMS, tried={PLACE: Tried(parts=5)}), Fault.SMS_PARTS),
        (replace(SOUND, postal_address=""), Fault.NO_SENDER_ADDRESS),
        (replace(SOUND, suppressed=1), Fault.SUPPRESSED),
        (replace(SOUND, held_back=8), Fault.HELD_BACK),
        (replace(SOUND, without_address=1), Fault.NO_ADDRESS),
        (words("TIK ŠIANDIEN NUOLAIDA"), Fault.LOUD),
        (words("Nuolaida!!!"), Fault.LOUD),
        (words("Ilga antraštė " * 10), Fault.LONG_SUBJECT),
        (words(html="<img src='https://example.lt/x.png'>"), Fault.ONLY_PICTURES),
        (words(body="http://example.lt/x"), Fault.INSECURE_LINK),
        (words(body="https://bit.ly/x"), Fault.SHORTENED_LINK),
    ],
)
def test_what_deserves_a_look_is_named_and_does_not_stop(facts: Facts, fault: Fault):
    assert fault in found(facts)
    assert may_start(findings(facts))


def test_a_variant_without_a_language_that_another_has_stops_the_start():
    one = ("a", "b")
    texts = {("A", "lt"): Words("lt", *one), ("A", "en"): Words("en", *one), ("B", "lt"): Words("lt", *one)}
    assert Fault.VARIANT_LANGUAGE in found(replace(SOUND, texts=texts, tried={}))


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://127.0.0.1/x",
        "http://2130706433/", "https://user:pass@example.lt/", "https://localhost/x", "https://[::1]/",
        "https://example.lt/%00", "https://example.lt/%0d%0aX: y", "https://intranet/x",
        "https://example.lt/" + "a" * 100_000, "https://example.lt:99999/", "https://",
    ],
)  # fmt: skip
def test_links_that_lead_astray_are_told(link: str):
    """B37 and B39: nothing of ours redirects, and no link of a mailing may smuggle."""
    assert fault_of_link(link) is Fault.UNSAFE_LINK


def test_an_address_in_letters_beyond_ascii_is_a_link_like_any_other():
    assert fault_of_link("https://ąžuolas.lt/pasiūlymas?x=1&y=2") is None


def test_a_text_that_calls_out_of_its_sandbox_or_costs_too_much_is_broken():
    for body in (
        "{{ ''.__class__.__mro__ }}",
        "{{ client.name.__init__ }}",
        "{% for x in range(10**9) %}{% endfor %}",
    ):
        assert tried(Channel.EMAIL, Words("en", "x", body)).error


def test_the_facts_of_a_campaign_are_counted(company: Company):
    context = company()
    with context.transaction() as session:
        ids = people(session, 10)
        session.get_one(Contact, ids[0]).name = ""
        consent.suppress(
            session, Channel.EMAIL, "client1@company1.example",
            scope=Scope.MARKETING, reason=SuppressionReason.UNSUBSCRIBED, source="test",
        )  # fmt: skip
        drafts = [
            Draft(f"t:{n}", "client2@company2.example", contact_id=ids[2], purpose=Purpose.MARKETING)
            for n in range(3)
        ]
        queue_many(session, drafts)
        made = mailing(session, ids)
        by_fault = {one.fault: one for one in examine(session, made, context.settings)}
    assert by_fault[Fault.SUPPRESSED].count == 1
    assert by_fault[Fault.HELD_BACK].count == 1
    assert by_fault[Fault.EMPTY_PLACEHOLDER].gravity is Gravity.WARN
    assert Fault.BROKEN_TEMPLATE not in by_fault
    assert Fault.NO_AUDIENCE not in by_fault


async def test_a_colleague_gets_a_test_letter_outside_of_every_count(company: Company):
    context, channel = company(), MemoryChannel()
    with context.transaction() as session:
        staff = StaffMember(email="inga@example.com", name="Inga", role=Role.MARKETING, password_hash="x")
        session.add(staff)
        session.flush()
        made = mailing(session, people(session, 2))
        send_test(session, made, staff, variant="A", language="lt")
        number = made.id
    await send_all(context, channel)
    assert [letter.recipients for letter in channel.sent] == [("inga@example.com",)]
    assert "Rudens" in channel.sent[0].data.decode(errors="replace") or b"=?utf-8?" in channel.sent[0].data
    with context.transaction() as session:
        assert session.query(Delivery).filter_by(campaign_id=number).count() == 0
        assert campaign_verbs.get(session, number).frozen_at is None


def test_a_trial_of_two_texts_needs_both_of_them_and_a_share():
    both = {PLACE: SOUND.texts[PLACE], ("B", "lt"): SOUND.texts[PLACE]}
    assert not may_start(findings(replace(SOUND, test_percent=20)))
    assert not may_start(findings(replace(SOUND, texts=both)))
    assert may_start(findings(replace(SOUND, texts=both, test_percent=20)))
