"""Byte-pair encoding in plain Python, as Hugging Face's BPE model and tiktoken do it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def encode_word(word: str, model: Mapping[str, Any]) -> list[int]:
    """The ids of one word by the `model` of a tokenizer.json.

    Source: Sennrich, Haddow, Birch, Neural Machine Translation of Rare Words with Subword Units, 2016,
    arXiv:1508.07909, section 3.2; the order in which unknown characters are put down is Hugging Face's.
    """
    vocab = model["vocab"]
    if model.get("ignore_merges") and word in vocab:
        return [vocab[word]]
    prefix = model.get("continuing_subword_prefix") or ""
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    ranks = {
        (vocab[left], vocab[right]): (rank, vocab[left + right[len(prefix) :]])
        for rank, (left, right) in enumerate(pairs)
    }
    return merge_pairs(list(spell(word, model)), ranks)


def spell(word: str, model: Mapping[str, Any]) -> Iterator[int]:
    """The ids that merging starts with: of each character, of its bytes, or of the unknown token."""
    vocab, unknown = model["vocab"], model.get("unk_token")
    prefix, suffix = model.get("continuing_subword_prefix") or "", model.get("end_of_word_suffix") or ""
    waiting: list[int] = []  # The unknown token, which is put down only when the next character is.
    for i, char in enumerate(word):
        spelled = (prefix if i > 0 else "") + char + (suffix if i == len(word) - 1 else "")
        fallback = [f"<0x{byte:02X}>" for byte in spelled.encode()]
        if spelled in vocab:
            yield from [*waiting, vocab[spelled]]
            waiting = []
        elif model.get("byte_fallback") and all(token in vocab for token in fallback):
            yield from (vocab[token] for token in fallback)
        elif unknown is not None:
            yield from [] if model.get("fuse_unk") else waiting
            waiting = [vocab[unknown]]
    yield from waiting


def merge_pairs(symbols: list[int], ranks: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Merges the pair of lowest rank, of equals the leftmost, until no pair has one.

    Args:
        symbols: ids; changed in place.
        ranks: (rank, merged id) of each pair that can be merged.
    """
    while True:
        found = [(ranks[pair], i) for i, pair in enumerate(itertools.pairwise(symbols)) if pair in ranks]
        if not found:
            return symbols
        (_, result), i = min(found)
        symbols[i : i + 2] = [result]


def merge_by_ranks(word: bytes, ranks: Mapping[bytes, int], least: int = 1) -> list[bytes]:
    """The tokens of a word by ranks alone: neighbours merge where their bytes together are a token.

    Args:
        least: stop where so many tokens are left.

    Source: tiktoken's educational module; the ranks are those of a .tiktoken file.
    """
    parts = [word[i : i + 1] for i in range(len(word))]
    while True:
        joined = [ranks.get(a + b, len(ranks)) for a, b in itertools.pairwise(parts)]
        best = min(joined, default=len(ranks))
        if best == len(ranks) or len(parts) <= least:
            return parts
        i = joined.index(best)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def merges_of_ranks(tokens: Sequence[bytes]) -> list[tuple[int, int, int]]:
    """(left, right, merged) of each merge behind a list of tokens by rank, as positions in the list."""
    ranks = {token: rank for rank, token in enumerate(tokens)}
    merges = []
    for rank, token in enumerate(tokens):
        parts = merge_by_ranks(token, ranks, least=2)
        if len(parts) == 2:
            merges.append((ranks[parts[0]], ranks[parts[1]], rank))
    return merges
