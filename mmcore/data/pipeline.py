"""Examples to batches of arrays, made ahead of the step that uses them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mmcore._load import native
from mmcore.data.bad import MAX_BAD_SHARE, BadExamples
from mmcore.data.budget import Budget, rounded_up
from mmcore.data.examples import Examples
from mmcore.data.images import Augment, ImageRows, Pixels
from mmcore.data.order import (
    CROPS,
    REPLACEMENTS,
    BudgetBatches,
    EqualBatches,
    GroupedBatches,
    PackedBatches,
    stream_rng,
)
from mmcore.data.packing import Packing
from mmcore.data.prefetch import prefetch
from mmcore.data.state import make_state, read_state
from mmcore.data.tokens import TokenRows
from mmcore.data.workers import Workers
from mmcore.errors import DataError

if TYPE_CHECKING:
    from mmcore import image, text

Batch = dict[str, Any]
_TRIES = 100  # draws of a replacement; with 5 percent bad rows, as many failures have odds of 1 to 10^130


class Pipeline:
    """Batches of a fixed shape, each a pure function of (examples, options, seed, number of the batch).

    Batches are numbered through all epochs: number i is batch i % len(pipeline) of epoch i // len(pipeline).
    In training the order of an epoch is a permutation drawn from (seed, epoch), and the crops of a batch are
    drawn from (seed, number), so neither threads nor earlier batches change a batch, and a run that stopped
    after batch i - 1 goes on exactly with `batches(start=i)`, or `batches(start=pipeline.state(i))`, which
    also says where the pipeline is not the one that stopped.

    A batch is a dict:

    - "image" (with a preprocessor): [B, size, size, 3] in its dtype and layout, and bool [B], True where there
      is one;
    - "text" (with a tokenizer): int32 [B, T] and bool [B, T], True at tokens; T is max_length, or with
      `pad_to_multiple` the longest text of the batch, rounded up; with a packing `PackedRows` instead;
    - "label": int32 [B], 0 where not known;
    - "weight": float32 [B], the class weight in training, else 1; 0 marks rows that do not count.

    Training leaves the last rows of an epoch's order out where they do not fill a batch (and has smaller
    batches where there are fewer rows than one batch). Evaluation keeps the order of the rows and fills up
    the last batch with rows of weight 0 and all masks False. A row whose image cannot be decoded becomes such
    a row too: it keeps its place, so its neighbours and all later batches stay the same.

    Args:
        examples: the rows.
        labels: int [N], the class of each row, -1 for none (see `label_ids`); None where nothing is known.
        batch_size: B; None with a budget or a packing.
        budget: limits of tokens or patches instead of a number of rows.
        packing: texts in packed rows; a batch has as many examples as fit, filled up to B = packing.examples.
        patch_counts: int [N], patches of each row's image, for a budget of patches.
        training: whether to shuffle, augment, weight and leave the rest out.
        preprocessor: makes image arrays; None leaves images out.
        tokenizer: makes ids, all rows at once at the start; None leaves texts out.
        max_length: most tokens of a text.
        pad_to_multiple: texts are padded to the longest of the batch, rounded up to a multiple of this, which
            divides max_length; None: to max_length (with a budget of tokens: 1).
        augment: random crops and flips in training.
        class_weights: float [C], for training (see `class_weights`).
        seed: of the order and the crops, not negative.
        ahead: how many finished batches may wait.
        threads: decoding threads; None: one for each core that this process may use.
        cache_bytes: how many bytes of image arrays may be kept in memory (see `ImageRows`).
        on_bad: images that cannot be decoded: "skip", "replace" (training only) or "raise". In training the first
            two end with an error too once more than 5 percent of the rows are bad.
        timeout_s: how long to wait for one batch before saying that the input is stuck.

    Attributes:
        bad: rows that were skipped or replaced: key -> reason, each once.
        batch_size: rows of a batch; None with a budget.

    Raises:
        ValueError: no rows; neither preprocessor nor tokenizer; labels of another length; a size below 1; not
            one of batch_size, budget and packing; a budget or packing of what there is not; a packing shorter
            than max_length or with pad_to_multiple.
    """

    def __init__(
        self,
        examples: Examples,
        labels: np.ndarray | None = None,
        *,
        batch_size: int | None = None,
        budget: Budget | None = None,
        packing: Packing | None = None,
        patch_counts: np.ndarray | None = None,
        training: bool = False,
        preprocessor: image.Preprocessor | None = None,
        tokenizer: text.Tokenizer | None = None,
        max_length: int = 64,
        pad_to_multiple: int | None = None,
        augment: Augment | None = None,
        class_weights: np.ndarray | None = None,
        seed: int = 0,
        ahead: int = 4,
        threads: int | None = None,
        cache_bytes: int = 1 << 30,
        on_bad: str = "skip",
        timeout_s: float = 120.0,
    ):
        count = len(examples)
        if not count or (labels is not None and len(labels) != count):
            found = f"{count} examples" + ("" if labels is None else f" and {len(labels)} labels")
            raise ValueError(f"a pipeline needs at least one example and as many labels, found {found}")
        if preprocessor is None and tokenizer is None:
            raise ValueError("a pipeline needs a preprocessor for images, a tokenizer for texts, or both")
        if [batch_size, budget, packing].count(None) != 2:
            raise ValueError("a pipeline needs either batch_size or budget or packing")
        _check_packing(packing, tokenizer, max_length, pad_to_multiple)
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, found {batch_size}")
        if on_bad == "replace" and not training:
            raise ValueError(
                "on_bad='replace' is for training: in an evaluation other rows would count twice"
            )
        bad = BadExamples(count, on_bad, max_share=MAX_BAD_SHARE if training else None)
        self.bad = bad.reasons
        self._count = count
        self._seed = seed
        self._ahead = ahead
        self._timeout_s = timeout_s
        self._replace = on_bad == "replace"
        self._threads = threads or native().usable_cores()
        self._images = None
        if preprocessor is not None:
            self._images = ImageRows(
                examples,
                preprocessor,
                augment=augment if training else None,
                cache_bytes=cache_bytes,
                bad=bad,
            )
        if budget is not None and budget.tokens is not None and pad_to_multiple is None:
            pad_to_multiple = 1
        self._texts = None
        if tokenizer is not None:
            self._texts = TokenRows(examples, tokenizer, max_length=max_length, multiple=pad_to_multiple)
        self._labels, self._weights = _labels_and_weights(count, labels, class_weights if training else None)
        self._packing = packing
        self._batches: EqualBatches | GroupedBatches
        if packing is not None and self._texts is not None:
            self.batch_size: int | None = packing.examples
            lengths = self._texts.lengths
            self._batches = PackedBatches(
                packing=packing, max_length=max_length, lengths=lengths, training=training, seed=seed
            )
        elif budget is None:
            size = min(batch_size or 1, count) if training else batch_size or 1
            self.batch_size = size
            self._batches = EqualBatches(count, batch_size=size, training=training, seed=seed)
        else:
            self.batch_size = None
            costs = _costs(budget, count, self._texts, pad_to_multiple or 1, patch_counts)
            self._batches = BudgetBatches(count, budget=budget, costs=costs, training=training, seed=seed)
        sizes = (count, len(self._batches), self.batch_size)
        self._options = (*sizes, budget if packing is None else packing, training, seed, pad_to_multiple)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self._batches)

    def state(self, number: int) -> str:
        """What a run that used `number` batches keeps to go on: under 40 characters, whatever the data's size.

        Example:
            >>> from mmcore.data import builtin_examples
            >>> from mmcore.image import Preprocessor
            >>> examples = builtin_examples(train=4, val=0, test=0)
            >>> pipeline = Pipeline(examples, batch_size=2, training=True, preprocessor=Preprocessor(size=8))
            >>> len(list(pipeline.batches(start=pipeline.state(1), stop=2)))
            1
        """
        return make_state(number, self._options)

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the first epoch."""
        return self.batches(stop=len(self))

    def batches(self, start: int | str = 0, stop: int | None = None) -> Generator[Batch, None, None]:
        """Yields the batches numbered from `start` up to `stop`, made ahead in a thread.

        Args:
            start: number of the first one, or what `state` gave; to resume, how many were used before.
            stop: number after the last one; None goes on through epoch after epoch.

        Raises:
            DataError: an image cannot be decoded and `on_bad` is "raise", or too many cannot; no batch came
                within `timeout_s`.
            ValueError: the state of another pipeline.
        """
        first = read_state(start, self._options)
        return prefetch(self._make(first, stop), depth=self._ahead, timeout_s=self._timeout_s)

    def batch(self, number: int, map_rows: Callable = map) -> Batch:
        """Makes one batch, here and now."""
        rows = self._batches.rows(number)
        padding = 0 if self.batch_size is None else self.batch_size - len(rows)
        batch: Batch = {}
        counts = np.ones(len(rows), bool)
        if self._images is not None:
            pixels = self._images.pixels(rows, map_rows)
            if self._replace:
                rows, pixels = self._replaced(number, rows, pixels)
            rng = stream_rng(self._seed, CROPS, number)
            values, mask, undecodable = self._images.arrays(pixels, rng)
            counts &= ~undecodable
            batch["image"] = (_padded(values, padding), _padded(mask, padding))
        if self._texts is not None:
            if self._packing is not None:
                batch["text"] = self._texts.packed(rows, counts, self._packing)
            else:
                ids, mask = self._texts.batch(rows)
                batch["text"] = (_padded(ids, padding), _padded(mask & counts[:, None], padding))
        batch["label"] = _padded(self._labels[rows], padding)
        batch["weight"] = _padded(self._weights[rows] * counts, padding)
        return batch

    def _replaced(
        self, number: int, rows: np.ndarray, pixels: list[Pixels]
    ) -> tuple[np.ndarray, list[Pixels]]:
        """Rows and pixels of a batch with another row, drawn from (seed, number), for each that is bad."""
        if self._images is None or not any(isinstance(array, DataError) for array in pixels):
            return rows, pixels
        rows, pixels = rows.copy(), list(pixels)
        rng = stream_rng(self._seed, REPLACEMENTS, number)
        for position, _ in enumerate(rows):
            for candidate in rng.integers(self._count, size=_TRIES):
                if not isinstance(pixels[position], DataError):
                    break
                rows[position] = candidate
                pixels[position] = self._images.pixels([candidate])[0]
        return rows, pixels

    def _make(self, start: int, stop: int | None) -> Generator[Batch, None, None]:
        numbers = itertools.count(start) if stop is None else range(start, stop)
        with Workers(self._threads) as pool:
            for number in numbers:
                yield self.batch(number, pool.map)


