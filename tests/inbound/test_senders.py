"""Whether a letter is from whom it names: what is believed, what is checked, what is told, what is braked."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import dkim
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from core import staff
from core.accounts import Contact
from core.config import Settings
from core.context import Context
from core.conversations import Conversation, Direction, Message
from core.suggestions import Suggestion, SuggestionKind, SuggestionState, decide
from inbound import afterwards
from inbound.dnstext import DnsIsSilent, TextRecords, TextRecordsHere
from inbound.steps import brake
from tests.inbound import posting
from tests.inbound.posting import letter, messages, run

OUR_SERVER = "mx.siurbliai.example"
PASSED = f"{OUR_SERVER}; spf=pass smtp.mailfrom=vandenis.lt; dmarc=pass header.from=vandenis.lt"
DENIED = f"{OUR_SERVER}; spf=fail smtp.mailfrom=evil.example; dmarc=fail header.from=siurbliai.example"
SIGNED_OFF = (
    "Laba diena, prašome atsiųsti kainas.\n\n-- \nOna Petraitė\nTiekimo vadovė\nUAB „Vandenis“\n"
    "tel. +370 612 34567\n"
)


@pytest.fixture
def context(engine: sa.Engine, settings: Settings) -> Context:
    context = Context(
        settings=posting.mail_settings(
            settings, acknowledgement=False, senders={"trusted_servers": [OUR_SERVER]}
        ),
        engine=engine,
    )
    context.provide(TextRecords, TextRecordsHere)
    with context.transaction() as session:
        posting.install(session)
        staff.add(session, email="jonas@siurbliai.example", name="Jonas Jonaitis", team="Sales")
    return context


def only(context: Context) -> Message:
    with context.transaction() as session:
        (message,) = messages(session)
        session.expunge(message)
        return message


def findings_of(message: Message) -> dict[str, tuple[str, str]]:
    assert message.sender_checks is not None
    return {one["code"]: (one["shown"], one["real"]) for one in message.sender_checks["findings"]}


def test_what_our_own_server_found_is_kept_with_the_letter(context: Context) -> None:
    run(context, [letter(Authentication_Results=PASSED)])

    checks = only(context).sender_checks
    assert checks is not None
    assert (checks["verdict"], checks["by"], checks["dmarc"]) == ("confirmed", OUR_SERVER, "pass")


def test_what_another_server_claims_is_not_believed(context: Context) -> None:
    run(context, [letter(Authentication_Results="mx.evil.example; dmarc=pass header.from=vandenis.lt")])

    checks = only(context).sender_checks
    assert checks is not None
    assert checks["verdict"] == "unchecked"


def test_b17_a_forged_colleague_is_neither_a_colleague_nor_let_into_the_conversation(
    context: Context,
) -> None:
    run(context, [letter(message_id="<a1@vandenis.lt>")])
    run(
        context,
        [
            letter(
                sender="Jonas Jonaitis <jonas@siurbliai.example>",
                message_id="<forged@evil.example>",
                in_reply_to="<a1@vandenis.lt>",
                text="Pakeitėme banko sąskaitą.",
                Authentication_Results=DENIED,
            )
        ],
    )

    with context.transaction() as session:
        first, forged = messages(session)
        assert forged.conversation_id != first.conversation_id
        assert (forged.direction, forged.staff_id, forged.contact_id) == (Direction.IN, None, None)
        assert "claims_to_be_colleague" in forged.warnings
        assert "checks_failed" in findings_of(forged)
        assert session.get_one(Conversation, forged.conversation_id).beside_id == first.conversation_id


def test_b18_tricks_with_names_are_kept_with_what_is_shown_and_what_is_real(context: Context) -> None:
    run(
        context,
        [
            letter(
                sender='"ceo@corp.example" <evil@x.example>',
                reply_to="other@elsewhere.example",
                message_id="<t1@x.example>",
            )
        ],
    )

    assert findings_of(only(context)) == {
        "name_holds_other_address": ("ceo@corp.example", "evil@x.example"),
        "reply_goes_elsewhere": ("evil@x.example", "other@elsewhere.example"),
    }


def test_b19_a_domain_like_a_clients_is_told_and_the_clients_own_never_is(context: Context) -> None:
    run(context, [letter(sender="Ona <ona@geriausivandenys.lt>", message_id="<a@geriausivandenys.lt>")])
    run(context, [letter(sender="Ona <ona@geriausivandenis.lt>", message_id="<b@x.lt>")])
    run(context, [letter(sender="Ona <ona@geriausivandenys.lt>", message_id="<c@geriausivandenys.lt>")])
    run(context, [letter(sender="Ona <ona@geriausivandenis.lt>", message_id="<d@x.lt>")])

    with context.transaction() as session:
        told = [findings_of(message) for message in messages(session)]
    imitates = {"imitates_known_domain": ("geriausivandenys.lt", "geriausivandenis.lt")}
    assert told[0] == told[2] == {}
    assert told[1] == imitates
    # The tools of each run are new ones, so that the second letter of the impostor meets its own domain.
    assert told[3] == imitates


def test_a_stranger_with_a_colleagues_name_is_told(context: Context) -> None:
    run(context, [letter(sender="Jonaitis Jonas <j@free.example>", message_id="<n@free.example>")])

    assert findings_of(only(context)) == {"named_like_staff": ("Jonaitis Jonas", "j@free.example")}


def signed(raw: bytes, domain: bytes = b"vandenis.lt") -> tuple[bytes, bytes]:
    """The letter with a DKIM signature, and the record of its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    whole = raw.replace(b"\n", b"\r\n")
    return dkim.sign(whole, b"k1", domain, private) + whole, b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def looked_at(context: Context, records: TextRecordsHere) -> dict[str, str]:
    """The checks of the only letter after the job."""
    context.provide(TextRecords, lambda: records)
    message = only(context)
    afterwards.look_closer(context, [message.id])
    checks = only(context).sender_checks
    assert checks is not None
    return checks


