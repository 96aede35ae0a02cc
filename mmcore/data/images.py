"""Rows to image arrays: decoded in threads, kept in memory within a budget, cropped and normalised."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmcore import image
from mmcore.data.bad import BadExamples
from mmcore.data.examples import Examples
from mmcore.errors import DataError, LimitError

_SHRINK_TO = 1.25  # kept images: shorter side at most so many times the size that the model sees


@dataclass(frozen=True)
class Augment:
    """Random resized crop and horizontal flip of training images.

    Args:
        scale: least and greatest share of the area that a crop keeps.
        ratio: least and greatest width divided by height of a crop.
        flip_rate: share of the crops that is mirrored left to right.
    """

    scale: tuple[float, float] = (0.5, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip_rate: float = 0.5


class ImageRows:
    """The images of examples as normalised arrays.

    Without augmentation a row's array is what `preprocessor` makes of its image; the resized bytes are what
    is kept in memory. With augmentation the decoded image is kept, shrunk first (bicubic, antialiased) where
    its shorter side is more than 1.25 times `preprocessor.size`; rows that there is no room to keep are
    shrunk as well, so the budget does not change what comes out. An image that cannot be decoded is reported
    to `bad`.

    Args:
        examples: the rows.
        preprocessor: size, resize method, crop, mean and standard deviation.
        augment: None for the same crop every time.
        cache_bytes: how many bytes of pixels may be kept; what is kept stays.
        bad: told of rows that cannot be decoded.
    """

    def __init__(
        self,
        examples: Examples,
        preprocessor: image.Preprocessor,
        *,
        augment: Augment | None,
        cache_bytes: int,
        bad: BadExamples,
    ):
        self._examples = examples
        self._preprocessor = preprocessor
        self._crop = dataclasses.replace(preprocessor, dtype="uint8")
        self._augment = augment
        self._bad = bad
        self._room = cache_bytes
        self._kept: dict[int, np.ndarray | None] = {}
        self._lock = threading.Lock()

    def batch(
        self, rows: np.ndarray, rng: np.random.Generator, map_rows: Callable = map
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The images of some rows.

        Args:
            rows: int [B], indices of examples.
            rng: of the augmentation.
            map_rows: how to run the decoding, for example the `map` of a thread pool.

        Returns:
            float32 [B, size, size, 3], zeros where there is no image; bool [B], True where there is one;
            bool [B], True where there should be one that cannot be decoded.
        """
        wanted = np.array([self._examples.images[row] is not None for row in rows], bool)
        numbers = rows[wanted].tolist()
        absent = [row for row in numbers if row not in self._kept]
        fresh = {
            row: self._accepted(loaded)
            for row, loaded in zip(absent, map_rows(self._load, absent), strict=True)
        }
        pixels = [fresh[row] if row in fresh else self._kept[row] for row in numbers]
        mask = wanted.copy()
        mask[wanted] = [array is not None for array in pixels]
        size = self._preprocessor.size
        values = np.zeros((len(rows), size, size, 3), np.float32)
        if mask.any():
            values[mask] = self._normalized([array for array in pixels if array is not None], rng)
        return values, mask, wanted & ~mask

    def _normalized(self, pixels: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """Kept pixels, cropped at random with augmentation: float32 [B, size, size, 3]."""
        pre = self._preprocessor
        boxes: Any = None
        flips: Any = None
        if self._augment is not None:
            sizes = [(array.shape[0], array.shape[1]) for array in pixels]
            boxes = image.random_resized_crop_boxes(
                sizes, rng, scale=self._augment.scale, ratio=self._augment.ratio
            )
            flips = image.random_flips(len(pixels), rng, rate=self._augment.flip_rate)
        return image.resize_normalize(
            pixels, pre.size, boxes=boxes, flips=flips, method=pre.resize, mean=pre.mean, std=pre.std
        )

    def _accepted(self, loaded: np.ndarray | DataError) -> np.ndarray | None:
        """Reports an error; not in the decoding threads, so that reports come in the order of the rows."""
        if isinstance(loaded, DataError):
            self._bad.add(loaded)
            return None
        return loaded

    def _load(self, row: int) -> np.ndarray | DataError:
        """The pixels of a row as they are kept, if there is room, or why they cannot be decoded."""
        loaded = self._decoded(row)
        if isinstance(loaded, np.ndarray):
            loaded = self._crop([loaded], threads=1)[0] if self._augment is None else self._shrunk(loaded)
        kept = loaded if isinstance(loaded, np.ndarray) else None
        with self._lock:
            size = 0 if kept is None else kept.nbytes
            if size <= self._room and row not in self._kept:
                self._room -= size
                self._kept[row] = kept
        return loaded

    def _decoded(self, row: int) -> np.ndarray | DataError:
        """uint8 [H, W, 3], or the error that names the row."""
        source, key = self._examples.images[row], self._examples.key(row)
        if isinstance(source, np.ndarray):
            return source
        if source is None:
            return DataError(key, "the row has no image")
        try:
            return image.decode(source, key=key, max_pixels=self._preprocessor.max_pixels)
        except DataError as error:
            return error
        except LimitError as error:
            return DataError(key, str(error).removeprefix(f"{key}: "))

    def _shrunk(self, array: np.ndarray) -> np.ndarray:
        """The image with its shorter side at most 1.25 times the size that comes out."""
        shorter, limit = min(array.shape[:2]), round(_SHRINK_TO * self._preprocessor.size)
        if shorter <= limit:
            return array
        height, width = (max(1, round(side * limit / shorter)) for side in array.shape[:2])
        return image.resize(array, (height, width), method="bicubic")


def load_image(cell: Path | np.ndarray | None) -> np.ndarray | None:
    """The image of a cell of `Examples.images`: uint8 [H, W, 3], or None for a missing one.

    Raises:
        DataError: the file cannot be read or is not an image.
        LimitError: the image is too large.
    """
    return cell if cell is None or isinstance(cell, np.ndarray) else image.decode(cell)
