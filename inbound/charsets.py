"""Bytes to text when the label may be missing, wrong or invented.

Order: the label if it decodes strictly, except that valid multi-byte UTF-8 beats any one-byte label and a
Western label gives way to plain Cyrillic or Lithuanian; then UTF-8; then a detector with a check for
Lithuanian words. Nothing here raises for any bytes and any label.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import Final, NamedTuple

from inbound import mangled
from inbound.wordlist import words


class Decoded(NamedTuple):
    """Text, the charset it was read in, and whether that is sure (no replacement character was needed)."""

    text: str
    charset: str
    sure: bool


ALIASES: Final = {
    "default_charset": None,
    "x-unknown": None,
    "unknown": None,
    "unknown-8bit": None,
    "x-user-defined": None,
    "_autodetect": None,
    "_autodetect_all": None,
    "8bit": None,
    "binary": None,
    "none": None,
    "us-ascii": None,
    "ascii": None,
    "ansi_x3.4-1968": None,
    "us_ascii": None,
    "usascii": None,
    "iso646-us": None,
    "unicode": "utf-8",
    "utf8mb4": "utf-8",
    "utf": "utf-8",
    "unicode-1-1-utf-8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "x-utf-8": "utf-8",
    "utf-8-bom": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252",
    "iso-8859-1-windows": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "ansi": "cp1252",
    "windows": "cp1252",
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "iso-8859-6-i": "iso8859-6",
    "iso-8859-13": "iso8859-13",
    "iso8859-13": "iso8859-13",
    "iso_8859-13": "iso8859-13",
    "latin7": "iso8859-13",
    "windows-baltic": "cp1257",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "x-mac-ce": "mac-latin2",
    "koi8r": "koi8-r",
    "koi8": "koi8-r",
    "koi-8": "koi8-r",
    "koi": "koi8-r",
    "koi8u": "koi8-u",
    "x-cp1251": "cp1251",
    "cyrillic": "cp1251",
    "gb2312": "gb18030",
    "gb_2312-80": "gb18030",
    "iso-gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "cn-gb": "gb18030",
    "chinesebig5": "big5hkscs",
    "big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "ks_c_5601-1987": "cp949",
    "ks_c_5601": "cp949",
    "euc-kr": "cp949",
    "ksc5601": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "ms_kanji": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "x-euc-jp": "euc_jp",
    "tis-620": "cp874",
    "windows-31j": "cp932",
}
"""Labels seen in mail that Python does not know or reads too narrowly; None means the label says nothing."""

TEXT_CODECS: Final = words(
    """
    utf-8 utf-8-sig utf-7 utf-16 utf-16-be utf-16-le utf-32 utf-32-be utf-32-le cp1250 cp1251 cp1252
    cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860
    cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp932 cp949 cp950 cp1125 koi8-r koi8-u koi8-t kz1048
    iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10
    iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-16 mac-roman mac-cyrillic mac-latin2 mac-greek
    mac-turkish mac-iceland ptcp154 gb18030 gb2312 gbk hz big5 big5hkscs euc_jp euc_jis_2004 euc_kr
    shift_jis shift_jis_2004 iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_3 iso2022_jp_ext iso2022_kr
    johab
    """
)
"""The only codecs a label may choose: Python has `zlib`, `idna`, `unicode_escape` and others behind names."""

_SEVEN_BIT: Final = frozenset({"utf-7", "hz", "iso2022_jp_ext", "iso2022_jp", "iso2022_kr", "iso2022_jp_2"})
_MULTI_BYTE: Final = words(
    """
    utf-8 utf-16 utf-16-be utf-16-le utf-32 utf-32-be utf-32-le gb18030 big5hkscs cp949 cp932 euc_jp
    euc_kr shift_jis big5 gbk gb2312 johab
    """
)
_WESTERN: Final = frozenset({"cp1252", "iso8859-15", "mac-roman", "cp850", "cp437", "iso8859-1", "cp1254"})
_CYRILLIC: Final = ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")

_JAPANESE_ESCAPE: Final = re.compile(rb"(\x1b(?:\$[@B]|\([BIJ]|\$\([A-D]))")
_WINDOWS_ONLY: Final = re.compile(rb"[\x80-\x9f]")
_ISO_QUOTES: Final = re.compile(rb"[\xa1\xa5\xb4]")
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_LETTER: Final = re.compile(rb"[A-Za-z\x80-\xff]")
_LT_WORDS: Final = words(
    """
    ir yra kad dėl už iš į per prie apie jūsų mūsų sveiki labas ačiū pagarbiai prašome prašau užsakymas
    užsakymą sąskaita sąskaitą kainą pasiūlymą taip bet tačiau arba kaip šiuo šį šią ši šis būtų galėtų
    norėčiau norėtume dėkoju dėkojame geros dienos įmonė įmonės gali būti jau tik nuo iki su be ar kiek
    galite siunčiu siunčiame persiunčiu laukiame iškilus klausimams žemiau laišką telefonu susitikimas
    pristatymas pristatymo kovo gegužės rugsėjo spalio lapkričio gruodžio birželio liepos rugpjūčio
    """
)
_LT_WORDS_HIGH: Final = frozenset(word for word in _LT_WORDS if not word.isascii())
_LT_LETTERS: Final = frozenset("ąčęėįšųūžĄČĘĖĮŠŲŪŽ„“”–—‘’…•€§°№«»\xa0")
_WORD: Final = re.compile(r"[^\W\d_]+")
# The commonest Russian letters; text read in the wrong Cyrillic charset has them rarely and in the wrong
# case.
_COMMON_RU: Final = frozenset("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъ")
_TYPICAL_RU: Final = frozenset("оеаинтсрвлкмдп")
_RARER_RU: Final = _COMMON_RU - _TYPICAL_RU
_UPPER_RU: Final = re.compile("[А-ЯЁ]+")
_UPPER_RUN: Final = re.compile("[А-Я]+")
_TURNED_CASE: Final = re.compile(r"\b[а-я][А-Я]{3,}")
_LOWER_RUN: Final = re.compile("[а-я]+")


@lru_cache(maxsize=512)
def codec_for(label: str | None) -> str | None:
    """Python's name for a charset label; None where the label says nothing that can be used."""
    if not label:
        return None
    name = label.strip().strip("\"'<>").lower().replace(" ", "-")[:60]
    name = name.removeprefix("charset=")
    if name in ALIASES:
        return ALIASES[name]
    for prefix, replacement in (
        ("windows", "cp"),
        ("win", "cp"),
        ("cp", "cp"),
        ("x-windows", "cp"),
        ("x-cp", "cp"),
    ):
        rest = name.removeprefix(prefix).lstrip("-_")
        if rest != name and rest.isdigit():
            name = replacement + rest
            break
    try:
        found = codecs.lookup(name).name
    except (LookupError, UnicodeError, ValueError):
        return None
    found = ALIASES.get(found, found) or found
    return found if found in TEXT_CODECS else None


