"""Examples to batches of arrays, made ahead of the step that uses them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from mmcore.data.bad import MAX_BAD_SHARE, BadExamples
from mmcore.data.examples import Examples
from mmcore.data.images import Augment, ImageRows
from mmcore.data.prefetch import prefetch

if TYPE_CHECKING:
    from mmcore import image, text
from mmcore._load import native

Batch = dict[str, Any]


class Pipeline:
    """Batches of a fixed shape, each a pure function of (examples, options, seed, number of the batch).

    Batches are numbered through all epochs: number i is batch i % len(pipeline) of epoch i // len(pipeline).
    In training the order of an epoch is a permutation drawn from (seed, epoch), and the crops of a batch are
    drawn from (seed, number), so neither threads nor earlier batches change a batch, and a run that stopped
    after batch i - 1 goes on exactly with `batches(start=i)`.

    A batch is a dict:

    - "image" (with a preprocessor): float32 [B, size, size, 3] and bool [B], True where there is one;
    - "text" (with a tokenizer): int32 [B, max_length] and bool [B, max_length], True at tokens;
    - "label": int32 [B], 0 where not known;
    - "weight": float32 [B], the class weight in training, else 1; 0 marks rows that do not count.

    Training leaves the last rows of an epoch's order out where they do not fill a batch (and has smaller
    batches where there are fewer rows than one batch). Evaluation keeps the order of the rows and fills up
    the last batch with rows of weight 0 and all masks False. A row whose image cannot be decoded becomes such
    a row too: it keeps its place, so its neighbours and all later batches stay the same.

    Args:
        examples: the rows.
        labels: int [N], the class of each row, -1 for none (see `label_ids`); None where nothing is known.
        batch_size: B.
        training: whether to shuffle, augment, weight and leave the rest out.
        preprocessor: makes image arrays; None leaves images out.
        tokenizer: makes ids, all rows at once at the start; None leaves texts out.
        max_length: T, tokens per text.
        augment: random crops and flips in training.
        class_weights: float [C], for training (see `class_weights`).
        seed: of the order and the crops, not negative.
        ahead: how many finished batches may wait.
        threads: decoding threads; None: one for each core that this process may use.
        cache_bytes: how many bytes of image arrays may be kept in memory (see `ImageRows`).
        on_bad: images that cannot be decoded: "skip" (in training, up to 5 percent of the rows) or "raise".
        timeout_s: how long to wait for one batch before saying that the input is stuck.

    Attributes:
        bad: rows that were skipped: key -> reason.
        batch_size: rows of a batch.

    Raises:
        ValueError: no rows; neither preprocessor nor tokenizer; labels of another length; a size below 1.
    """

    def __init__(
        self,
        examples: Examples,
        labels: np.ndarray | None = None,
        *,
        batch_size: int,
        training: bool = False,
        preprocessor: image.Preprocessor | None = None,
        tokenizer: text.Tokenizer | None = None,
        max_length: int = 64,
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
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, found {batch_size}")
        bad = BadExamples(count, on_bad, max_share=MAX_BAD_SHARE if training else None)
        self.batch_size = min(batch_size, count) if training else batch_size
        self.bad = bad.reasons
        self._count = count
        self._training = training
        self._seed = seed
        self._ahead = ahead
        self._timeout_s = timeout_s
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
        self._texts = None if tokenizer is None else _token_ids(examples, tokenizer, max_length)
        self._labels, self._weights = _labels_and_weights(count, labels, class_weights if training else None)
        self._order: tuple[int, np.ndarray] = (-1, np.arange(count))

    def __len__(self) -> int:
        """Batches in an epoch."""
        if self._training:
            return self._count // self.batch_size
        return -(-self._count // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the first epoch."""
        return self.batches(stop=len(self))

    def batches(self, start: int = 0, stop: int | None = None) -> Generator[Batch, None, None]:
        """Yields the batches numbered from `start` up to `stop`, made ahead in a thread.

        Args:
            start: number of the first one; to resume, how many were used before.
            stop: number after the last one; None goes on through epoch after epoch.

        Raises:
            DataError: an image cannot be decoded and `on_bad` is "raise", or too many cannot; no batch came
                within `timeout_s`.
        """
        return prefetch(self._make(start, stop), depth=self._ahead, timeout_s=self._timeout_s)

    def batch(self, number: int, map_rows: Callable = map) -> Batch:
        """Makes one batch, here and now."""
        rows = self._rows(number)
        padding = self.batch_size - len(rows)
        batch: Batch = {}
        counts = np.ones(len(rows), bool)
        if self._images is not None:
            rng = _rng(self._seed, 1, number)
            values, mask, undecodable = self._images.batch(rows, rng, map_rows)
            counts &= ~undecodable
            batch["image"] = (_padded(values, padding), _padded(mask, padding))
        if self._texts is not None:
            ids, mask = self._texts
            batch["text"] = (_padded(ids[rows], padding), _padded(mask[rows] & counts[:, None], padding))
        batch["label"] = _padded(self._labels[rows], padding)
        batch["weight"] = _padded(self._weights[rows] * counts, padding)
        return batch

    def _rows(self, number: int) -> np.ndarray:
        """Indices of the examples of a batch."""
        epoch, position = divmod(number, len(self))
        return self._epoch_order(epoch)[position * self.batch_size : (position + 1) * self.batch_size]

    def _epoch_order(self, epoch: int) -> np.ndarray:
        """The order of the rows in an epoch; the last one is kept, in one value that threads swap whole."""
        kept = self._order
        if self._training and kept[0] != epoch:
            kept = self._order = (epoch, _rng(self._seed, 0, epoch).permutation(self._count))
        return kept[1]

    def _make(self, start: int, stop: int | None) -> Generator[Batch, None, None]:
        numbers = itertools.count(start) if stop is None else range(start, stop)
        with ThreadPoolExecutor(self._threads, thread_name_prefix="mmcore-decode") as pool:
            for number in numbers:
                yield self.batch(number, pool.map)


