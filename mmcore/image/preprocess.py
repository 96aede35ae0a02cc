"""Preprocessor: files, images or arrays to the batch that a vision model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmcore.image._file import FORMATS, MAX_PIXELS, check_formats
from mmcore.image._pillow import Color
from mmcore.image.batch import DTYPES, LAYOUTS, batch_shape, empty_batch
from mmcore.image.config import ConfigSource, preprocessor_options
from mmcore.image.decode import check_background
from mmcore.image.geometry import center_window, shorter_side_size
from mmcore.image.pixels import PixelReader, check_list, for_each
from mmcore.image.processor_defaults import CLIP_MEAN, CLIP_STD, HALF
from mmcore.image.resize import METHODS, check_image, check_threads, resize_windows

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LEGAL = {"resize": METHODS, "crop": ("center", None), "dtype": DTYPES, "layout": LAYOUTS}


@dataclass(frozen=True)
class Preprocessor:
    """Resize, centre crop and normalise: what stands between image files and a vision model.

    With crop="center" the shorter side becomes `shorter` (default: size), the longer int(shorter * longer /
    shorter side), and the size x size window at floor((n - size) / 2) is kept; only that window is computed.
    With crop=None the image is squashed to size x size. Then (v / 255 - mean) / std. Resized bytes equal
    Pillow's.

    Args:
        size: height and width of the result.
        resize: "bicubic", "bilinear", "lanczos", "box" or "hamming", all antialiased, or "nearest".
        crop: "center" or None.
        mean: three numbers.
        std: three numbers.
        dtype: "float32", "bfloat16" (needs ml_dtypes), "float16", or "uint8" for the resized bytes without
            normalisation.
        layout: of the result: "NHWC" is [B, size, size, 3], "NCHW" is [B, 3, size, size].
        shorter: what the shorter side becomes before the crop.
        max_pixels: larger images are refused; see `decode`.
        formats: of files that may be read; see `decode`.
        background: what transparent pixels of files and PIL images are put over; None: alpha is dropped.
        fast: JPEG files are decoded at a half, a quarter or an eighth of their size, where that divides both
            sides and leaves at least twice what the shorter side is resized to. Resized photographs then
            differ from exact ones by less than 1 of 255 on average, and by 8 at most in 99.9 % of values.

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
    formats: tuple[str, ...] = FORMATS
    background: Color | None = None
    fast: bool = False
    layout: str = "NHWC"

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
        object.__setattr__(self, "formats", tuple(self.formats))
        check_formats(self.formats)
        object.__setattr__(self, "background", check_background(self.background))
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

    @classmethod
    def from_config(cls, config: ConfigSource, **options: Any) -> Preprocessor:
        """What a preprocessor_config.json of Hugging Face says, with Pillow's pixels.

        The processors of CLIP, Chinese CLIP, SigLIP, ViT, BiT (DINOv2), BLIP and ConvNeXt are known, and files
        that name no processor but say everything. Results equal those of the Pillow-based processors; those that end
        in "Fast" resize by other rules, of torchvision, and differ from them by a few levels of 255. Keys about
        layout and type are not read: ours are options.

        Args:
            config: the file, a folder that holds it (or a processor_config.json), or its content as a dict.
            options: of this class; they go over what the file says.

        Raises:
            FormatError: the file is damaged, or asks for what is not supported: no resize, a size or crop that is no
                square, a crop without its resize, padding, another processor, an unknown key. The key is named.
            LimitError: the file is larger than 1 MiB.
            FileNotFoundError: there is none.

        Example:
            >>> config = {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 36}, "crop_size": 32}
            >>> pre = Preprocessor.from_config(config, layout="NCHW")
            >>> pre.size, pre.shorter, pre.resize
            (32, 36, 'bicubic')
        """
        return cls(**{**preprocessor_options(config), **options})

    def __call__(self, images: Sequence[Any], *, threads: int | None = None) -> np.ndarray:
        """The batch of `images`: bytes of files, paths, PIL images, or uint8 arrays [H, W, 3], also mixed.

        Files are decoded in Python threads (the decoders release the GIL) and each is resized by the thread
        that decoded it, while its pixels are in that core's cache. PIL images are taken as they are: only
        files have their EXIF orientation applied.

        Shapes: [B, size, size, 3], or [B, 3, size, size], of the dtype `dtype`. The memory is aligned so that
        `mmcore.ops.as_tensor` takes it without a copy.

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
        check_list(images)
        count = check_threads(threads)
        out = empty_batch(batch_shape(len(images), (self.size, self.size), 3, self.layout), self.dtype)
        if all(isinstance(image, np.ndarray) for image in images):
            self._resize([check_image(image, i) for i, image in enumerate(images)], out, threads)
            return out
        side = 2 * (self.shorter or self.size)
        read = PixelReader(
            self.max_pixels, self.formats, self.background, at_least=(side, side) if self.fast else None
        )
        for_each(len(images), count, lambda i: self._resize([read(images[i], i)], out[i : i + 1], threads=1))
        return out

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
            layout=self.layout,
            threads=threads,
            out=out,
        )

    def _window(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(full height, full width, top, left) for an image of this size."""
        if self.crop is None or not height or not width:
            return self.size, self.size, 0, 0
        full = shorter_side_size(height, width, self.shorter or self.size)
        return (*full, *center_window(*full, self.size))
