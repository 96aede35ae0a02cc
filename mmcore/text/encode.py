"""Texts to ids: one text, or a batch written straight into its arrays."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmcore.text.checks import count, flag, special_rule
from mmcore.text.rows import widen
from mmcore.text.vocabulary import Special, Text, Vocabulary


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


class Encoding(Vocabulary):
    """The part of a `Tokenizer` that encodes."""

    def encode(self, text: Text, *, add_special: bool = True, special: Special | None = None) -> list[int]:
        """The ids of one text, never cut or filled.

        Raises:
            ValueError: special="error" and the text contains a special token.
            LimitError: the text is longer than max_text_bytes.
        """
        return self._native.encode(text, flag(add_special, "add_special"), self._rule(special))

    def __call__(
        self,
        texts: Sequence[Text],
        *,
        max_length: int | None = None,
        pad: bool = True,
        truncate: bool = True,
        add_special: bool = True,
        special: Special | None = None,
        threads: int | None = None,
    ) -> TextBatch:
        """Encodes a batch into one padded array.

        Args:
            max_length: ids a row, special ones included; None: as the truncation of the tokenizer.json says,
                without it no limit.
            pad: True makes rows of `max_length`; without one, of the longest text, or wider where the padding
                of the tokenizer.json says so. False always makes rows of the longest text.
            truncate: cut longer texts, keeping the special token at the end; False: they are an error.
            threads: None: the process-wide pool; 1: the calling thread.

        Raises:
            ValueError: `max_length` has no room for the special tokens; a text is too long and
                truncate=False; a text contains a special token and special="error".
            LimitError: a text is longer than max_text_bytes.
            MemoryError: there is none for the result.
            TypeError: an item is neither str nor bytes, or `texts` is one text or no sequence.
        """
        limit, exact = self._limit(max_length), flag(pad, "pad") and max_length is not None
        try:
            ids, mask = self._native.batch(
                texts,
                limit,
                exact,
                flag(truncate, "truncate"),
                flag(add_special, "add_special"),
                self._rule(special),
                count(threads, "threads"),
            )
        except MemoryError:
            raise MemoryError(
                f"no memory for rows of max_length={max_length}: encode fewer texts at once, or fewer ids a row"
            ) from None
        if pad and not exact:
            ids, mask = widen(ids, mask, self._settings, self.pad_id or 0)
        return TextBatch(ids, mask)

    def ragged(
        self,
        texts: Sequence[Text],
        *,
        max_length: int | None = None,
        truncate: bool = True,
        add_special: bool = True,
        special: Special | None = None,
        threads: int | None = None,
    ) -> RaggedText:
        """Encodes a batch without padding; arguments and errors as in calling the tokenizer."""
        values, row_splits = self._native.ragged(
            texts,
            self._limit(max_length),
            flag(truncate, "truncate"),
            flag(add_special, "add_special"),
            self._rule(special),
            count(threads, "threads"),
        )
        return RaggedText(values, row_splits)

    def offsets(self, text: Text, *, add_special: bool = True, special: Special | None = None) -> np.ndarray:
        """Where each id of `encode` comes from: int64 [T, 2], begin and end in the bytes of the text (UTF-8).

        Ids that are put around the text have (0, 0). For byte-level BPE the parts of the text follow each
        other without gaps and may cut a character.
        """
        return self._native.offsets(text, flag(add_special, "add_special"), self._rule(special))

    def encode_with_offsets(
        self,
        text: Text,
        *,
        add_special: bool = True,
        special: Special | None = None,
        plain: Sequence[tuple[int, int]] = (),
    ) -> tuple[np.ndarray, np.ndarray]:
        """`encode` and `offsets` in one pass, with parts of the text in which special tokens are text.

        Shapes:
            result: int32 [T], int64 [T, 2].

        Args:
            plain: begin and end of each part, in the bytes of the text (UTF-8).

        Raises:
            ValueError: `plain` holds something else than pairs of a begin and an end.
            ValueError: special="error" and the text contains a special token outside of the plain parts.
            LimitError: the text is longer than max_text_bytes.
        """
        return self._native.encode_tracked(
            text, flag(add_special, "add_special"), self._rule(special), _spans(plain)
        )

    def _limit(self, max_length: int | None) -> int:
        return count(self._settings.max_length if max_length is None else max_length, "max_length")

    def _rule(self, special: Special | None) -> Special:
        return self._special if special is None else special_rule(special)


def _spans(parts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    try:
        spans = [(operator.index(begin), operator.index(end)) for begin, end in parts]
    except (TypeError, ValueError):
        raise ValueError(
            f"plain must hold pairs of whole numbers, begin and end, got {parts!r:.80}"
        ) from None
    for begin, end in spans:
        if not 0 <= begin <= end < 2**62:
            raise ValueError(f"plain must hold parts with 0 <= begin <= end, got {(begin, end)}")
    return spans
