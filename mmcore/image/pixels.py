"""Whatever a preprocessor is given, as pixels: bytes of files, paths, PIL images and arrays."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from mmcore._load import native
from mmcore.errors import DataError
from mmcore.image._file import FileSource
from mmcore.image._pillow import Color, convert
from mmcore.image.decode import PixelMemory, decode_in
from mmcore.image.resize import check_image


@dataclass(frozen=True)
class PixelReader:
    """Pixels of one image at a time: valid until the same thread reads the next.

    Args:
        max_pixels: as in `decode`.
        formats: as in `decode`.
        background: as in `decode`; for PIL images too.
        at_least: as in `decode`.
    """

    max_pixels: int
    formats: tuple[str, ...]
    background: Color | None = None
    at_least: tuple[int, int] | None = None
    memory: PixelMemory = field(default_factory=PixelMemory)

    def __call__(self, image: Any, index: int) -> np.ndarray:
        """uint8 [H, W, 3]; `index` is what it is called in errors where it has no path.

        Raises:
            DataError, LimitError: as `decode`; or a PIL image cannot be loaded.
            TypeError: it is nothing of that.
            ValueError: it is an array of another shape or dtype.
        """
        if isinstance(image, (bytes, bytearray, memoryview)):
            return self._decode(image, f"image {index}")
        if isinstance(image, (str, os.PathLike)):
            return self._decode(image, None)
        if isinstance(image, Image.Image):
            return self._from_pillow(image, index)
        if isinstance(image, np.ndarray):
            return check_image(image, index)
        raise TypeError(
            f"image {index} must be bytes, a path, a PIL image or a uint8 array, got {type(image).__name__}"
        )

    def _decode(self, source: FileSource, key: str | None) -> np.ndarray:
        return decode_in(
            self.memory,
            source,
            max_pixels=self.max_pixels,
            formats=self.formats,
            background=self.background,
            at_least=self.at_least,
            key=key,
        )

    def _from_pillow(self, image: Image.Image, index: int) -> np.ndarray:
        try:
            return np.asarray(convert(image, "RGB", self.background))
        except (OSError, SyntaxError) as error:  # Pillow opens files lazily: damage shows only now.
            raise DataError(f"image {index}", f"the PIL image cannot be loaded ({error})") from error


def check_list(images: Sequence[Any]) -> None:
    """Raises TypeError for a single image, which could be taken for a sequence."""
    if isinstance(images, (str, bytes, os.PathLike, Image.Image)):
        raise TypeError(
            f"images must be a list of images, got one {type(images).__name__}; wrap it in a list"
        )


def for_each(count: int, threads: int, one: Callable[[int], None]) -> None:
    """one(0), ..., one(count - 1) in Python threads; the first error is raised.

    Args:
        count: how many.
        threads: 0: as many as the process-wide pool has; 1: the calling thread.
        one: safe to call at once from several threads.
    """
    workers = min(threads or native().num_threads(), count)
    if workers <= 1:
        for i in range(count):
            one(i)
        return
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(one, i) for i in range(count)]:
            done.result()
