"""How long a segment of ten conditions takes to count over many contacts and letters.

    python bench/segments.py [--contacts 1000000] [--messages 5000000] [--url postgresql://…] [--rounds 5]

Fills a database of its own (kept beside `--data`, and used again when it is large enough), counts what the
letters say of each contact, then counts segments: one condition of each kind, ten together, ten in nested
groups: asked of the tables, as mailings do, and from kept answers, as the editor does, where the first count
makes them. Processor time is the server's, on one core. Without `--url` the built-in database runs in
`--data`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).parent.parent))

from core import contactfacts, db, defaults, segments, segments_kept
from core.localdb import LocalDatabase
from core.segments_language import Group, parse

PER_ACCOUNT = 10
SERVER = {"shared_buffers": "1GB", "work_mem": "32MB", "max_wal_size": "8GB"}

FILL = (
    (
        "accounts",
        """
        insert into account (name, industry, region, country, source, curator_id, employees, tags)
        select 'Client ' || i, (array['Food','Energy','Water','Building','Wood','Metal','Trade'])[1 + i % 7],
               (array['Vilnius','Kaunas','Rīga','Tallinn','Klaipėda','Gdańsk'])[1 + i % 6],
               (array['LT','LV','EE','PL'])[1 + i % 4], (array['mail','fair','advert','call'])[1 + i % 4],
               null, 1 + (i * 7919) % 900, case when i % 9 = 0 then array['key'] else '{}' end
        from generate_series(1, :accounts) i
        """,
    ),
    (
        "contacts",
        """
        insert into contact (account_id, name, position, language, buying_role, source, created_at)
        select case when i % 50 = 0 then null else (select min(id) from account) + (i % :accounts) end,
               'Person ' || i, '', (array['lt','ru','en'])[1 + i % 3],
               (array['decision_maker','user','buyer',null])[1 + i % 4], 'mail',
               now() - (i % 1500) * interval '1 day'
        from generate_series(1, :contacts) i
        """,
    ),
    (
        "points",
        """
        insert into contact_point (contact_id, kind, value, source)
        select id, 'email', 'person' || id || '@client' || id % :accounts || '.example', 'mail' from contact
        """,
    ),
    (
        "products",
        """
        insert into product (key, names, terms, articles, summaries, unit, currency, active)
        select 'p' || i, '{"en": "Product"}', '{}', '[]', '{}', 'pcs', 'EUR', true
        from generate_series(1, 40) i
        """,
    ),
    (
        "conversations",
        """
        insert into conversation (subject, topic_key, channel, state, contact_id, account_id, urgency,
                                  waiting)
        select '', '', 'email', 'done', id, account_id, 'normal', false from contact
        """,
    ),
    (
        "messages",
        """
        insert into message (conversation_id, contact_id, direction, channel, subject, sender_name, sender,
                             recipients, text, reply, quoted, signature, trail, warnings, happened_at)
        select (select min(id) from conversation) + v.n, (select min(id) from contact) + v.n,
               case when i % 2 = 0 then 'in' else 'out' end, 'email', 'Pump', '', '', '{}', 'A letter', '',
               '', '', '[]', '{}', now() - ((i * cast(7919 as bigint)) % 1400) * interval '1 day'
        from (select i, (i * cast(15485863 as bigint)) % :contacts as n
              from generate_series(1, :messages) i) v
        """,
    ),
    (
        "labels",
        """
        insert into classification (message_id, intent, confidence, alternatives, urgency, signal, interests,
                                    reasons, abstained, model_version)
        select id, (array['inquiry','price_request','order','complaint','meeting','delivery'])[1 + id % 6],
               0.9, '[]', 'normal', 'none', '[]', '[]', false, '' from message where direction = 'in'
        """,
    ),
    (
        "interests",
        """
        insert into product_interest (product_id, contact_id, account_id, confidence, reason, created_at)
        select (select min(id) from product) + (id * 7) % 40, id, account_id, 0.3 + (id % 7) / 10.0, '',
               now() - (id % 700) * interval '1 day' from contact where id % 2 = 0
        """,
    ),
    (
        "deals",
        """
        insert into deal (title, account_id, contact_id, pipeline_id, stage_id, currency, need, solution,
                          payment_terms, delivery_terms, outcome, loss_reason, closed_at)
        select '', c.account_id, c.id, (select min(id) from pipeline),
               (select min(id) from stage) + c.id % 9, 'EUR', '', '', '', '',
               (array['won','lost',null])[1 + c.id % 3],
               case when c.id % 3 = 1 then (array['price','timing'])[1 + c.id % 2] end,
               case when c.id % 3 < 2 then now() - (c.id % 900) * interval '1 day' end
        from contact c where c.id % 4 = 0
        """,
    ),
    (
        "lines",
        """
        insert into deal_line (deal_id, product_id, quantity, price)
        select id, (select min(id) from product) + id % 40, 1, 100 from deal
        """,
    ),
    (
        "consents",
        """
        insert into consent (contact_id, channel, purpose, granted, proof)
        select id, 'email', 'marketing', id % 5 <> 0, 'form' from contact where id % 3 = 0
        """,
    ),
)
"""What is put in, in this order; every table is spread evenly over the one before."""

ONE_EACH: dict[str, dict[str, Any]] = {
    "region": {"fact": "region", "values": ["Vilnius", "Kaunas", "Rīga"]},
    "industry": {"fact": "industry", "values": ["Food", "Water", "Energy", "Metal"]},
    "size": {"fact": "size", "least": 20},
    "language": {"fact": "language", "values": ["lt", "en"]},
    "consent": {"fact": "consent", "channel": "email", "state": "granted"},
    "interest": {"fact": "interest", "products": [f"p{n}" for n in range(1, 21)], "confidence": 50},
    "bought": {"fact": "bought", "products": ["p3"], "not": True},
    "outcome": {"fact": "outcome", "outcome": "lost", "reasons": ["price"], "when": "before", "days": 90},
    "silence": {"fact": "silence", "days": 30},
    "intent": {"fact": "intent", "values": ["price_request", "inquiry"], "days": 700},
}


def trees() -> dict[str, Group]:
    """The segments that are counted, by a name."""
    found = {name: _tree("all", [leaf]) for name, leaf in ONE_EACH.items()}
    every = list(ONE_EACH.values())
    found["ten, all"] = _tree("all", every)
    found["ten, any"] = _tree("any", every)
    found["ten, nested"] = _tree(
        "all",
        [
            every[3],
            {"group": "any", "of": [every[0], every[1], {"group": "all", "of": [every[2], every[9]]}]},
            {"group": "none", "of": [every[7], {"group": "all", "of": [every[5], every[6]]}]},
            {"group": "any", "of": [every[4], every[8], {"fact": "tag", "values": ["key"]}]},
        ],
    )
    return found


def _tree(mode: str, of: list[dict[str, Any]]) -> Group:
    return parse({"version": 1, "group": mode, "of": of})


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds and what came back."""
    began = time.perf_counter()
    given = work()
    return time.perf_counter() - began, given


