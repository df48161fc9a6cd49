"""Everything that is kept of a client, handed out whole: for whoever asks what we know of them.

A ZIP holds ``client.json`` with every row, the letters as they came, and the documents as they went out.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.accounts import Account
from core.db import models
from core.documents import Document
from core.intake import RawMessage

MOST_BYTES: Final = 200_000_000
"""Of letters and documents; what is left out is named in ``client.json``."""

OWN: Final[tuple[tuple[str, str], ...]] = (
    ("account_domain", "account_id in (:account)"),
    ("contact", "account_id in (:account)"),
    ("contact_point", "contact_id in (select id from contact where account_id = :account)"),
    ("consent", "contact_id in (select id from contact where account_id = :account)"),
    ("suggestion", "contact_id in (select id from contact where account_id = :account)"),
    ("contact_list_member", "contact_id in (select id from contact where account_id = :account)"),
    ("enrolment", "contact_id in (select id from contact where account_id = :account)"),
    ("product_interest", "account_id = :account"),
    ("conversation", "account_id = :account"),
    ("message", "conversation_id in (select id from conversation where account_id = :account)"),
    ("classification", "message_id in (select m.id from message m join conversation c"
                       " on c.id = m.conversation_id where c.account_id = :account)"),
    ("attachment", "message_id in (select m.id from message m join conversation c"
                   " on c.id = m.conversation_id where c.account_id = :account)"),
    ("note", "conversation_id in (select id from conversation where account_id = :account)"),
    ("call", "account_id = :account"),
    ("transcript_line", "call_id in (select id from call where account_id = :account)"),
    ("task", "account_id = :account"),
    ("meeting", "account_id = :account"),
    ("deal", "account_id = :account"),
    ("deal_line", "deal_id in (select id from deal where account_id = :account)"),
    ("stage_change", "deal_id in (select id from deal where account_id = :account)"),
    ("payment", "deal_id in (select id from deal where account_id = :account)"),
    ("delivery_note", "deal_id in (select id from deal where account_id = :account)"),
    ("delivery", "contact_id in (select id from contact where account_id = :account)"),
    ("field_origin", "(subject = 'account' and subject_id = :account) or (subject = 'contact' and"
                     " subject_id in (select id from contact where account_id = :account))"),
    ("client_merge", "account_id = :account and undone_at is null"),
)  # fmt: skip
"""Tables with rows of a client, and which rows those are."""
HIDDEN: Final = frozenset({"data", "token", "password_hash"})
"""Columns that are no data of the client, or stand in the ZIP as files of their own."""


def pack(session: Session, account: Account, *, most: int = MOST_BYTES) -> bytes:
    """The client's data as the bytes of a ZIP."""
    held = io.BytesIO()
    told = _rows(session, account)
    left_out: list[str] = []
    room = most
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, size, read in _files(session, account):
            if size > room:
                left_out.append(name)
                continue
            room -= size
            archive.writestr(name, read())
        told["left_out"] = left_out
        archive.writestr("client.json", json.dumps(told, ensure_ascii=False, indent=1, default=str))
    return held.getvalue()


def _rows(session: Session, account: Account) -> dict[str, Any]:
    """Every row by table."""
    tables = models().tables
    found: dict[str, Any] = {"account": _of(session, tables["account"], "id = :account", account.id)}
    for name, which in OWN:
        if name in tables:
            found[name] = _of(session, tables[name], which, account.id)
    return found


def _of(session: Session, table: sa.Table, which: str, account_id: int) -> list[dict[str, Any]]:
    kept = [column.name for column in table.columns if column.name not in HIDDEN and column.computed is None]
    pairs = [part for name in kept for part in (sa.literal(name), table.c[name])]
    parts = [sa.func.jsonb_build_object(*pairs[at : at + 80], type_=JSONB) for at in range(0, len(pairs), 80)]
    whole: Any = parts[0]
    for part in parts[1:]:
        whole = whole.op("||")(part)
    query = sa.select(whole).select_from(table).where(sa.text(which).bindparams(account=account_id))
    return list(session.scalars(query))


def _files(session: Session, account: Account) -> Iterator[tuple[str, int, Any]]:
    """Letters as they came and documents as they went out: name in the ZIP, size, and how to read it."""
    letters = sa.text(
        "select r.id, r.size from raw_message r join message m on m.raw_id = r.id join conversation c"
        " on c.id = m.conversation_id where c.account_id = :account and m.channel = 'email' order by r.id"
    )
    for number, size in session.execute(letters, {"account": account.id}):
        yield (
            f"letters/{number}.eml",
            size,
            lambda number=number: session.scalar(sa.select(RawMessage.data).where(RawMessage.id == number)),
        )
    documents = sa.text(
        "select d.id, d.size, d.filename from document d where d.deal_id in (select id from deal where"
        " account_id = :account) or d.delivery_id in (select v.id from delivery v join contact t on"
        " t.id = v.contact_id where t.account_id = :account) order by d.id"
    )
    for number, size, filename in session.execute(documents, {"account": account.id}):
        plain = "".join(sign for sign in filename if sign.isalnum() or sign in "-_.")[-80:]
        yield (
            f"documents/{number}-{plain}",
            size,
            lambda number=number: session.scalar(sa.select(Document.data).where(Document.id == number)),
        )
