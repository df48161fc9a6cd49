"""How fast a mailing goes from its audience to the relay, without and with DKIM, and what a recipient costs.

    python -m bench.mailing [--recipients 5000] [--processes 2] [--lines 4] [--sizes 1000,10000]

To Postfix's `smtp-sink` on loopback, all in the same run: `smtp-source` and bare aiosmtplib, which transmit
fixed bytes only, and whole mailings: audience written down, recipients decided and queued, rendered from the
mailing's own text in three languages, signed (not at all, Ed25519, RSA of 2,048 bits), sent, recorded. Then
the same mailing at growing sizes: what one recipient costs must not grow.

Looks at mailings and sending run side by side in worker processes, as in production.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.sending import by_aiosmtplib, by_smtp_source, smtp_sink

ROOT = Path(__file__).parent.parent

SIGNERS = ("none", "ed25519", "rsa")
AIMS = {"none": 500, "ed25519": 400, "rsa": 250}


def settings_for(data_dir: str, port: int, lines: int, signer: str):
    """The settings of the company of the run."""
    from core.config import load_settings

    relay = {"host": "127.0.0.1", "port": port, "security": "plain", "from_address": "sales@example.lt"}
    keys = [] if signer == "none" else [{"selector": signer, "private_key_file": f"{data_dir}/{signer}.pem"}]
    return load_settings(
        None,
        data_dir=data_dir,
        company={"name": "Šiaurės siurbliai", "email": "sales@example.lt"},
        relay={**relay, "max_connections": lines},
        dkim=keys,
        pressure={"touches": 100},
    )


def write_keys(folder: Path) -> None:
    """A key of each kind."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    made = {"rsa": rsa.generate_private_key(65537, 2048), "ed25519": ed25519.Ed25519PrivateKey.generate()}
    for name, key in made.items():
        pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        (folder / f"{name}.pem").write_bytes(pem)


def work(url: str, data_dir: str, port: str, lines: str, signer: str) -> None:
    """One worker process: looks at mailings and sends, until nothing is left; says what it spent."""
    from core import db
    from core.context import Context
    from outbound import campaigns
    from outbound.channels.base import Result
    from outbound.channels.smtp import SmtpChannel
    from outbound.dispatch import Dispatcher

    settings = settings_for(data_dir, int(port), int(lines), signer)
    assert settings.relay is not None
    context = Context(settings, db.make_engine(url))
    dispatcher = Dispatcher(context, SmtpChannel(settings.relay, settings.limits))
    stop = threading.Event()
    looks = threading.Thread(target=campaigns.run, args=(context, stop))
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    print("ready", flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    looks.start()
    sending = threading.Thread(target=lambda: asyncio.run(dispatcher.main(stop)))
    sending.start()
    sys.stdin.readline()
    spent = time.process_time() - cpu
    stop.set()
    looks.join()
    sending.join()
    print(spent, dispatcher.sent[Result.SENT], flush=True)


class Company:
    """A database with an audience in it."""

    def __init__(self, folder: Path, port: int) -> None:
        from core import db
        from core.localdb import LocalDatabase

        self.folder, self.port = folder, port
        self.database = LocalDatabase(folder / "db")
        self.engine = db.make_engine(self.database.ensure())
        with self.engine.begin() as connection:
            db.create_extensions(connection)
            db.models().create_all(connection)
        (folder / "data").mkdir()
        write_keys(folder / "data")
        self._known: list[int] = []

    def audience(self, size: int) -> list[int]:
        """So many contacts, made where they lack."""
        from core import db
        from tests.outbound.audiences import people

        if len(self._known) < size:
            with db.transaction(self.engine) as session:
                self._known += people(session, size - len(self._known), spread=200, first=len(self._known))
            with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("vacuum analyze")
        return self._known[:size]

    def mail(self, size: int, processes: int, lines: int, signer: str) -> tuple[float, float]:
        """Recipients a second and processor milliseconds of our processes each, for one mailing."""
        from core import campaign_verbs, db
        from core.campaigns import CampaignState
        from tests.outbound.audiences import mailing, now

        ids = self.audience(size)
        url = self.engine.url.render_as_string(hide_password=False)
        each = str(max(1, lines // processes))
        program = [sys.executable, "-m", "bench.mailing", "--worker"]
        command = [*program, url, str(self.folder / "data"), str(self.port), each]
        workers = [
            subprocess.Popen(
                [*command, signer], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for _ in range(processes)
        ]
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()
        with db.transaction(self.engine) as session:
            made = mailing(session, ids)
            campaign_verbs.start(session, made, now=now(session))
            number = made.id
        begun = time.perf_counter()
        _say(workers)
        while True:
            time.sleep(0.1)
            with db.transaction(self.engine) as session:
                if campaign_verbs.get(session, number).state == CampaignState.FINISHED:
                    break
        seconds = time.perf_counter() - begun
        _say(workers)
        ended = [worker.communicate()[0].split() for worker in workers]
        sent = sum(int(count) for _, count in ended)
        if sent != size:
            sys.exit(f"{sent} of {size} were sent")
        return size / seconds, 1000 * sum(float(cpu) for cpu, _ in ended) / size


def _say(workers: list[subprocess.Popen[str]]) -> None:
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--worker"]:
        work(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipients", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--lines", type=int, default=4)
    parser.add_argument("--sizes", default="1000,10000,50000,200000")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fdbench"))
    with smtp_sink() as port:
        company = Company(folder, port)
        try:
            print(f"{options.recipients} recipients, {options.lines} connections, ", end="")
            print(
                f"{options.processes} worker processes, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
            )
            body = b"Subject: x\r\n\r\n" + b"A line of a letter of the usual length, no more.\r\n" * 100
            source = by_smtp_source(port, options.recipients, options.lines, len(body))
            bare = by_aiosmtplib(port, options.recipients, options.lines, body)
            print(f"{'smtp-source':<28}{source:>8.0f}/s\n{'bare aiosmtplib':<28}{bare:>8.0f}/s")
            for signer in SIGNERS:
                rate, cpu = company.mail(options.recipients, options.processes, options.lines, signer)
                print(
                    f"{'mailing, DKIM ' + signer:<28}{rate:>8.0f}/s  (aim {AIMS[signer]})"
                    f"{cpu:>8.2f} ms of CPU  {rate / bare:.2f} of bare aiosmtplib",
                    flush=True,
                )
            print(f"\n{'recipients':>12}{'a second':>12}{'ms of CPU each':>18}")
            for size in map(int, filter(None, options.sizes.split(","))):
                rate, cpu = company.mail(size, options.processes, options.lines, "none")
                print(f"{size:>12}{rate:>12.0f}{cpu:>18.2f}", flush=True)
        finally:
            company.engine.dispose()
            company.database.stop()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
