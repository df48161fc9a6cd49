"""Text to numbers: words and letter groups, weighted as scikit-learn's TF-IDF does and many times faster."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MEMO_LIMIT = 60_000
"""Distinct written words remembered; at the limit the memory starts anew."""

_WORD = re.compile(r"(?u)\b\w\w+\b")

Sparse = Any
"""A scipy.sparse.csr_matrix; scipy's own types are not annotated."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Which features are counted.

    `chars` are letter groups inside words padded with a space (scikit-learn's `char_wb`), `pairs` neighbouring
    words (`ngram_range=(1, 2)`), `stems` word stems by Snowball of that language.
    Every block is TF-IDF with sublinear counts and has length 1; `weights` multiply (words, chars, stems).
    """

    chars: tuple[int, int] | None = (2, 4)
    pairs: bool = True
    stems: str | None = None
    min_count: int = 1
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)


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


class _Entry:
    __slots__ = ("ids", "words")

    def __init__(self, ids: bytes, words: tuple[int, ...]) -> None:
        self.ids = ids
        self.words = words


class Features:
    """A fitted feature space: `names` in order, `weights` the IDF of each; `blocks` how they are counted.

    Names are prefixed: `w:` word or pair, `c:` letter group, `s:` stem.
    """

    def __init__(self, blocks: Blocks, names: Sequence[str], idf: NDArray[np.float64]) -> None:
        self.blocks = blocks
        self.names = list(names)
        self.idf = np.asarray(idf, dtype=np.float64)
        self.ids = {name: index for index, name in enumerate(self.names)}
        self._pairs: dict[tuple[int, int], int] = {}
        self._block = np.zeros(len(self.names), dtype=np.int8)
        for index, name in enumerate(self.names):
            if name.startswith("w:"):
                first, space, second = name[2:].partition(" ")
                if space:
                    one, two = self.ids.get(f"w:{first}"), self.ids.get(f"w:{second}")
                    if one is not None and two is not None:
                        self._pairs[one, two] = index
            else:
                self._block[index] = 1 if name.startswith("c:") else 2
        self._memo: dict[str, _Entry] = {}
        self._stem = stemmer(blocks.stems)

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def fit(cls, texts: Sequence[str], blocks: Blocks) -> tuple[Features, Sparse]:
        """Learn the feature space of the texts (lower case already); also their matrix (texts x features)."""
        names, counts = _count(texts, blocks)
        documents = np.bincount(counts.indices, minlength=len(names))
        kept = np.flatnonzero(documents >= blocks.min_count)
        order = sorted(kept.tolist(), key=names.__getitem__)
        idf = np.log((1 + len(texts)) / (1 + documents[order])) + 1.0
        space = cls(blocks, [names[index] for index in order], idf)
        return space, space.weigh(counts[:, order])

    def transform(self, texts: Sequence[str]) -> Sparse:
        """The matrix (texts x features) of texts already in lower case."""
        return self.weigh(self.count(texts))

    def count(self, texts: Sequence[str]) -> Sparse:
        """How often each feature stands in each text."""
        memo = self._memo
        if len(memo) > MEMO_LIMIT:
            memo.clear()
        pairs = self._pairs
        chunks: list[bytes] = []
        lengths = np.empty(len(texts), dtype=np.int64)
        for row, text in enumerate(texts):
            size = 0
            found: list[int] = []
            previous = -2
            for token in text.split():
                entry = memo.get(token)
                if entry is None:
                    entry = memo[token] = self._entry(token)
                chunks.append(entry.ids)
                size += len(entry.ids)
                for word in entry.words:
                    if pairs:
                        pair = pairs.get((previous, word))
                        if pair is not None:
                            found.append(pair)
                    previous = word
            if found:
                packed = np.array(found, dtype=np.int32).tobytes()
                chunks.append(packed)
                size += len(packed)
            lengths[row] = size // 4
        ids = np.frombuffer(b"".join(chunks), dtype=np.int32)
        return _matrix(ids, lengths, len(self.names))

    def weigh(self, counts: Sparse) -> Sparse:
        """Counts to sublinear TF-IDF with each block's length 1 times its weight."""
        matrix = counts.tocsr().astype(np.float64)
        data = (np.log(matrix.data) + 1.0) * self.idf[matrix.indices]
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        blocks = self._block[matrix.indices]
        slots = rows * 3 + blocks
        squares = np.bincount(slots, weights=data * data, minlength=matrix.shape[0] * 3)
        scale = np.where(squares > 0, 1.0 / np.sqrt(np.where(squares > 0, squares, 1.0)), 0.0)
        scale *= np.tile(np.asarray(self.blocks.weights), matrix.shape[0])
        matrix.data = data * scale[slots]
        return matrix

    def _entry(self, token: str) -> _Entry:
        ids: list[int] = []
        get = self.ids.get
        words: list[int] = []
        for word in _WORD.findall(token):
            index = get(f"w:{word}", -1)
            words.append(index)
            if index >= 0:
                ids.append(index)
            if self._stem is not None:
                stem = get(f"s:{self._stem(word)}")
                if stem is not None:
                    ids.append(stem)
        if self.blocks.chars is not None:
            for group in char_groups(token[:200], *self.blocks.chars):
                index = get(f"c:{group}")
                if index is not None:
                    ids.append(index)
        return _Entry(np.array(ids, dtype=np.int32).tobytes(), tuple(words))


def stemmer(language: str | None) -> Callable[[str], str] | None:
    """Snowball's stemmer of that language ("russian", "lithuanian", "english"), or None for None."""
    if language is None:
        return None
    import snowballstemmer

    return snowballstemmer.stemmer(language).stemWord


def _matrix(ids: NDArray[np.int32], lengths: NDArray[np.int64], width: int) -> Sparse:
    from scipy.sparse import csr_matrix

    rows = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    keys = np.sort(rows * max(width, 1) + ids)
    if len(keys):
        first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    else:
        first = np.empty(0, dtype=np.int64)
    unique = keys[first]
    counts = np.diff(np.append(first, len(keys)))
    indices = unique % max(width, 1)
    pointers = np.searchsorted(unique, np.arange(len(lengths) + 1, dtype=np.int64) * max(width, 1))
    return csr_matrix((counts.astype(np.float64), indices, pointers), shape=(len(lengths), width))


def _count(texts: Sequence[str], blocks: Blocks) -> tuple[list[str], Sparse]:
    numbers: dict[str, int] = {}
    memo: dict[str, _Entry] = {}
    stem = stemmer(blocks.stems)
    words_of: list[str] = []
    word_numbers: dict[str, int] = {}
    pairs: dict[tuple[int, int], int] = {}
    chunks: list[bytes] = []
    lengths = np.empty(len(texts), dtype=np.int64)

    def number(name: str) -> int:
        return numbers.setdefault(name, len(numbers))

    def make(token: str) -> _Entry:
        ids: list[int] = []
        words: list[int] = []
        for word in _WORD.findall(token):
            ids.append(number(f"w:{word}"))
            known = word_numbers.setdefault(word, len(word_numbers))
            if known == len(words_of):
                words_of.append(word)
            words.append(known)
            if stem is not None:
                ids.append(number(f"s:{stem(word)}"))
        if blocks.chars is not None:
            ids.extend(number(f"c:{group}") for group in char_groups(token[:200], *blocks.chars))
        return _Entry(np.array(ids, dtype=np.int32).tobytes(), tuple(words))

    for row, text in enumerate(texts):
        size = 0
        found: list[int] = []
        previous = -1
        for token in text.split():
            entry = memo.get(token)
            if entry is None:
                entry = memo[token] = make(token)
            chunks.append(entry.ids)
            size += len(entry.ids)
            if blocks.pairs:
                for word in entry.words:
                    if previous >= 0:
                        pair = pairs.get((previous, word))
                        if pair is None:
                            pair = number(f"w:{words_of[previous]} {words_of[word]}")
                            pairs[previous, word] = pair
                        found.append(pair)
                    previous = word
        if found:
            packed = np.array(found, dtype=np.int32).tobytes()
            chunks.append(packed)
            size += len(packed)
        lengths[row] = size // 4
    names = list(numbers)
    ids = np.frombuffer(b"".join(chunks), dtype=np.int32)
    return names, _matrix(ids, lengths, len(names))