def test_a_signature_nobody_has_checked_is_checked_after_filing(context: Context) -> None:
    raw, record = signed(letter())
    run(context, [raw])
    checks = looked_at(context, TextRecordsHere({"k1._domainkey.vandenis.lt": record}))

    assert (checks["verdict"], checks["by"], checks["dkim"]) == ("confirmed", "ourselves", "pass")


def test_a_signature_of_another_domain_stands_for_that_domain_only(context: Context) -> None:
    raw, record = signed(letter(), b"mailer.example")
    run(context, [raw])
    checks = looked_at(context, TextRecordsHere({"k1._domainkey.mailer.example": record}))

    assert (checks["verdict"], checks["domain"]) == ("other_domain", "mailer.example")


def test_a_changed_letter_is_not_confirmed_and_not_denied(context: Context) -> None:
    raw, record = signed(letter())
    run(context, [raw.replace(b"Labas", b"Sveiki")])
    checks = looked_at(context, TextRecordsHere({"k1._domainkey.vandenis.lt": record}))

    assert checks["verdict"] == "unconfirmed"


def test_where_dns_is_silent_the_letter_stays_unchecked_and_is_tried_again(context: Context) -> None:
    raw, _ = signed(letter())
    run(context, [raw])
    with pytest.raises(DnsIsSilent):
        looked_at(context, TextRecordsHere(silent=True))

    checks = only(context).sender_checks
    assert checks is not None
    assert checks["verdict"] == "unchecked"


def test_nothing_is_asked_where_our_server_has_checked(context: Context) -> None:
    raw, _ = signed(letter(Authentication_Results=PASSED))
    run(context, [raw])
    records = TextRecordsHere()
    looked_at(context, records)

    assert records.asked == []


def suggested(context: Context) -> dict[SuggestionKind, str]:
    with context.transaction() as session:
        return {one.kind: one.value for one in session.scalars(sa.select(Suggestion))}


def test_what_a_signature_says_is_suggested_with_its_letter(context: Context) -> None:
    run(context, [letter(sender="Ona <ona@vandenis.lt>", text=SIGNED_OFF)])
    message = only(context)
    afterwards.look_closer(context, [message.id])
    afterwards.look_closer(context, [message.id])

    assert suggested(context) == {
        SuggestionKind.NAME: "Ona Petraitė",
        SuggestionKind.POSITION: "Tiekimo vadovė",
        SuggestionKind.COMPANY: "UAB „Vandenis“",
        SuggestionKind.PHONE: "+37061234567",
    }
    with context.transaction() as session:
        assert set(session.scalars(sa.select(Suggestion.message_id))) == {message.id}


