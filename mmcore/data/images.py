"""Rows to image arrays: decoded in threads, kept in memory within a budget, cropped and normalised."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmcore import image
from mmcore.data.bad import BadExamples
from mmcore.data.examples import Examples
from mmcore.data.packed import Packed
from mmcore.errors import DataError, LimitError
from mmcore.image.batch import batch_shape, empty_batch

Pixels = np.ndarray | None | DataError
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
        self._crop = dataclasses.replace(preprocessor, dtype="uint8", layout="NHWC")
        self._augment = augment
        self._bad = bad
        self._room = cache_bytes
        self._kept: dict[int, Pixels] = {}
        self._lock = threading.Lock()

    def pixels(self, rows: Iterable[int], map_rows: Callable = map) -> list[Pixels]:
        """The images of some rows as they are kept, decoded where they are not yet.

        Args:
            rows: indices of examples.
            map_rows: how to run the decoding, for example the `map` of a thread pool.

        Returns:
            Per row uint8 [H, W, 3], None where there is no image, or the error of one that cannot be decoded.
        """
        rows = list(map(int, rows))
        absent = [row for row in dict.fromkeys(rows) if row not in self._kept]
        fresh = dict(zip(absent, map_rows(self._load, absent), strict=True))
        for loaded in fresh.values():
            # Not in the decoding threads, so that reports come in the order of the rows.
            if isinstance(loaded, DataError):
                self._bad.add(loaded)
        return [fresh[row] if row in fresh else self._kept[row] for row in rows]

    def arrays(
        self, pixels: Sequence[Pixels], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What `pixels` gave as the arrays of a batch.

        Args:
            pixels: of the rows of the batch.
            rng: of the augmentation.

        Returns:
            [B, size, size, 3] in the preprocessor's dtype and layout, zeros where there is no image; bool [B],
            True where there is one; bool [B], True where there should be one that cannot be decoded.
        """
        mask = np.array([isinstance(array, np.ndarray) for array in pixels], bool)
        broken = np.array([isinstance(array, DataError) for array in pixels], bool)
        pre = self._preprocessor
        values = empty_batch(batch_shape(len(pixels), (pre.size, pre.size), 3, pre.layout), pre.dtype)
        present = [array for array in pixels if isinstance(array, np.ndarray)]
        if mask.all():
            self._normalize(present, rng, values)
            return values, mask, broken
        values[...] = 0
        if present:
            some = empty_batch((len(present), *values.shape[1:]), pre.dtype)
            self._normalize(present, rng, some)
            values[mask] = some
        return values, mask, broken

    def _normalize(self, pixels: list[np.ndarray], rng: np.random.Generator, out: np.ndarray) -> None:
        """Writes kept pixels, cropped at random with augmentation, to `out`."""
        pre = self._preprocessor
        boxes: Any = None
        flips: Any = None
        if self._augment is not None:
            sizes = [(array.shape[0], array.shape[1]) for array in pixels]
            boxes = image.random_resized_crop_boxes(
                sizes, rng, scale=self._augment.scale, ratio=self._augment.ratio
            )
            flips = image.random_flips(len(pixels), rng, rate=self._augment.flip_rate)
        normalized = pre.dtype != "uint8"
        image.resize_normalize(
            pixels,
            pre.size,
            boxes=boxes,
            flips=flips,
            method=pre.resize,
            mean=pre.mean if normalized else None,
            std=pre.std if normalized else None,
            layout=pre.layout,
            dtype=pre.dtype,
            out=out,
        )

    def _load(self, row: int) -> Pixels:
        """The pixels of a row as they are kept, if there is room, or why they cannot be decoded."""
        loaded = self._decoded(row)
        if isinstance(loaded, np.ndarray):
            loaded = self._crop([loaded], threads=1)[0] if self._augment is None else self._shrunk(loaded)
        with self._lock:
            size = loaded.nbytes if isinstance(loaded, np.ndarray) else 0
            if size <= self._room and row not in self._kept:
                self._room -= size
                self._kept[row] = loaded
        return loaded

    def _decoded(self, row: int) -> Pixels:
        """uint8 [H, W, 3], None where there is no image, or the error that names the row."""
        cell, key = self._examples.images[row], self._examples.key(row)
        try:
            source = cell.read() if isinstance(cell, Packed) else cell
            if source is None or isinstance(source, np.ndarray):
                return source
            return self._decode(source, key)
        except DataError as error:
            return DataError(key, error.reason, error.offset)
        except OSError as error:  # of a source of one's own
            return DataError(key, f"the image cannot be read: {error.strerror or error}")
        except LimitError as error:
            return DataError(key, str(error).removeprefix(f"{key}: "))

    def _decode(self, source: bytes | Path, key: str) -> np.ndarray:
        """As the preprocessor decodes files."""
        pre = self._preprocessor
        side = 2 * (pre.shorter or pre.size)
        return image.decode(
            source,
            key=key,
            max_pixels=pre.max_pixels,
            formats=pre.formats,
            background=pre.background,
            at_least=(side, side) if pre.fast else None,
        )

    def _shrunk(self, array: np.ndarray) -> np.ndarray:
        """The image with its shorter side at most 1.25 times the size that comes out."""
        shorter, limit = min(array.shape[:2]), round(_SHRINK_TO * self._preprocessor.size)
        if shorter <= limit:
            return array
        height, width = (max(1, round(side * limit / shorter)) for side in array.shape[:2])
        return image.resize(array, (height, width), method="bicubic")


def load_image(cell: Path | Packed | np.ndarray | None) -> np.ndarray | None:
    """The image of a cell of `Examples.images`: uint8 [H, W, 3], or None for a missing one.

    Raises:
        DataError: the file cannot be read or is not an image.
        LimitError: the image is too large.
    """
    source = cell.read() if isinstance(cell, Packed) else cell
    if source is None or isinstance(source, np.ndarray):
        return source
    return image.decode(source, key=str(cell), formats=image.KNOWN_FORMATS)
