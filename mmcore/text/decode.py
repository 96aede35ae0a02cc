"""Ids to texts: one, a batch, or id by id as a model generates them."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from mmcore.text.checks import count, flag
from mmcore.text.decode_rows import decode_rows, integers
from mmcore.text.stream import DecodeStream
from mmcore.text.vocabulary import Vocabulary


class Decoding(Vocabulary):
    """The part of a `Tokenizer` that decodes."""

    def decode(self, ids: Sequence[int] | np.ndarray, *, skip_special: bool = True) -> str:
        """The text of ids; bytes that are not UTF-8 become U+FFFD.

        Raises:
            ValueError: an id is not in the vocabulary.
        """
        array = integers(ids, "ids", "[T]")
        if array.size == 0:
            return ""
        outside = (array < 0) | (array >= self.vocab_size)
        if outside.any():
            raise ValueError(f"the id {array[outside][0]} is not in the vocabulary of {self.vocab_size}")
        return self._native.decode(array.tolist(), flag(skip_special, "skip_special"))

    def decode_stream(self, *, skip_special: bool = True) -> DecodeStream:
        """Decodes ids one at a time, as a model generates them.

        Example:
            >>> from mmcore.text import Tokenizer
            >>> tok = Tokenizer.train(["caf\u00e9"], vocab_size=259)
            >>> stream = tok.decode_stream()
            >>> [stream.push(i) for i in tok.encode("caf\u00e9", add_special=False)], stream.finish()
            (['c', 'a', 'f', '', '\u00e9'], '')
        """
        decode = functools.partial(self._native.decode, skip_special=False)
        token_text = functools.partial(
            self._native.token_text, skip_special=flag(skip_special, "skip_special")
        )
        return DecodeStream(self._decoder, self.vocab_size, token_text, decode)

    def decode_batch(
        self,
        ids: Sequence[Sequence[int]] | np.ndarray,
        mask: np.ndarray | None = None,
        *,
        row_splits: np.ndarray | None = None,
        skip_special: bool = True,
        threads: int | None = None,
    ) -> list[str]:
        """The texts of rows of ids, each what `decode` gives, on several cores.

        Three forms: a padded array with its mask (`tok.decode_batch(*tok(texts))`), one long array with the
        ends of its rows (`values, row_splits` of `ragged`), and a list of rows.

        Shapes:
            ids: integers [B, T], or [N] with `row_splits`, or a list of B rows.
            mask: bool [B, T], False: left out, whatever the id is; None: all ids count.
            row_splits: int64 [B + 1], rising from 0 to N.

        Args:
            skip_special: leave special tokens out.
            threads: None: the process-wide pool; 1: the calling thread.

        Raises:
            ValueError: an id that counts is not in the vocabulary (the message names its row), or shapes or
                dtypes do not fit.

        Example:
            >>> from mmcore.text import Tokenizer
            >>> tok = Tokenizer.train(["low lower lowest"], vocab_size=262)
            >>> tok.decode_batch(*tok(["low", "lowest"], max_length=12))
            ['low', 'lowest']
        """
        return decode_rows(
            self._native, ids, mask, row_splits, flag(skip_special, "skip_special"), count(threads, "threads")
        )

    @functools.cached_property
    def _decoder(self) -> Any:
        return json.loads(self._definition).get("decoder")
