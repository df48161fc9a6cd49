"""Text to numbers: words and letter groups, weighted as scikit-learn's TF-IDF does and many times faster."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.asking import CROSS, crossed_of, cues_of
from classifier.stems import stem

MEMO_LIMIT = 60_000
"""Distinct written words remembered; at the limit the memory starts anew."""

AT_ONCE = 5_000
"""Texts counted at a time, which bounds the memory that counting takes."""

MATES_AMONG = 25
CROSSED_AMONG = 60
"""So many words of a text, the first, are paired with its cues: in a long one everything meets everything."""

FREQUENT = 200
"""So many of the most frequent words stand for themselves in frames."""

CROSSED_FROM = 500
"""Texts below which pairs of cues and words have not been seen often enough to tell anything."""

LEAST = {"m": 2, "f": 2, "x": 4}
"""Texts in which a feature of a kind must stand, where it is more than one."""

KINDS = "wcsmpbfax"
"""First letters of feature names, in the order of `Blocks.weights`."""

TOKEN_LIMIT = 200
"""Letters of one unbroken run of characters that are cut into groups; what is longer is no word."""

_WORD = re.compile(r"(?u)\b\w\w+\b")
_SIGNED_WORD = re.compile(r"\w+|[?!$]")
_ANY_WORD = re.compile(r"\w+")
_PIECE = re.compile(r"\w+|[?!$.,:;]")
_PAUSES = frozenset(".,:;")
_OPENERS = frozenset({"and", "or", "but", "then", "please", "и", "а", "но", "ir", "o", "bet"})
_SHAPED = ("ing", "ed", "ly", "es")
_STOP = np.array([-1], dtype=np.int32).tobytes()

Sparse = Any
"""A scipy.sparse.csr_matrix; scipy's own types are not annotated."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Which features are counted.

    `chars` are letter groups inside words padded with a space (scikit-learn's `char_wb`), `pairs` adjacent
    words (`ngram_range=(1, 2)`), `stems` the words' stems (`stems.stem`).
    `mates` are pairs of stems anywhere in one text, however far apart, of its first `MATES_AMONG` stems.
    `signs` counts `?`, `!`, `$` and single letters as words, and how a text begins, ends and how long it is.
    `clauses` are the words with which clauses begin, where one asks or promises. `frames` are runs
    of two to four words of which only the most frequent stand for themselves, the others for their kind.
    `cues` say how the text asks or promises (`asking.CUES`), `crossed` which cues stand together and with
    which of the most frequent words.
    Every block is TF-IDF with sublinear counts and has length 1; `weights` multiply (words, chars, stems,
    mates, signs, clauses, frames, cues, crossed).
    """

    chars: tuple[int, int] | None = (2, 4)
    pairs: bool = True
    stems: bool = False
    mates: bool = False
    signs: bool = False
    clauses: bool = False
    frames: bool = False
    cues: bool = False
    crossed: bool = False
    min_count: int = 1
    weights: tuple[float, ...] = (1.0, 1.0, 1.0, 0.7, 0.5, 0.7, 1.0, 0.45, 0.85)

    @property
    def whole(self) -> bool:
        """Whether a text has features that are not in one of its words."""
        return self.mates or self.signs or self.clauses or self.frames or self.cues or self.crossed


def char_groups(word: str, shortest: int, longest: int) -> list[str]:
    """The letter groups of one whitespace-separated word exactly as scikit-learn's `char_wb` yields them."""
    padded = f" {word} "
    length = len(padded)
    groups: list[str] = []
    for size in range(shortest, longest + 1):
        groups.append(padded[:size])
        offset = 0
        while offset + size < length:
            offset += 1
            groups.append(padded[offset : offset + size])
        if offset == 0:
            break
    return groups


class Features:
    """A fitted feature space: `names` in order, `weights` the IDF of each; `blocks` how they are counted.

    Names are prefixed: `w:` word or pair, `c:` letter group, `s:` stem, `m:` two stems of one text, `p:`
    place, `b:` beginning of a clause, `f:` frame, `a:` cue, `x:` two cues, or a cue and a frequent word.
    """

    def __init__(self, blocks: Blocks, names: Sequence[str], idf: NDArray[np.float64]) -> None:
        self.blocks = blocks
        self.names = list(names)
        self.idf = np.asarray(idf, dtype=np.float64)
        self.ids = {name: index for index, name in enumerate(self.names)}
        pairs: dict[int, int] = {}
        self._block = np.zeros(len(self.names), dtype=np.int8)
        for index, name in enumerate(self.names):
            if name.startswith("w:"):
                first, space, second = name[2:].partition(" ")
                if space:
                    one, two = self.ids.get(f"w:{first}"), self.ids.get(f"w:{second}")
                    if one is not None and two is not None:
                        pairs[one * len(self.names) + two] = index
            else:
                self._block[index] = KINDS.index(name[0])
        self._pair_keys = np.array(sorted(pairs), dtype=np.int64)
        self._pair_ids = np.array([pairs[key] for key in sorted(pairs)], dtype=np.int32)
        self._pattern = _SIGNED_WORD if blocks.signs else _WORD
        self._frequent = frozenset(name[2:] for name in self.names if name[0] == "f" and " " not in name)
        self._frequent |= {name.partition(CROSS)[2] for name in self.names if name[0] == "x"}
        self._ids_of: dict[str, bytes] = {}
        self._words_of: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def fit(cls, texts: Sequence[str], blocks: Blocks) -> tuple[Features, Sparse]:
        """Learn the feature space of the texts (lower case already); also their matrix (texts x features)."""
        names, counts = _count(texts, blocks)
        documents = np.bincount(counts.indices, minlength=len(names))
        least = np.array([LEAST.get(name[0], 1) for name in names])
        kept = np.flatnonzero(documents >= np.maximum(least, blocks.min_count))
        order = sorted(kept.tolist(), key=names.__getitem__)
        idf = np.log((1 + len(texts)) / (1 + documents[order])) + 1.0
        space = cls(blocks, [names[index] for index in order], idf)
        return space, space.weigh(counts[:, order])

    def transform(self, texts: Sequence[str]) -> Sparse:
        """The matrix (texts x features) of texts already in lower case."""
        return self.weigh(self.count(texts))

    def count(self, texts: Sequence[str]) -> Sparse:
        """How often each feature stands in each text."""
        if len(self._ids_of) > MEMO_LIMIT:
            self._ids_of.clear()
            self._words_of.clear()
        tokens_of = [text.split() for text in texts]
        for token in set().union(*tokens_of):
            if token not in self._ids_of:
                self._remember(token)
        ids_of, words_of = self._ids_of.__getitem__, self._words_of.__getitem__
        chunks = [b"".join(map(ids_of, tokens)) for tokens in tokens_of]
        if self.blocks.whole:
            chunks = [chunk + self._whole(text) for chunk, text in zip(chunks, texts, strict=True)]
        lengths = np.array([len(chunk) // 4 for chunk in chunks], dtype=np.int64)
        ids = np.frombuffer(b"".join(chunks), dtype=np.int32)
        rows = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
        if len(self._pair_keys):
            spoken = [b"".join(map(words_of, tokens)) + _STOP for tokens in tokens_of]
            words = np.frombuffer(b"".join(spoken), dtype=np.int32).astype(np.int64)
            ends = np.array([len(part) // 4 for part in spoken], dtype=np.int64)
            found, places = self._pairs_in(words)
            owners = np.repeat(np.arange(len(texts), dtype=np.int64), ends)[places]
            ids, rows = np.concatenate((ids, found)), np.concatenate((rows, owners))
        return _matrix(rows, ids, len(texts), len(self.names))

    def _pairs_in(self, words: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        first, second = words[:-1], words[1:]
        places = np.flatnonzero((first >= 0) & (second >= 0))
        keys = first[places] * len(self.names) + second[places]
        slots = np.minimum(np.searchsorted(self._pair_keys, keys), len(self._pair_keys) - 1)
        known = self._pair_keys[slots] == keys
        return self._pair_ids[slots[known]], places[known]

    def weigh(self, counts: Sparse) -> Sparse:
        """Counts to sublinear TF-IDF with each block's length 1 times its weight."""
        matrix = counts.tocsr().astype(np.float64)
        data = (np.log(matrix.data) + 1.0) * self.idf[matrix.indices]
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        blocks = self._block[matrix.indices]
        slots = rows * len(KINDS) + blocks
        squares = np.bincount(slots, weights=data * data, minlength=matrix.shape[0] * len(KINDS))
        scale = np.where(squares > 0, 1.0 / np.sqrt(np.where(squares > 0, squares, 1.0)), 0.0)
        factors = np.ones(len(KINDS))
        factors[: len(self.blocks.weights)] = self.blocks.weights
        scale *= np.tile(factors, matrix.shape[0])
        matrix.data = data * scale[slots]
        return matrix

    def _whole(self, text: str) -> bytes:
        known = map(self.ids.get, whole_of(text, self.blocks, self._frequent))
        return np.array([index for index in known if index is not None], dtype=np.int32).tobytes()

    def _remember(self, token: str) -> None:
        ids: list[int] = []
        words: list[int] = []
        get = self.ids.get
        for word in self._pattern.findall(token):
            index = get(f"w:{word}", -1)
            words.append(index)
            if index >= 0:
                ids.append(index)
            if self.blocks.stems:
                known = get(f"s:{stem(word)}")
                if known is not None:
                    ids.append(known)
        if self.blocks.chars is not None:
            for group in char_groups(token[:TOKEN_LIMIT], *self.blocks.chars):
                index = get(f"c:{group}")
                if index is not None:
                    ids.append(index)
        self._ids_of[token] = np.array(ids, dtype=np.int32).tobytes()
        self._words_of[token] = np.array(words, dtype=np.int32).tobytes()


def whole_of(text: str, blocks: Blocks, frequent: frozenset[str] = frozenset()) -> list[str]:
    """The names of features that a text has as a whole rather than in one of its words."""
    cues = cues_of(text) if blocks.cues or blocks.crossed else []
    words = frequent.intersection(_PIECE.findall(text)[:CROSSED_AMONG]) if blocks.crossed else ()
    return [
        *(mates_of(text) if blocks.mates else ()),
        *(places_of(text) if blocks.signs else ()),
        *(clauses_of(text) if blocks.clauses else ()),
        *(frames_of(text, frequent) if blocks.frames else ()),
        *(cues if blocks.cues else ()),
        *(crossed_of(cues, words) if blocks.crossed else ()),
    ]


def clauses_of(text: str) -> list[str]:
    """The word, and the two words, with which each clause begins."""
    pieces = _PIECE.findall(text)
    found: list[str] = []
    begins = True
    for place, piece in enumerate(pieces):
        if piece in _PAUSES:
            begins = True
            continue
        if begins or pieces[place - 1] in _OPENERS:
            found += (f"b:{piece}", f"b:{' '.join(pieces[place : place + 2])}")
        begins = False
    return found


def frames_of(text: str, frequent: frozenset[str]) -> list[str]:
    """Frequent words, and runs of two to four words in which other words show only their kind."""
    pieces = _PIECE.findall(text)
    kinds = ["^", *(piece if piece in frequent else _kind(piece) for piece in pieces), "$"]
    runs = [" ".join(kinds[i : i + n]) for n in (2, 3, 4) for i in range(len(kinds) - n + 1)]
    return [*(f"f:{piece}" for piece in pieces if piece in frequent), *(f"f:{run}" for run in runs)]


def _kind(word: str) -> str:
    if word[0].isdigit():
        return "0"
    return next((f"*{ending}" for ending in _SHAPED if len(word) > 3 and word.endswith(ending)), "*")


def frequent_of(texts: Sequence[str]) -> frozenset[str]:
    """The words that stand in the most texts."""
    counted = Counter(piece for text in texts for piece in set(_PIECE.findall(text)))
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return frozenset(piece for piece, count in ranked[:FREQUENT] if count > 1)


def places_of(text: str) -> list[str]:
    """How a text begins and ends, and how long it is."""
    words = _SIGNED_WORD.findall(text)
    if not words:
        return []
    return [f"p:^{words[0]}", f"p:^{' '.join(words[:2])}", f"p:{words[-1]}$", f"p:#{min(8, len(words) // 4)}"]


def mates_of(text: str) -> list[str]:
    """The names of the pairs of stems that stand in one text, each pair once."""
    stems = sorted({stem(word) for word in _ANY_WORD.findall(text)[:MATES_AMONG]})
    return [f"m:{first} {second}" for first, second in combinations(stems, 2)]


def _matrix(rows: NDArray[np.int64], ids: NDArray[np.int32], height: int, width: int) -> Sparse:
    from scipy.sparse import csr_matrix

    apart = max(width, 1)
    keys = np.sort(rows * apart + ids)
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else keys
    unique = keys[starts]
    counts = np.diff(np.append(starts, len(keys))).astype(np.float64)
    pointers = np.searchsorted(unique, np.arange(height + 1, dtype=np.int64) * apart)
    return csr_matrix((counts, unique % apart, pointers), shape=(height, width))


def _count(texts: Sequence[str], blocks: Blocks) -> tuple[list[str], Sparse]:
    if len(texts) < CROSSED_FROM:
        blocks = replace(blocks, crossed=False)
    numbers: dict[str, int] = {}
    pattern = _SIGNED_WORD if blocks.signs else _WORD
    words_of: dict[str, list[str]] = {}
    ids_of: dict[str, bytes] = {}

    def number(name: str) -> int:
        return numbers.setdefault(name, len(numbers))

    def remember(token: str) -> None:
        words = pattern.findall(token)
        ids = [number(f"w:{word}") for word in words]
        if blocks.stems:
            ids.extend(number(f"s:{stem(word)}") for word in words)
        if blocks.chars is not None:
            ids.extend(number(f"c:{group}") for group in char_groups(token[:TOKEN_LIMIT], *blocks.chars))
        words_of[token] = words
        ids_of[token] = np.array(ids, dtype=np.int32).tobytes()

    frequent = frequent_of(texts) if blocks.frames or blocks.crossed else frozenset()
    parts: list[Sparse] = []
    for start in range(0, len(texts), AT_ONCE):
        chunks: list[bytes] = []
        for text in texts[start : start + AT_ONCE]:
            tokens = text.split()
            for token in tokens:
                if token not in ids_of:
                    remember(token)
            chunk = b"".join(map(ids_of.__getitem__, tokens))
            if blocks.pairs:
                words = list(chain.from_iterable(map(words_of.__getitem__, tokens)))
                pairs = [number(f"w:{first} {second}") for first, second in pairwise(words)]
                chunk += np.array(pairs, dtype=np.int32).tobytes()
            whole = [number(name) for name in whole_of(text, blocks, frequent)]
            chunks.append(chunk + np.array(whole, dtype=np.int32).tobytes())
        lengths = np.array([len(chunk) // 4 for chunk in chunks], dtype=np.int64)
        ids = np.frombuffer(b"".join(chunks), dtype=np.int32)
        rows = np.repeat(np.arange(len(chunks), dtype=np.int64), lengths)
        parts.append(_matrix(rows, ids, len(chunks), len(numbers)))
    return list(numbers), _stacked(parts, len(numbers))


def _stacked(parts: Sequence[Sparse], width: int) -> Sparse:
    from scipy.sparse import csr_matrix, vstack

    if not parts:
        return csr_matrix((0, width))
    for part in parts:
        part.resize((part.shape[0], width))
    return parts[0] if len(parts) == 1 else vstack(parts, format="csr")
