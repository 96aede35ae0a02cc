"""The tokens of a definition with their ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmcore.errors import FormatError, LimitError

MAX_VOCAB_SIZE = 2_000_000
MAX_PIECE_BYTES = 64 * 1024


def model_tokens(model: Mapping[str, Any]) -> dict[str, int]:
    """The tokens of the model itself: a mapping, or (Unigram) a list of tokens with their scores."""
    vocab = model.get("vocab")
    if isinstance(vocab, list) and vocab and all(isinstance(item, list) and len(item) == 2 for item in vocab):
        return {token: token_id for token_id, (token, _) in enumerate(vocab)}
    if not isinstance(vocab, dict) or not vocab:
        found = "an empty one" if vocab == {} else type(vocab).__name__
        raise FormatError(f"model.vocab must be a mapping from tokens to ids, found {found}")
    return dict(vocab)


def all_tokens(definition: Mapping[str, Any]) -> dict[str, int]:
    """Every token of the model's vocabulary and of the added tokens, with its id, all checked.

    Raises:
        FormatError: an id is missing, out of range or given twice.
        LimitError: there are too many tokens, or one is too long.
    """
    vocab = definition["model"].get("vocab")
    if isinstance(vocab, (dict, list)) and len(vocab) > MAX_VOCAB_SIZE:
        raise LimitError(f"the vocabulary has {len(vocab):,} entries, the limit is {MAX_VOCAB_SIZE:,}")
    merged = model_tokens(definition["model"])
    for added in definition.get("added_tokens") or []:
        content, token_id = added.get("content"), added.get("id")
        if not isinstance(content, str):
            raise FormatError(f"an added token has no text: {added!r}")
        if merged.setdefault(content, token_id) != token_id:
            raise FormatError(f"added token {content!r} has id {token_id}, elsewhere {merged[content]}")
    seen: dict[int, str] = {}
    for token, token_id in merged.items():
        if not isinstance(token, str):
            raise FormatError(f"model.vocab must hold strings, found {token!r}")
        if type(token_id) is not int or not 0 <= token_id < MAX_VOCAB_SIZE:
            raise FormatError(f"token {token[:80]!r} has id {token_id!r}, not one below {MAX_VOCAB_SIZE:,}")
        if seen.setdefault(token_id, token) != token:
            raise FormatError(f"id {token_id} has two tokens, {seen[token_id][:80]!r} and {token[:80]!r}")
        if len(token) > MAX_PIECE_BYTES // 4 and len(token.encode("utf-8", "replace")) > MAX_PIECE_BYTES:
            raise LimitError(f"a token has {len(token):,} characters, the limit is {MAX_PIECE_BYTES:,} bytes")
    return merged
