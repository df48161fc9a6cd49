"""A model as bytes that run nothing when loaded: arrays and JSON in one checked file."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from classifier.features import Blocks, Features
from classifier.model import Head, Model
from core.errors import FrontdeskError

FORMAT = 1
MAGIC = b"FDCLS1\n"
SIZE_LIMIT = 400_000_000
"""Bytes of a model file, packed or unpacked."""


class ModelUnreadable(FrontdeskError):
    """The classifier's model file is damaged, was changed, or was made by another version."""

    cure = "Run `frontdesk classifier rollback`, or train anew with `frontdesk classifier train`."


def dump(model: Model) -> bytes:
    """The model as bytes: a magic line, the SHA-256 of what follows, then an npz of plain arrays and JSON."""
    blocks = model.features.blocks
    header = {
        "format": FORMAT,
        "labels": list(model.labels),
        "temperature": model.temperature,
        "blocks": {
            "chars": blocks.chars,
            "pairs": blocks.pairs,
            "stems": blocks.stems,
            "mates": blocks.mates,
            "signs": blocks.signs,
            "clauses": blocks.clauses,
            "frames": blocks.frames,
            "cues": blocks.cues,
            "crossed": blocks.crossed,
            "min_count": blocks.min_count,
            "weights": blocks.weights,
        },
        "heads": {
            name: {"labels": list(head.labels), "many": head.many} for name, head in model.heads.items()
        },
        "version": model.version,
        "notes": model.notes,
    }
    packed = io.BytesIO()
    arrays = {
        "header": _bytes(json.dumps(header, ensure_ascii=False, sort_keys=True).encode()),
        "names": _bytes("\n".join(model.features.names).encode()),
        "idf": model.features.idf.astype(np.float32),
        "weights": model.weights.astype(np.float16),
        "bias": model.bias.astype(np.float64),
        "thresholds": model.thresholds.astype(np.float64),
    }
    for name, head in model.heads.items():
        arrays |= {
            f"{name}-weights": head.weights.astype(np.float16),
            f"{name}-bias": head.bias.astype(np.float64),
            f"{name}-thresholds": head.thresholds.astype(np.float64),
        }
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            raw = io.BytesIO()
            np.lib.format.write_array(raw, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), raw.getvalue(), zipfile.ZIP_DEFLATED)
    content = packed.getvalue()
    return MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def load(data: bytes) -> Model:
    """The model in these bytes.

    Raises:
        ModelUnreadable: wrong magic or checksum, another format, shapes that do not agree, or too large.
    """
    if len(data) > SIZE_LIMIT or not data.startswith(MAGIC):
        raise ModelUnreadable
    digest, _, content = data[len(MAGIC) :].partition(b"\n")
    if hashlib.sha256(content).hexdigest().encode() != digest:
        raise ModelUnreadable("The classifier's model file does not match its checksum.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > SIZE_LIMIT:
                raise ModelUnreadable
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            header = json.loads(arrays["header"].tobytes())
            names = arrays["names"].tobytes().decode().split("\n")
            idf, weights = arrays["idf"].astype(np.float64), arrays["weights"].astype(np.float32)
            bias, thresholds = arrays["bias"], arrays["thresholds"]
            heads = {
                str(name): Head(
                    labels=tuple(map(str, told["labels"])),
                    weights=arrays[f"{name}-weights"].astype(np.float32),
                    bias=arrays[f"{name}-bias"],
                    thresholds=arrays[f"{name}-thresholds"],
                    many=bool(told["many"]),
                )
                for name, told in header.get("heads", {}).items()
            }
        if header["format"] != FORMAT:
            raise ModelUnreadable("The classifier's model file was made by another version of frontdesk.")
        labels = tuple(str(label) for label in header["labels"])
        if weights.shape != (len(names), len(labels)) or len(idf) != len(names) or len(bias) != len(labels):
            raise ModelUnreadable
        if any(head.weights.shape != (len(names), len(head.labels)) for head in heads.values()):
            raise ModelUnreadable
        found = header["blocks"]
        blocks = Blocks(
            chars=tuple(found["chars"]) if found["chars"] else None,
            pairs=bool(found["pairs"]),
            stems=bool(found["stems"]),
            mates=bool(found["mates"]),
            signs=bool(found["signs"]),
            clauses=bool(found.get("clauses", False)),
            frames=bool(found.get("frames", False)),
            cues=bool(found.get("cues", False)),
            crossed=bool(found.get("crossed", False)),
            min_count=int(found["min_count"]),
            weights=tuple(found["weights"]),
        )
        return Model(
            features=Features(blocks, names, idf),
            labels=labels,
            weights=weights,
            bias=bias,
            temperature=float(header["temperature"]),
            thresholds=thresholds,
            version=str(header["version"]),
            notes=dict(header["notes"]),
            heads=heads,
        )
    except (KeyError, ValueError, TypeError, OSError, zipfile.BadZipFile) as fault:
        raise ModelUnreadable from fault


def read(path: Path) -> Model:
    """The model in that file; raises ModelUnreadable as `load` does."""
    try:
        return load(path.read_bytes())
    except OSError as fault:
        raise ModelUnreadable(f"The classifier's model file {path} cannot be read.") from fault


def _bytes(content: bytes) -> np.ndarray:
    return np.frombuffer(content, dtype=np.uint8)
