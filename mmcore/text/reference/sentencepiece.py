"""SentencePiece in plain Python: the normalizer and the models of the definition that a .model file becomes."""

from __future__ import annotations

import base64
import itertools
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

_MARK = "\u2581"
_MAX_KEY_BYTES = 512
_REBASE_BEYOND = 100_000


def encode(text: str, definition: Mapping[str, Any]) -> list[int]:
    """The ids of a text, no special token parsed.

    Source: Kudo and Richardson, SentencePiece, 2018, arXiv:1808.06226.
    """
    model, normalized = definition["model"], normalize(text, definition["normalizer"])
    cut = {
        "SentencePieceUnigram": unigram,
        "SentencePieceBPE": bpe,
        "SentencePieceWord": words,
        "SentencePieceChar": characters,
    }
    return list(_ids(cut[model["type"]](normalized, model), model))


def normalize(text: str, spec: Mapping[str, Any]) -> str:
    """The character map applied to the longest match at each place, then spaces as the switches say."""
    rules, symbols = CharsMap(base64.b64decode(spec["precompiled_charsmap"])), spec["user_defined_symbols"]
    strip = spec["remove_extra_whitespaces"]
    found: list[str] = []
    while text:
        kept = max((symbol for symbol in symbols if text.startswith(symbol)), key=len, default="")
        part, size = (kept, len(kept)) if kept else rules.longest(text)
        text = text[size:]
        if part != " " or found or not strip:
            found.append(part)
    if not found:
        return ""
    parts: list[str] = []
    for part in found:
        if strip and (not parts or parts[-1].endswith(" ")):
            part = part.lstrip(" ")
        parts += [part] if part else []
    space = _MARK if spec["escape_whitespaces"] else " "
    at_end = spec["treat_whitespace_as_suffix"]
    prefix, suffix = (spec["add_dummy_prefix"] and at_end == end for end in (False, True))
    out = (" " * prefix + "".join(parts)).replace(" ", space)
    while strip and out.endswith(space):
        out = out[: -len(space)]
    return out + space * suffix


class CharsMap:
    """A trie of darts-clone from UTF-8 to strings that end with NUL."""

    def __init__(self, data: bytes):
        size = struct.unpack_from("<I", data)[0] if data else 0
        self._units = struct.unpack_from(f"<{size // 4}I", data, 4) if data else (0,)
        self._strings = data[4 + size :]

    def longest(self, text: str) -> tuple[str, int]:
        """What the longest key that begins `text` becomes, and its characters; else the first character."""
        best, data, node = (
            (text[0], 1),
            text.encode("utf-8", "replace")[:_MAX_KEY_BYTES],
            _offset(self._units[0]),
        )
        for count, byte in enumerate(data, 1):
            node ^= byte
            if byte == 0 or node >= len(self._units) or self._units[node] & 0x800000FF != byte:
                break
            unit = self._units[node]
            node ^= _offset(unit)
            if unit >> 8 & 1:
                begin = self._units[node] & 0x7FFFFFFF
                found = self._strings[begin : self._strings.index(0, begin)]
                best = found.decode(), len(data[:count].decode())
        return best


def _offset(unit: int) -> int:
    return unit >> 10 << ((unit & 1 << 9) >> 6)


def unigram(text: str, model: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The pieces whose scores have the largest sum, each sum rounded to 32 bits.

    Wherever a sum has grown beyond 100,000, it is taken from all sums, as sentencepiece 0.2.3 does.
    """
    kinds, single = model["piece_types"], np.float32
    out_of_text = {model["unk_id"], *kinds["control"], *kinds["byte"], *kinds["unused"]}
    normal = [
        single(score)
        for i, (_, score) in enumerate(model["vocab"])
        if i not in out_of_text and i not in kinds["user_defined"]
    ]
    unknown = min(normal) - single(10)
    ids = {piece: i for i, (piece, _) in enumerate(model["vocab"]) if i not in out_of_text}
    best: list[Any] = [(single(0), 0, 0), *[None] * len(text)]

    def offer(end: int, score: float, begin: int, token_id: int) -> None:
        rounded = single(score)
        if best[end] is None or rounded > best[end][0]:
            best[end] = (rounded, begin, token_id)

    for begin in range(len(text)):
        here = best[begin][0]
        if abs(here) > _REBASE_BEYOND:
            best[begin:] = [step and (step[0] - here, *step[1:]) for step in best[begin:]]
            here = single(0)
        for end in range(begin + 1, len(text) + 1):
            piece = text[begin:end]
            if piece in ids:
                score = float(model["vocab"][ids[piece]][1])
                if ids[piece] in kinds["user_defined"]:
                    score = float(single(0.1 * (len(piece.encode()) - 1)))
                offer(end, score + float(here), begin, ids[piece])
        if text[begin] not in ids:
            offer(begin + 1, float(unknown) + float(here), begin, model["unk_id"])
    pieces, end = [], len(text)
    while end > 0:
        _, begin, token_id = best[end]
        pieces.append((text[begin:end], token_id))
        end = begin
    return pieces[::-1]


def bpe(text: str, model: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Joins the neighbours whose joined piece has the highest score, of equals the leftmost."""
    kinds, vocab = model["piece_types"], model["vocab"]
    out_of_text = {model["unk_id"], *kinds["control"], *kinds["byte"]}
    ids = {piece: i for i, (piece, _) in enumerate(vocab) if i not in out_of_text}
    parts = list(_spell(text, model))
    while True:
        joined = [
            (-vocab[ids[left + right]][1], i)
            for i, ((left, a), (right, b)) in enumerate(itertools.pairwise(parts))
            if not a and not b and left + right in ids
        ]
        if not joined:
            return [(part, ids.get(part, model["unk_id"])) for part, _ in parts]
        at = min(joined)[1]
        parts[at : at + 2] = [(parts[at][0] + parts[at + 1][0], False)]


def words(text: str, model: Mapping[str, Any]) -> list[tuple[str, int]]:
    """One piece a word; one begins at each space."""
    ids = {piece: i for i, (piece, _) in enumerate(model["vocab"])}
    first, *rest = text.split(_MARK)
    return [
        (word, ids.get(word, model["unk_id"])) for word in [first, *(_MARK + word for word in rest)] if word
    ]


def characters(text: str, model: Mapping[str, Any]) -> list[tuple[str, int]]:
    """One piece a character; only user-defined symbols are longer."""
    ids = {piece: i for i, (piece, _) in enumerate(model["vocab"])}
    return [(part, ids.get(part, model["unk_id"])) for part, _ in _spell(text, model)]


def _spell(text: str, model: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Characters and user-defined symbols, the longest at each place, and whether it is one."""
    symbols = [model["vocab"][i][0] for i in model["piece_types"]["user_defined"]]
    while text:
        found = max((symbol for symbol in symbols if text.startswith(symbol)), key=len, default="")
        yield found or text[0], bool(found)
        text = text[len(found) or 1 :]


def _ids(pieces: list[tuple[str, int]], model: Mapping[str, Any]) -> Iterator[int]:
    """Unknown pieces become their bytes, or one id for a run of them."""
    names = {model["vocab"][i][0]: i for i in model["piece_types"]["byte"]}
    last = None
    for piece, token_id in pieces:
        if token_id == model["unk_id"] and model["byte_fallback"]:
            yield from (names[f"<0x{byte:02X}>"] for byte in piece.encode())
        elif token_id != model["unk_id"] or last != token_id:
            yield token_id
        last = token_id
