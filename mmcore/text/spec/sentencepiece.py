"""The models of SentencePiece files: parts whose fields csrc/core/text/model/make.cc describes."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mmcore.errors import FormatError
from mmcore.text.spec import layout
from mmcore.text.spec.scores import MAX_SCORE

UNIGRAM_TYPE, BPE_TYPE = "SentencePieceUnigram", "SentencePieceBPE"
WORD_TYPE, CHAR_TYPE = "SentencePieceWord", "SentencePieceChar"
_UNIGRAM, _BPE, _WORDS = 2, 3, 4
_BYTE_FALLBACK, _RULES = 1, 2
BYTE_NAMES = [f"<0x{byte:02X}>" for byte in range(256)]


def compile_unigram(model: Mapping[str, Any]) -> bytes:
    """The part of a Unigram model whose sums are floats, as in SentencePiece."""
    vocab, kinds = _vocab(model), model["piece_types"]
    skipped = {model["unk_id"], *kinds["control"], *kinds["byte"], *kinds["unused"]}
    symbols = set(kinds["user_defined"])
    normal = [
        np.float32(score) for i, (_, score) in enumerate(vocab) if i not in skipped and i not in symbols
    ]
    lowest = min(normal, default=np.float32(0))
    pieces = []
    for token_id, (text, score) in enumerate(vocab):
        if token_id in skipped:
            continue
        if token_id in symbols:  # As sentencepiece 0.2.3 has it (measured): the file's score does not count.
            score = float(np.float32(0.1 * (len(text.encode()) - 1)))
        pieces.append(layout.string(text) + struct.pack("<Id", token_id, score))
    return layout.part(
        _UNIGRAM,
        layout.u32(_RULES | (_BYTE_FALLBACK if model["byte_fallback"] else 0), model["unk_id"]),
        struct.pack("<d", float(lowest - np.float32(10))),
        _byte_ids(model),
        layout.items(pieces),
    )


def compile_bpe(model: Mapping[str, Any]) -> bytes:
    """The part of a BPE model that merges by scores, as SentencePiece does."""
    vocab, kinds = _vocab(model), model["piece_types"]
    symbols = set(kinds["user_defined"])
    skipped = {model["unk_id"], *kinds["control"], *kinds["byte"], *symbols}
    pieces = {text: token_id for token_id, (text, _) in enumerate(vocab) if token_id not in skipped}
    if kinds["unused"]:
        raise FormatError(
            f"the piece {vocab[kinds['unused'][0]][0]!r:.80} is of type UNUSED, which is not supported in a BPE model"
        )
    merges = sorted(_merges(pieces, vocab), key=lambda merge: -merge[0])
    groups = itertools.groupby(merges, key=lambda merge: merge[0])
    ranked = [
        (*ids, rank) for rank, (_, group) in enumerate(groups) for ids in ((m[1], m[2], m[3]) for m in group)
    ]
    return _bpe_part(model, pieces.values(), ranked)


def compile_char(model: Mapping[str, Any]) -> bytes:
    """The part of a model of characters: a BPE model where nothing is ever merged."""
    symbols = {model["unk_id"], *model["piece_types"]["user_defined"]}
    vocab = _vocab(model)
    characters = [i for i, (text, _) in enumerate(vocab) if len(text) == 1 and i not in symbols]
    return _bpe_part(model, characters, [])


def compile_words(model: Mapping[str, Any]) -> bytes:
    """The part of a model of words: a word that is a piece, of whatever type, is its id."""
    return layout.part(
        _WORDS,
        layout.u32(_BYTE_FALLBACK if model["byte_fallback"] else 0, model["unk_id"]),
        _byte_ids(model),
        layout.u32_list(token_id for token_id in range(len(_vocab(model))) if token_id != model["unk_id"]),
    )


def _bpe_part(model: Mapping[str, Any], pieces: Iterable[int], merges: Sequence[tuple[int, ...]]) -> bytes:
    return layout.part(
        _BPE,
        layout.u32(_BYTE_FALLBACK if model["byte_fallback"] else 0, model["unk_id"]),
        _byte_ids(model),
        layout.u32_list(pieces),
        layout.u32_list(model["piece_types"]["user_defined"]),
        layout.u32(len(merges)),
        np.array(merges, "<u4").reshape(-1, 4).tobytes(),
    )


def _merges(pieces: Mapping[str, int], vocab: list[Any]) -> Iterator[tuple[float, int, int, int]]:
    """Score, left, right and result of each pair of pieces that together are a piece."""
    for text, token_id in pieces.items():
        missing = next((char for char in text if char not in pieces), None)
        if missing is not None:
            raise FormatError(
                f"the piece {text!r:.80} has the character {missing!r}, which is no piece itself: a BPE model "
                "like that is not supported"
            )
        for cut in range(1, len(text)):
            left, right = pieces.get(text[:cut]), pieces.get(text[cut:])
            if left is not None and right is not None:
                yield vocab[token_id][1], left, right, token_id


def _vocab(model: Mapping[str, Any]) -> list[Any]:
    vocab, size = model["vocab"], len(model["vocab"])
    for text, score in vocab:
        if not text or type(score) not in (int, float) or not -MAX_SCORE <= score <= MAX_SCORE:
            raise FormatError(
                f"a piece must have a text and a finite score, found {text!r:.80}, {score!r:.80}"
            )
    for token_id in (model["unk_id"], *itertools.chain(*model["piece_types"].values())):
        if type(token_id) is not int or not 0 <= token_id < size:
            raise FormatError(f"model.piece_types has the id {token_id!r} in a vocabulary of {size}")
    return vocab


def _byte_ids(model: Mapping[str, Any]) -> bytes:
    if not model["byte_fallback"]:
        return layout.u32(*[layout.NO_TOKEN] * 256)
    ids = {model["vocab"][token_id][0]: token_id for token_id in model["piece_types"]["byte"]}
    if ids.keys() != {*BYTE_NAMES}:
        raise FormatError(
            f"byte_fallback needs the 256 pieces <0x00> to <0xFF>, found {len(ids)} byte pieces"
        )
    return layout.u32(*(ids[name] for name in BYTE_NAMES))
