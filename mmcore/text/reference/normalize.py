"""The normalizers of a tokenizer.json in plain Python: what csrc/core/text/normalize must compute.

Only the tables of code points are shared with the core, which the tests compare with Hugging Face; the
algorithms are written for clarity.
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from mmcore._load import native
from mmcore.text.reference.split import find_runs
from mmcore.text.spec import regex

SPACE, REMOVED, MARK, IDEOGRAPH = 4, 8, 16, 64  # Bits of native().code_point.
COMBINING_MARK = 128  # Of native().grapheme_byte, as CONSONANT, LINKER and CONJUNCT_EXTEND.
OTHER, CONTROL, EXTEND, SPACING_MARK, ZWJ, PREPEND, PICTOGRAPHIC, L, V, T, LV, LVT = range(12)
CONSONANT, LINKER, CONJUNCT_EXTEND = 16, 32, 64
_HANGUL_NEXT = {L: (L, V, LV, LVT), V: (V, T), LV: (V, T), T: (T,), LVT: (T,)}
_WHITE_SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_NMT_REMOVED = "[\\x01-\\x08\\x0b\\x0e-\\x1f\\x7f\\x8f\\x9f]"
_NMT_SPACES = "[\\t\\n\\f\\r\\u1680\\u200b-\\u200f\\u2028\\u2029\\u2581\\ufeff\\ufffd]"


def apply_normalizer(part: Mapping[str, Any] | None, text: str) -> str:
    """The text after the `normalizer` of a tokenizer.json.

    Raises:
        KeyError: the normalizer, or one of its fields, is unknown.
    """
    if part is None:
        return text
    kind = part["type"]
    if kind == "Sequence":
        for step in part["normalizers"]:
            text = apply_normalizer(step, text)
        return text
    if kind in ("NFC", "NFD", "NFKC", "NFKD"):
        return form(text, kind, hugging_face=True)
    return _KINDS[kind](text, part)


def form(text: str, name: str, hugging_face: bool) -> str:
    """A Unicode normalization form: decompose, order marks by their class, compose.

    Source: Unicode Standard Annex 15.
    """
    compatibility, composes = "K" in name, name.endswith("C")
    decomposed: list[tuple[int, int]] = []  # (combining class, code point)
    for char in text:
        parts = native().decompose(ord(char), compatibility, hugging_face)[1] or [ord(char)]
        decomposed += [(native().decompose(part, compatibility, hugging_face)[0], part) for part in parts]
    ordered = _in_canonical_order(decomposed)
    return "".join(chr(c) for _, c in (_composed(ordered, hugging_face) if composes else ordered))


def _in_canonical_order(characters: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    waiting: list[tuple[int, int]] = []
    for character in characters:
        if character[0] == 0:
            out += [*sorted(waiting, key=lambda mark: mark[0]), character]
            waiting = []
        else:
            waiting.append(character)
    return out + sorted(waiting, key=lambda mark: mark[0])


def _composed(characters: list[tuple[int, int]], hugging_face: bool) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    starter = -1  # Where in `out` the last character of class 0 is.
    for combining, c in characters:
        blocked = starter < 0 or (starter < len(out) - 1 and out[-1][0] >= combining)
        composite = 0 if blocked else native().compose(out[starter][1], c, hugging_face)
        if composite:
            out[starter] = (0, composite)
            continue
        if combining == 0:
            starter = len(out)
        out.append((combining, c))
    return out


def lowercase(text: str) -> str:
    """Each character's own lower case; a final sigma is as any sigma."""
    return "".join("".join(map(chr, native().code_point(ord(char))[2])) or char for char in text)


def strip_accents(text: str) -> str:
    """Without marks (general categories Mn, Mc and Me); what is precomposed stays."""
    return "".join(char for char in text if not native().grapheme_byte(ord(char)) & COMBINING_MARK)


def bert(text: str, clean: bool, ideographs: bool, strip: bool, lower: bool) -> str:
    """BERT's normalizer.

    Source: Devlin et al., BERT, 2018, arXiv:1810.04805, and the tokenization.py of its code.
    """
    if clean:
        kept = (char for char in text if char in "\t\n\r" or not _flags(char) & REMOVED)
        text = "".join(" " if char in "\t\n\r" or _flags(char) & SPACE else char for char in kept)
    if ideographs:
        text = "".join(f" {char} " if _flags(char) & IDEOGRAPH else char for char in text)
    if strip:
        text = "".join(char for char in form(text, "NFD", True) if not _flags(char) & MARK)
    return lowercase(text) if lower else text


def _flags(char: str) -> int:
    return native().code_point(ord(char))[0]


def strip(text: str, left: bool, right: bool) -> str:
    """Without the white space at its ends."""
    if left:
        text = re.sub(f"^[{_WHITE_SPACE}]+", "", text)
    return re.sub(f"[{_WHITE_SPACE}]+\\Z", "", text) if right else text