def _check_packing(
    packing: Packing | None, tokenizer: Any, max_length: int, pad_to_multiple: int | None
) -> None:
    """Refuses a packing of nothing, or of texts that would not fit."""
    if packing is None:
        return
    if tokenizer is None:
        raise ValueError("a packing needs a tokenizer: it packs texts")
    if pad_to_multiple is not None:
        raise ValueError("expected no pad_to_multiple with a packing, whose rows have one length")
    if packing.length is not None and packing.length < max_length:
        raise ValueError(
            f"expected a packing of rows of at least max_length {max_length}, found length {packing.length}"
        )


def _costs(
    budget: Budget, count: int, texts: TokenRows | None, multiple: int, patch_counts: np.ndarray | None
) -> list[np.ndarray]:
    """What each row costs, for each limit of the budget."""
    costs = []
    if budget.tokens is not None:
        if texts is None:
            raise ValueError("a budget of tokens needs a tokenizer")
        costs.append(rounded_up(texts.lengths, multiple))
    if budget.patches is not None:
        if patch_counts is None or len(patch_counts) != count:
            found = "none" if patch_counts is None else f"{len(patch_counts)}"
            raise ValueError(f"a budget of patches needs patch_counts of all {count} rows, found {found}")
        costs.append(np.maximum(np.asarray(patch_counts, np.int64), 1))
    return costs


def _padded(array: np.ndarray, padding: int) -> np.ndarray:
    """The array with rows of zeros after it."""
    if not padding:
        return array
    return np.concatenate([array, np.zeros((padding, *array.shape[1:]), array.dtype)])


def _labels_and_weights(
    count: int, labels: np.ndarray | None, class_weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Labels with 0 for unknown ones, int32 [N]; weights with 0 for rows of unknown label, float32 [N]."""
    if labels is None:
        return np.zeros(count, np.int32), np.ones(count, np.float32)
    numbers = np.maximum(labels, 0).astype(np.int32)
    weights = np.ones(count) if class_weights is None else np.asarray(class_weights)[numbers]
    return numbers, (weights * (np.asarray(labels) >= 0)).astype(np.float32)