def decode(
    data: bytes, label: str | None = None, hint: str | None = None, *, header: bool = False
) -> Decoded:
    """`data` as text. `hint` is a charset that is likely (the body's, for header fields) but not promised.

    `header` is true for short pieces, where a Western label is believed (mail.md's encoded words rule).
    """
    read = _decode(data, label, hint, header=header)
    if read.charset == "utf-8" and not read.text.isascii() and mangled.suspect(read.text):
        return Decoded(mangled.repaired(read.text), read.charset, read.sure)
    return read


def _decode(data: bytes, label: str | None, hint: str | None, *, header: bool) -> Decoded:
    codec = codec_for(label)
    if data.isascii() and codec not in _SEVEN_BIT and not (codec or "").startswith(("utf-16", "utf-32")):
        if codec is None and b"\x1b$" in data:
            return _decode_strict(data, "iso2022_jp_ext") or Decoded(data.decode("ascii"), "us-ascii", True)
        return Decoded(data.decode("ascii"), codec or "us-ascii", True)
    if data[:3] == codecs.BOM_UTF8:
        return Decoded(data[3:].decode("utf-8", "replace"), "utf-8", True)
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) and len(data) % 2 == 0 and b"\0" in data:
        return Decoded(data.decode("utf-16", "replace"), "utf-16", True)
    if codec is None or codec not in _MULTI_BYTE | _SEVEN_BIT:
        utf8 = _decode_strict(data, "utf-8")
        if utf8 is not None:
            return utf8
    if codec is not None:
        read = _decode_strict(data, codec)
        if read is not None:
            if codec in _WESTERN and not header:
                return _not_western(data) or read
            if codec in _CYRILLIC:
                return _right_cyrillic(data, read)
            if codec == "iso8859-13" and _WINDOWS_ONLY.search(data):
                return Decoded(data.decode("cp1257", "replace"), "cp1257", True)
            return read
        if codec == "iso2022_jp_ext":
            return _japanese(data)
    return _detect(data, codec, codec_for(hint))


