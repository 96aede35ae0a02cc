"""Tokenizer: strings to ids and back, for one text or a batch, over the native core."""

from __future__ import annotations

import functools
import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from mmcore._load import native
from mmcore.text import load as _load
from mmcore.text.spec import MAX_TEXT_BYTES, all_tokens, compile_spec
from mmcore.text.train import train_byte_level_bpe

Text = str | bytes
Special = Literal["parse", "text", "error"]


class TextBatch(NamedTuple):
    """A batch as rows of one length.

    Shapes:
        ids: int32 [B, T]; what a row does not fill holds the pad id, or 0 where the tokenizer has none.
        mask: bool [B, T], True where there is a token.
    """

    ids: np.ndarray
    mask: np.ndarray


class RaggedText(NamedTuple):
    """A batch as one long array: row i is `values[row_splits[i]:row_splits[i + 1]]`.

    Shapes:
        values: int32 [N]
        row_splits: int64 [B + 1]
    """

    values: np.ndarray
    row_splits: np.ndarray


class Tokenizer:
    """Byte-level BPE (GPT-2, RoBERTa) or WordPiece (BERT), id for id what Hugging Face tokenizers gives.

    Immutable, picklable, and safe to use from any number of threads. Made by `load` or `train`.

    Texts are str or bytes (UTF-8). Each maximal invalid part of bytes is read as U+FFFD, as Python's
    `errors="replace"` does. In a str, a pair of surrogates is the character that it stands for, and a lone
    surrogate is read as U+FFFD.

    Special tokens that are written in a text follow `special`: "parse" makes them their ids, "text" encodes
    their letters, "error" refuses the text (use it for text that nobody vouches for).

    Example:
        >>> tok = Tokenizer.train(["low lower lowest", "new newer newest"] * 9, vocab_size=270)
        >>> tok.decode(tok.encode("lower"))
        'lower'
        >>> tok(["low", "newest low"], max_length=6).mask.sum(axis=1).tolist()
        [3, 6]
    """

    def __init__(
        self,
        definition: Mapping[str, Any] | str,
        *,
        roles: _load.Roles | None = None,
        max_text_bytes: int = MAX_TEXT_BYTES,
        spec: bytes | None = None,
    ):
        """Makes a tokenizer from the content of a tokenizer.json; prefer `load` and `train`.

        Args:
            definition: the content, as text or parsed.
            roles: pad, begin and end ids; None: found by the usual names.
            max_text_bytes: longer texts are refused with `LimitError`.
            spec: what the definition compiles to, where that is known already.
        """
        is_text = isinstance(definition, str)
        self._definition = str(definition) if is_text else json.dumps(definition, ensure_ascii=False)
        self._max_text_bytes = max_text_bytes
        if roles is None or spec is None:
            parsed = json.loads(definition) if isinstance(definition, str) else definition
            roles = roles or _load.find_roles(parsed, {})
            spec = compile_spec(parsed, roles.pad, max_text_bytes)
        self._roles, self._spec = roles, spec
        self._native = native().Tokenizer(spec)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        lowercase: bool | None = None,
        kind: str | None = None,
        max_text_bytes: int = MAX_TEXT_BYTES,
    ) -> Tokenizer:
        """Reads a tokenizer: a folder, a tokenizer.json, a vocab.txt, or a vocab.json beside its merges.txt.

        Args:
            lowercase: for a vocab.txt, which does not say it: True for uncased models.
            kind: for vocab.json + merges.txt where their tokens leave it open: "gpt2" adds nothing around a
                text, "roberta" adds `<s>` and `</s>`.
            max_text_bytes: longer texts are refused.

        Raises:
            FileNotFoundError: there is no such file.
            FormatError: the file is malformed or uses a component that is not supported, which it names.
            LimitError: more than 2 million tokens, or one of more than 64 kB.
            ValueError: `lowercase` or `kind` is needed, or does not apply.
        """
        source = _load.load(Path(path), lowercase=lowercase, kind=kind)
        return cls(source.definition, roles=source.roles, max_text_bytes=max_text_bytes)

    @classmethod
    def train(
        cls,
        texts: Iterable[Text],
        *,
        vocab_size: int = 8192,
        special_tokens: Sequence[str] = ("<pad>", "<s>", "</s>"),
        min_frequency: int = 0,
        threads: int | None = None,
    ) -> Tokenizer:
        """Learns a byte-level BPE vocabulary, the same as Hugging Face's BpeTrainer does.

        Args:
            texts: any iterable; read once.
            vocab_size: at most this many tokens, special ones and the 256 bytes included.
            special_tokens: take the first ids. By their usual names they become pad, begin and end; begin and
                end are put around each text.
            min_frequency: pairs seen fewer times are not merged.
            threads: None: the process-wide pool.

        Raises:
            ValueError: `vocab_size` is too small, or special tokens repeat.
            TypeError: `texts` is one text.
        """
        return cls(train_byte_level_bpe(texts, vocab_size, special_tokens, min_frequency, threads))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a tokenizer.json (into `path`, where that is a folder) and returns its path.

        Hugging Face tokenizers reads it and gives the same ids. Written whole or not at all.
        """
        target = Path(path)
        target = target / "tokenizer.json" if target.is_dir() else target
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        try:
            with open(temporary, "x", encoding="utf-8", newline="\n") as file:
                file.write(self._definition)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return target

    def encode(self, text: Text, *, add_special: bool = True, special: Special = "parse") -> list[int]:
        """The ids of one text.

        Raises:
            ValueError: special="error" and the text contains a special token.
            LimitError: the text is longer than max_text_bytes.
        """
        return self._native.encode(text, add_special, special)

    def decode(self, ids: Sequence[int] | np.ndarray, *, skip_special: bool = True) -> str:
        """The text of ids; bytes that are not UTF-8 become U+FFFD.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        array = np.asarray(ids)
        if array.size == 0:
            return ""
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise ValueError(f"ids must be a list of integers, got {array.dtype} of shape {array.shape}")
        outside = (array < 0) | (array >= self.vocab_size)
        if outside.any():
            raise ValueError(f"the id {array[outside][0]} is not in the vocabulary of {self.vocab_size}")
        return self._native.decode(array.tolist(), skip_special)

    def __call__(
        self,
        texts: Sequence[Text],
        *,
        max_length: int | None = None,
        pad: bool = True,
        truncate: bool = True,
        add_special: bool = True,
        special: Special = "parse",
        threads: int | None = None,
    ) -> TextBatch:
        """Encodes a batch into one padded array.

        Args:
            max_length: ids a row, special ones included; None: no limit.
            pad: True makes rows of `max_length` (without one: of the longest text); False always makes rows
                of the longest text.
            truncate: cut longer texts, keeping the special token at the end; False: they are an error.
            threads: None: the process-wide pool; 1: the calling thread.

        Raises:
            ValueError: `max_length` has no room for the special tokens; a text is too long and
                truncate=False; a text contains a special token and special="error".
            LimitError: a text is longer than max_text_bytes.
            TypeError: an item is neither str nor bytes.
        """
        ids, mask = self._native.batch(
            texts, _length(max_length), pad, truncate, add_special, special, _threads(threads)
        )
        return TextBatch(ids, mask)

    def ragged(
        self,
        texts: Sequence[Text],
        *,
        max_length: int | None = None,
        truncate: bool = True,
        add_special: bool = True,
        special: Special = "parse",
        threads: int | None = None,
    ) -> RaggedText:
        """Encodes a batch without padding; arguments and errors as in calling the tokenizer."""
        values, row_splits = self._native.ragged(
            texts, _length(max_length), truncate, add_special, special, _threads(threads)
        )
        return RaggedText(values, row_splits)

    def offsets(self, text: Text, *, add_special: bool = True, special: Special = "parse") -> np.ndarray:
        """Where each id of `encode` comes from: int64 [T, 2], begin and end in the bytes of the text (UTF-8).

        Ids that are put around the text have (0, 0). For byte-level BPE the parts of the text follow each
        other without gaps and may cut a character.
        """
        return self._native.offsets(text, add_special, special)

    @property
    def vocab_size(self) -> int:
        """One more than the highest id, added tokens included."""
        return self._native.vocab_size

    @property
    def num_special(self) -> int:
        """How many ids are put around each text."""
        return self._native.num_special

    @property
    def pad_id(self) -> int | None:
        """Id that fills rows; None where the tokenizer has none (rows are filled with 0)."""
        return self._roles.pad

    @property
    def bos_id(self) -> int | None:
        """Id of the token that begins a text."""
        return self._roles.bos

    @property
    def eos_id(self) -> int | None:
        """Id of the token that ends a text."""
        return self._roles.eos

    @property
    def definition(self) -> str:
        """The content of the tokenizer.json that `save` writes."""
        return self._definition

    @property
    def spec(self) -> bytes:
        """The binary specification of the native core: what a graph op carries."""
        return self._spec

    def token(self, token_id: int) -> str | None:
        """The vocabulary's spelling of an id, None for a gap in the vocabulary.

        Raises:
            ValueError: the id is not in the vocabulary.
        """
        if not 0 <= token_id < self.vocab_size:
            raise ValueError(f"the id {token_id} is not in the vocabulary of {self.vocab_size}")
        return self._tokens[token_id]

    def id(self, token: str) -> int | None:
        """The id of a token in the vocabulary's spelling, None where there is none."""
        return self._vocab.get(token)

    @functools.cached_property
    def _vocab(self) -> dict[str, int]:
        return all_tokens(json.loads(self._definition))

    @functools.cached_property
    def _tokens(self) -> list[str | None]:
        tokens: list[str | None] = [None] * self.vocab_size
        for token, token_id in self._vocab.items():
            tokens[token_id] = token
        return tokens

    def __reduce__(self):
        return _restore, (self._definition, self._roles, self._max_text_bytes, self._spec)

    def __repr__(self) -> str:
        return f"Tokenizer(vocab_size={self.vocab_size})"


def _restore(definition: str, roles: _load.Roles, max_text_bytes: int, spec: bytes) -> Tokenizer:
    return Tokenizer(definition, roles=roles, max_text_bytes=max_text_bytes, spec=spec)


def _length(max_length: int | None) -> int:
    if max_length is None:
        return 0
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1 or None, got {max_length}")
    return max_length


def _threads(threads: int | None) -> int:
    if threads is None:
        return 0
    if threads < 1:
        raise ValueError(f"threads must be at least 1 or None, got {threads}")
    return threads
