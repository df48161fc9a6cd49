"""The made-up company moves in through the real verbs, and its settings are read back by the programs."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import staff
from core.accounts import Account, find_by_email
from core.catalogue import Product
from core.deals import Deal, open_deals
from core.staff import StaffMember
from core.values import LANGUAGES
from desk.demo import correspondence, people, programs
from desk.demo.servers import MailServers


def test_the_company_moves_into_an_empty_database(session: Session) -> None:
    people.arrive(session)
    counted = [
        session.scalar(select(func.count()).select_from(table))
        for table in (StaffMember, Product, Account, Deal)
    ]
    assert counted == [len(people.company()[kind]) for kind in ("staff", "product", "client")] + [9]


def test_everybody_signs_in_with_the_password_that_is_printed(session: Session) -> None:
    people.arrive(session)
    member = staff.sign_in(session, f"rasa@{people.domain()}", people.company()["sign_in"])
    assert member is not None
    assert member.name == "Rasa Petrauskaitė"


def test_the_client_of_the_story_has_an_open_deal_with_prices(session: Session) -> None:
    people.arrive(session)
    contact = find_by_email(session, people.company()["showpiece"])
    assert contact is not None
    assert contact.account_id is not None
    (deal,) = open_deals(session, [contact.account_id], [contact.id])
    assert str(deal.total.amount) == "1696.00"


def test_every_product_is_named_and_described_in_every_language() -> None:
    for product in people.company()["product"]:
        for what in ("names", "summaries", "terms"):
            assert set(product[what]) == set(LANGUAGES)


def test_every_address_is_reserved_for_examples_or_free_mail_that_nobody_has() -> None:
    texts = [people.FILE.read_bytes(), *(letter.path.read_bytes() for letter in correspondence.letters())]
    # Lines that quoted-printable broke are joined; a Message-ID looks like an address and is none.
    plain = [re.sub(rb"(?m)^Message-ID: .*$|=\r\n", b"", text) for text in texts]
    found = {address for text in plain for address in re.findall(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text)}
    assert [one for one in found if not one.endswith(b".example") and b"-sample@" not in one] == []


def test_the_settings_file_is_ours_alone_and_is_read_back(tmp_path: Path) -> None:
    with MailServers(programs.mailbox_keys()) as servers:
        settings = programs.write_settings(
            tmp_path,
            servers,
            telephone="http://127.0.0.1:9",
            desk_port=8099,
            overrides={"acknowledgement": False},
        )
        assert [box.port for box in settings.mailboxes] == [servers.imap_port] * 3
        assert settings.relay is not None
        assert settings.relay.port == servers.smtp_port
    assert stat.S_IMODE((tmp_path / programs.SETTINGS_FILE).stat().st_mode) == 0o600
    assert settings.company.name == "Šiaurės siurbliai"
    assert settings.acknowledgement is False
