"""Compiles a definition (the JSON of a tokenizer.json) to the binary specification of the native core.

The layout is described in csrc/core/text/spec.h. Every part of the definition is either understood exactly or
a `FormatError` that names it: a component that is skipped would silently give other ids.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mmcore.errors import FormatError, LimitError
from mmcore.text import byte_level

MAX_VOCAB_SIZE = 2_000_000
MAX_PIECE_BYTES = 64 * 1024
MAX_TEXT_BYTES = 16_000_000
_VERSION, _BPE, _WORDPIECE, _NO_TOKEN = 1, 0, 1, 0xFFFFFFFF


class Template(NamedTuple):
    """Ids that are put before and after each text."""

    before: list[int]
    after: list[int]


def compile_spec(
    definition: Mapping[str, Any], pad_id: int | None, max_text_bytes: int = MAX_TEXT_BYTES
) -> bytes:
    """The specification of a definition.

    Args:
        definition: parsed tokenizer.json.
        pad_id: id that fills rows; None: rows are filled with 0.
        max_text_bytes: longer texts are refused with a `LimitError`.

    Raises:
        FormatError: a component is not supported or contradicts another one.
        LimitError: the vocabulary or a piece is larger than the limits.
    """
    try:
        return _compile(definition, pad_id, max_text_bytes)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, struct.error) as error:
        raise FormatError(f"the definition is malformed ({type(error).__name__}: {error})") from error


def _compile(definition: Mapping[str, Any], pad_id: int | None, max_text_bytes: int) -> bytes:
    expect_absent(definition, "truncation", "padding")
    model = definition["model"]
    kind = model_kind(model)
    vocab = all_tokens(definition)
    size = max(vocab.values(), default=-1) + 1
    to_bytes = _bpe_bytes if kind == "BPE" else _utf8
    tokens = [b""] * size
    for token, token_id in vocab.items():
        tokens[token_id] = to_bytes(token)
    body = _bpe(definition, model, size) if kind == "BPE" else _wordpiece(definition, model)
    template = post_processor(definition.get("post_processor"), vocab)
    return b"".join(
        [
            b"MMTOK\0\0\0",
            struct.pack(
                "<IIQI",
                _VERSION,
                _BPE if kind == "BPE" else _WORDPIECE,
                max_text_bytes,
                _NO_TOKEN if pad_id is None else pad_id,
            ),
            _strings(tokens),
            _added_tokens(definition),
            _ids(template.before),
            _ids(template.after),
            body,
        ]
    )


def model_kind(model: Mapping[str, Any]) -> str:
    """ "BPE" or "WordPiece"; older files do not say it, but only BPE has merges."""
    kind = model.get("type") or (
        "BPE" if "merges" in model else "WordPiece" if "max_input_chars_per_word" in model else None
    )
    if kind not in ("BPE", "WordPiece"):
        raise FormatError(f"model type {kind!r} is not supported; supported are 'BPE' and 'WordPiece'")
    return kind


def all_tokens(definition: Mapping[str, Any]) -> dict[str, int]:
    """Every token of the model's vocabulary and of the added tokens, with its id, all checked."""
    vocab = definition["model"].get("vocab")
    if not isinstance(vocab, dict) or not vocab:
        raise FormatError(f"model.vocab must be a mapping from tokens to ids, found {type(vocab).__name__}")
    if len(vocab) > MAX_VOCAB_SIZE:
        raise LimitError(f"the vocabulary has {len(vocab):,} entries, the limit is {MAX_VOCAB_SIZE:,}")
    merged = dict(vocab)
    for added in definition.get("added_tokens") or []:
        content, token_id = added.get("content"), added.get("id")
        if not isinstance(content, str):
            raise FormatError(f"an added token has no text: {added!r}")
        if merged.setdefault(content, token_id) != token_id:
            raise FormatError(f"added token {content!r} has id {token_id}, elsewhere {merged[content]}")
    seen: dict[int, str] = {}
    for token, token_id in merged.items():
        if type(token_id) is not int or not 0 <= token_id < MAX_VOCAB_SIZE:
            raise FormatError(f"token {token[:80]!r} has id {token_id!r}, not one below {MAX_VOCAB_SIZE:,}")
        if seen.setdefault(token_id, token) != token:
            raise FormatError(f"id {token_id} has two tokens, {seen[token_id][:80]!r} and {token[:80]!r}")
        if len(token) > MAX_PIECE_BYTES // 4 and len(token.encode("utf-8", "replace")) > MAX_PIECE_BYTES:
            raise LimitError(f"a token has {len(token):,} characters, the limit is {MAX_PIECE_BYTES:,} bytes")
    return merged


