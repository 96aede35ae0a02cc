"""Models: each becomes one part, whose fields csrc/core/text/model/model_spec.h describes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mmcore.errors import FormatError
from mmcore.text import byte_level
from mmcore.text.spec import layout, sentencepiece
from mmcore.text.spec.scores import read_score

_BPE, _WORD_PIECE, _UNIGRAM = range(3)
_UNKNOWN_PENALTY = 10.0  # What a character that is no piece costs more than the worst piece.
_MAX_AFFIX_BYTES = 64


class Tokens(NamedTuple):
    """The tokens of a definition as its model needs them."""

    vocab: dict[str, int]
    """The model's own tokens."""
    by_id: list[str | None]
    """All tokens, None where there is no such id."""
    words_are_bytes: bool
    """What the model sees: bytes, or else UTF-8."""
    decoded_as_bytes: bool
    """What the decoder sees, and the specification's list of tokens holds."""


def compile_model(model: Mapping[str, Any], tokens: Tokens) -> bytes:
    """The part of a model.

    Raises:
        FormatError: the model is of a kind or has a setting that is not supported, or contradicts itself.
    """
    kind = model_kind(model)
    if tokens.words_are_bytes and kind != "BPE":
        raise FormatError(f"pre_tokenizer 'ByteLevel' is supported before a BPE model only, found {kind!r}")
    return _COMPILERS[kind](model, tokens)


def model_kind(model: Mapping[str, Any]) -> str:
    """ "BPE", "WordPiece" or "Unigram"; older files do not say it, but what they have does.

    Raises:
        FormatError: it is none of them.
    """
    kind = model.get("type") or (
        "BPE"
        if "merges" in model
        else "WordPiece"
        if "max_input_chars_per_word" in model
        else "Unigram"
        if "unk_id" in model
        else None
    )
    if kind not in _COMPILERS:
        raise layout.unsupported("model type", kind, _COMPILERS)
    return kind


def token_bytes(token: str | None, as_bytes: bool) -> bytes:
    """What a token stands for: bytes in their alphabet, or itself. Nothing where there is no token."""
    if token is None:
        return b""
    data = byte_level.to_bytes(token) if as_bytes else None
    return layout.utf8(token) if data is None else data


def _outside(tokens: Tokens) -> bytes:
    """The list of ids that the model does not know: added ones, and (where words are bytes) spelled ones."""
    return layout.u32_list(
        token_id
        for token_id, token in enumerate(tokens.by_id)
        if token is not None
        and (token not in tokens.vocab or (tokens.words_are_bytes and byte_level.to_bytes(token) is None))
    )


def _own_tokens(tokens: Tokens) -> bytes:
    """The list of all tokens as the model sees them, empty where that is as they are decoded."""
    if tokens.words_are_bytes == tokens.decoded_as_bytes:
        return layout.items([])
    return layout.items(layout.string(token_bytes(token, tokens.words_are_bytes)) for token in tokens.by_id)


def _bpe(model: Mapping[str, Any], tokens: Tokens) -> bytes:
    layout.expect_absent(model, "dropout", where="model.")
    _expect_text(tokens.vocab)
    prefix, suffix = (
        _affix(model, name, tokens) for name in ("continuing_subword_prefix", "end_of_word_suffix")
    )
    byte_fallback = model.get("byte_fallback", False)
    if byte_fallback and tokens.words_are_bytes and (prefix or suffix):
        raise FormatError(
            "model.byte_fallback with continuing_subword_prefix or end_of_word_suffix is not supported after "
            "pre_tokenizer 'ByteLevel'"
        )
    switches = layout.flags(
        tokens.words_are_bytes,
        byte_fallback,
        model.get("fuse_unk", False),
        model.get("ignore_merges", False),
    )
    byte_ids = _byte_ids(tokens)
    merges = np.array(list(_merge_ids(model, tokens.vocab)), "<u4").reshape(-1, 3)
    return layout.part(
        _BPE,
        layout.u32(switches, _unknown(model, tokens)),
        layout.string(prefix),
        layout.string(suffix),
        byte_ids,
        layout.u32(len(merges)),
        merges.tobytes(),
        _outside(tokens),
        _own_tokens(tokens),
    )


def _expect_text(vocab: Mapping[str, int]) -> None:
    try:
        "\n".join(vocab).encode()
    except UnicodeEncodeError as error:
        found = error.object[error.start : error.end]
        raise FormatError(
            f"model.vocab has the lone surrogate {found!r} in a token, which no text has"
        ) from None


