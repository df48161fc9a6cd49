"""Write the next migration from the difference between the migrations so far and the tables as declared.

    python -m core.migrations.new "Deliveries know their campaign"
    python -m core.migrations.new --check          # exit code 1 when a table was changed without a migration

It works on a scratch server that is deleted afterwards. Read what it wrote before you commit it: it cannot
tell a renamed column from a dropped and an added one.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from core import db
from core.localdb import LocalDatabase

VERSIONS = Path(__file__).parent / "versions"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
    """The job queue keeps its own tables and upgrades them itself."""
    return not (kind == "table" and (name or "").startswith("pgqueuer"))


def differences(engine: sa.Engine) -> list[Any]:
    """What the declared tables have and a migrated database has not, or the other way round."""
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": is_ours, "compare_server_default": True}
        )
        return list(compare_metadata(context, db.models()))


def write(engine: sa.Engine, message: str) -> Path:
    """Write the next migration; `engine` is a database at the newest one."""
    number = 1 + max((int(path.name[:4]) for path in VERSIONS.glob("[0-9]*_*.py")), default=0)
    config = db.alembic_config(engine.url)
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("truncate_slug_length", "50")
    slug = re.sub(r"\W+", " ", message).strip().rstrip(".")
    made = command.revision(config, slug, autogenerate=True, rev_id=f"{number:04d}")
    script = made[0] if isinstance(made, list) else made
    assert script is not None  # noqa: S101 - one revision was asked for
    path = Path(script.path)
    text = path.read_text()
    path.write_text(re.sub(r"\n    # ### .*", "", text))
    for tool in (["check", "--fix", "--exit-zero"], ["format"]):
        tidy = [sys.executable, "-m", "ruff", *tool, "--quiet", path]
        subprocess.run(tidy, check=True, capture_output=True)  # noqa: S603 - our own argument list
    return path


def main(arguments: list[str]) -> int:
    """Do it on a scratch server."""
    with tempfile.TemporaryDirectory(prefix="fdm", ignore_cleanup_errors=True) as folder:
        server = LocalDatabase(Path(folder) / "db", server_settings=FAST)
        engine = db.make_engine(server.ensure())
        try:
            if db.latest_revision() is not None:
                db.migrate(engine)
            else:
                with engine.begin() as connection:
                    db.create_extensions(connection)
            found = differences(engine)
            if "--check" in arguments:
                for one in found:
                    print(one)
                return int(bool(found))
            if not arguments:
                print(__doc__)
                return 2
            print(write(engine, " ".join(arguments)) if found else "Nothing has changed.")
            return 0
        finally:
            engine.dispose()
            server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
