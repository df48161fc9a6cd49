"""A model file runs nothing, and nothing changed in it goes unseen."""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from dataclasses import fields

import numpy as np
import pytest

from classifier import store
from classifier.features import Blocks
from classifier.modelling import fit_model
from classifier.recipes import PLAIN, Recipe
from classifier.store import MAGIC, ModelUnreadable


@pytest.fixture(scope="module")
def data() -> bytes:
    texts = [
        "price of the pump",
        "cost of a valve",
        "what price",
        "the cost",
        "it leaks",
        "it broke",
        "leaking",
        "broken",
    ]
    model = fit_model(texts, ["price"] * 4 + ["fault"] * 4, recipe=Recipe(PLAIN, 0.5))
    return store.dump(model.named("v1"))


def test_a_model_comes_back_as_it_was(data: bytes) -> None:
    model = store.load(data)
    again = store.load(store.dump(model))
    assert model.version == "v1"
    texts = ["price of a pump", "leaks"]
    assert np.allclose(model.probabilities(texts), again.probabilities(texts))
    assert [model.labels[i] for i in model.probabilities(texts).argmax(axis=1)] == ["price", "fault"]


def test_the_same_model_gives_the_same_bytes(data: bytes) -> None:
    assert store.dump(store.load(data)) == data


def test_how_features_are_counted_comes_back() -> None:
    on = {one.name: True for one in fields(Blocks) if one.type == "bool"}
    blocks = Blocks(chars=None, min_count=2, weights=(0.5, 1.0), **on)
    texts = ["please send the price", "please send the cost", "it broke", "it broke again"]
    model = fit_model(texts, ["price", "price", "fault", "fault"], recipe=Recipe(blocks))
    assert store.load(store.dump(model)).features.blocks == blocks


@pytest.mark.parametrize("place", [0, 10, 80, 300, -5])
def test_one_changed_byte_is_refused(data: bytes, place: int) -> None:
    changed = bytearray(data)
    changed[place] ^= 0xFF
    with pytest.raises(ModelUnreadable):
        store.load(bytes(changed))


def test_a_pickle_is_refused_without_being_run(data: bytes) -> None:
    ran: list[int] = []

    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return ran.append, (1,)

    with pytest.raises(ModelUnreadable):
        store.load(pickle.dumps(Hostile()))
    assert ran == []


def test_an_array_of_objects_inside_is_refused_even_with_a_right_checksum() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        raw = io.BytesIO()
        np.lib.format.write_array(raw, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        archive.writestr("header.npy", raw.getvalue())
    content = packed.getvalue()
    with pytest.raises(ModelUnreadable):
        store.load(MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


@pytest.mark.parametrize("content", [b"", b"FDCLS1\n", b"FDCLS1\nabc\n", b"PK\x03\x04"])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(ModelUnreadable):
        store.load(content)
