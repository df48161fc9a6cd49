"""How fast personalised mail leaves the house, beside tools that only transmit.

    python bench/sending.py [--messages 10000] [--rounds 3] [--lines 4] [--processes 2]

Three senders to Postfix's `smtp-sink` on loopback, in turn, several rounds in the same run:

* `smtp-source`: Postfix's generator of the same number and size of messages, one fixed text, nothing else;
* bare aiosmtplib: prebuilt bytes over kept connections, nothing else;
* frontdesk: everything from the queue in PostgreSQL (fsync on) to the history row: claim, policy, render from
  a template in three languages, MIME, marking in phases, SMTP, record; once with one worker process, and once
  with as many as are wanted, which share the same number of connections.

Then the processor time of each stage, one after another in one thread.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

LANGUAGES = ("ru", "lt", "en")
NAMES = {"ru": "Мария Иванова", "lt": "Ona Ąžuolė", "en": "Mary Brown"}
DOMAINS = 200


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def smtp_sink() -> Iterator[int]:
    """Postfix's server that throws everything away; yields its port."""
    program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    if not Path(program).exists():
        sys.exit("smtp-sink is not installed. Debian: apt install postfix")
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen([program, *user, f"127.0.0.1:{port}", "1000"])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        sink.terminate()
        sink.wait()


def by_smtp_source(port: int, messages: int, lines: int, size: int) -> float:
    """Messages a second by smtp-source."""
    program = shutil.which("smtp-source") or "/usr/sbin/smtp-source"
    begun = time.perf_counter()
    command = [program, "-d", "-s", str(lines), "-m", str(messages), "-l", str(size)]
    command += ["-f", "a@example.lt", "-t", "b@example.com", f"127.0.0.1:{port}"]
    subprocess.run(command, check=True)
    return messages / (time.perf_counter() - begun)


