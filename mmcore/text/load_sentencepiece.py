"""Reader of SentencePiece .model files: Unigram, BPE, words and characters."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

from mmcore.errors import FormatError, LimitError
from mmcore.text import protobuf
from mmcore.text.definition import added_token, definition_of
from mmcore.text.spec import MAX_VOCAB_SIZE
from mmcore.text.spec.sentencepiece import BPE_TYPE, CHAR_TYPE, UNIGRAM_TYPE, WORD_TYPE

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = range(1, 7)
_TYPES = {1: UNIGRAM_TYPE, 2: BPE_TYPE, 3: WORD_TYPE, 4: CHAR_TYPE}


class Piece(NamedTuple):
    """An entry of the vocabulary; its place is its id."""

    text: str
    score: float
    kind: int


class Model(NamedTuple):
    """What a .model file says, as far as ids depend on it."""

    pieces: list[Piece]
    trainer: dict[str, Any]
    normalizer: dict[str, Any]


def from_model(data: bytes, name: str) -> dict[str, Any]:
    """The definition of the tokenizer in a SentencePiece .model file: the same ids as `sentencepiece` gives.

    Nothing is put around texts, and control pieces that are written in a text are text, as in SentencePiece.
    What SentencePiece does, Hugging Face's components cannot say: its character map is applied to the longest
    match instead of to grapheme clusters, its sums of scores are rounded to 32 bits, its BPE merges the leftmost
    of pairs of equal score, user-defined symbols are kept whole. So the definition has components of its own,
    normalizer and decoder "SentencePiece" and models "SentencePieceUnigram", "SentencePieceBPE", "SentencePieceWord"
    and "SentencePieceChar", which hold what the file says. `Tokenizer.save` writes them and `Tokenizer.load` reads
    them; Hugging Face tokenizers refuses such a file, so that it never gives other ids.

    Args:
        data: content of the file.
        name: of the file, for errors.

    Raises:
        FormatError: the file is malformed, or has something that is not supported (unused pieces of
            a BPE model, a denormalizer).
        LimitError: the file has too many pieces.

    Source: SentencePiece, sentencepiece_model.proto for the format; Kudo, Subword Regularization, 2018,
    arXiv:1804.10959, for Unigram.
    """
    model = read_model(data, name)
    _check(model, name)
    controls = [
        added_token(piece.text, token_id)
        for token_id, piece in enumerate(model.pieces)
        if piece.kind == _CONTROL
    ]
    return definition_of(
        _model(model),
        normalizer=_normalizer(model),
        pre_tokenizer=None,
        decoder=_decoder(model),
        added_tokens=controls,
        post_processor=None,
    )


def role_names(data: bytes, name: str) -> dict[str, str]:
    """Pieces that fill rows, begin and end texts, by the keys of a tokenizer_config.json."""
    model = read_model(data, name)
    ids = {role: model.trainer[f"{role}_id"] for role in ("pad", "bos", "eos")}
    return {
        f"{role}_token": model.pieces[token_id].text
        for role, token_id in ids.items()
        if 0 <= token_id < len(model.pieces) and model.pieces[token_id].kind == _CONTROL
    }


def read_model(data: bytes, name: str) -> Model:
    """Pieces, trainer_spec and normalizer_spec with their defaults.

    Raises:
        FormatError: the file is malformed.
        LimitError: the file has too many pieces.
    """
    pieces: list[Piece] = []
    trainer: dict[str, Any] = {
        "model_type": 1,
        "byte_fallback": 0,
        "treat_whitespace_as_suffix": 0,
        "bos_id": 1,
        "eos_id": 2,
        "pad_id": -1,
        "unk_surface": " \u2047 ",
    }
    normalizer: dict[str, Any] = {
        "precompiled_charsmap": b"",
        "add_dummy_prefix": 1,
        "remove_extra_whitespaces": 1,
        "escape_whitespaces": 1,
    }
    denormalizer: dict[str, Any] = {}
    for number, value in protobuf.fields(data, name):
        if number == 1:
            pieces.append(_piece(protobuf.message(value, f"{name}: a piece"), f"{name}: piece {len(pieces)}"))
        elif number == 2:
            _update(trainer, _TRAINER, protobuf.message(value, f"{name}: trainer_spec"), name)
        elif number == 3:
            _update(normalizer, _NORMALIZER, protobuf.message(value, f"{name}: normalizer_spec"), name)
        elif number == 5:
            _update(denormalizer, _NORMALIZER, protobuf.message(value, f"{name}: denormalizer_spec"), name)
        if len(pieces) > MAX_VOCAB_SIZE:
            raise LimitError(f"{name} has more than {MAX_VOCAB_SIZE:,} pieces")
    if denormalizer.get("precompiled_charsmap"):
        raise FormatError(f"{name} has a denormalizer_spec with a character map, which is not supported")
    return Model(pieces, trainer, normalizer)


_Field = tuple[str, Callable[[protobuf.Value, str], Any]]
_PIECE: dict[int, _Field] = {
    1: ("text", protobuf.text),
    2: ("score", protobuf.single),
    3: ("kind", protobuf.integer),
}
_TRAINER: dict[int, _Field] = {
    3: ("model_type", protobuf.integer),
    24: ("treat_whitespace_as_suffix", protobuf.integer),
    35: ("byte_fallback", protobuf.integer),
    41: ("bos_id", protobuf.integer),
    42: ("eos_id", protobuf.integer),
    43: ("pad_id", protobuf.integer),
    44: ("unk_surface", protobuf.text),
}
_NORMALIZER: dict[int, _Field] = {
    2: ("precompiled_charsmap", protobuf.message),
    3: ("add_dummy_prefix", protobuf.integer),
    4: ("remove_extra_whitespaces", protobuf.integer),
    5: ("escape_whitespaces", protobuf.integer),
}


def _piece(data: bytes, name: str) -> Piece:
    found: dict[str, Any] = {"text": "", "score": 0.0, "kind": _NORMAL}
    _update(found, _PIECE, data, name)
    return Piece(**found)


def _update(found: dict[str, Any], known: dict[int, _Field], data: bytes, name: str) -> None:
    for number, value in protobuf.fields(data, name):
        if number in known:
            key, read = known[number]
            found[key] = read(value, f"{name}: {key}")


def _check(model: Model, name: str) -> None:
    kind = model.trainer["model_type"]
    if kind not in _TYPES:
        raise FormatError(
            f"{name}: models of type {kind} are not supported, only 1 (UNIGRAM), 2 (BPE), 3 (WORD), 4 (CHAR)"
        )
    if [piece.kind for piece in model.pieces].count(_UNKNOWN) != 1:
        raise FormatError(f"{name} must have exactly one piece of type UNKNOWN: it is no SentencePiece model")
    seen: set[str] = set()
    for token_id, (text, score, piece_kind) in enumerate(model.pieces):
        if not text or text in seen or not _NORMAL <= piece_kind <= _BYTE or not abs(score) < 1e20:
            raise FormatError(
                f"{name}: piece {token_id} ({text!r:.80}, score {score}, type {piece_kind}) is empty, was there "
                "before, or has a score or a type that no piece has"
            )
        seen.add(text)


def _normalizer(model: Model) -> dict[str, Any]:
    spec = model.normalizer
    return {
        "type": "SentencePiece",
        "precompiled_charsmap": base64.b64encode(spec["precompiled_charsmap"]).decode(),
        "add_dummy_prefix": bool(spec["add_dummy_prefix"]),
        "remove_extra_whitespaces": bool(spec["remove_extra_whitespaces"]),
        "escape_whitespaces": bool(spec["escape_whitespaces"]),
        "treat_whitespace_as_suffix": bool(model.trainer["treat_whitespace_as_suffix"]),
        "user_defined_symbols": [piece.text for piece in model.pieces if piece.kind == _USER_DEFINED],
    }


def _decoder(model: Model) -> dict[str, Any]:
    strips = bool(model.normalizer["remove_extra_whitespaces"])
    return {
        "type": "SentencePiece",
        "drop_first": strips or bool(model.normalizer["add_dummy_prefix"]),
        "drop_all": strips,
        "byte_fallback": bool(model.trainer["byte_fallback"]),
        "unknown": model.pieces[_ids(model, _UNKNOWN)[0]].text,
        "surface": model.trainer["unk_surface"],
    }


def _model(model: Model) -> dict[str, Any]:
    kinds = {"control": _CONTROL, "byte": _BYTE, "user_defined": _USER_DEFINED, "unused": _UNUSED}
    return {
        "type": _TYPES[model.trainer["model_type"]],
        "unk_id": _ids(model, _UNKNOWN)[0],
        "byte_fallback": bool(model.trainer["byte_fallback"]),
        "vocab": [[piece.text, piece.score] for piece in model.pieces],
        "piece_types": {key: _ids(model, kind) for key, kind in kinds.items()},
    }


def _ids(model: Model, kind: int) -> list[int]:
    return [token_id for token_id, piece in enumerate(model.pieces) if piece.kind == kind]
