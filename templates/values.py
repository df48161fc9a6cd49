"""From plain values to what a template is given: checked against the placeholders and put into local form."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from templates import limits, localforms
from templates.errors import MissingValues, WrongValue
from templates.grammar import Names
from templates.placeholders import PLACEHOLDERS, Need, Placeholder, Type

type_ = type
Shown = str | int
"""What a template is given for one placeholder: text already in local form, or a count."""

Context = dict[str, dict[str, object]]
"""Groups of shown values: ``{"client": {"name": "…"}, "deal": {"lines": [{"product": "…"}]}}``."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SPACES = re.compile(r"[ \t\r\n\v\f\x85\u2028\u2029]+")
_WEB_ADDRESS = re.compile(
    r"(?:https?://[^\s/?#\"'<>\\`{}]+|mailto:[^\s\"'<>\\`{}@]+@)[^\s\"'<>\\`{}]*", re.IGNORECASE
)
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif);base64,([A-Za-z0-9+/]+={0,2})")
_CURRENCY = re.compile(r"[A-Z]{3}")


def context(name: str, names: Names, values: Mapping[str, object], language: str) -> Context:
    """The context in which template `name` is rendered: exactly the placeholders it uses, each in local form.

    `values` is a nested dict of plain values by group (`client`, `deal` …); what the template does not use
    is not looked at. Text loses control characters and direction overrides. Raises `MissingValues` naming
    every needed placeholder without a value, and `WrongValue` for a value of another type than declared.
    """
    given: Context = {}
    missing: list[str] = []
    for group_name, wanted in _plan(names):
        group = values.get(group_name)
        if group is None:
            group = {}
        elif not isinstance(group, Mapping):
            raise WrongValue(group_name, "must be a dict of its placeholders")
        slot: dict[str, object] = {}
        for leaf, placeholder, needed, items in wanted:
            value = group.get(leaf)
            if placeholder.need is Need.COMPUTED:
                slot[leaf] = _computed(placeholder.name, group, language)
            elif placeholder.type is Type.LIST:
                slot[leaf] = _items(placeholder, value, items, group, language, missing)
            elif value is None or (isinstance(value, str) and not value.strip()):
                slot[leaf] = ""
            else:
                currency = _currency(group) if placeholder.type is Type.MONEY else ""
                slot[leaf] = show(placeholder, value, language, currency)
            if needed and slot[leaf] in ("", []):
                missing.append(placeholder.name)
        given[group_name] = slot
    if missing:
        raise MissingValues(name, set(missing))
    return given


_Field = tuple[str, Placeholder, bool]
_Wanted = tuple[str, Placeholder, bool, tuple[_Field, ...]]


@functools.lru_cache(maxsize=1024)
def _plan(names: Names) -> tuple[tuple[str, tuple[_Wanted, ...]], ...]:
    """What to look up, by group: leaf, placeholder, whether needed, and for lists the fields of an item."""
    fields: dict[str, list[_Field]] = {}
    groups: dict[str, list[_Wanted]] = {}
    for path in sorted(names.used):
        whole, _, leaf = path.partition("[].")
        if leaf:
            fields.setdefault(whole, []).append((leaf, PLACEHOLDERS[path], path in names.needed))
    for path in sorted(names.used):
        if "[]" not in path:
            group, _, leaf = path.partition(".")
            wanted = (leaf, PLACEHOLDERS[path], path in names.needed, tuple(fields.get(path, ())))
            groups.setdefault(group, []).append(wanted)
    return tuple((group, tuple(wanted)) for group, wanted in groups.items())


def show(placeholder: Placeholder, value: object, language: str, currency: str = "EUR") -> Shown:
    """One value in the form its type and language ask for. Raises `WrongValue`."""
    name = placeholder.name
    match placeholder.type:
        case Type.LINE:
            return _line(name, value)
        case Type.PARAGRAPHS:
            return _paragraphs(name, value)
        case Type.MONEY:
            return localforms.money(_decimal(name, value), currency, language)
        case Type.NUMBER:
            return localforms.number(_decimal(name, value), language)
        case Type.PERCENT:
            return localforms.percent(_decimal(name, value), language)
        case Type.COUNT:
            if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**9:
                raise WrongValue(name, "must be a whole number, not negative")
            return value
        case Type.DATE:
            if not isinstance(value, date):
                raise WrongValue(name, "must be a date")
            return localforms.long_date(value.date() if isinstance(value, datetime) else value, language)
        case Type.MOMENT:
            if not isinstance(value, datetime) or value.tzinfo is None:
                raise WrongValue(name, "must be a date and time with a zone")
            return localforms.long_moment(value, language)
        case Type.URL:
            text = _text(name, value).strip()
            if len(text) > 2000 or not _WEB_ADDRESS.fullmatch(text):
                raise WrongValue(
                    name, "must be an http, https or mailto address, such as https://example.com/offer"
                )
            return text
        case Type.IMAGE:
            return _picture(name, value)
        case Type.CURRENCY:
            text = _text(name, value)
            if not _CURRENCY.fullmatch(text):
                raise WrongValue(name, "must be an ISO 4217 code, such as EUR")
            return text
        case Type.LIST:
            raise WrongValue(name, "is a list and cannot be shown as such")


