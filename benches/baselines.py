"""The rivals, each as fast as its own interface allows, each behind a skip where it is not installed."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import pytest

ImageBatch = Callable[[Sequence[bytes]], np.ndarray]


def pillow_batch(size: int, mean: Sequence[float], std: Sequence[float]) -> ImageBatch:
    """JPEG files to float32 [B, size, size, 3] as CLIP's published code does it, normalised in place."""
    from PIL import Image

    finish = pillow_finish(size, mean, std)

    def run(files: Sequence[bytes]) -> np.ndarray:
        return finish([Image.open(io.BytesIO(data)).convert("RGB") for data in files])

    return run


def pillow_finish(size: int, mean: Sequence[float], std: Sequence[float]) -> Callable[[Sequence], np.ndarray]:
    """Decoded Pillow images to the same batch: bicubic resize, centre crop, a multiplication, an addition."""
    from PIL import Image

    scale, bias = _scale_and_bias(mean, std)

    def run(images: Sequence) -> np.ndarray:
        out = np.empty((len(images), size, size, 3), np.float32)
        for row, image in zip(out, images, strict=True):
            height, width = _shorter_side(image.height, image.width, size)
            left, top = (width - size) // 2, (height - size) // 2
            image = image.resize((width, height), Image.Resampling.BICUBIC)
            np.multiply(image.crop((left, top, left + size, top + size)), scale, out=row, casting="unsafe")
            row += bias
        return out

    return run


def opencv_batch(size: int, mean: Sequence[float], std: Sequence[float]) -> ImageBatch:
    """The same with OpenCV on one thread and its antialiasing interpolation for shrinking, INTER_AREA."""
    cv2 = pytest.importorskip("cv2", reason="needs opencv-python-headless (extra: test)")
    scale, bias = _scale_and_bias(mean, std)

    def run(files: Sequence[bytes]) -> np.ndarray:
        cv2.setNumThreads(1)
        out = np.empty((len(files), size, size, 3), np.float32)
        for row, data in zip(out, files, strict=True):
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            height, width = _shorter_side(*image.shape[:2], size)
            left, top = (width - size) // 2, (height - size) // 2
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            image = cv2.cvtColor(image[top:top + size, left:left + size], cv2.COLOR_BGR2RGB)
            np.multiply(image, scale, out=row, casting="unsafe")
            row += bias
        return out

    return run


def tf_image_batch(size: int, mean: Sequence[float], std: Sequence[float]) -> ImageBatch:
    """The same with tf.image in one compiled graph, on TensorFlow's own threads."""
    tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")
    scale, bias = _scale_and_bias(mean, std)

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def one(data):
        image = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")
        height, width = tf.unstack(tf.cast(tf.shape(image)[:2], tf.float64))
        shorter = tf.minimum(height, width)
        full = tf.cast([size * height / shorter, size * width / shorter], tf.int32)
        image = tf.image.resize(image, full, "bicubic", antialias=True)
        top, left = tf.unstack((full - size) // 2)
        return image[top:top + size, left:left + size] * scale + bias

    def run(files: Sequence[bytes]) -> np.ndarray:
        return np.stack([one(data).numpy() for data in files])

    return run


def _shorter_side(height: int, width: int, size: int) -> tuple[int, int]:
    return (size, int(size * width / height)) if height <= width else (int(size * height / width), size)


def _scale_and_bias(mean: Sequence[float], std: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    mean, std = np.array(mean), np.array(std)
    return (1 / (255 * std)).astype(np.float32), (-mean / std).astype(np.float32)
