"""Preprocessor: files, images or arrays to the batch that a vision model was trained on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from mmcore._load import native
from mmcore.errors import DataError
from mmcore.image.decode import MAX_PIXELS, PixelMemory, convert, decode_in
from mmcore.image.geometry import center_window, shorter_side_size
from mmcore.image.resize import check_image, check_threads, resize_windows

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)
_LEGAL = {"resize": ("bicubic", "bilinear"), "crop": ("center", None), "dtype": ("float32", "uint8")}


@dataclass(frozen=True)
class Preprocessor:
    """Resize, centre crop and normalise: what stands between image files and a vision model.

    With crop="center" the shorter side becomes `shorter` (default: size), the longer int(shorter * longer /
    shorter side), and the size x size window at floor((n - size) / 2) is kept; only that window is computed.
    With crop=None the image is squashed to size x size. Then (v / 255 - mean) / std. Resized bytes equal
    Pillow's.

    Args:
        size: height and width of the result.
        resize: "bicubic" or "bilinear", both antialiased.
        crop: "center" or None.
        mean: three numbers.
        std: three numbers.
        dtype: "float32", or "uint8" for the resized bytes without normalisation.
        shorter: what the shorter side becomes before the crop.
        max_pixels: larger images are refused; see `decode`.

    Raises:
        ValueError: an option is none of these.

    Example:
        >>> Preprocessor.imagenet(size=8, shorter=9)([np.zeros((20, 30, 3), np.uint8)]).shape
        (1, 8, 8, 3)
    """

    size: int = 224
    resize: str = "bicubic"
    crop: str | None = "center"
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    dtype: str = "float32"
    shorter: int | None = None
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        for name, legal in _LEGAL.items():
            if getattr(self, name) not in legal:
                raise ValueError(f"{name} must be one of {legal}, got {getattr(self, name)!r}")
        if self.size < 1 or (self.shorter is not None and self.shorter < self.size):
            raise ValueError(
                f"size must be positive and shorter at least size, got {self.size} and {self.shorter}"
            )
        if self.shorter is not None and self.crop is None:
            raise ValueError("shorter is for crop='center'; with crop=None leave it out")
        for name in ("mean", "std"):
            values = tuple(map(float, getattr(self, name)))
            if len(values) != 3:
                raise ValueError(f"{name} must be three numbers, got {len(values)}")
            object.__setattr__(self, name, values)

    @classmethod
    def clip(cls, **options: Any) -> Preprocessor:
        """Shorter side to 224, centre crop, CLIP's mean and std.

        Source: Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021,
        arXiv:2103.00020; constants of its published code (openai/CLIP, clip.py).
        """
        return cls(**{"mean": CLIP_MEAN, "std": CLIP_STD, **options})

    @classmethod
    def siglip(cls, **options: Any) -> Preprocessor:
        """Squashed to 224 x 224, values in [-1, 1].

        Source: Zhai et al., Sigmoid Loss for Language Image Pre-Training, 2023, arXiv:2303.15343; the
        preprocessing of its published checkpoints (bicubic, no crop, mean and std 0.5).
        """
        return cls(**{"crop": None, "mean": HALF, "std": HALF, **options})

    @classmethod
    def imagenet(cls, **options: Any) -> Preprocessor:
        """Shorter side to 256, centre crop of 224, bilinear, ImageNet's mean and std.

        Source: He et al., Deep Residual Learning for Image Recognition, 2015, arXiv:1512.03385, section 3.4
        (shorter side 256, crop 224); mean and std as published with torchvision's models.
        """
        return cls(
            **{"resize": "bilinear", "shorter": 256, "mean": IMAGENET_MEAN, "std": IMAGENET_STD, **options}
        )

    def __call__(self, images: Sequence[Any], *, threads: int | None = None) -> np.ndarray:
        """The batch of `images`: bytes of files, paths, PIL images, or uint8 arrays [H, W, 3], also mixed.

        Files are decoded in Python threads (the decoders release the GIL) and each is resized by the thread
        that decoded it, while its pixels are in that core's cache. PIL images are taken as they are: only
        files have their EXIF orientation applied.

        Shapes: float32 (or uint8) [B, size, size, 3].

        Args:
            images: any number of them.
            threads: None: as many as the process-wide pool has; 1: the calling thread.

        Raises:
            DataError: a file is missing or damaged; LimitError: it is larger than max_pixels. The path, or
                the
                position in `images`, is named.
            TypeError: an element is none of these.
            ValueError: an array is not uint8 [H, W, 3], or threads is below 1.
        """
        if isinstance(images, (str, bytes, os.PathLike, Image.Image)):
            raise TypeError(
                f"images must be a list of images, got one {type(images).__name__}; wrap it in a list"
            )
        count = check_threads(threads)
        out = np.empty((len(images), self.size, self.size, 3), self.dtype)
        if all(isinstance(image, np.ndarray) for image in images):
            self._resize([check_image(image, i) for i, image in enumerate(images)], out, threads)
            return out
        memory = PixelMemory()
        workers = min(count or native().num_threads(), len(images))
        if workers == 1:
            for i, image in enumerate(images):
                self._one(image, i, out, memory)
            return out
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(self._one, image, i, out, memory) for i, image in enumerate(images)]:
                done.result()
        return out

    def _one(self, image: Any, index: int, out: np.ndarray, memory: PixelMemory) -> None:
        self._resize([self._pixels(image, index, memory)], out[index : index + 1], threads=1)

    def _pixels(self, image: Any, index: int, memory: PixelMemory) -> np.ndarray:
        if isinstance(image, (bytes, bytearray, memoryview)):
            return decode_in(memory, image, max_pixels=self.max_pixels, key=f"image {index}")
        if isinstance(image, (str, os.PathLike)):
            return decode_in(memory, image, max_pixels=self.max_pixels)
        if isinstance(image, Image.Image):
            return self._from_pillow(image, index)
        if isinstance(image, np.ndarray):
            return check_image(image, index)
        raise TypeError(
            f"image {index} must be bytes, a path, a PIL image or a uint8 array, got {type(image).__name__}"
        )

    def _from_pillow(self, image: Image.Image, index: int) -> np.ndarray:
        try:
            return np.asarray(convert(image, "RGB"))
        except (OSError, SyntaxError) as error:  # Pillow opens files lazily: damage shows only now.
            raise DataError(f"image {index}", f"the PIL image cannot be loaded ({error})") from error

    def _resize(self, images: list[np.ndarray], out: np.ndarray, threads: int | None) -> None:
        boxes = [(0, 0, image.shape[1], image.shape[0]) for image in images]
        windows = [self._window(*image.shape[:2]) for image in images]
        resize_windows(
            images,
            (self.size, self.size),
            windows,
            boxes=boxes,
            method=self.resize,
            mean=self.mean,
            std=self.std,
            threads=threads,
            out=out,
        )

    def _window(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(full height, full width, top, left) for an image of this size."""
        if self.crop is None or not height or not width:
            return self.size, self.size, 0, 0
        full = shorter_side_size(height, width, self.shorter or self.size)
        return (*full, *center_window(*full, self.size))