def _currency(group: Mapping[object, object]) -> str:
    code = group.get("currency") or "EUR"
    return "EUR" if code == "EUR" else str(show(PLACEHOLDERS["deal.currency"], code, "en"))


def _computed(path: str, group: Mapping[object, object], language: str) -> str:
    if path != "client.salutation":
        raise WrongValue(path, "is computed, but nobody says how")
    name, said = group.get("name"), group.get("addressed_as")
    return localforms.salutation(
        language,
        _line("client.name", name) if name is not None else "",
        _line("client.addressed_as", said) if said is not None else "",
    )


def _items(
    placeholder: Placeholder,
    value: object,
    wanted: Sequence[_Field],
    group: Mapping[object, object],
    language: str,
    missing: list[str],
) -> list[dict[str, Shown]]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise WrongValue(placeholder.name, "must be a list of dicts")
    if len(value) > limits.LIST_ITEMS:
        raise WrongValue(placeholder.name, f"has {len(value)} items, more than {limits.LIST_ITEMS}")
    currency = _currency(group)
    shown: list[dict[str, Shown]] = []
    size = 0
    for item in value:
        if not isinstance(item, Mapping):
            raise WrongValue(placeholder.name, "must be a list of dicts")
        row: dict[str, Shown] = {}
        for leaf, field, needed in wanted:
            found = item.get(leaf)
            if found is None or (isinstance(found, str) and not found.strip()):
                if needed:
                    missing.append(field.name)
                row[leaf] = ""
            else:
                row[leaf] = show(field, found, language, currency)
        size += sum(len(value) for value in row.values() if isinstance(value, str))
        if size > limits.LIST_CHARS:
            raise WrongValue(placeholder.name, f"is longer than {limits.LIST_CHARS} characters in all")
        shown.append(row)
    return shown


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise WrongValue(name, f"must be text, not {type(value).__name__}")
    if len(value) > limits.VALUE_CHARS:
        raise WrongValue(name, f"is longer than {limits.VALUE_CHARS} characters")
    # Markup is a str that calls itself safe; what was given is only ever text.
    value = str.__str__(value)
    if value.isascii():
        return value
    # A lone surrogate cannot be written to any mail or file; it comes from a badly decoded name.
    return value.encode("utf-8", "replace").decode("utf-8")


def _line(name: str, value: object) -> str:
    text = _text(name, value)
    return _clean_short(text) if len(text) <= 200 else _clean(text)


def _clean(text: str) -> str:
    return _CONTROLS.sub("", _SPACES.sub(" ", text)).strip(" ")


_clean_short = functools.lru_cache(maxsize=4096)(_clean)


def _paragraphs(name: str, value: object) -> str:
    text = (
        _text(name, value)
        .replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u2028", "\n")
        .replace("\u2029", "\n")
    )
    return _CONTROLS.sub("", text).strip()


def _decimal(name: str, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise WrongValue(name, "must be an int or a Decimal")
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise WrongValue(name, "is not a number") from None
    if not amount.is_finite() or abs(amount) >= Decimal(10) ** 15:
        raise WrongValue(name, "is not a number below a million milliards")
    return amount


def _picture(name: str, value: object) -> str:
    longest = limits.IMAGE_BYTES * 4 // 3 + 64
    found = _PICTURE.fullmatch(value) if isinstance(value, str) and len(value) <= longest else None
    if not found:
        raise WrongValue(
            name, f"must be a data: address of a PNG, JPEG or GIF of at most {limits.IMAGE_BYTES} bytes"
        )
    try:
        base64.b64decode(found[1], validate=True)
    except binascii.Error:
        raise WrongValue(name, "is not valid base64") from None
    return found[0]
