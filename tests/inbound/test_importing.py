"""Mail from files goes through the same intake."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from core.context import Context
from core.errors import InputRefused
from core.intake import RawMessage
from inbound.importing import Imported, import_path
from tests.inbound.posting import letter


def stored(context: Context) -> list[bytes]:
    with context.transaction() as session:
        return list(session.scalars(sa.select(RawMessage.data).order_by(RawMessage.id)))


def test_one_letter(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(letter())

    found = import_path(context, tmp_path / "a.eml")

    assert (found.letters, found.stored, found.duplicates) == (1, 1, 0)
    assert stored(context) == [letter()]


def test_mbox_with_quoted_from_lines_and_a_letter_twice(context: Context, tmp_path: Path) -> None:
    one, two = letter(text="Sveiki\nFrom mūsų\n"), letter(message_id="<2@v.lt>")
    quoted = one.replace(b"\nFrom ", b"\n>From ")
    mark = b"From ona@vandenis.lt Mon Nov  2 10:00:00 2026\n"
    (tmp_path / "old.mbox").write_bytes(b"".join(mark + body + b"\n" for body in (quoted, two, quoted)))

    found = import_path(context, tmp_path / "old.mbox")

    assert (found.letters, found.stored, found.duplicates) == (3, 2, 1)
    assert [body.strip() for body in stored(context)] == [one.strip(), two.strip()]


def test_maildir_and_running_it_again(context: Context, tmp_path: Path) -> None:
    for folder, number in (("cur", 1), ("new", 2), ("new", 3)):
        (tmp_path / "mail" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "mail" / folder / f"{number}:2,S").write_bytes(letter(message_id=f"<{number}@v.lt>"))
    (tmp_path / "mail" / "dovecot-uidlist").write_text("3 V1 N4\n")

    assert import_path(context, tmp_path / "mail").stored == 3
    again = import_path(context, tmp_path / "mail")
    assert (again.stored, again.duplicates) == (0, 3)


def test_progress_is_told_in_bytes(context: Context, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(letter())
    told: list[Imported] = []

    import_path(context, tmp_path / "a.eml", progress=told.append)

    assert told[-1].read == told[-1].of == len(letter())


@pytest.mark.parametrize("name", ["nothing.mbox", "empty"])
def test_where_there_is_no_mail_it_says_so(context: Context, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(InputRefused):
        import_path(context, tmp_path / name)