def _japanese(data: bytes) -> Decoded:
    """ISO-2022-JP with the vendors' own characters, such as ①, read through Microsoft's code page."""
    pieces: list[str] = []
    double = False
    for piece in _JAPANESE_ESCAPE.split(data):
        if piece.startswith(b"\x1b"):
            double = piece.startswith(b"\x1b$")
        elif double:
            pairs = zip(piece[::2], piece[1::2], strict=False)
            pieces.append(b"".join(map(_shifted, pairs)).decode("cp932", "replace"))
        else:
            pieces.append(piece.decode("ascii", "replace"))
    text = "".join(pieces)
    return Decoded(text, "iso2022_jp", "�" not in text)


def _shifted(pair: tuple[int, int]) -> bytes:
    """A character of JIS X 0208 in Shift-JIS."""
    row, cell = pair
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        return b"?"
    first = ((row - 0x21) >> 1) + (0x81 if row < 0x5F else 0xC1)
    second = cell + (0x7E if row % 2 == 0 else (0x1F if cell < 0x60 else 0x20))
    return bytes((first, second))


def _decode_strict(data: bytes, codec: str) -> Decoded | None:
    try:
        return Decoded(data.decode(codec), codec, True)
    except (UnicodeError, ValueError):
        return None


def _not_western(data: bytes) -> Decoded | None:
    """The Cyrillic or Lithuanian reading of bytes labelled Western, or None where the label holds."""
    sample = data[:20_000]
    high = len(_HIGH.findall(sample))
    letters = len(_LETTER.findall(sample))
    if letters and high > letters / 2:
        return best_cyrillic(data)
    return lithuanian(data, sure_words=3)


def lithuanian(data: bytes, *, sure_words: int = 1) -> Decoded | None:
    """`data` read as Lithuanian, where that makes so many function words or shows its very own letters.

    The letters are the same in Windows-1257 and ISO 8859-13; the quotation marks tell which it is.
    """
    read = _baltic(data)
    words = [word.lower() for word in _WORD.findall(read.text[:20_000])]
    known = sum(word in _LT_WORDS for word in words)
    telling = sum(word in _LT_WORDS_HIGH for word in words)
    letters = _lithuanian_letters(read.text)
    if known >= sure_words and (telling or known >= 3) and letters > 0.9:
        return read
    # š and ž stand where Western text has ð and þ, which only Icelandic uses, and never without its í, ó, ú.
    own = sum(data.count(byte) for byte in (b"\xf0", b"\xfe", b"\xd0", b"\xde"))
    return read if letters == 1.0 and (own >= 2 or (own and known)) else None


def _baltic(data: bytes) -> Decoded:
    codec = "cp1257" if _WINDOWS_ONLY.search(data) or not _ISO_QUOTES.search(data) else "iso8859-13"
    text = data.decode(codec, "replace")
    return Decoded(text, codec, "�" not in text)


def _lithuanian_letters(text: str) -> float:
    high = [letter for letter in text[:20_000] if letter > "\x7f"]
    return sum(letter in _LT_LETTERS for letter in high) / len(high) if high else 0.0


def cyrillic_score(text: str) -> float:
    """How much a text looks like Russian: common letters in lower case after lower case, from 0 to 1."""
    sample = text[:4000]
    beyond = len(sample) - len(sample.encode("ascii", "ignore"))
    if not beyond:
        return 0.0
    lowered = sample.lower()
    typical = _count(_TYPICAL_RU, lowered)
    common = typical + _count(_RARER_RU, lowered)
    turned = 0
    for match in _UPPER_RU.finditer(sample):
        # Within a run of capitals each but the first stands after a capital.
        before = sample[match.start() - 1 : match.start()]
        turned += before != before.upper()
    return (common + typical - (beyond - common) - 2 * turned) / (2 * beyond)


