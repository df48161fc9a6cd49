"""Templates as rows: saved as versions, restored, deleted and brought back, with files that go along."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import templatelibrary, templatelibrary_verbs
from core.documents import Document
from core.errors import Conflict, InputRefused, NotFound
from core.templatelibrary import TemplateScope
from core.templatelibrary_verbs import Place

OURS = Place("email", "price_list", TemplateScope.COMPANY)
WORDS = {"subject.txt": "Prices", "body.txt": "Here they are."}


def test_each_save_is_a_version_and_the_other_languages_stay(session: Session):
    templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None)
    templatelibrary_verbs.save(session, OURS, "lt", {**WORDS, "subject.txt": "Kainos"}, base=1, by=None)
    (row,) = templatelibrary.in_force(session)
    assert row.number == 2
    assert {language: parts["subject.txt"] for language, parts in row.texts.items()} == {
        "en": "Prices",
        "lt": "Kainos",
    }


def test_who_saves_upon_an_older_version_is_refused(session: Session):
    templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None)
    with pytest.raises(Conflict):
        templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None)


def test_a_restored_version_is_a_new_one_with_the_old_words(session: Session):
    templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None)
    templatelibrary_verbs.save(session, OURS, "en", {**WORDS, "subject.txt": "Other"}, base=1, by=None)
    made = templatelibrary_verbs.restore(session, OURS, 1, by=None)
    assert (made.number, made.restored_from) == (3, 1)
    assert made.texts["en"]["subject.txt"] == "Prices"


def test_a_deleted_template_comes_back_as_it_was(session: Session):
    templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None)
    templatelibrary_verbs.delete(session, OURS, by=None)
    assert [one.deleted for one in templatelibrary.in_force(session)] == [True]
    with pytest.raises(NotFound):
        templatelibrary_verbs.restore(session, OURS, 1, by=None)
    templatelibrary_verbs.bring_back(session, OURS, by=None)
    assert [(one.deleted, one.number) for one in templatelibrary.in_force(session)] == [(False, 1)]


def test_a_template_begun_anew_after_a_deletion_goes_on_counting(session: Session):
    templatelibrary_verbs.save(session, OURS, "lt", WORDS, base=0, by=None)
    templatelibrary_verbs.delete(session, OURS, by=None)
    made = templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None)
    assert made.number == 2
    assert set(made.texts) == {"en"}


def test_versions_share_the_bytes_of_a_file(session: Session):
    templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None)
    templatelibrary_verbs.attach(
        session,
        OURS,
        filename="kainos.pdf",
        content_type="application/pdf",
        data=b"%PDF",
        language="lt",
        by=None,
    )
    templatelibrary_verbs.save(session, OURS, "en", {**WORDS, "subject.txt": "Other"}, base=2, by=None)
    (row,) = templatelibrary.in_force(session)
    assert [one.filename for one in row.files_in("lt")] == ["kainos.pdf"]
    assert row.files_in("en") == ()
    assert session.scalar(select(func.count(Document.id)).where(Document.kind == "template_file")) == 1
    templatelibrary_verbs.detach(session, OURS, row.files[0].document_id, by=None)
    assert templatelibrary.in_force(session)[0].files == ()


@pytest.mark.parametrize("data", [b"", b"x" * (templatelibrary_verbs.LARGEST_FILE + 1)])
def test_a_file_that_is_empty_or_too_large_is_refused(session: Session, data: bytes):
    templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None)
    with pytest.raises(InputRefused):
        templatelibrary_verbs.attach(
            session, OURS, filename="a.pdf", content_type="application/pdf", data=data, by=None
        )


@pytest.mark.parametrize("key", ["", "Price", "a/b", "../x", "a__b", "ą", "x" * 61])
def test_a_key_that_could_not_stand_in_a_path_is_refused(session: Session, key: str):
    with pytest.raises(InputRefused):
        templatelibrary_verbs.save(
            session, Place("email", key, TemplateScope.COMPANY), "en", WORDS, base=0, by=None
        )


def test_whoever_keeps_the_library_in_memory_notices_each_change(session: Session):
    seen = [templatelibrary.fingerprint(session)]
    for deed in (
        lambda: templatelibrary_verbs.save(session, OURS, "en", WORDS, base=0, by=None),
        lambda: templatelibrary_verbs.delete(session, OURS, by=None),
        lambda: templatelibrary_verbs.bring_back(session, OURS, by=None),
    ):
        deed()
        seen.append(templatelibrary.fingerprint(session))
    assert len(set(seen)) == 4
