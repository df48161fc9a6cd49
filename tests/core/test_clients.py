"""What is known of a client: where it came from, how much of it, and who may be the same."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from core import clientedits, completeness, duplicates, imports, provenance, suggestions
from core.accounts import Account, AccountDomain, BuyingRole, Contact, ContactPoint, PointKind
from core.completeness import Gap
from core.duplicates import Likeness, Pair
from core.errors import Conflict
from core.namekeys import name_key
from core.provenance import Origin, Subject
from core.suggestions import SuggestionKind, SuggestionState, Told
from tests.core.people import client, colleague, letter


def _account(session: Session, name: str, *points: str, **more: object) -> Account:
    """A client with one contact who has these addresses and numbers."""
    account = Account(name=name, **more)
    kinds = {True: PointKind.EMAIL, False: PointKind.PHONE}
    contact = Contact(
        account=account, points=[ContactPoint(kind=kinds["@" in one], value=one) for one in points]
    )
    session.add_all([account, contact])
    session.flush()
    return account


def _doubles(session: Session, account: Account) -> dict[str, set[Likeness]]:
    found = duplicates.of_account(session, account, account.contacts)
    return {one.name: {why for why, _what in one.why} for one in found}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ООО «Строймаш»", "Stroimaš, UAB"),
        ("ООО «Строймаш»", "Stroymash Ltd"),
        ("UAB „Vandenis“", "Vandenis, UAB"),
        ("АО Жилье и Хозяйство", "AO Zhilye i Khozyaystvo"),
        ("Šiaurės žuvėdra", "siaures zuvedra"),
        ("Юность Щёкино", "Yunost Shchekino"),
        ("SIA Baltic Heat", "Baltic Heat Sp. z o.o."),
    ],
)
def test_two_ways_of_writing_a_name_are_one_key(session: Session, one: str, other: str) -> None:
    keys = session.execute(sa.select(name_key(sa.literal(one)), name_key(sa.literal(other)))).one()
    assert keys[0] == keys[1]


def test_names_that_differ_stay_two(session: Session) -> None:
    names = ["Vandenis", "Vandens prekyba", "Строймаш", "Стройдом"]
    keys = session.execute(sa.select(*(name_key(sa.literal(name)) for name in names))).one()
    assert len({*keys}) == 4


def test_doubles_are_found_by_name_domain_number_and_code(session: Session) -> None:
    mine = _account(
        session, "UAB Vandenis", "ona@vandenis.lt", "+37061234567", code="LT 302345678",
        domains=[AccountDomain(domain="vandenis.lt")],
    )  # fmt: skip
    _account(session, "Ванденис ООО")
    _account(session, "Filialas", "jonas@vandenis.lt")
    _account(session, "Sandėlis", "+37061234567")
    _account(session, "Archyvas", code="302345678")
    _account(session, "Kitas", "kitas@gmail.com", code="12")
    assert _doubles(session, mine) == {
        "Ванденис ООО": {Likeness.NAME},
        "Filialas": {Likeness.DOMAIN},
        "Sandėlis": {Likeness.PHONE},
        "Archyvas": {Likeness.CODE},
    }


def test_free_mail_makes_nobody_a_double(session: Session) -> None:
    mine = _account(session, "Pirmas", "a@gmail.com")
    _account(session, "Antras", "b@gmail.com")
    assert _doubles(session, mine) == {}


def test_who_is_kept_apart_is_no_double_until_that_is_taken_back(session: Session) -> None:
    mine, other = _account(session, "UAB Vandenis"), _account(session, "Vandenis")
    duplicates.keep_apart(session, Pair.ACCOUNT, other.id, mine.id, staff_id=None)
    assert _doubles(session, mine) == {}
    duplicates.bring_together(session, Pair.ACCOUNT, mine.id, other.id)
    assert set(_doubles(session, mine)) == {"Vandenis"}


def test_a_persons_name_in_another_order_is_one_person(session: Session) -> None:
    account = _account(session, "Vandenis")
    account.contacts[0].name = "Ona Petraitė"
    session.add(Contact(account=account, name="Petraitė Ona"))
    session.add(Contact(account=account, name="Ona Petraitienė"))
    session.flush()
    session.expire(account, ["contacts"])
    found = duplicates.among_contacts(session, account.contacts)
    assert [(one.why, {one.one.name, one.other.name}) for one in found] == [
        (Likeness.NAME, {"Ona Petraitė", "Petraitė Ona"})
    ]


def test_the_score_is_the_same_in_python_and_in_sql(session: Session) -> None:
    rasa = colleague(session)
    _account(session, "Nieko")
    full = _account(
        session, "Viskas", "a@b.lt", "+37061234567", code="1", industry="Vanduo", region="Vilnius",
        country="LT", source="paroda", employees=3, curator_id=rasa.id,
    )  # fmt: skip
    person = full.contacts[0]
    person.name, person.position, person.buying_role = "Ona", "Vadovė", BuyingRole.DECISION_MAKER
    _account(session, "Pusė", "c@d.lt", industry="Vanduo", region="")
    session.flush()
    for account, score in session.execute(sa.select(Account, completeness.score_column())):
        assert completeness.of(account, account.contacts).score == score
    assert completeness.of(full, full.contacts) == completeness.Completeness(100, ())
    assert sum(completeness.WEIGHTS.values()) == 100
    assert set(completeness.WEIGHTS) == set(Gap)


def _told(
    session: Session, subject: Subject, row: Contact | Account, field: str, source: str | None
) -> Origin:
    origins = provenance.read(session, [(subject, row.id)])
    found = provenance.told(origins, subject, row.id, field, getattr(row, field), source=source)
    assert found is not None
    return found.origin


def test_a_signature_a_colleague_and_an_import_are_told_apart(session: Session) -> None:
    rasa, contact = colleague(session), client(session)
    message = letter(session, contact)
    suggestions.suggest(session, [Told(contact.id, message.id, SuggestionKind.POSITION, "Direktorė")])
    one = suggestions.open_for(session, contact.id)[0]
    suggestions.decide(session, one.id, SuggestionState.ACCEPTED, staff_id=rasa.id)
    assert _told(session, Subject.CONTACT, contact, "position", "mail") == Origin.SIGNATURE
    clientedits.change(session, contact, "position", "Vadovė", was="Direktorė", by=rasa.id)
    assert _told(session, Subject.CONTACT, contact, "position", "mail") == Origin.PERSON
    sheet = b"email,industry,company\nona@vandenis.lt,Vanduo,\n"
    made = imports.upload(session, "klientai.csv", sheet, staff_id=rasa.id)
    imports.run(session, made)
    account = contact.account
    assert account is not None
    session.refresh(account)
    assert _told(session, Subject.ACCOUNT, account, "industry", None) == Origin.IMPORT
    imports.undo(session, made)
    assert provenance.read(session, [(Subject.ACCOUNT, account.id)]) == {}


def test_a_value_that_was_changed_by_nobody_known_is_of_unknown_origin(session: Session) -> None:
    rasa, contact = colleague(session), client(session)
    clientedits.change(session, contact, "position", "Vadovė", was="", by=rasa.id)
    contact.position = "Kita"
    session.flush()
    assert _told(session, Subject.CONTACT, contact, "position", "mail") == Origin.UNKNOWN


def test_a_first_letter_tells_a_name_and_no_industry(session: Session) -> None:
    account = _account(session, "Vandenis", source="mail", industry="Vanduo")
    assert _told(session, Subject.ACCOUNT, account, "name", "mail") == Origin.LETTER
    assert _told(session, Subject.ACCOUNT, account, "industry", "mail") == Origin.UNKNOWN


def test_an_address_belongs_to_one_contact(session: Session) -> None:
    rasa, ona = colleague(session), client(session)
    jonas = client(session, "jonas@vandenis.lt", "Jonas")
    with pytest.raises(Conflict):
        clientedits.add_point(session, jonas, PointKind.EMAIL, " ONA@vandenis.lt", by=rasa.id)
    clientedits.add_point(session, ona, PointKind.PHONE, "+370 612 34567", by=rasa.id)
    clientedits.add_point(session, jonas, PointKind.PHONE, "+370 612 34567", by=rasa.id)
    assert ona.phone == jonas.phone == "+37061234567"
