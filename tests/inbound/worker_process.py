"""A worker as a process of its own, to be killed; its arguments: database URL, IMAP port, folder."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from core import db
from core.config import load_settings
from core.context import Context
from core.limits import Limits
from inbound import pipeline
from inbound.mailbox import Watcher
from inbound.readers import ReadersHere
from inbound.work import Tools
from tests.inbound.posting import OURS, Keywords
from tests.servers_imap import PASSWORD


def main(url: str, port: int, folder: Path) -> None:
    """Watch the mailbox and read what is stored, until killed."""
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
