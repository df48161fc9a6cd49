"""How fast due steps of follow-ups are decided and queued, and what waiting ones cost.

    python bench/stages.py [--live 100000] [--due 2000] [--rounds 3]

With many live enrolments, of which some are due: rounds of looks until nothing is due, in steps a second, and
the cost of a look that finds nothing. Every second client has a deal with two products, and a conversation
that the letter continues. Fsync is on.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import func, select, text, update

sys.path.insert(0, str(Path(__file__).parent.parent))

from core import db, defaults, sequences
from core.localdb import LocalDatabase
from core.sequences import Enrolment
from core.worktime import Calendar
from outbound.sequences import House, tick

NOON = datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
HOUSE = House(Calendar())


DEALS = (
    """insert into product (key, names, summaries, articles, terms, price, currency, unit, active)
       select 'p' || n, '{"en": "Pump"}', '{}', '{}', '{}', 100, 'EUR', 'piece', true
       from generate_series(1, 50) n""",
    """insert into deal (title, contact_id, pipeline_id, stage_id, currency, need, solution, payment_terms,
       delivery_terms) select 'Siurbliai', c.id, s.pipeline_id, s.id, 'EUR', '', '', '', '' from contact c
       join stage s on s.key = 'commercial_offer' where c.id % 2 = 0""",
    """insert into deal_line (deal_id, product_id, quantity, price)
       select d.id, p.id, 3, 100 from deal d join product p on p.id in (1 + d.id % 50, 1 + d.id % 49)""",
    """insert into conversation (subject, topic_key, channel, state, contact_id, deal_id, language, waiting,
       urgency) select 'Siurbliai', '', 'email', 'open', contact_id, id, 'lt', false, 'normal' from deal""",
    """insert into message (conversation_id, contact_id, direction, channel, rfc_id, subject, sender,
       sender_name, recipients, text, reply, quoted, signature, trail, warnings)
       select c.id, contact_id, 'in', 'email', n || '-' || c.id || '@k.test', 'Siurbliai', 'k@k.test',
       '', '{}', '', '', '', '', '[]', '{}' from conversation c, generate_series(1, 3) n""",
)


def fill(engine: sa.Engine, live: int) -> None:
    """Put in so many clients, each in a follow-up that is due far in the future."""
    with db.transaction(engine) as session:
        defaults.install(session)
        sequence = sequences.current(session, "after_offer")
        assert sequence is not None
        session.execute(
            text("insert into contact (name, position, language, source)"
                " select 'Klientas ' || n, '', 'lt', 'bench'"
                 " from generate_series(1, :live) n"),
            {"live": live},
        )  # fmt: skip
        session.execute(
            text("insert into contact_point (contact_id, kind, value, source)"
                 " select id, 'email', 'k' || id || '@k' || id % 5000 || '.test', 'bench' from contact")
        )  # fmt: skip
        for statement in DEALS:
            session.execute(text(statement))
        session.execute(
            text("insert into enrolment (sequence_id, sequence_key, contact_id, deal_id, state,"
                 " next_position, due_at) select :sequence, 'after_offer', c.id, d.id, 'active', 1, :due"
                 " from contact c left join deal d on d.contact_id = c.id"),
            {"sequence": sequence.id, "due": NOON + timedelta(days=300)},
        )  # fmt: skip
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))


def drain(engine: sa.Engine, now: datetime) -> tuple[int, float, float]:
    """Look until nothing is due; returns steps, seconds and this process's processor seconds."""
    steps, begun, cpu = 0, time.perf_counter(), time.process_time()
    while True:
        with db.transaction(engine) as session:
            page = tick(session, HOUSE, now)
        steps += page
        if not page:
            return steps, time.perf_counter() - begun, time.process_time() - cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--live", type=int, default=100_000)
    parser.add_argument("--due", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(f"{'live':>8} {'due':>6} {'steps/s':>8} {'CPU ms/step':>12} {'empty look ms':>14}")
    for live in (given.live // 10, given.live):
        with tempfile.TemporaryDirectory(prefix="fdb") as folder:
            database = LocalDatabase(Path(folder) / "db")
            engine = db.make_engine(database.ensure(), application="bench", statement_timeout=0)
            try:
                db.migrate(engine)
                fill(engine, live)
                rates, costs, empty = [], [], []
                for number in range(given.rounds):
                    now = NOON + timedelta(hours=number * 24)
                    with db.transaction(engine) as session:
                        ids = select(Enrolment.id).where(Enrolment.next_position == 1)
                        chosen = ids.order_by(func.random()).limit(given.due).scalar_subquery()
                        session.execute(update(Enrolment).where(Enrolment.id.in_(chosen)).values(due_at=now))
                    steps, seconds, cpu = drain(engine, now)
                    rates.append(steps / seconds)
                    costs.append(1000 * cpu / steps)
                    empty.append(1000 * min(drain(engine, now)[1] for _ in range(20)))
                rate, cost, nothing = map(statistics.median, (rates, costs, empty))
                print(f"{live:>8} {given.due:>6} {rate:>8.0f} {cost:>12.2f} {nothing:>14.2f}")
            finally:
                engine.dispose()
                database.stop()


if __name__ == "__main__":
    main()
