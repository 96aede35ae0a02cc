"""Mixing the images of a batch and their labels: mixup and cutmix."""

from __future__ import annotations

import numpy as np

from mmcore._load import native
from mmcore.image.batch import empty_batch
from mmcore.image.resize import check_threads


def mixup(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    step: int,
    alpha: float = 0.2,
    num_classes: int | None = None,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Each image and label becomes share * itself + (1 - share) * the one before it (the first: the last).

    One share for the batch, from Beta(alpha, alpha), drawn from (seed, step).

    Shapes: images float32 [B, H, W, C]; labels whole numbers [B], or float32 [B, K]; to float32 of the shape
    of images, and [B, K].

    Args:
        images: normalised.
        labels: class numbers, for which `num_classes` is needed, or shares of classes.
        seed: 0 to 2^64 - 1.
        step: of the training, 0 to 2^64 - 1.
        alpha: 0.01 to 100.
        num_classes: K, for class numbers.
        threads: None: the process-wide pool; 1: the calling thread.

    Raises:
        ValueError: an argument is none of these.

    Example:
        >>> images, labels = mixup(np.zeros((4, 2, 2, 3), np.float32), np.arange(4), seed=0, step=0, num_classes=5)
        >>> labels.sum(1).tolist()
        [1.0, 1.0, 1.0, 1.0]

    Source: Zhang et al., mixup: Beyond Empirical Risk Minimization, 2017, arXiv:1710.09412, equation 2.
    """
    if np.asarray(images).dtype != np.float32:
        raise ValueError(f"images must be float32 [B, H, W, C], got {np.asarray(images).dtype}")
    return _mix(False, images, labels, seed, step, alpha, num_classes, threads)


def cutmix(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    step: int,
    alpha: float = 1.0,
    num_classes: int | None = None,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A rectangle of each image is replaced by that of the one before it; labels are mixed by area.

    With b from Beta(alpha, alpha), the rectangle has sides floor(sqrt(1 - b) side / 2) to both sides of a
    uniform centre, cut at the border: one for the batch, drawn from (seed, step).

    Shapes: images uint8 or float32 [B, H, W, C]; labels as for `mixup`.

    Args:
        images: bytes or normalised.
        labels: as for `mixup`, like all other arguments.
        seed: 0 to 2^64 - 1.
        step: of the training, 0 to 2^64 - 1.
        alpha: 0.01 to 100.
        num_classes: K, for class numbers.
        threads: None: the process-wide pool; 1: the calling thread.

    Raises:
        ValueError: an argument is none of these.

    Source: Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features,
    2019, arXiv:1905.04899, section 3.1.
    """
    if np.asarray(images).dtype not in (np.float32, np.uint8):
        raise ValueError(f"images must be uint8 or float32 [B, H, W, C], got {np.asarray(images).dtype}")
    return _mix(True, images, labels, seed, step, alpha, num_classes, threads)


def _mix(
    cut: bool,
    images: np.ndarray,
    labels: np.ndarray,
    seed: int,
    step: int,
    alpha: float,
    num_classes: int | None,
    threads: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    images = np.ascontiguousarray(images)
    if images.ndim != 4:
        raise ValueError(f"images must be [B, H, W, C], got {list(images.shape)}")
    for name, word in (("seed", seed), ("step", step)):
        if not isinstance(word, (int, np.integer)) or not 0 <= word < 2**64:
            raise ValueError(f"{name} must be a whole number of 0 to 2^64 - 1, got {word!r}")
    rows = _rows(labels, len(images), num_classes)
    mixed, soft = empty_batch(images.shape, images.dtype.name), np.empty_like(rows)
    native().image_mix(
        cut, float(alpha), int(seed), int(step), images, rows, mixed, soft, check_threads(threads)
    )
    return mixed, soft


def _rows(labels: np.ndarray, count: int, num_classes: int | None) -> np.ndarray:
    """Labels as float32 [B, K]."""
    labels = np.asarray(labels)
    if labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer) and len(labels) == count:
        if num_classes is None or (count and not 0 <= labels.min() <= labels.max() < num_classes):
            raise ValueError(f"class numbers need num_classes above all of them, got {num_classes}")
        return np.eye(num_classes, dtype=np.float32)[labels]
    if labels.ndim == 2 and labels.dtype == np.float32 and len(labels) == count:
        return np.ascontiguousarray(labels)
    raise ValueError(
        f"labels must be whole numbers [{count}] or float32 [{count}, K], got {labels.dtype} {list(labels.shape)}"
    )
