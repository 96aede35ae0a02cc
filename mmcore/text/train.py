"""Trains a byte-level BPE vocabulary in the native core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mmcore._load import native
from mmcore.text import byte_level, load

_FEED_CHARACTERS = 8_000_000  # Texts are handed over in groups of about this size: memory stays flat.


def train_byte_level_bpe(
    texts: Iterable[str | bytes],
    vocab_size: int,
    special_tokens: Sequence[str],
    min_frequency: int = 0,
    threads: int | None = None,
) -> dict[str, Any]:
    """The definition of a byte-level BPE tokenizer learnt from texts.

    Special tokens take the first ids, then come the 256 bytes, then merged tokens in the order of their
    merges. If special tokens have the usual names of a begin and an end (`<s>` and `</s>`, ...), they are put
    around each text.

    Raises:
        ValueError: `vocab_size` has no room for the bytes and the special tokens, or one of these is
            repeated or empty.
        TypeError: `texts` is a single text, or holds something else than str and bytes.
    """
    if isinstance(texts, str | bytes):
        raise TypeError("texts must be an iterable of texts, got one text: pass [text] or an open file")
    if len(set(special_tokens)) != len(special_tokens) or not all(special_tokens):
        raise ValueError(f"special_tokens must be distinct and not empty, got {list(special_tokens)}")
    trainer = native().BpeTrainer()
    for group in _groups(texts):
        trainer.feed(group, threads or 0)
    reserved = [byte_level.to_bytes(token) or b"" for token in special_tokens]
    tokens, merges = trainer.train(vocab_size, min_frequency, reserved, byte_level.BYTE_ORDER)
    names = [*special_tokens, *map(byte_level.to_token, tokens[len(special_tokens) :])]
    vocab = {name: token_id for token_id, name in enumerate(names)}
    added = [load.added_token(token, vocab[token]) for token in special_tokens]
    definition = load.byte_level_definition(vocab, [f"{names[a]} {names[b]}" for a, b in merges], added, None)
    roles = load.find_roles(definition, {})
    if roles.bos is not None and roles.eos is not None and roles.bos != roles.eos:
        definition["post_processor"] = load.wrap_template(names[roles.bos], names[roles.eos], vocab)
    return definition


def _groups(texts: Iterable[str | bytes]) -> Iterator[list[str | bytes]]:
    group: list[str | bytes] = []
    size = 0
    for text in texts:
        if not isinstance(text, str | bytes):
            raise TypeError(f"a text must be str or bytes, got {type(text).__name__}")
        group.append(text)
        size += len(text)
        if size >= _FEED_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group
