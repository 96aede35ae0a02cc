"""The tokenizers in plain Python: what the native core must compute, for tests and for readers.

Only the table of code points is shared with the core (`native().code_point`, itself tested against Hugging
Face); the algorithms are written for clarity and are thousands of times slower.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmcore._load import native
from mmcore.text import byte_level, spec

LETTER, NUMBER, SPACE, REMOVED, MARK, PUNCTUATION, IDEOGRAPH = (1 << bit for bit in range(7))
_CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


def flags(char: str) -> int:
    """The properties of a character as bits, see csrc/core/base/unicode_tables.h."""
    return native().code_point(ord(char))[0]


def gpt2_words(text: str) -> Iterator[str]:
    r"""The text cut by `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`."""
    classes = [flags(char) & (LETTER | NUMBER | SPACE) for char in text]
    at = 0
    while at < len(text):
        end = _gpt2_word_end(text, classes, at)
        yield text[at:end]
        at = end


def _gpt2_word_end(text: str, classes: Sequence[int], at: int) -> int:
    for contraction in _CONTRACTIONS:
        if text.startswith(contraction, at):
            return at + len(contraction)
    first = at + 1 if text[at] == " " and at + 1 < len(text) and classes[at + 1] != SPACE else at
    end = first
    while end < len(text) and classes[end] == classes[first]:
        end += 1
    spaces_before_more = classes[first] == SPACE and end < len(text) and end - at > 1
    return end - 1 if spaces_before_more else end


def merge(
    word: bytes, ids: Mapping[bytes, int], ranks: Mapping[tuple[int, int], tuple[int, int]]
) -> list[int]:
    """Merges the pair of lowest rank, of equals the leftmost, until no pair has one.

    Source: Sennrich, Haddow, Birch, Neural Machine Translation of Rare Words with Subword Units, 2016,
    arXiv:1508.07909, section 3.2.
    """
    symbols = [ids[word[i : i + 1]] for i in range(len(word))]
    while True:
        found = [(ranks[pair], i) for i, pair in enumerate(itertools.pairwise(symbols)) if pair in ranks]
        if not found:
            return symbols
        (_, result), i = min(found)
        symbols[i : i + 2] = [result]


def bert_words(text: str, clean: bool, ideographs: bool, strip: bool, lowercase: bool) -> list[str]:
    """BertNormalizer, then BertPreTokenizer.

    Source: Devlin et al., BERT, 2018, arXiv:1810.04805, and the tokenization.py of its code.
    """
    if clean:
        text = "".join(
            " " if char in "\t\n\r" or flags(char) & SPACE else char
            for char in text
            if char in "\t\n\r" or not flags(char) & REMOVED
        )
    if ideographs:
        text = "".join(f" {char} " if flags(char) & IDEOGRAPH else char for char in text)
    if strip:
        text = "".join(char for char in nfd(text) if not flags(char) & MARK)
    if lowercase:
        text = "".join(_mapped(char, 2) for char in text)
    spaced = "".join(
        f" {char} " if flags(char) & PUNCTUATION else " " if flags(char) & SPACE else char for char in text
    )
    return [word for word in spaced.split(" ") if word]


def nfd(text: str) -> str:
    """Canonical decomposition; marks sorted by combining class, equal ones in their order."""
    decomposed = [part for char in text for part in _mapped(char, 1)]
    out: list[str] = []
    waiting: list[str] = []
    for char in [*decomposed, ""]:
        if char and native().code_point(ord(char))[3]:
            waiting.append(char)
            continue
        out += sorted(waiting, key=lambda mark: native().code_point(ord(mark))[3])
        out.append(char)
        waiting = []
    return "".join(out)


def _mapped(char: str, table: int) -> str:
    mapped = native().code_point(ord(char))[table]
    return "".join(map(chr, mapped)) if mapped else char


def word_pieces(word: str, vocab: Mapping[str, int], unknown: int, prefix: str, max_chars: int) -> list[int]:
    """The longest piece first, from the left; a word that cannot be cut so is unknown."""
    ids: list[int] = []
    at = 0
    while at < len(word) <= max_chars:
        for end in range(len(word), at, -1):
            piece = (prefix if at else "") + word[at:end]
            if piece in vocab:
                ids.append(vocab[piece])
                at = end
                break
        else:
            return [unknown]
    return ids if len(word) <= max_chars else [unknown]


class ReferenceTokenizer:
    """Encodes like `Tokenizer` made from the same definition (without `single_word`, `lstrip`, `rstrip`)."""

    def __init__(self, definition: Mapping[str, Any]):
        self.definition, self.model = definition, definition["model"]
        self.vocab = self.model["vocab"]
        self.added = {token["content"]: token["id"] for token in definition.get("added_tokens") or []}
        self.template = spec.post_processor(definition.get("post_processor"), spec.all_tokens(definition))
        self.is_bpe = spec.model_kind(self.model) == "BPE"
        if self.is_bpe:
            self.byte_ids = {bytes([byte]): self.vocab[char] for byte, char in enumerate(byte_level.CHARS)}
            merges = [pair.split(" ") if isinstance(pair, str) else pair for pair in self.model["merges"]]
            self.ranks = {
                (self.vocab[a], self.vocab[b]): (rank, self.vocab[a + b])
                for rank, (a, b) in enumerate(merges)
            }

    def encode(self, text: str, add_special: bool = True) -> list[int]:
        """The ids of a text, special tokens in it parsed."""
        ids = [token_id for piece in self._split_added(text) for token_id in self._encode_piece(piece)]
        return [*self.template.before, *ids, *self.template.after] if add_special else ids

    def _split_added(self, text: str) -> Iterator[str]:
        start = at = 0
        while at < len(text):
            matches = [token for token in self.added if text.startswith(token, at)]
            if not matches:
                at += 1
                continue
            yield text[start:at]
            yield max(matches, key=len)
            start = at = at + len(max(matches, key=len))
        yield text[start:]

    def _encode_piece(self, piece: str) -> Iterator[int]:
        if piece in self.added:
            yield self.added[piece]
        elif self.is_bpe:
            for word in gpt2_words(piece):
                yield from merge(word.encode(), self.byte_ids, self.ranks)
        else:
            unknown = self.vocab[self.model["unk_token"]]
            for word in bert_words(piece, *spec.bert_options(self.definition.get("normalizer"))):
                yield from word_pieces(
                    word,
                    self.vocab,
                    unknown,
                    self.model["continuing_subword_prefix"],
                    self.model["max_input_chars_per_word"],
                )
