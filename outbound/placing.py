"""From the plain JSON a delivery was queued with to the values that templates take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from core.errors import InputRefused
from templates.placeholders import PLACEHOLDERS, Type

_DECIMALS = (Type.MONEY, Type.NUMBER, Type.PERCENT)


class ValueUnreadable(InputRefused):
    """A stored value is not of the type its placeholder declares."""


def _decimal(stored: object) -> Decimal:
    return Decimal(stored) if isinstance(stored, str | int) else Decimal(str(stored))


def _date(stored: object) -> date:
    return date.fromisoformat(str(stored)[:10])


def _moment(stored: object) -> datetime:
    return datetime.fromisoformat(str(stored))


_READERS: dict[Type, Callable[[object], Any]] = {
    **dict.fromkeys(_DECIMALS, _decimal),
    Type.DATE: _date,
    Type.MOMENT: _moment,
    Type.COUNT: lambda stored: int(str(stored)),
}
_SINGLE: dict[tuple[str, str], Callable[[object], Any]] = {
    (group, leaf): _READERS[placeholder.type]
    for name, placeholder in PLACEHOLDERS.items()
    for group, _, leaf in [name.partition(".")]
    if "[]" not in leaf and placeholder.type in _READERS
}
_ITEMS: dict[tuple[str, str, str], Callable[[object], Any]] = {
    (group, *leaf.split("[].")): _READERS[placeholder.type]  # type: ignore[misc] - two parts, as declared
    for name, placeholder in PLACEHOLDERS.items()
    for group, _, leaf in [name.partition(".")]
    if "[]" in leaf and placeholder.type in _READERS
}


def template_values(
    stored: Mapping[str, Any],
    company: Mapping[str, Any],
    *,
    staff: Mapping[str, Any] | None = None,
    document: Mapping[str, Any] | None = None,
    links: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """The nested values that rendering takes: what was queued, each in its declared type, and what only we
    know.

    ``stored`` is a delivery's plain JSON (money as decimal strings, dates and moments as ISO 8601). ``staff``
    stands in where nobody in particular writes. Raises ValueUnreadable, naming the placeholder.
    """
    values: dict[str, dict[str, Any]] = {}
    for group, leaves in stored.items():
        if leaves is None:
            continue
        if not isinstance(leaves, Mapping):
            raise ValueUnreadable(f"The stored values of {group} are not a group.")
        values[group] = {leaf: _read(group, leaf, kept) for leaf, kept in leaves.items()}
    values["company"] = dict(company)
    if staff and not values.get("staff"):
        values["staff"] = dict(staff)
    if document:
        values["document"] = {**values.get("document", {}), **document}
    if links:
        values["links"] = {**values.get("links", {}), **links}
    return values


def _read(group: str, leaf: str, kept: Any) -> Any:
    try:
        if isinstance(kept, list):
            return [
                {name: _read_item(group, leaf, name, value) for name, value in item.items()} for item in kept
            ]
        reader = _SINGLE.get((group, leaf))
        return kept if reader is None or kept is None or kept == "" else reader(kept)
    except (ValueError, InvalidOperation, AttributeError, TypeError) as error:
        raise ValueUnreadable(f"The stored value of {group}.{leaf} cannot be read.") from error


def _read_item(group: str, leaf: str, name: str, kept: Any) -> Any:
    reader = _ITEMS.get((group, leaf, name))
    return kept if reader is None or kept is None or kept == "" else reader(kept)