def _rng(seed: int, purpose: int, number: int) -> np.random.Generator:
    """An independent generator for each purpose and number."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose, number)))


def _padded(array: np.ndarray, padding: int) -> np.ndarray:
    """The array with rows of zeros after it."""
    if not padding:
        return array
    return np.concatenate([array, np.zeros((padding, *array.shape[1:]), array.dtype)])


def _token_ids(
    examples: Examples, tokenizer: text.Tokenizer, max_length: int
) -> tuple[np.ndarray, np.ndarray]:
    """ids int32 [N, max_length] and mask bool [N, max_length]; a row without a text is all padding."""
    ids = np.full((len(examples), max_length), tokenizer.pad_id or 0, np.int32)
    mask = np.zeros((len(examples), max_length), bool)
    present = [(row, string) for row, string in enumerate(examples.texts) if string is not None]
    if present:
        rows, strings = map(list, zip(*present, strict=True))
        # "text": what somebody wrote never becomes a special token.
        made = tokenizer(strings, max_length=max_length, pad=True, special="text")
        ids[rows, : made.ids.shape[1]], mask[rows, : made.mask.shape[1]] = made.ids, made.mask
    return ids, mask


def _labels_and_weights(
    count: int, labels: np.ndarray | None, class_weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Labels with 0 for unknown ones, int32 [N]; weights with 0 for rows of unknown label, float32 [N]."""
    if labels is None:
        return np.zeros(count, np.int32), np.ones(count, np.float32)
    numbers = np.maximum(labels, 0).astype(np.int32)
    weights = np.ones(count) if class_weights is None else np.asarray(class_weights)[numbers]
    return numbers, (weights * (np.asarray(labels) >= 0)).astype(np.float32)
