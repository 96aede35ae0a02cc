"""Reader of .tiktoken files: byte-level tokens with their ranks, and nothing else."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from mmcore._load import native
from mmcore.errors import FormatError, LimitError
from mmcore.text import byte_level, patterns
from mmcore.text.definition import added_token, byte_level_definition
from mmcore.text.spec import MAX_VOCAB_SIZE

NAMED_PATTERNS: dict[str, str] = {"gpt2": "gpt2", "cl100k": "cl100k_tiktoken", "o200k": "o200k"}
"""What `pattern=` may name, and the pattern that it is."""


def from_ranks(
    data: bytes, name: str, pattern: str | None, special_tokens: Mapping[str, int] | None
) -> dict[str, Any]:
    """The definition of the tokenizer that tiktoken makes of a file of ranks.

    Saved as a tokenizer.json it gives the same ids in Hugging Face tokenizers: merges are derived from the
    ranks, and a word that is a token is that token (`ignore_merges`).

    Args:
        data: content of the file: on each line a token in base64 and its rank, which is its id.
        name: of the file, for errors.
        pattern: how texts are cut into words: "gpt2" (GPT-2 and Whisper), "cl100k" (GPT-4), "o200k" (GPT-4o),
            or the regular expression itself as tiktoken spells it, where it is one of the known ones.
        special_tokens: text and id of each special token; None: there are none.

    Raises:
        FormatError: the file is malformed, a byte has no token, or the regular expression is not known.
        LimitError: the file has too many tokens.
        ValueError: `pattern` is missing, or an id of a special token is taken.

    Source: tiktoken, `load.py` for the format and `_educational.py` for the order of merges.
    """
    cut = _pre_tokenizer(name, pattern)
    ranks = read_ranks(data, name)
    ordered = sorted(ranks, key=ranks.__getitem__)
    try:
        merges = native().merges_of_ranks(ordered)
    except ValueError as error:
        raise FormatError(f"{name}: {error}") from None
    spelled = [byte_level.to_token(token) for token in ordered]
    vocab = {token: ranks[data] for token, data in zip(spelled, ordered, strict=True)}
    definition = byte_level_definition(
        vocab,
        [[spelled[left], spelled[right]] for left, right, _ in merges],
        _added_tokens(name, vocab, special_tokens or {}),
        None,
    )
    definition["pre_tokenizer"] = cut
    definition["model"]["ignore_merges"] = True
    return definition


def read_ranks(data: bytes, name: str) -> dict[bytes, int]:
    """Tokens and their ranks.

    Raises:
        FormatError: a line is not base64 and a number, or a token or a rank is there twice.
        LimitError: there are too many lines.
    """
    if data.count(b"\n") > MAX_VOCAB_SIZE:
        raise LimitError(f"{name} has more than {MAX_VOCAB_SIZE:,} lines")
    ranks: dict[bytes, int] = {}
    taken: set[int] = set()
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            encoded, written = line.split()
            # "=" is the empty token, which Whisper's file has so that its last rank is taken.
            token = b"" if encoded == b"=" else base64.b64decode(encoded, validate=True)
            rank = int(written)
        except (ValueError, binascii.Error):
            raise FormatError(
                f"{name}, line {number}: expected a token in base64 and its rank, found {line[:80]!r}"
            ) from None
        if not 0 <= rank < MAX_VOCAB_SIZE:
            raise FormatError(f"{name}, line {number}: the rank {rank} is not one below {MAX_VOCAB_SIZE:,}")
        if token in ranks or rank in taken:
            what = f"token {token[:80]!r}" if token in ranks else f"rank {rank}"
            raise FormatError(f"{name}, line {number}: the {what} was there before")
        ranks[token] = rank
        taken.add(rank)
    return ranks


def _pre_tokenizer(name: str, pattern: str | None) -> dict[str, Any]:
    if pattern is None or not isinstance(pattern, str):
        raise ValueError(
            f"{name} does not say how texts are cut into words: pass pattern= one of {[*NAMED_PATTERNS]}, "
            "or the regular expression that tiktoken has for it"
        )
    known = NAMED_PATTERNS.get(pattern) or patterns.NAMES[patterns.pattern_number(pattern, tiktoken=True)]
    byte_level_step = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    if known == "gpt2":
        return byte_level_step
    split = {
        "type": "Split",
        "pattern": {"Regex": patterns.EXPRESSIONS[known][0]},
        "behavior": "Isolated",
        "invert": False,
    }
    return {"type": "Sequence", "pretokenizers": [split, {**byte_level_step, "use_regex": False}]}


def _added_tokens(
    name: str, vocab: Mapping[str, int], special_tokens: Mapping[str, int]
) -> list[dict[str, Any]]:
    if not isinstance(special_tokens, Mapping) or not all(
        isinstance(token, str) and token and type(token_id) is int
        for token, token_id in special_tokens.items()
    ):
        raise ValueError(
            'special_tokens must map texts to ids, such as {"<|endoftext|>": 50256}, '
            f"got {special_tokens!r:.200}"
        )
    taken = {token_id: token for token, token_id in vocab.items()}
    for token, token_id in special_tokens.items():
        if taken.setdefault(token_id, token) != token or vocab.get(token, token_id) != token_id:
            raise ValueError(
                f"special_tokens: {token!r} has the id {token_id}, which is that of {taken[token_id]!r} in {name}; "
                "give each special token an id that no rank and no other special token has"
            )
    ordered = sorted(special_tokens.items(), key=lambda item: item[1])
    return [added_token(token, token_id) for token, token_id in ordered]
