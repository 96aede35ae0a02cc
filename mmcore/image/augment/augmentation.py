"""Augmentation: files, images or arrays to a training batch, each a pure function of (seed, index)."""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from mmcore._load import native
from mmcore.image._file import FORMATS, MAX_PIXELS
from mmcore.image.augment.steps import RandomResizedCrop, Step
from mmcore.image.batch import batch_shape, empty_batch, numpy_dtype
from mmcore.image.decode import PixelMemory, decode_in
from mmcore.image.normalize import normalization_for
from mmcore.image.resize import check_image, check_threads

_VERSION = 1.0


@dataclass(frozen=True)
class Augmentation:
    """Random crop, resize, changes of the picture, and normalisation, in one native call for a batch.

    An image's result depends on `seed`, its index and its pixels alone: not on the batch it is in, on other
    images, on the number of threads or on the processor. Draws come from Philox4x32-10 with the seed as key
    and (index, position of the step) as counter; `mmcore.image.augment.reference` says all of it in Python.

    Without a `RandomResizedCrop` at the front the whole image is resized. All other steps work on the resized
    bytes, in the order given; then (v / 255 - mean) / std.

    Args:
        steps: the steps, of `RandomResizedCrop` (first), `RandomHorizontalFlip`, `ColorJitter`,
            `RandomGrayscale`, `RandAugment` and `RandomErasing`.
        size: height and width of the result, or both; one number is a square.
        resize: the filter, as in `resize`.
        mean: three numbers.
        std: three numbers.
        dtype: "float32", "bfloat16", "float16", or "uint8" for bytes without normalisation.
        layout: "NHWC" or "NCHW".
        max_pixels: larger files are refused; see `decode`.

    Raises:
        ValueError: an argument is none of these.
        EnvError: bfloat16 without ml_dtypes.

    Example:
        >>> from mmcore.image import Augmentation, RandomHorizontalFlip, RandomResizedCrop
        >>> augment = Augmentation((RandomResizedCrop(), RandomHorizontalFlip()), size=8)
        >>> augment([np.zeros((20, 30, 3), np.uint8)], [0], seed=1).shape
        (1, 8, 8, 3)
    """

    steps: tuple[Step, ...]
    size: int | tuple[int, int] = 224
    resize: str = "bicubic"
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    dtype: str = "float32"
    layout: str = "NHWC"
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        steps = tuple(self.steps)
        for position, step in enumerate(steps):
            if not isinstance(step, get_args(Step)):
                raise ValueError(f"step {position} must be a step of mmcore.image, got {step!r}")
            if isinstance(step, RandomResizedCrop) and position > 0:
                raise ValueError(f"RandomResizedCrop must be the first step, got it at position {position}")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(tuple(values)) != 3:
                raise ValueError(f"{name} must be three numbers, got {len(tuple(values))}")
            object.__setattr__(self, name, tuple(map(float, values)))
        object.__setattr__(self, "steps", steps)
        numpy_dtype(self.dtype)
        self.shape(0)
        self([], [], seed=0)  # The core refuses what it does not know.

    def height_and_width(self) -> tuple[int, int]:
        """The size of the result.

        Raises:
            ValueError: it is not positive.
        """
        height, width = (self.size,) * 2 if isinstance(self.size, (int, np.integer)) else self.size
        if height < 1 or width < 1:
            raise ValueError(f"size must be positive, got {self.size}")
        return int(height), int(width)

    def shape(self, count: int) -> tuple[int, int, int, int]:
        """The shape of a batch of `count` images."""
        return batch_shape(count, self.height_and_width(), 3, self.layout)

    def numbers(self) -> list[float]:
        """The specification that the core reads: a version, then what each step is."""
        return [_VERSION, *(float(number) for step in self.steps for number in step.numbers())]

    def spec(self) -> bytes:
        """The same numbers as float64, which the graph op carries."""
        numbers = self.numbers()
        return struct.pack(f"={len(numbers)}d", *numbers)

    def __call__(
        self,
        images: Sequence[Any],
        indices: Sequence[int],
        *,
        seed: int,
        out: np.ndarray | None = None,
        threads: int | None = None,
    ) -> np.ndarray:
        """The augmented batch.

        Use an index once in a run to see a new picture in every epoch: epoch * examples + number of the
        example.

        Shapes: B images to [B, height, width, 3], or [B, 3, height, width] for "NCHW".

        Args:
            images: uint8 arrays [H, W, 3], or bytes or paths of files, which are decoded in threads.
            indices: one for each image, 0 to 2^64 - 1.
            seed: 0 to 2^64 - 1.
            out: C-contiguous array to write into; None: a new one, aligned for TensorFlow.
            threads: None: the process-wide pool; 1: the calling thread.

        Raises:
            ValueError: images, indices, seed, out or threads are not as described.
            DataError: a file is missing or damaged. LimitError: it is larger than max_pixels.
        """
        count = check_threads(threads)
        key = _word("seed", seed)
        words = [_word(f"index {i}", index) for i, index in enumerate(indices)]
        if len(words) != len(images):
            raise ValueError(f"indices must be one for each image, got {len(words)} for {len(images)}")
        batch = self._batch(len(images), out)
        if all(isinstance(image, np.ndarray) for image in images):
            self._run([check_image(image, i) for i, image in enumerate(images)], words, key, batch, count)
            return batch
        memory = PixelMemory()

        def one(i: int) -> None:
            pixels = self._pixels(images[i], i, memory)
            self._run([pixels], words[i : i + 1], key, batch[i : i + 1], 1)

        workers = min(count or native().num_threads(), len(images))
        if workers == 1:
            for i in range(len(images)):
                one(i)
            return batch
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(one, range(len(images))))
        return batch

    def _batch(self, count: int, out: np.ndarray | None) -> np.ndarray:
        shape = self.shape(count)
        if out is None:
            return empty_batch(shape, self.dtype)
        if out.shape != shape or out.dtype.name != self.dtype:
            raise ValueError(
                f"out must be {self.dtype} {list(shape)}, got {out.dtype.name} {list(out.shape)}"
            )
        return out

    def _pixels(self, image: Any, i: int, memory: PixelMemory) -> np.ndarray:
        if isinstance(image, np.ndarray):
            return check_image(image, i)
        if isinstance(image, (bytes, bytearray, memoryview)):
            return decode_in(memory, image, max_pixels=self.max_pixels, formats=FORMATS, key=f"image {i}")
        if isinstance(image, (str, os.PathLike)):
            return decode_in(memory, image, max_pixels=self.max_pixels, formats=FORMATS)
        raise ValueError(f"image {i} must be a uint8 array, bytes or a path, got {type(image).__name__}")

    def _run(
        self, images: list[np.ndarray], words: list[int], seed: int, out: np.ndarray, threads: int
    ) -> None:
        native().image_augment(
            self.numbers(),
            images,
            words,
            seed,
            self.resize,
            normalization_for(self.mean, self.std),
            self.layout == "NCHW",
            self.dtype,
            threads,
            out,
        )


def _word(name: str, value: int) -> int:
    """The value as an unsigned 64-bit number. Raises ValueError where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 0 <= value < 2**64:
        raise ValueError(f"{name} must be a whole number of 0 to 2^64 - 1, got {value!r}")
    return int(value)
