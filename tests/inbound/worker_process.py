"""A worker as a process of its own, to be killed: `python -m tests.inbound.worker_process URL PORT FOLDER`.

`FRONTDESK_TEST_DIE_AT` names a place at which it kills itself: `step:NAME` before a step of the pipeline,
`fetched` after a batch came and before it is stored, `stored` after the commit.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from core import db
from core.config import load_settings
from core.context import Context
from core.limits import Limits
from inbound import pipeline, visit
from inbound.mailbox import Watcher
from inbound.readers import ReadersHere
from inbound.work import Batch, Tools
from tests.inbound.posting import OURS, Keywords
from tests.servers_imap import PASSWORD

DIE_AT = os.environ.get("FRONTDESK_TEST_DIE_AT", "")


def die() -> None:
    """kill -9 of oneself."""
    os.kill(os.getpid(), signal.SIGKILL)


def with_traps() -> None:
    """Put the death where it was asked for."""
    kind, _, name = DIE_AT.partition(":")
    if kind == "step":

        def trap(_batch: Batch) -> None:
            die()

        place = [step for step, _ in pipeline.FILING].index(name)
        pipeline.FILING = (*pipeline.FILING[:place], (name, trap), *pipeline.FILING[place:])
    elif kind in {"fetched", "stored"}:
        store = visit.store

        def trapped(*arguments, **named):  # type: ignore[no-untyped-def]
            if kind == "fetched":
                die()
            kept = store(*arguments, **named)
            threading.Timer(0.05 if kind == "stored" else 0.0, die).start()
            return kept

        visit.store = trapped


def main(url: str, port: int, folder: Path) -> None:
    """Watch the mailbox and read what is stored, until killed."""
    with_traps()
    section = {
        "name": "sales", "address": OURS, "host": "127.0.0.1", "port": port, "security": "plain",
        "username": "sales", "password": PASSWORD,
    }  # fmt: skip
    limits = Limits(imap_operation_seconds=5, imap_poll_seconds=1, imap_batch=20)
    context = Context(
        settings=load_settings(file=None, data_dir=folder, mailboxes=[section], limits=limits),
        engine=db.make_engine(url),
    )
    watcher = Watcher(context, context.settings.mailboxes[0])
    threading.Thread(target=watcher.run, args=(threading.Event(),), daemon=True).start()
    tools = Tools(context.settings, ReadersHere(), Keywords())
    while True:
        if not pipeline.understand(context, tools, limit=20).total:
            time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