def post_processor(part: Any, vocab: Mapping[str, int]) -> Template:
    """What a post-processor adds to a single text."""
    if part is None:
        return Template([], [])
    kind = part.get("type")
    if kind == "ByteLevel":  # Changes Hugging Face's offsets, no ids.
        return Template([], [])
    if kind in ("RobertaProcessing", "BertProcessing"):
        return Template([_known(part["cls"], vocab)], [_known(part["sep"], vocab)])
    if kind == "TemplateProcessing":
        return _template(part, vocab)
    raise FormatError(
        f"post_processor {kind!r} is not supported; supported are ByteLevel, "
        "RobertaProcessing, BertProcessing and TemplateProcessing"
    )


def _known(pair: Any, vocab: Mapping[str, int]) -> int:
    token, token_id = pair
    if vocab.get(token) != token_id:
        raise FormatError(f"post_processor says {token!r} is {token_id}, the vocabulary {vocab.get(token)}")
    return token_id


def _template(part: Mapping[str, Any], vocab: Mapping[str, int]) -> Template:
    before: list[int] = []
    after: list[int] = []
    sequences = 0
    for piece in part["single"]:
        if "Sequence" in piece:
            sequences += 1
            continue
        ids = part["special_tokens"][piece["SpecialToken"]["id"]]["ids"]
        if any(token_id not in vocab.values() for token_id in ids):
            raise FormatError(f"post_processor adds ids {ids}, which are not in the vocabulary")
        (after if sequences else before).extend(ids)
    if sequences != 1:
        raise FormatError(f"post_processor's template for one text holds it {sequences} times, expected once")
    return Template(before, after)


def _bpe(definition: Mapping[str, Any], model: Mapping[str, Any], size: int) -> bytes:
    expect_absent(definition, "normalizer")
    expect_absent(
        model,
        "dropout",
        "continuing_subword_prefix",
        "end_of_word_suffix",
        "byte_fallback",
        "ignore_merges",
        where="model.",
    )
    pre_tokenizer = _component(definition, "pre_tokenizer", "ByteLevel")
    if pre_tokenizer.get("use_regex", True) is not True:
        raise FormatError("pre_tokenizer ByteLevel with use_regex=false is not supported")
    _component(definition, "decoder", "ByteLevel")
    vocab = model["vocab"]
    missing = [byte for byte, char in enumerate(byte_level.CHARS) if char not in vocab]
    if missing:
        raise FormatError(
            f"a byte-level vocabulary needs all 256 bytes, {len(missing)} are missing, "
            f"the first one is {missing[0]} ({byte_level.CHARS[missing[0]]!r})"
        )
    byte_ids = [vocab[char] for char in byte_level.CHARS]
    merges = np.array(list(_merge_ids(model.get("merges") or [], vocab)), "<u4").reshape(-1, 3)
    flags = int(pre_tokenizer.get("add_prefix_space", True) is True)
    return b"".join(
        [
            struct.pack("<I", flags),
            np.array(byte_ids, "<u4").tobytes(),
            struct.pack("<I", len(merges)),
            merges.tobytes(),
        ]
    )