def test_what_is_accepted_stands_on_the_card_and_may_be_taken_back(context: Context) -> None:
    run(context, [letter(sender="Ona <ona@vandenis.lt>", text=SIGNED_OFF)])
    afterwards.look_closer(context, [only(context).id])
    with context.transaction() as session:
        jonas = session.scalars(sa.select(staff.StaffMember.id)).first() or 0
        for one in session.scalars(sa.select(Suggestion)).all():
            decide(session, one.id, SuggestionState.ACCEPTED, staff_id=jonas)
        contact = session.scalars(sa.select(Contact)).one()
        assert (contact.name, contact.position, contact.phone) == (
            "Ona Petraitė", "Tiekimo vadovė", "+37061234567",
        )  # fmt: skip
    with context.transaction() as session:
        for one in session.scalars(sa.select(Suggestion)).all():
            decide(session, one.id, SuggestionState.OPEN, staff_id=jonas)
    with context.transaction() as session:
        contact = session.scalars(sa.select(Contact)).one()
        assert (contact.name, contact.position, contact.phone) == ("Ona", "", None)


def test_what_was_refused_is_not_suggested_again_and_what_stands_there_never_is(context: Context) -> None:
    run(context, [letter(text=SIGNED_OFF)])
    message = only(context)
    afterwards.look_closer(context, [message.id])
    assert SuggestionKind.NAME not in suggested(context)
    with context.transaction() as session:
        jonas = session.scalars(sa.select(staff.StaffMember.id)).first() or 0
        for one in session.scalars(sa.select(Suggestion)).all():
            decide(session, one.id, SuggestionState.REFUSED, staff_id=jonas)
    afterwards.look_closer(context, [message.id])

    with context.transaction() as session:
        assert set(session.scalars(sa.select(Suggestion.state))) == {SuggestionState.REFUSED}


def test_letters_faster_than_people_write_are_a_loop_and_wait_for_nobody(context: Context) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    many = brake.MOST_IN_CONVERSATION + 5
    run(
        context,
        [
            letter(
                message_id=f"<{number}@vandenis.lt>",
                date=format_datetime(now - timedelta(seconds=many - number)),
                **({"in_reply_to": f"<{number - 1}@vandenis.lt>"} if number else {}),
            )
            for number in range(many)
        ],
    )

    with context.transaction() as session:
        kinds = [message.machine for message in messages(session)]
    assert kinds == [None] * brake.MOST_IN_CONVERSATION + [brake.LOOP] * 5


def test_an_old_folder_that_is_read_at_once_is_no_loop(context: Context) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    run(
        context,
        [
            letter(
                message_id=f"<{number}@vandenis.lt>",
                subject=f"Tema {number}",
                date=format_datetime(now - timedelta(days=number)),
            )
            for number in range(brake.MOST_OF_ADDRESS + 5)
        ],
    )

    with context.transaction() as session:
        assert {message.machine for message in messages(session)} == {None}


def test_the_day_of_return_stands_on_the_card(context: Context) -> None:
    back = (datetime.now(UTC) + timedelta(days=20)).date()
    run(context, [letter()])
    run(
        context,
        [
            letter(
                message_id="<away@vandenis.lt>",
                subject="Automatinis atsakymas: Siurblių kainos",
                text=f"Manęs nebus iki {back.isoformat()}.",
                Auto_Submitted="auto-replied",
                X_Auto_Response_Suppress="All",
            )
        ],
    )

    with context.transaction() as session:
        away = session.scalars(sa.select(Contact.away_until)).one()
    assert away is not None
    assert away >= back


def test_a_letter_that_a_colleague_forwarded_keeps_who_wrote_it_first(context: Context) -> None:
    inner = (
        "Perduodu.\n\n---------- Forwarded message ---------\nFrom: Petras Rimkus <petras@rimkus.lt>\n"
        "Date: 2026-03-12 10:15\nSubject: Siurblys\nTo: jonas@siurbliai.example\n\nReikia siurblio kainos.\n"
    )
    run(
        context,
        [
            letter(
                sender="Jonas Jonaitis <jonas@siurbliai.example>",
                subject="Fwd: Siurblys",
                text=inner,
                message_id="<f1@siurbliai.example>",
            )
        ],
    )

    message = only(context)
    assert message.forwarded is not None
    assert (message.forwarded["address"], message.forwarded["subject"]) == ("petras@rimkus.lt", "Siurblys")
    assert message.forwarded["date"].startswith("2026-03-12")
    assert "forwarded_by_staff" in message.warnings
