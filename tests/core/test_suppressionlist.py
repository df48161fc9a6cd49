"""Lists of other programs are taken over as they are, and no row of them can do harm."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import consent
from core.accounts import Channel
from core.consent import Scope, Suppression, SuppressionReason
from core.errors import InputRefused
from core.suppressionlist import decoded, take_over
from core.tabular import write_xlsx


def scopes(session: Session) -> dict[str, str]:
    """Each address on the list with what it stops."""
    session.expire_all()
    return {row.address: str(row.scope) for row in session.scalars(select(Suppression))}


def test_addresses_and_numbers_are_taken_with_their_reasons(session: Session):
    content = (
        "email;reason\nOna@Example.lt;unsubscribed\njonas@example.lt;hard bounce\n+370 600 00001;manual\n"
    )
    done = take_over(session, content.encode(), source="old program")
    assert (done.rows, done.added, done.faulty) == (3, 3, 0)
    assert scopes(session) == {
        "ona@example.lt": "marketing",
        "jonas@example.lt": "everything",
        "+37060000001": "marketing",
    }


def test_a_number_gets_no_sms_and_no_automatic_call_unless_it_only_takes_no_sms(session: Session):
    done = take_over(session, b"+370 600 00001;manual\n+370 5 212 3456;bounced\n", source="x")
    assert (done.rows, done.added, done.known) == (2, 2, 0)
    rows = session.execute(select(Suppression.channel, Suppression.address)).all()
    assert {tuple(row) for row in rows} == {
        (Channel.SMS, "+37060000001"),
        (Channel.VOICE, "+37060000001"),
        (Channel.SMS, "+37052123456"),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1257"])
def test_any_usual_encoding_is_read(session: Session, encoding: str):
    done = take_over(session, "adresas,pastaba\nona@example.lt,Ąžuolė\n".encode(encoding), source="x")
    assert (done.rows, done.added) == (1, 1)
    assert "Ąžuolė" in decoded("Ąžuolė".encode(encoding))


def test_a_stricter_entry_is_never_made_milder(session: Session):
    consent.suppress(
        session, Channel.EMAIL, "ona@example.lt",
        scope=Scope.EVERYTHING, reason=SuppressionReason.COMPLAINED, source="report",
    )  # fmt: skip
    done = take_over(session, b"ona@example.lt,unsubscribed\njonas@example.lt\n", source="x")
    assert (done.added, done.known) == (1, 1)
    found = consent.suppression_of(session, Channel.EMAIL, "ona@example.lt")
    assert found is not None
    assert found.reason == SuppressionReason.COMPLAINED


def test_the_stricter_of_two_rows_for_one_address_counts(session: Session):
    take_over(session, b"a@x.lt,unsubscribed\na@x.lt,bounced\nA@X.lt,manual\n", source="x")
    assert scopes(session) == {"a@x.lt": "everything"}


def test_faulty_rows_are_named_and_the_others_taken(session: Session):
    done = take_over(session, b"ok@x.lt\nno address\n@\nbad@\n=cmd|'/C calc'!A0\n\n", source="x")
    assert (done.added, done.faulty) == (1, 4)
    assert [number for number, _ in done.faults] == [2, 3, 4, 5]


def test_a_dry_run_writes_nothing(session: Session):
    done = take_over(session, b"ona@example.lt\n", source="x", dry=True)
    assert (done.rows, scopes(session)) == (1, {})


def test_a_cell_of_ten_megabytes_is_a_faulty_row_and_not_a_crash(session: Session):
    """B45."""
    done = take_over(session, b"a" * 9_900_000 + b"@x.lt\nona@example.lt\n", source="x")
    assert (done.added, done.faulty) == (1, 1)
    with pytest.raises(InputRefused):
        take_over(session, b"a" * 10_100_000 + b"@x.lt\n", source="x")


def test_a_long_list_with_duplicates_is_taken_in_pages(session: Session):
    lines = "".join(f"client{number % 12_000}@example.lt\n" for number in range(20_000))
    done = take_over(session, lines.encode(), source="x")
    assert done.rows == 20_000
    assert session.scalar(select(func.count()).select_from(Suppression)) == 12_000


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_read_or_refused(session: Session, data: bytes):
    with session.begin_nested() as part:
        try:
            done = take_over(session, data, source="x")
            assert done.rows == done.faulty + sum(done.reasons.values())
        except InputRefused:
            assert data
        part.rollback()


def test_a_look_at_a_list_counts_and_writes_nothing(session: Session):
    consent.suppress(
        session, Channel.EMAIL, "ona@example.lt", scope=Scope.MARKETING, reason=SuppressionReason.MANUAL,
        source="x",
    )  # fmt: skip
    done = take_over(session, b"ona@example.lt\njonas@example.lt\n+37060000001\n", source="x", dry=True)
    assert (done.added, done.known) == (2, 1)
    assert set(scopes(session)) == {"ona@example.lt"}


def test_a_workbook_is_taken_like_a_csv_file_even_without_a_header(session: Session):
    rows = [["ona@example.lt", "hard bounce"], ["jonas@example.lt", "spam"]]
    done = take_over(session, write_xlsx(rows[0], rows[1:]), source="x")
    assert (done.rows, done.added, done.faulty) == (2, 2, 0)
    assert set(scopes(session)) == {"ona@example.lt", "jonas@example.lt"}
