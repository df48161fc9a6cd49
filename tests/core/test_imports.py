"""Contacts from files: columns guessed, rows decided, done, and taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import imports, lists, tabular
from core.accounts import Account, AccountDomain, Contact, ContactPoint, find_by_email, find_or_add_contact
from core.conversations import Conversation
from core.errors import Conflict, IllegalTransition, InputRefused
from core.imports_fields import BAD_EMAIL, EMPTY, REPEATED, entries, guess
from core.imports_rows import Import, ImportState
from core.lists import ContactListMember

LITHUANIAN = """Vardas;Pavardė;El. paštas;Įmonė;Telefonas;Regionas;Darbuotojų skaičius;Žymos;Kalba
Ona;Žukauskaitė;ona@vandenis.example;UAB „Vandenis“;+370 612 34567;Vilnius;45;mugė, VIP;lietuvių
Petras;Kazlauskas;petras@vandenis.example;UAB „Vandenis“;;Vilnius;45;;lt
;;nera-adreso;UAB „Kita“;;;;;
Jonas;Jonaitis;ona@vandenis.example;UAB „Kita“;;;;;
"""


def _upload(session: Session, text: str) -> Import:
    return imports.upload(session, "contacts.csv", text.encode())


def _count(session: Session, model: type) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Name,E-mail,Company,Phone number,Position", ["name", "email", "company", "phone", "position"]),
        ("ФИО,Эл. почта,Компания,Телефон,Должность", ["name", "email", "company", "phone", "position"]),
        (
            "Vardas,Pavardė,El. paštas,Įmonė,Miestas",
            ["first_name", "last_name", "email", "company", "region"],
        ),
        ("Отрасль,Страна,Источник,Язык,Метки", ["industry", "country", "source", "language", "tags"]),
    ],
)
def test_columns_are_guessed_from_headers_in_three_languages(header: str, expected: list[str]) -> None:
    sheet = tabular.read(f"{header}\n{','.join('x' * len(expected))}\n".encode())
    assert [guess(sheet).get(column) for column in range(len(expected))] == expected


def test_a_column_of_addresses_is_known_without_a_header_that_says_so() -> None:
    sheet = tabular.read(b"who,where\nOna,ona@imone.example\nJonas,jonas@imone.example\n")
    assert guess(sheet) == {1: "email"}


def test_bad_rows_say_what_is_wrong_with_them() -> None:
    sheet = tabular.read(b"name;email\nOna;ona@imone.example\n;x@\nJonas;ONA@imone.example\n;-\n")
    made = entries(sheet, {0: "name", 1: "email"})
    assert [one.error for one in made] == ["", BAD_EMAIL, REPEATED, BAD_EMAIL]
    nobody = entries(tabular.read(b"name;region\n;Vilnius\n"), {0: "name", 1: "region"})
    assert [one.error for one in nobody] == [EMPTY]


def test_a_dry_run_writes_nothing_and_counts_the_same(session: Session) -> None:
    one = _upload(session, LITHUANIAN)
    before = _count(session, Contact), _count(session, Account)
    planned = imports.plan(session, tabular.read(one.data), imports.mapping_of(one))
    assert imports.counts(planned) == {"added": 2, "filled": 0, "same": 0, "refused": 2}
    assert (_count(session, Contact), _count(session, Account)) == before
    imports.run(session, one)
    assert {key: one.counts[key] for key in ("added", "filled", "same", "refused")} == imports.counts(planned)


def test_new_contacts_come_with_their_company_once(session: Session) -> None:
    one = _upload(session, LITHUANIAN)
    imports.run(session, one, list_name="Mugė 2026")
    ona, petras = (find_by_email(session, f"{name}@vandenis.example") for name in ("ona", "petras"))
    assert ona is not None
    assert petras is not None
    assert (ona.name, ona.language, ona.phone, ona.tags) == (
        "Ona Žukauskaitė",
        "lt",
        "+37061234567",
        ["mugė", "VIP"],
    )
    assert ona.account_id == petras.account_id
    assert ona.account is not None
    assert (ona.account.name, ona.account.employees, ona.account.region) == ("UAB „Vandenis“", 45, "Vilnius")
    members = session.scalars(
        select(ContactListMember.contact_id).where(ContactListMember.list_id == one.list_id)
    )
    assert set(members) == {ona.id, petras.id}


def test_nothing_known_is_overwritten_and_what_is_empty_is_filled(session: Session) -> None:
    ona = find_or_add_contact(session, address="ona@vandenis.example", name="Ona Ž.")
    ona.tags = ["old"]
    session.flush()
    one = _upload(session, LITHUANIAN)
    imports.run(session, one)
    session.refresh(ona)
    assert ona.name == "Ona Ž."
    assert ona.language == "lt"
    assert ona.tags == ["old", "mugė", "VIP"]
    assert ona.phone == "+37061234567"
    assert one.counts["filled"] == 1


def test_an_import_is_taken_back_whole(session: Session) -> None:
    ona = find_or_add_contact(session, address="ona@vandenis.example", name="Ona")
    ona.tags = ["old"]
    session.flush()
    state = [_count(session, model) for model in (Contact, Account, ContactPoint, AccountDomain)]
    one = _upload(session, LITHUANIAN)
    imports.run(session, one, list_name="Mugė")
    imports.undo(session, one)
    session.refresh(ona)
    assert [_count(session, model) for model in (Contact, Account, ContactPoint, AccountDomain)] == state
    assert (ona.tags, ona.language, ona.phone) == (["old"], None, None)
    assert lists.all_with_counts(session) == []
    assert one.state == ImportState.UNDONE
    with pytest.raises(IllegalTransition):
        imports.undo(session, one)


def test_what_is_used_meanwhile_stays_when_an_import_is_taken_back(session: Session) -> None:
    one = _upload(session, LITHUANIAN)
    imports.run(session, one)
    petras = find_by_email(session, "petras@vandenis.example")
    assert petras is not None
    session.add(Conversation(contact_id=petras.id, account_id=petras.account_id))
    session.flush()
    imports.undo(session, one)
    assert find_by_email(session, "petras@vandenis.example") is not None
    assert find_by_email(session, "ona@vandenis.example") is None
    assert (one.counts["contact_gone"], one.counts["contact_kept"]) == (1, 1)
    assert one.counts["account_kept"] == 1


def test_an_import_is_done_once(session: Session) -> None:
    one = _upload(session, LITHUANIAN)
    imports.run(session, one)
    with pytest.raises(IllegalTransition):
        imports.run(session, one)


def test_a_second_import_of_the_same_file_changes_nothing(session: Session) -> None:
    imports.run(session, _upload(session, LITHUANIAN))
    again = _upload(session, LITHUANIAN)
    imports.run(session, again)
    assert again.counts == {"added": 0, "filled": 0, "same": 2, "refused": 2}


def test_names_alone_are_known_again_and_counted_once(session: Session) -> None:
    content = (
        "Vardas;Įmonė\nOna Petraitė;UAB Ratas\nONA PETRAITE;UAB Ratas\nJonas Petraitis;UAB Ratas\n".encode()
    )
    for outcome in ("added", "same"):
        one = imports.upload(session, "vardai.csv", content)
        one.mapping = {"0": "name", "1": "company"}
        imports.run(session, one)
        assert (one.counts[outcome], one.counts["refused"]) == (2, 1)


def test_no_column_that_says_who_it_is_is_refused(session: Session) -> None:
    sheet = tabular.read(b"region\nVilnius\n")
    with pytest.raises(InputRefused, match="Say which column"):
        imports.plan(session, sheet, {0: "region"})


def test_the_refused_rows_come_back_as_they_stood(session: Session) -> None:
    one = _upload(session, LITHUANIAN)
    sheet = tabular.read(one.data)
    wrong = imports.refused(imports.plan(session, sheet, imports.mapping_of(one)), sheet)
    assert [row[0] for row in wrong] == ["4", "5"]
    assert wrong[0][4] == "nera-adreso"


def test_a_list_of_a_taken_name_is_refused(session: Session) -> None:
    lists.add(session, "Mugė")
    with pytest.raises(Conflict):
        lists.add(session, " Mugė ")