def fill(engine: sa.Engine, contacts: int, messages: int, console: Console) -> None:
    """Put the rows in, unless they are there."""
    with Session(engine) as session:
        if session.scalar(sa.text("select count(*) from message")) == messages:
            return
        sizes = {"contacts": contacts, "accounts": max(1, contacts // PER_ACCOUNT), "messages": messages}
        session.execute(sa.text("set local statement_timeout = 0"))
        session.execute(sa.text("set local session_replication_role = replica"))
        defaults.install(session)
        for name, statement in FILL:
            asked = sa.text(statement)
            wanted = {key: value for key, value in sizes.items() if f":{key}" in statement}
            seconds, _ = timed(lambda asked=asked, wanted=wanted: session.execute(asked, wanted))
            console.print(f"filled {name}: {seconds:.1f} s")
        seconds, _ = timed(lambda: contactfacts.rebuild(session))
        console.print(f"counted all letters anew: {seconds:.1f} s")
        session.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("set statement_timeout = 0"))
        connection.execute(sa.text("vacuum analyze"))


def cpu(pid: int) -> float:
    """Seconds of processor that a process has used; nothing where the server is on another machine."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processor(engine: sa.Engine, work: Callable[[Session], Any]) -> float:
    """Seconds of the server's processor for one count, on one core."""
    with Session(engine) as session:
        session.execute(sa.text("set local max_parallel_workers_per_gather = 0"))
        pid = session.scalar(sa.text("select pg_backend_pid()")) or 0
        begun = cpu(pid)
        work(session)
        return cpu(pid) - begun


def asked(engine: sa.Engine, work: Callable[[Session], Any], rounds: int) -> tuple[list[float], Any]:
    """Milliseconds of each round, the first apart, and what came back."""
    times, found = [], None
    for _ in range(rounds + 1):
        with Session(engine) as session:
            seconds, found = timed(lambda session=session: work(session))
            session.commit()
        times.append(seconds * 1000)
    return times, found


def from_kept(session: Session, tree: Group) -> segments_kept.Counted:
    """Count as a segment's editor does, from kept answers to its conditions."""
    return segments_kept.count(session, tree, large=0)


def measure(engine: sa.Engine, rounds: int) -> Table:
    """Count each segment as it is counted for mailings, and as its editor shows it, from kept answers."""
    table = Table(
        "segment", "contacts", "asked, ms", "processor, ms", "kept: first, ms", "then, ms", "worst, ms",
        "processor, ms",
    )  # fmt: skip
    for name, tree in trees().items():
        exactly, found = asked(engine, lambda session, tree=tree: segments.size(session, tree), rounds)
        spent = processor(engine, lambda session, tree=tree: segments.size(session, tree))
        with Session(engine) as session:
            session.execute(sa.delete(segments_kept.KeptAnswer))
            session.commit()
        keep = partial(from_kept, tree=tree)
        kept, counted = asked(engine, keep, rounds)
        assert counted.size == found, (name, counted.size, found)
        table.add_row(
            name, f"{found.people:,}", f"{statistics.median(exactly[1:]):.0f}", f"{spent * 1000:.0f}",
            f"{kept[0]:.0f}", f"{statistics.median(kept[1:]):.0f}", f"{max(kept[1:]):.0f}",
            f"{processor(engine, keep) * 1000:.0f}",
        )  # fmt: skip
    return table


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--url", default="")
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "frontdesk-bench-segments")
    given = parser.parse_args()
    console = Console()
    local = None if given.url else LocalDatabase(given.data, server_settings=SERVER)
    url = given.url or (local.ensure() if local else "")
    engine = db.make_engine(url, statement_timeout=0)
    try:
        db.migrate(engine)
        fill(engine, given.contacts, given.messages, console)
        console.print(measure(engine, given.rounds))
        with Session(engine) as session:
            seconds, _ = timed(lambda: contactfacts.bring_up_to_date(session))
            console.print(f"a minute's look at the letters: {seconds * 1000:.0f} ms")
    finally:
        engine.dispose()
        if local is not None:
            local.stop()


if __name__ == "__main__":
    main()
