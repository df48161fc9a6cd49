"""Letters per second through the whole intake, beside bare IMAPClient and mbsync on the same mailbox.

    python -m bench.intake [--letters 5000] [--rounds 3] [--profile]

A local Dovecot holds the letters; ours fetches them, stores the bytes with fsync, reads, classifies, files
and routes them into a database that is new each round. Every contestant runs in a process of its own.
CPU is counted for the whole process tree of ours and for PostgreSQL's, per letter.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.corpus_mail import letters
from classifier.classify import Classifier, Text
from core import db, defaults, intake, jobs, staff
from core.config import load_settings
from core.context import Context
from core.deals import Deal
from core.localdb import LocalDatabase
from inbound import pipeline
from inbound.mailbox import Watcher
from inbound.readers import ReaderProcesses
from inbound.reading import Reading
from inbound.work import Tools
from tests import servers_imap
from tests.servers_imap import PASSWORD

USER = "sales"


def cpu_of_tree(root: int) -> float:
    """Processor seconds of a process, its living descendants and those they have waited for."""
    ticks = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(path.parent.name)
        parents[pid] = int(fields[1])
        seconds[pid] = sum(map(int, fields[11:15])) / ticks
    total = 0.0
    for pid in seconds:
        up = pid
        while up not in {root, 0, 1}:
            up = parents.get(up, 0)
        if up == root:
            total += seconds[pid]
    return total


def bare(port: int) -> dict[str, float]:
    """IMAPClient as it comes, in batches of 200, keeping nothing."""
    from imapclient import IMAPClient

    began, cpu = time.perf_counter(), time.process_time()
    with IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login(USER, PASSWORD)
        client.select_folder("INBOX", readonly=True)
        uids = client.search()
        count = 0
        for start in range(0, len(uids), 200):
            count += len(client.fetch(uids[start : start + 200], ["BODY.PEEK[]"]))
        took = time.perf_counter() - began
    return {"letters": count, "seconds": took, "cpu": time.process_time() - cpu}


def mbsync(port: int, folder: Path, count: int) -> dict[str, float]:
    """mbsync into a maildir, every letter synced to the disk."""
    folder.mkdir(parents=True)
    (folder / "rc").write_text(
        f"""FSync yes
IMAPAccount a
Host 127.0.0.1
Port {port}
User {USER}
Pass {PASSWORD}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account a

MaildirStore near
Path {folder}/mail/
Inbox {folder}/mail/INBOX

Channel c
Far :far:
Near :near:
Sync Pull
Create Near
SyncState *
""",
        encoding="utf-8",
    )
    (folder / "mail").mkdir()
    began = time.perf_counter()
    command = ["mbsync", "-q", "-c", str(folder / "rc"), "c"]
    subprocess.run(command, check=True, env={**os.environ, "HOME": str(folder)}, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - began
    stored = sum(1 for _ in (folder / "mail" / "INBOX").glob("*/*"))
    assert stored >= count, stored
    return {"letters": stored, "seconds": took, "cpu": 0.0}


def ours(port: int, url: str, count: int, data: Path) -> dict[str, Any]:
    """A worker's threads, from nothing to the last letter filed."""
    section = {
        "name": "sales", "address": "sales@siurbliai.example", "host": "127.0.0.1", "port": port,
        "security": "plain", "username": USER, "password": PASSWORD,
    }  # fmt: skip
    settings = load_settings(file=None, data_dir=data, mailboxes=[section], database_url=url)
    context = Context(settings=settings, engine=db.make_engine(url))
    readers = ReaderProcesses()
    tools = Tools(settings, readers, Classifier.load())
    stop = threading.Event()
    cpu: dict[str, float] = {}
    outcomes: list[pipeline.Outcome] = []
    drains: list[float] = []

    def watch() -> None:
        Watcher(context, settings.mailboxes[0]).run(stop)
        cpu["fetch"] = time.thread_time()

    def drain() -> None:
        while not stop.is_set():
            outcome = pipeline.understand(context, tools)
            if outcome.total:
                outcomes.append(outcome)
            else:
                time.sleep(0.25)
        drains.append(time.thread_time())

    _warm(readers, tools)
    before = resource.getrusage(resource.RUSAGE_SELF)
    tree = cpu_of_tree(os.getpid())
    began = time.perf_counter()
    threads = [threading.Thread(target=work) for work in (watch, drain, drain)]
    for thread in threads:
        thread.start()
    while sum(outcome.total for outcome in outcomes) < count:
        time.sleep(0.02)
    took = time.perf_counter() - began
    stop.set()
    for thread in threads:
        thread.join()
    after = resource.getrusage(resource.RUSAGE_SELF)
    whole = cpu_of_tree(os.getpid()) - tree
    readers.close()
    for outcome in outcomes:
        for name, seconds in outcome.seconds.items():
            cpu[name] = cpu.get(name, 0.0) + seconds
    own = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cpu["parse"] = whole - own + cpu.pop("parse", 0.0)
    with context.transaction() as session:
        states = intake.counts(session)
        deals = session.scalar(select(func.count()).select_from(Deal))
    steps = sum(seconds for name, seconds in cpu.items() if name not in {"parse", "fetch"})
    cpu["claim, settle"] = sum(drains) - steps
    cpu["store"] = own - cpu["fetch"] - sum(drains)
    return {
        "letters": count,
        "seconds": took,
        "cpu": whole,
        "stages": cpu,
        "states": {**states, "deals": deals},
    }