def _merge_ids(merges: list[Any], vocab: Mapping[str, int]) -> Iterable[tuple[int, int, int]]:
    for rank, merge in enumerate(merges):
        left, _, right = merge.partition(" ") if isinstance(merge, str) else (merge[0], " ", merge[1])
        try:
            yield vocab[left], vocab[right], vocab[left + right]
        except KeyError as error:
            raise FormatError(
                f"merge {rank} ({left!r} + {right!r}) needs the token {error.args[0]!r}, "
                "which is not in the vocabulary"
            ) from None


def _wordpiece(definition: Mapping[str, Any], model: Mapping[str, Any]) -> bytes:
    _component(definition, "pre_tokenizer", "BertPreTokenizer")
    decoder = _component(definition, "decoder", "WordPiece")
    prefix, vocab = model.get("continuing_subword_prefix", "##"), model["vocab"]
    if decoder.get("prefix", "##") != prefix:
        raise FormatError(f"decoder prefix {decoder.get('prefix')!r} differs from the model's {prefix!r}")
    unknown = model.get("unk_token", "[UNK]")
    if unknown not in vocab:
        raise FormatError(f"the unknown token {unknown!r} is not in the vocabulary")
    flags = _flags(*bert_normalizer(definition), decoder.get("cleanup", True))
    suffixes = [(token[len(prefix) :], vocab[token]) for token in vocab if token.startswith(prefix)]
    return b"".join(
        [
            struct.pack("<III", flags, model.get("max_input_chars_per_word", 100), vocab[unknown]),
            _string(prefix.encode()),
            _pieces(vocab.items()),
            _pieces(suffixes),
        ]
    )


def bert_normalizer(definition: Mapping[str, Any]) -> tuple[bool, bool, bool, bool]:
    """(clean_text, handle_chinese_chars, strip_accents, lowercase)"""
    if definition.get("normalizer") is None:
        return False, False, False, False
    part = _component(definition, "normalizer", "BertNormalizer")
    lowercase = part.get("lowercase", True)
    strip = part.get("strip_accents")
    return (
        part.get("clean_text", True),
        part.get("handle_chinese_chars", True),
        lowercase if strip is None else strip,
        lowercase,
    )


def _component(definition: Mapping[str, Any], name: str, wanted: str) -> Mapping[str, Any]:
    part = definition.get(name)
    kind = part.get("type") if isinstance(part, dict) else None
    if part is None or kind != wanted:
        raise FormatError(f"{name} {kind!r} is not supported for this model; supported is {wanted!r}")
    return part


def expect_absent(part: Mapping[str, Any], *names: str, where: str = "") -> None:
    """Refuses settings that would change the ids and are not supported.

    Raises:
        FormatError: one of them is set.
    """
    for name in names:
        if part.get(name):
            raise FormatError(f"{where}{name} is not supported, found {str(part[name])[:200]}")


def _added_tokens(definition: Mapping[str, Any]) -> bytes:
    items = []
    for added in definition.get("added_tokens") or []:
        content = added["content"]
        if not content:
            continue
        late = bool(added.get("normalized", False))
        if late and definition.get("normalizer") is not None:
            raise FormatError(f"added token {content!r}: normalized=true with a normalizer is not supported")
        flags = _flags(*map(added.get, ("special", "single_word", "lstrip", "rstrip")), late)
        items.append(struct.pack("<II", added["id"], flags) + _string(_utf8(content)))
    return struct.pack("<I", len(items)) + b"".join(items)


def _bpe_bytes(token: str) -> bytes:
    data = byte_level.to_bytes(token)
    return _utf8(token) if data is None else data


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # JSON can spell lone surrogates.


def _flags(*switches: Any) -> int:
    return sum(1 << bit for bit, on in enumerate(switches) if on)


def _string(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def _strings(items: list[bytes]) -> bytes:
    return struct.pack("<I", len(items)) + b"".join(map(_string, items))


def _ids(ids: list[int]) -> bytes:
    return struct.pack(f"<I{len(ids)}I", len(ids), *ids)


def _pieces(pieces: Iterable[tuple[str, int]]) -> bytes:
    items = [_string(_utf8(text)) + struct.pack("<I", token_id) for text, token_id in pieces]
    return struct.pack("<I", len(items)) + b"".join(items)
