"""Whether a document of ours is TwiML that Twilio would run: well-formed, verbs and attributes it knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

SCHEMA = (
    Path(__file__).parents[3] / "shared" / "data" / "twilio" / "twiml_schema.from-twilio-python-9.13.0.json"
)
URLS = ("action", "url", "statusCallback", "recordingStatusCallback")


class Refused(AssertionError):
    """Twilio would not run this document, or would warn of it."""


@lru_cache(maxsize=1)
def _schema() -> Mapping[str, Mapping[str, Any]] | None:
    """Which attributes and children each verb may have; None where the public files are not there."""
    return json.loads(SCHEMA.read_text())["voice"] if SCHEMA.exists() else None


def parse(document: str, *, called_leg: bool = False) -> ElementTree.Element:
    """The document's root, checked. Raises Refused."""
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - our own document
    except ElementTree.ParseError as error:
        raise Refused(f"12100: {error}: {document[:300]}") from error
    if root.tag != "Response":
        raise Refused(f"12100: the root is {root.tag}")
    _check(root, called_leg)
    if len(document) > 64_000:
        raise Refused("the document is too large")
    return root


def _check(element: ElementTree.Element, called_leg: bool) -> None:
    schema = _schema()
    if schema is not None:
        if element.tag not in schema:
            raise Refused(f"12200: there is no verb {element.tag}")
        known = set(schema[element.tag]["attributes"])
        if unknown := set(element.attrib) - known:
            raise Refused(f"12200: {element.tag} has no {unknown}")
        if wrong := {child.tag for child in element} - set(schema[element.tag]["children"]):
            raise Refused(f"12200: {wrong} may not stand in {element.tag}")
    for name, value in element.attrib.items():
        if name in URLS and not value.startswith(("http://", "https://")):
            raise Refused(f"11100: {value} is no address")
        if "[" in value and name.endswith("Event"):
            raise Refused(f"{name} is a list in Python's words: {value}")
    if called_leg and element.tag in {"Dial", "Record", "Enqueue"}:
        raise Refused(f"{element.tag} may not stand in the document of a called telephone")
    if element.tag == "Dial" and len(list(element)) > 10:
        raise Refused("13224: more than ten telephones in one Dial")
    for child in element:
        _check(child, called_leg)