def _warm(readers: ReaderProcesses, tools: Tools) -> None:
    """A worker runs for weeks: what it does once when it starts is not counted."""
    sample = list(letters(400, seed=99))
    threads = [threading.Thread(target=readers.read_many, args=(sample * 3, frozenset())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = [one for one in readers.read_many(sample, frozenset()) if isinstance(one, Reading)]
    tools.classifier.classify([Text(one.subject, one.reply, "email", one.language) for one in read])


def prepare(database: LocalDatabase, name: str) -> str:
    """A new database with staff, pipeline and teams."""
    import psycopg

    with psycopg.connect(database.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)'.encode())
        connection.execute(f'create database "{name}"'.encode())
    url = database.url_of(name)
    engine = db.make_engine(url)
    if db.latest_revision() is not None:
        db.migrate(engine)
    else:
        with engine.begin() as connection:
            db.create_extensions(connection)
            db.models().create_all(connection)
        jobs.install(engine)
    with db.transaction(engine) as session:
        defaults.install(session)
        for number, team in enumerate(["Sales", "Support", "Accounts", "Logistics"] * 2):
            staff.add(
                session, email=f"staff{number}@siurbliai.example", name=f"Staff {number}", team=team,
                speaks=["lt", "ru", "en"],
            )  # fmt: skip
    engine.dispose()
    return url


def _in_process(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.intake", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr[-4000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Run every contestant in turn, several rounds, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--letters", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        kind, *rest = options.one
        if kind == "bare":
            print(json.dumps(bare(int(rest[0]))))
        else:
            import logging

            import structlog

            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
            print(json.dumps(ours(int(rest[0]), rest[1], int(rest[2]), Path(rest[3]))))
        return
    base = Path(tempfile.mkdtemp(prefix="fdbench"))
    database = LocalDatabase(base / "db")
    database.ensure()
    dovecot = servers_imap.start(base / "dovecot")
    results: dict[str, list[dict[str, Any]]] = {}
    try:
        dovecot.deliver(USER, list(letters(options.letters)))
        bare(dovecot.port)  # the server's indexes and the disk's cache are warm for everybody
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            results.setdefault("bare IMAPClient", []).append(_in_process("--one", "bare", str(dovecot.port)))
            url = prepare(database, f"round{number}")
            postgres = database.postmaster_pid()
            before = cpu_of_tree(postgres) if postgres else 0.0
            one = _in_process(
                "--one", "ours", str(dovecot.port), url, str(options.letters), str(base / f"data{number}")
            )
            one["postgres"] = (cpu_of_tree(postgres) if postgres else 0.0) - before
            results.setdefault("frontdesk", []).append(one)
            if shutil.which("mbsync"):
                folder = base / f"mbsync{number}"
                results.setdefault("mbsync, fsync", []).append(mbsync(dovecot.port, folder, options.letters))
                shutil.rmtree(folder)
        report(results, options.letters)
    finally:
        dovecot.stop()
        database.stop()
        shutil.rmtree(base, ignore_errors=True)


def report(results: dict[str, list[dict[str, Any]]], count: int) -> None:
    """Print the table: medians, and the least and most of the rates."""
    print(f"{count} letters\n")
    print(f"{'':18}{'letters/s':>22}{'CPU ms a letter':>18}")
    rates = {name: [one["letters"] / one["seconds"] for one in runs] for name, runs in results.items()}
    for name, runs in results.items():
        cpu = statistics.median(one["cpu"] + one.get("postgres", 0.0) for one in runs) / count * 1000
        spread = f"{statistics.median(rates[name]):,.0f} ({min(rates[name]):,.0f}-{max(rates[name]):,.0f})"
        print(f"{name:18}{spread:>22}{cpu or float('nan'):>18.2f}")
    own = results["frontdesk"]
    print("\nCPU ms a letter by stage (frontdesk)")
    stages = {name for one in own for name in one["stages"]}
    table = {
        name: statistics.median(one["stages"].get(name, 0.0) for one in own) / count * 1000 for name in stages
    }
    table["PostgreSQL"] = statistics.median(one["postgres"] for one in own) / count * 1000
    for name, milliseconds in sorted(table.items(), key=lambda pair: -pair[1]):
        print(f"  {name:18}{milliseconds:8.3f}")
    print(f"  {'without PostgreSQL':18}{statistics.median(one['cpu'] for one in own) / count * 1000:8.3f}")
    print(f"\nstates {own[-1]['states']}")
    ours_rate = statistics.median(rates["frontdesk"])
    for name in results:
        if name != "frontdesk":
            print(f"frontdesk : {name} = {ours_rate / statistics.median(rates[name]):.2f}")


if __name__ == "__main__":
    main()