def _count(letters: frozenset[str], text: str) -> int:
    """How many characters of the text are among the letters; `str.count` reads it many times faster."""
    return sum(map(text.count, letters))


def best_cyrillic(data: bytes) -> Decoded | None:
    """The Cyrillic charset in which `data` looks like Russian, or None."""
    readings = [(cyrillic_score(data[:6000].decode(codec, "replace")), codec) for codec in _CYRILLIC]
    score, codec = max(readings, key=lambda reading: reading[0])
    if score < 0.5:
        return None
    text = data.decode(codec, "replace")
    return Decoded(text, codec, "�" not in text)


def _right_cyrillic(data: bytes, read: Decoded) -> Decoded:
    """Another Cyrillic charset where the labelled one gives nonsense, as between cp1251 and koi8-r.

    Russian read in the wrong one of the two turns its case round, so only such text is looked at twice.
    """
    sample = read.text[:2000]
    upper = sum(map(len, _UPPER_RUN.findall(sample)))
    lower = sum(map(len, _LOWER_RUN.findall(sample)))
    if upper + lower < 12 or (upper <= lower and cyrillic_score(sample) >= 0.5):
        return read
    best, share = read, _typical(sample)
    if _TURNED_CASE.search(sample):
        share -= 0.2
    for codec in _CYRILLIC:
        other = data[:2000].decode(codec, "replace")
        if codec != read.charset and _typical(other) > share + 0.15 and "�" not in other:
            best, share = Decoded(data.decode(codec, "replace"), codec, True), _typical(other)
    return best


def _typical(text: str) -> float:
    """The share of the commonest Russian letters among all letters outside ASCII; about 0.7 in real text."""
    lowered = text.lower()
    beyond = len(lowered) - len(lowered.encode("ascii", "ignore"))
    return _count(_TYPICAL_RU, lowered) / beyond if beyond else 0.0


def _detect(data: bytes, codec: str | None, hint: str | None) -> Decoded:
    utf8 = _nearly_utf8(data)
    if utf8 is not None:
        return utf8
    cyrillic = best_cyrillic(data) if _mostly_high(data) else None
    if hint is not None and hint not in _WESTERN:
        read = _decode_strict(data, hint)
        if read is not None and (hint not in _CYRILLIC or cyrillic is None or cyrillic.charset == hint):
            return read
    if cyrillic is not None:
        return cyrillic
    baltic = lithuanian(data)
    if baltic is not None:
        return baltic
    found = _ask_detector(data)
    if found in _WESTERN or found in {"cp1257", "iso8859-4", "iso8859-10", None}:
        read = _baltic(data)
        if found == "cp1257" or (_lithuanian_letters(read.text) == 1.0 and _balticness(read.text)):
            return read
        found = found or hint or codec or "cp1252"
    read = _decode_strict(data, found) if found else None
    if read is not None:
        return read
    for name in (codec, hint, "cp1252"):
        if name is not None:
            return Decoded(data.decode(name, "replace"), name, False)
    return Decoded(data.decode("ascii", "replace"), "us-ascii", False)


def _nearly_utf8(data: bytes) -> Decoded | None:
    """UTF-8 with a broken character or two: cut in the middle by a limit somewhere on the way."""
    text = data.decode("utf-8", "replace")
    broken = text.count("�")
    good = sum(letter > "\x7f" for letter in text[:20_000]) - broken
    return Decoded(text, "utf-8", False) if good > 4 * broken else None


def _mostly_high(data: bytes) -> bool:
    words = re.findall(rb"[A-Za-z\x80-\xff]{2,}", data[:20_000])
    whole = sum(1 for word in words if len(_HIGH.findall(word)) * 3 >= len(word) * 2)
    return bool(words) and (whole * 3 >= len(words) or whole >= 3)


def _balticness(text: str) -> bool:
    """Letters that Western text rarely has: š, ž, ė, ų stand where it would have ð, þ, ë, ø."""
    return any(letter in "ėųšžūįĖŲŠŽŪĮ" for letter in text)


def _ask_detector(data: bytes) -> str | None:
    import chardet

    try:
        guess = chardet.detect(data[:8000]).get("encoding")
    except (ValueError, UnicodeError, LookupError):
        return None
    return codec_for(guess)
