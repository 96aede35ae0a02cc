"""Image files to model inputs in a graph: headers, GIF and BMP natively, JPEG and PNG by TensorFlow's decoders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from mmcore import _load
from mmcore.ops import image


class Files(Protocol):
    """Which files are read, and how."""

    @property
    def max_pixels(self) -> int: ...
    @property
    def formats(self) -> tuple[str, ...]: ...
    @property
    def background(self) -> tuple[int, int, int] | None: ...


class FilePreprocessor(image.Preprocessor, Files, Protocol):
    """What is asked of a preprocessor of files; `mmcore.image.Preprocessor` has it."""

    @property
    def fast(self) -> bool: ...


def preprocess_image(
    pre: FilePreprocessor, contents: tf.Tensor, *, key: tf.Tensor | None = None
) -> tf.Tensor:
    """pre([contents])[0] for the bytes of a JPEG, PNG, GIF or BMP file, bit for bit, in a graph.

    What the header forbids is refused before a decoder allocates memory. Undamaged files have the same pixels
    as those of `mmcore.image.decode`: EXIF orientation is applied, GIF gives its first frame, 16-bit grey is
    clipped. Other formats, and JPEG with CMYK colours, arithmetic codes, 12 bits or without loss, are errors
    that name them. Single files in `tf.data` want `map(..., num_parallel_calls=...)`; a batch is handled one
    by one. Has no XLA kernel: call it outside functions with `jit_compile=True`.

    Shapes:
        contents: string [] or [B], the bytes of files. Result: as of `resize_normalize` for one image, or for
        a batch of B.

    Args:
        pre: a `mmcore.image.Preprocessor`.
        contents: whole files.
        key: string of the same shape, what to call each file in errors; by default "image", or "image 0" and
            so on in a batch.

    Raises:
        TypeError: contents is not of dtype string.
        ValueError: contents has a known rank above 1.
        tf.errors.DataLossError: when run; a file is damaged, empty, not of an allowed format, or of one that is
            not read in a graph. What only TensorFlow's own decoders find is an InvalidArgumentError.
        tf.errors.ResourceExhaustedError: when run; more than pre.max_pixels pixels, or too many scans.

    Example:
        >>> from mmcore import image, ops
        >>> file = tf.io.encode_jpeg(tf.zeros([9, 6, 3], tf.uint8))
        >>> ops.preprocess_image(image.Preprocessor(size=4), file).shape
        TensorShape([4, 4, 3])
    """
    contents, key = check_files(contents, key)
    if contents.shape.rank != 1:
        return image.resize_normalize(pre, decode(pre, contents, key, _fast_side(pre)))

    def one(pair: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        return image.resize_normalize(pre, decode(pre, *pair, _fast_side(pre)))

    empty = image.resize_normalize(pre, tf.zeros([0, 1, 1, 3], tf.uint8))
    signature = tf.TensorSpec(empty.shape[1:], empty.dtype)
    return tf.map_fn(one, (contents, key), fn_output_signature=signature)


def reference_preprocess_image(
    pre: FilePreprocessor, contents: tf.Tensor, *, key: tf.Tensor | None = None
) -> tf.Tensor:
    """The twin of `preprocess_image`: calls `pre` itself, in Python; it reads all of its formats.

    Shapes, Args and Raises as `preprocess_image`; needs the interpreter, so that it cannot be saved.
    """
    contents, _ = check_files(contents, key)

    def apply(files: Any) -> Any:
        files = np.asarray(files, object)
        return pre(list(files)) if files.ndim else pre([files.item()])[0]

    result = tf.numpy_function(apply, [contents], tf.as_dtype(pre.dtype))
    shape = image.resize_normalize(pre, tf.zeros([0, 1, 1, 3], tf.uint8)).shape[1:]
    result.set_shape([*contents.shape, *shape] if contents.shape.rank is not None else None)
    return result


def check_files(contents: Any, key: Any) -> tuple[tf.Tensor, tf.Tensor]:
    """Files and their names: both of rank 0, or both of rank 1."""
    contents = tf.convert_to_tensor(contents)
    if contents.dtype != tf.string:
        raise TypeError(
            f"expected contents of dtype string, the bytes of files, found {contents.dtype.name}; decoded images "
            "are for ops.resize_normalize"
        )
    if contents.shape.rank not in (None, 0, 1):
        raise ValueError(f"expected contents [] or [B], found {contents.shape}")
    if key is not None:
        return contents, tf.convert_to_tensor(key, tf.string)
    if contents.shape.rank == 1:
        return contents, tf.strings.join(["image ", tf.strings.as_string(tf.range(tf.size(contents)))])
    return contents, tf.constant("image")


def _fast_side(pre: FilePreprocessor) -> int:
    return 2 * (pre.shorter or pre.size) if pre.fast else 0


def decode(pre: Files, contents: tf.Tensor, key: tf.Tensor, fast_side: int = 0) -> tf.Tensor:
    """uint8 [H, W, 3], upright; JPEG decoded smaller where both sides stay at least fast_side, unless that is 0."""
    kernels = _load.kernels()
    channels = 3 if pre.background is None else 4
    header = kernels.mmcore_image_header(
        contents=contents,
        key=key,
        formats=", ".join(pre.formats),
        max_pixels=pre.max_pixels,
        fast_side=fast_side,
        alpha=pre.background is not None,
    )

    def here() -> tf.Tensor:
        return kernels.mmcore_decode_pixels(
            contents=contents, key=key, channels=channels, max_pixels=pre.max_pixels
        )

    def png(num: int) -> Callable[[], tf.Tensor]:
        return lambda: tf.io.decode_png(header.png, channels=num)

    def grey_png16() -> tf.Tensor:
        grey = tf.minimum(tf.io.decode_png(header.png, channels=1, dtype=tf.uint16), 255)
        return tf.cast(grey, tf.uint8)

    def jpeg(ratio: int) -> Callable[[], tf.Tensor]:
        return lambda: tf.io.decode_jpeg(
            contents, channels=3, ratio=ratio, dct_method="INTEGER_ACCURATE", fancy_upscaling=True
        )

    ratios = (1, 2, 4, 8) if fast_side else (1,)
    transparent = [] if pre.background is None else [png(channels)]
    decoders = [here, png(3), grey_png16, *transparent, *map(jpeg, ratios)]
    pixels = tf.switch_case(header.decoder, decoders)
    background = bytes(pre.background or (0, 0, 0))
    return kernels.mmcore_upright(pixels=pixels, orientation=header.orientation, background=background)