def by_aiosmtplib(port: int, messages: int, lines: int, data: bytes) -> float:
    """Messages a second by aiosmtplib over kept connections."""
    import aiosmtplib

    async def one(count: int) -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, use_tls=False)
        await client.connect()
        for number in range(count):
            await client.sendmail("sales@example.lt", [f"client{number}@example.com"], data)
        await client.quit()

    async def all_of_them() -> None:
        await asyncio.gather(*(one(messages // lines) for _ in range(lines)))

    begun = time.perf_counter()
    asyncio.run(all_of_them())
    return messages / (time.perf_counter() - begun)


class Company:
    """A database with conversations to write into."""

    def __init__(self, folder: Path, port: int, lines: int) -> None:
        import sqlalchemy as sa

        from core import db
        from core.config import load_settings
        from core.context import Context
        from core.localdb import LocalDatabase

        self.database = LocalDatabase(folder / "db")
        self.engine = db.make_engine(self.database.ensure())
        with self.engine.begin() as connection:
            db.create_extensions(connection)
            db.models().create_all(connection)
        settings = load_settings(
            None,
            data_dir=str(folder / "data"),
            company={"name": "Šiaurės siurbliai", "phone": "+370 5 200 0000", "email": "sales@example.lt"},
            relay={
                "host": "127.0.0.1",
                "port": port,
                "security": "plain",
                "from_address": "sales@example.lt",
                "max_connections": lines,
            },
        )
        self.context = Context(settings, self.engine)
        self._conversations = sa.text(
            "insert into conversation (subject, topic_key, channel, state, urgency, waiting)"
            " select 'Насосы', 'насосы', 'email', 'open', 'normal', false from generate_series(1, :count)"
            " returning id"
        )
        self._round = 0

    def queue(self, messages: int) -> None:
        """Queue so many personalised follow-ups, each into a conversation of its own."""
        from core import outbox
        from core.outbox import Draft, Purpose

        self._round += 1
        with self.context.transaction() as session:
            ids = list(session.scalars(self._conversations, {"count": messages}))
            drafts = []
            for number, conversation in enumerate(ids):
                language = LANGUAGES[number % 3]
                name = f"{NAMES[language]} {number}"
                drafts.append(
                    Draft(
                        key=f"bench:{self._round}:{number}",
                        address=f"client{number}@company{number % DOMAINS}.example",
                        purpose=Purpose.MARKETING,
                        recipient_name=name,
                        conversation_id=conversation,
                        template="follow_up",
                        language=language,
                        values={
                            "client": {"name": name, "company": f"UAB „Vanduo {number}“"},
                            "staff": {"name": "Jonas Jonaitis", "email": "jonas@example.lt"},
                            "deal": {"title": f"NP-{number}"},
                            "conversation": {"subject": "Siurbliai"},
                        },
                    )
                )
            outbox.queue_many(session, drafts)
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("vacuum analyze delivery")
            connection.exec_driver_sql("checkpoint")

    def send(self, processes: int) -> tuple[float, float, int]:
        """Seconds, processor seconds of all worker processes, and letters sent."""
        relay = self.context.settings.relay
        assert relay is not None
        url = self.engine.url.render_as_string(hide_password=False)
        lines = max(1, relay.max_connections // processes)
        command = [sys.executable, __file__, "--worker", url, str(relay.port), str(lines)]
        command.append(str(self.context.settings.data_dir))
        workers = [
            subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(processes)
        ]
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()
        begun = time.perf_counter()
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        ended = [worker.communicate()[0].split() for worker in workers]
        seconds = time.perf_counter() - begun
        return seconds, sum(float(cpu) for cpu, _ in ended), sum(int(sent) for _, sent in ended)

    def stages(self, messages: int) -> dict[str, float]:
        """Processor milliseconds a message of each stage, in one thread."""
        from core import outbox_history, outbox_pages
        from core.outbox import DeliveryState
        from core.outbox_pages import Settled
        from outbound.channels.smtp import SmtpChannel
        from outbound.compose import Composed, Composer

        self.queue(messages)
        composer = Composer(self.context.settings)
        stages = ("claim", "compose", "mark and history", "smtp", "record")
        spent: dict[str, float] = dict.fromkeys(stages, 0.0)
        relay = self.context.settings.relay
        assert relay is not None

        async def work() -> None:
            line = SmtpChannel(relay, self.context.settings.limits).line()
            await line.open()
            done = 0
            while done < messages:
                clock = time.process_time()
                with self.context.transaction() as session:
                    page = outbox_pages.claim(
                        session, owner="bench", channel="email", priorities=range(1, 10), most=40
                    )
                clock = _lap(spent, "claim", clock)
                composed = [
                    one for one in composer.compose_page(page, {}).values() if isinstance(one, Composed)
                ]
                clock = _lap(spent, "compose", clock)
                with self.context.transaction() as session:
                    outbox_pages.begin_transmission(
                        session, owner="bench", rfc_ids=[(one.letter.id, one.rfc_id) for one in composed]
                    )
                    outbox_history.file_copies(session, [one.copy for one in composed if one.copy])
                clock = _lap(spent, "mark and history", clock)
                for one in composed:
                    await line.send(one.letter, lambda: True)
                clock = _lap(spent, "smtp", clock)
                with self.context.transaction() as session:
                    outbox_pages.settle_page(
                        session,
                        owner="bench",
                        settled=[Settled(one.id, DeliveryState.SENT, "250 ok") for one in page],
                        sources={DeliveryState.TRANSMITTING},
                    )
                _lap(spent, "record", clock)
                done += len(page)
            await line.close()

        asyncio.run(work())
        return {name: 1000 * seconds / messages for name, seconds in spent.items()}

    def sample(self) -> bytes:
        """The bytes of one letter."""
        from core import outbox_pages
        from outbound.compose import Composed, Composer

        self.queue(3)
        with self.context.transaction() as session:
            page = outbox_pages.claim(
                session, owner="sample", channel="email", priorities=range(1, 10), most=3
            )
            composed = Composer(self.context.settings).compose_page(page, {})
            session.rollback()
        with self.engine.begin() as connection:
            connection.exec_driver_sql("delete from delivery")
        letters = [one.letter.data for one in composed.values() if isinstance(one, Composed)]
        if len(letters) != 3:
            sys.exit(f"the letters could not be composed: {list(composed.values())}")
        return sorted(letters, key=len)[1]


def work(url: str, port: str, lines: str, data_dir: str) -> None:
    """One worker process: waits for a word, sends what is due, and says what it spent and sent."""
    from core import db
    from core.config import load_settings
    from core.context import Context
    from outbound.channels.base import Result
    from outbound.channels.smtp import SmtpChannel
    from outbound.dispatch import Dispatcher

    company = {"name": "Šiaurės siurbliai", "phone": "+370 5 200 0000", "email": "sales@example.lt"}
    relay = {"host": "127.0.0.1", "port": int(port), "security": "plain", "from_address": "sales@example.lt"}
    settings = load_settings(
        None, data_dir=data_dir, company=company, relay={**relay, "max_connections": int(lines)}
    )
    assert settings.relay is not None
    context = Context(settings, db.make_engine(url))
    dispatcher = Dispatcher(context, SmtpChannel(settings.relay, settings.limits))
    with context.transaction() as session:
        session.connection()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    print("ready", flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    asyncio.run(dispatcher.main(threading.Event(), until_idle=True))
    print(time.process_time() - cpu, dispatcher.sent[Result.SENT], flush=True)


def _lap(spent: dict[str, float], stage: str, since: float) -> float:
    now = time.process_time()
    spent[stage] += now - since
    return now


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--worker"]:
        work(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=int, default=4)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fdbench"))
    ours = {f"frontdesk, {number} process(es)": number for number in sorted({1, options.processes})}
    rates: dict[str, list[float]] = {"smtp-source": [], "bare aiosmtplib": [], **{name: [] for name in ours}}
    cpu: list[float] = []
    with smtp_sink() as port:
        company = Company(folder, port, options.lines)
        try:
            data = company.sample()
            print(f"{options.messages} messages of {len(data)} bytes, {options.lines} connections, ", end="")
            print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
            for number in range(options.rounds):
                rates["smtp-source"].append(by_smtp_source(port, options.messages, options.lines, len(data)))
                rates["bare aiosmtplib"].append(by_aiosmtplib(port, options.messages, options.lines, data))
                for name, processes in ours.items():
                    company.queue(options.messages)
                    seconds, spent, sent = company.send(processes)
                    if sent != options.messages:
                        sys.exit(f"{sent} of {options.messages} were sent")
                    rates[name].append(sent / seconds)
                    cpu.append(1000 * spent / sent)
                shown = ", ".join(f"{name} {values[-1]:.0f}/s" for name, values in rates.items())
                print(f"round {number + 1}: {shown}, {cpu[-1]:.2f} ms of CPU", flush=True)
            stages = company.stages(min(options.messages, 4000))
        finally:
            company.engine.dispose()
            company.database.stop()
            shutil.rmtree(folder, ignore_errors=True)
    bare = statistics.median(rates["bare aiosmtplib"])
    print(f"\n{'sender':<26}{'median/s':>10}{'lowest':>10}{'highest':>10}{'of bare aiosmtplib':>20}")
    for name, values in rates.items():
        middle = statistics.median(values)
        print(f"{name:<26}{middle:>10.0f}{min(values):>10.0f}{max(values):>10.0f}{middle / bare:>20.2f}")
    print(
        f"\nfrontdesk's own processor time: {statistics.median(cpu):.2f} ms a message, by stage, one thread:"
    )
    for name, each in stages.items():
        print(f"  {name:<18}{each:>8.3f} ms")


if __name__ == "__main__":
    main()