def replace(text: str, pattern: Mapping[str, str], content: str) -> str:
    """Every match of a string, or of a regular expression that is one class of characters."""
    wanted = pattern["String"] if "String" in pattern else regex.read(pattern["Regex"])
    if isinstance(wanted, str):
        return text.replace(wanted, content)
    if wanted is None:
        raise regex.unsupported("Replace", pattern["Regex"])
    out, done = "", 0
    for begin, end in find_runs(wanted, text):
        out += text[done:begin] + content
        done = end
    return out + text[done:]


def nmt(text: str) -> str:
    """SentencePiece's cleaning for translation: control characters go, odd spaces become spaces."""
    return re.sub(_NMT_SPACES, " ", re.sub(_NMT_REMOVED, "", text))


def graphemes(text: str) -> Iterator[str]:
    """The extended grapheme clusters of a text.

    Source: Unicode Standard Annex 29, table 1c.
    """
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not _joined(text[start:at], text[at]):
            yield text[start:at]
            start = at


def _joined(cluster: str, after: str) -> bool:
    last, following = (native().grapheme_byte(ord(char)) for char in (cluster[-1], after))
    before_class, after_class = last & 15, following & 15
    if CONTROL in (before_class, after_class):
        return cluster[-1] + after == "\r\n"
    if after_class in (EXTEND, ZWJ, SPACING_MARK) or before_class == PREPEND:
        return True
    if following & CONSONANT and _ends_in_linked_consonant(cluster):
        return True
    if after_class == PICTOGRAPHIC and before_class == ZWJ:
        return _ends_in_pictograph(cluster[:-1])
    return after_class in _HANGUL_NEXT.get(before_class, ())


def _ends_in_linked_consonant(cluster: str) -> bool:
    linked = False
    for byte in (native().grapheme_byte(ord(char)) for char in reversed(cluster)):
        if byte & CONSONANT:
            return linked
        if not byte & (LINKER | CONJUNCT_EXTEND):
            return False
        linked = linked or bool(byte & LINKER)
    return False


def _ends_in_pictograph(cluster: str) -> bool:
    classes = (native().grapheme_byte(ord(char)) & 15 for char in reversed(cluster))
    return next((found for found in classes if found != EXTEND), OTHER) == PICTOGRAPHIC


class CharsMap:
    """`precompiled_charsmap` of a SentencePiece model: a darts-clone trie and the strings that it leads to."""

    def __init__(self, blob: bytes) -> None:
        (size,) = struct.unpack_from("<I", blob)
        self.units = struct.unpack_from(f"<{size // 4}I", blob, 4)
        self.pool = blob[4 + size :]

    def find(self, key: str) -> str | None:
        """What the shortest key that begins `key` becomes."""
        node = self._offset(self.units[0])
        for byte in key.encode():
            node ^= byte
            if byte == 0 or node >= len(self.units) or self.units[node] & 0x800000FF != byte:
                return None
            unit = self.units[node]
            node ^= self._offset(unit)
            if unit >> 8 & 1:
                begin = self.units[node] & 0x7FFFFFFF
                return self.pool[begin:].split(b"\0", 1)[0].decode()
        return None

    @staticmethod
    def _offset(unit: int) -> int:
        return (unit >> 10) << ((unit & 1 << 9) >> 6)


def precompiled(text: str, charsmap: CharsMap) -> str:
    """As Hugging Face applies the map: clusters below 6 bytes whole, by their shortest prefix; others, and where
    that finds nothing, character by character."""
    out = []
    for cluster in graphemes(text):
        whole = charsmap.find(cluster) if len(cluster.encode()) < 6 else None
        if whole is not None:
            out.append(whole)
            continue
        for char in cluster:
            found = charsmap.find(char)
            out.append(char if found is None else found)
    return "".join(out)


def _bert_part(text: str, part: Mapping[str, Any]) -> str:
    lower = part["lowercase"]
    strips = lower if part["strip_accents"] is None else part["strip_accents"]
    return bert(text, part["clean_text"], part["handle_chinese_chars"], strips, lower)


_KINDS = {
    "Lowercase": lambda text, part: lowercase(text),
    "StripAccents": lambda text, part: strip_accents(text),
    "Strip": lambda text, part: strip(text, part["strip_left"], part["strip_right"]),
    "Prepend": lambda text, part: part["prepend"] + text if text else text,
    "Replace": lambda text, part: replace(text, part["pattern"], part["content"]),
    "Nmt": lambda text, part: nmt(text),
    "BertNormalizer": _bert_part,
    "Precompiled": lambda text, part: precompiled(
        text, CharsMap(base64.b64decode(part["precompiled_charsmap"]))
    ),
}
