"""Images of any size and aspect as sequences of patches: the input of vision models of variable resolution."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mmcore._load import native
from mmcore.errors import DataError
from mmcore.image._file import FORMATS, MAX_PIXELS, check_formats
from mmcore.image._pillow import Color
from mmcore.image.batch import DTYPES, empty_batch
from mmcore.image.config import ConfigSource, patch_options
from mmcore.image.decode import check_background
from mmcore.image.normalize import normalization_for
from mmcore.image.pixels import PixelReader, check_list, for_each
from mmcore.image.processor_defaults import HALF
from mmcore.image.resize import METHODS, check_image, check_threads


class PatchBatch(NamedTuple):
    """Images as patches, row by row from the top left, filled up with zeros.

    Shapes: N is max_patches, P is patch_size.
        patches: [B, N, P * P * 3], each patch as [P, P, 3].
        mask: bool [B, N], True = real.
        positions: int32 [B, N, 2], row and column of the patch in its image; 0 where the mask is False.
        shapes: int32 [B, 2], rows and columns of each image's grid.
    """

    patches: np.ndarray
    mask: np.ndarray
    positions: np.ndarray
    shapes: np.ndarray


@dataclass(frozen=True)
class PatchPreprocessor:
    """Resize to a budget of patches, keeping the aspect; cut into patches; normalise.

    An image becomes ceil(height s / P) x ceil(width s / P) patches for the largest scale s, up to 100, that makes no
    more than max_patches. It is resized, not cropped or padded, to that grid: the aspect is kept up to one patch.
    Then (v / 255 - mean) / std. The bytes of the resize equal Pillow's.

    Args:
        patch_size: height and width of a patch, P.
        max_patches: the budget of an image, N.
        resize: the filter, as in `resize`.
        mean: three numbers.
        std: three numbers.
        dtype: "float32", "bfloat16" (needs ml_dtypes), "float16", or "uint8" for bytes without normalisation.
        max_pixels: larger images are refused; see `decode`.
        formats: of files that may be read; see `decode`.
        background: what transparent pixels are put over; None: alpha is dropped.

    Raises:
        ValueError: an option is none of these.

    Example:
        >>> patches, mask, positions, shapes = PatchPreprocessor(patch_size=4, max_patches=6)(
        ...     [np.zeros((20, 30, 3), np.uint8), np.zeros((30, 9, 3), np.uint8)]
        ... )
        >>> patches.shape, shapes.tolist(), mask.sum(1).tolist()
        ((2, 6, 48), [[2, 3], [4, 1]], [6, 4])

    Source: Tschannen et al., SigLIP 2, 2025, arXiv:2502.14786, section 2.4.2; the size rule to the last patch is that
    of its published processor. Dehghani et al., Patch n' Pack: NaViT, 2023, arXiv:2307.06304.
    """

    patch_size: int = 16
    max_patches: int = 256
    resize: str = "bilinear"
    mean: tuple[float, float, float] = HALF
    std: tuple[float, float, float] = HALF
    dtype: str = "float32"
    max_pixels: int = MAX_PIXELS
    formats: tuple[str, ...] = FORMATS
    background: Color | None = None

    def __post_init__(self) -> None:
        for name, legal in (("resize", METHODS), ("dtype", DTYPES)):
            if getattr(self, name) not in legal:
                raise ValueError(f"{name} must be one of {legal}, got {getattr(self, name)!r}")
        for name in ("mean", "std"):
            values = tuple(map(float, getattr(self, name)))
            if len(values) != 3:
                raise ValueError(f"{name} must be three numbers, got {len(values)}")
            object.__setattr__(self, name, values)
        object.__setattr__(self, "formats", tuple(self.formats))
        check_formats(self.formats)
        object.__setattr__(self, "background", check_background(self.background))
        if self.patch_size < 1 or self.max_patches < 1:
            found = f"{self.patch_size} and {self.max_patches}"
            raise ValueError(f"patch_size and max_patches must be positive, got {found}")

    @classmethod
    def siglip2(cls, **options: Any) -> PatchPreprocessor:
        """256 patches of 16 x 16, bilinear, values in [-1, 1]: SigLIP 2 NaFlex as published. Options go over it."""
        return cls(**options)

    @classmethod
    def from_config(cls, config: ConfigSource, **options: Any) -> PatchPreprocessor:
        """What the preprocessor_config.json of a `Siglip2ImageProcessor` says; see `Preprocessor.from_config`.

        Raises:
            FormatError, LimitError, FileNotFoundError: as there.
        """
        return cls(**{**patch_options(config), **options})

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of patches of an image of this size.

        Raises:
            ValueError: the image has no pixels, or is so long that no scale makes few enough patches.

        Example:
            >>> PatchPreprocessor.siglip2().grid(427, 640)
            (13, 19)
        """
        return native().image_patch_grid(height, width, self.patch_size, self.max_patches)

    def __call__(self, images: Sequence[Any], *, threads: int | None = None) -> PatchBatch:
        """The batch of `images`: bytes of files, paths, PIL images, or uint8 arrays [H, W, 3], also mixed.

        Args:
            images: any number of them.
            threads: None: as many as the process-wide pool has; 1: the calling thread.

        Raises:
            DataError, LimitError, TypeError: as `Preprocessor`; or a file's image does not fit (see `grid`).
            ValueError: an array is not uint8 [H, W, 3] or does not fit, or threads is below 1.
        """
        check_list(images)
        count = check_threads(threads)
        length = self.patch_size * self.patch_size * 3
        out = empty_batch((len(images), self.max_patches, length), self.dtype)
        shapes = np.zeros((len(images), 2), np.int32)
        if all(isinstance(image, np.ndarray) for image in images):
            pixels = [check_image(image, i) for i, image in enumerate(images)]
            self._cut(pixels, count, out, shapes)
        else:
            read = PixelReader(self.max_pixels, self.formats, self.background)

            def one(i: int) -> None:
                pixels = read(images[i], i)
                self._check(pixels, images[i], i)
                self._cut([pixels], 1, out[i : i + 1], shapes[i : i + 1])

            for_each(len(images), count, one)
        return PatchBatch(out, *mask_and_positions(shapes, self.max_patches), shapes)

    def _check(self, pixels: np.ndarray, image: Any, index: int) -> None:
        """Raises DataError where an image does not fit into the budget: such a file is a bad example like others."""
        try:
            self.grid(*pixels.shape[:2])
        except ValueError as error:
            key = str(image) if isinstance(image, (str, os.PathLike)) else f"image {index}"
            raise DataError(key, str(error)) from error

    def _cut(self, pixels: list[np.ndarray], threads: int, out: np.ndarray, shapes: np.ndarray) -> None:
        native().image_patches(
            pixels,
            self.patch_size,
            self.max_patches,
            self.resize,
            normalization_for(self.mean, self.std),
            self.dtype,
            threads,
            out,
            shapes,
        )


def mask_and_positions(shapes: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Which of `length` patches are real, bool [B, N], and their rows and columns, int32 [B, N, 2]."""
    rows, columns = shapes[:, 0, None], shapes[:, 1, None]
    number = np.arange(length, dtype=np.int32)[None]
    mask = number < rows * columns
    positions = np.stack([number // columns, number % columns], axis=-1)
    return mask, np.where(mask[..., None], positions, 0)
