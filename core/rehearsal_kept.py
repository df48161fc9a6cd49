"""What a rehearsal comes to and what was asked of it, as the database keeps them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from core.rehearsal import Change, Client, Code, Happening, Kind, Report, Row, Scope
from core.routingrules import Rule


def change_as_json(change: Change) -> dict[str, Any]:
    """A change as it is kept with what was asked."""
    routing = None if change.routing is None else [asdict(rule) for rule in change.routing]
    return {"pipelines": dict(change.pipelines), "followups": dict(change.followups), "routing": routing}


def change_of(kept: Mapping[str, Any]) -> Change:
    """The change that was kept."""
    routing = kept["routing"]
    return Change(
        kept["pipelines"],
        kept["followups"],
        None if routing is None else [Rule(**one) for one in routing],
    )


def packed(report: Report) -> bytes:
    """A report as compressed JSON; a client stands in it once."""
    clients: dict[Client, int] = {}
    rows = [
        [
            row.at.isoformat(), row.kind.value, clients.setdefault(row.client, len(clients)),
            _happening_as_json(row.was), _happening_as_json(row.now), _happening_as_json(row.would),
        ]
        for row in report.rows
    ]  # fmt: skip
    scope = report.scope
    kept = {
        "scope": [scope.since.isoformat(), scope.until.isoformat(), scope.deals, scope.letters],
        "clients": [asdict(one) for one in clients],
        "rows": rows,
        "letters": report.letters,
        "deals": report.deals,
        "follow_ups": report.follow_ups,
        "cut": report.cut,
        "followups": report.followups,
        "templates": report.templates,
    }
    return zlib.compress(json.dumps(kept, ensure_ascii=False).encode(), 6)


def unpacked(data: bytes) -> Report:
    """The report that was kept."""
    kept = json.loads(zlib.decompress(data))
    since, until, deals, letters = kept["scope"]
    clients = [Client(**one) for one in kept["clients"]]
    return Report(
        Scope(_moment(since), _moment(until), tuple(deals), tuple(letters)),
        rows=[
            Row(_moment(at), Kind(kind), clients[client], *(_happening_of(one) for one in courses))
            for at, kind, client, *courses in kept["rows"]
        ],
        letters=kept["letters"],
        deals=kept["deals"],
        follow_ups=kept["follow_ups"],
        cut=kept["cut"],
        followups=kept["followups"],
        templates=kept["templates"],
    )


def _happening_as_json(happening: Happening | None) -> list[Any] | None:
    if happening is None:
        return None
    at = happening.at.isoformat() if happening.at is not None else None
    said = [happening.code.value, happening.key, dict(happening.names), at, happening.why]
    return said if happening.who is None else [*said, happening.who_id, happening.who, happening.away]


def _happening_of(kept: list[Any] | None) -> Happening | None:
    if kept is None:
        return None
    code, key, names, at, why, *whose = kept
    return Happening(Code(code), key, names, _moment(at) if at is not None else None, why, *whose)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