def _affix(model: Mapping[str, Any], name: str, tokens: Tokens) -> bytes:
    """What the tokens of a model have before or behind the characters they stand for."""
    affix = model.get(name) or ""
    data = byte_level.to_bytes(affix) if tokens.words_are_bytes else layout.utf8(affix)
    if data is None:
        raise FormatError(
            f"model.{name} {affix!r} is not spelled in the characters of bytes, as its tokens are"
        )
    if len(data) > _MAX_AFFIX_BYTES:
        raise FormatError(f"model.{name} has {len(data)} bytes, at most {_MAX_AFFIX_BYTES} are supported")
    return data


def _unknown(model: Mapping[str, Any], tokens: Tokens) -> int:
    unknown = model.get("unk_token")
    if unknown is None or (tokens.words_are_bytes and unknown not in tokens.vocab):
        return layout.NO_TOKEN
    if unknown not in tokens.vocab:
        raise FormatError(f"the unknown token {unknown!r} is not in the vocabulary")
    return tokens.vocab[unknown]


def _byte_ids(tokens: Tokens) -> bytes:
    vocab = tokens.vocab
    if not tokens.words_are_bytes:
        names = [f"<0x{byte:02X}>" for byte in range(256)]
        return layout.u32(*(vocab.get(name, layout.NO_TOKEN) for name in names))
    missing = [byte for byte, char in enumerate(byte_level.CHARS) if char not in vocab]
    if missing:
        raise FormatError(
            f"a byte-level vocabulary needs all 256 bytes, {len(missing)} are missing, "
            f"the first one is {missing[0]} ({byte_level.CHARS[missing[0]]!r})"
        )
    return layout.u32(*(vocab[char] for char in byte_level.CHARS))


def _merge_ids(model: Mapping[str, Any], vocab: Mapping[str, int]) -> Iterable[tuple[int, int, int]]:
    prefix = model.get("continuing_subword_prefix") or ""
    for rank, merge in enumerate(model.get("merges") or []):
        left, _, right = merge.partition(" ") if isinstance(merge, str) else (merge[0], " ", merge[1])
        if prefix and not (right.startswith(prefix) and len(right) > len(prefix)):
            raise FormatError(
                f"merge {rank} ({left!r} + {right!r}) is not supported: what it adds must begin with "
                f"continuing_subword_prefix {prefix!r} and have more than that"
            )
        try:
            yield vocab[left], vocab[right], vocab[left + right[len(prefix) :]]
        except KeyError as error:
            raise FormatError(
                f"merge {rank} ({left!r} + {right!r}) needs the token {error.args[0]!r}, "
                "which is not in the vocabulary"
            ) from None


def _word_piece(model: Mapping[str, Any], tokens: Tokens) -> bytes:
    if tokens.decoded_as_bytes:
        raise FormatError("decoder 'ByteLevel' is supported after a BPE model only, found 'WordPiece'")
    unknown = model.get("unk_token", "[UNK]")
    if unknown not in tokens.vocab:
        raise FormatError(f"the unknown token {unknown!r} is not in the vocabulary")
    return layout.part(
        _WORD_PIECE,
        layout.u32(model.get("max_input_chars_per_word", 100), tokens.vocab[unknown]),
        layout.string(model.get("continuing_subword_prefix", "##")),
        _outside(tokens),
    )


def _unigram(model: Mapping[str, Any], tokens: Tokens) -> bytes:
    if tokens.decoded_as_bytes:
        raise FormatError("decoder 'ByteLevel' is supported after a BPE model only, found 'Unigram'")
    layout.expect_absent(model, "alpha", "nbest_size", where="model.")
    scores = [(token, read_score(score)) for token, score in model["vocab"]]
    unknown, least = model.get("unk_id"), min(score for _, score in scores)
    if unknown is not None and (type(unknown) is not int or not 0 <= unknown < len(scores)):
        raise FormatError(f"model.unk_id must be the place of a token, found {unknown!r}")
    pieces = [
        layout.string(token) + struct.pack("<Id", tokens.vocab[token], score)
        for token, score in dict(scores).items()
        if token
    ]
    return layout.part(
        _UNIGRAM,
        layout.u32(
            layout.flags(model.get("byte_fallback", False)), layout.NO_TOKEN if unknown is None else unknown
        ),
        struct.pack("<d", least - _UNKNOWN_PENALTY),
        _byte_ids(tokens),
        layout.items(pieces),
    )


_COMPILERS: dict[str, Callable[[Mapping[str, Any], Tokens], bytes]] = {
    "BPE": _bpe,
    "WordPiece": _word_piece,
    "Unigram": _unigram,
    sentencepiece.UNIGRAM_TYPE: lambda model, tokens: sentencepiece.compile_unigram(model),
    sentencepiece.BPE_TYPE: lambda model, tokens: sentencepiece.compile_bpe(model),
    sentencepiece.WORD_TYPE: lambda model, tokens: sentencepiece.compile_words(model),
    sentencepiece.CHAR_TYPE: lambda model, tokens: sentencepiece.compile_char(model),
}
