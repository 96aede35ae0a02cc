"""The steps of an augmentation: frozen descriptions, which the core is given as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

OPERATIONS = (
    "Identity",
    "AutoContrast",
    "Equalize",
    "Invert",
    "Rotate",
    "Posterize",
    "Solarize",
    "Color",
    "Contrast",
    "Brightness",
    "Sharpness",
    "ShearX",
    "ShearY",
    "TranslateX",
    "TranslateY",
    "Grayscale",
    "Hue",
    "Flip",
)
"""All operations on pixels, in the core's order; the first fifteen are `RandAugment`'s."""

RAND_AUGMENT = tuple(name for name in OPERATIONS[:15] if name != "Invert")
"""The fourteen operations of the paper: Invert, which is AutoAugment's, is left out."""

Pair = tuple[float, float]
Color = tuple[int, int, int]
_MOST_FACTOR = 1e6


@dataclass(frozen=True)
class RandomResizedCrop:
    """A random part of the image, resized to the augmentation's size; first of all steps.

    The share of the area is uniform, the ratio log-uniform, sides are rounded to whole pixels, and the place
    is uniform. After ten draws that do not fit, the largest centred box whose ratio is within bounds.

    Args:
        scale: least and greatest share of the area.
        ratio: least and greatest width / height.

    Raises:
        ValueError: bounds that are not ordered or not in (0, 1] and (0, 1e6].

    Source: Szegedy et al., Going Deeper with Convolutions, 2015, arXiv:1409.4842, section 6; torchvision's
    RandomResizedCrop.
    """

    scale: Pair = (0.08, 1.0)
    ratio: Pair = (3 / 4, 4 / 3)

    def __post_init__(self) -> None:
        _freeze(self, "scale", _ordered("scale", self.scale, 1e-9, 1.0))
        _freeze(self, "ratio", _ordered("ratio", self.ratio, 1e-6, 1e6))

    def numbers(self) -> list[float]:
        """What the core reads."""
        return [1, *self.scale, *self.ratio]


@dataclass(frozen=True)
class RandomHorizontalFlip:
    """Left and right exchanged with probability `p`.

    Raises:
        ValueError: p is outside [0, 1].
    """

    p: float = 0.5

    def __post_init__(self) -> None:
        _freeze(self, "p", _probability(self.p))

    def numbers(self) -> list[float]:
        """What the core reads."""
        return [2, self.p]


@dataclass(frozen=True)
class ColorJitter:
    """Brightness, contrast, saturation and hue changed by random amounts in random order.

    A number x means factors uniform in [max(0, 1 - x), 1 + x], or turns in [-x, x] for hue; a pair gives both
    bounds. The pixels are those of Pillow's ImageEnhance.Brightness, Contrast and Color, and of torchvision's
    adjust_hue on Pillow images (through "HSV" in bytes), each rounded to bytes before the next. What may not
    change (0, or the pair (1, 1)) is left out.

    Args:
        brightness: amount or bounds of the factor.
        contrast: the same.
        saturation: the same.
        hue: amount at most 1/2, or bounds within [-1/2, 1/2].
        p: probability that anything is changed.

    Raises:
        ValueError: an amount is negative, or bounds are not ordered or too large.

    Source: torchvision's ColorJitter; Pillow, ImageEnhance.
    """

    brightness: float | Pair = 0.0
    contrast: float | Pair = 0.0
    saturation: float | Pair = 0.0
    hue: float | Pair = 0.0
    p: float = 1.0

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "saturation", "hue"):
            self._bounds(name)
        _freeze(self, "p", _probability(self.p))

    def _bounds(self, name: str) -> Pair:
        value: Any = getattr(self, name)
        hue = name == "hue"
        if isinstance(value, (int, float)):
            if not 0 <= value <= (0.5 if hue else _MOST_FACTOR):
                raise ValueError(
                    f"{name} must be 0 to {0.5 if hue else _MOST_FACTOR:g}, or (low, high), got {value}"
                )
            return (-float(value), float(value)) if hue else (max(0.0, 1.0 - value), 1.0 + value)
        return _ordered(name, value, -0.5 if hue else 0.0, 0.5 if hue else _MOST_FACTOR)

    def bounds(self) -> tuple[Pair, Pair, Pair, Pair]:
        """The bounds of the factors of brightness, contrast and saturation, and of the turns of the hue."""
        return (
            self._bounds("brightness"),
            self._bounds("contrast"),
            self._bounds("saturation"),
            self._bounds("hue"),
        )

    def numbers(self) -> list[float]:
        """What the core reads."""
        return [3, *(number for pair in self.bounds() for number in pair), self.p]


@dataclass(frozen=True)
class RandomGrayscale:
    """With probability `p` all three channels become the luma, as Pillow's "L" has it.

    Raises:
        ValueError: p is outside [0, 1].
    """

    p: float = 0.1

    def __post_init__(self) -> None:
        _freeze(self, "p", _probability(self.p))

    def numbers(self) -> list[float]:
        """What the core reads."""
        return [4, self.p]


@dataclass(frozen=True)
class RandAugment:
    """`num_ops` operations drawn with replacement, all with one magnitude, each with Pillow's pixels.

    With m = magnitude / (num_magnitude_bins - 1) and a random sign: Rotate by 30 m degrees, ShearX and ShearY
    by 0.3 m, TranslateX and TranslateY by floor(150 / 331 m side) pixels, Color, Contrast, Brightness and
    Sharpness with factor 1 + 0.9 m or 1 - 0.9 m; without a sign: Posterize to 8 - round(4 m) bits, Solarize
    from 255 (1 - m), AutoContrast, Equalize, Invert, Identity. Geometry takes nearest neighbours.

    Args:
        num_ops: how many operations an image gets.
        magnitude: 0 to num_magnitude_bins - 1.
        num_magnitude_bins: how many levels there are.
        operations: names out of `OPERATIONS[:15]`; by default the fourteen of the paper.
        fill: red, green and blue of pixels from outside of the image.

    Raises:
        ValueError: an argument is none of these.

    Source: Cubuk et al., RandAugment: Practical Automated Data Augmentation with a Reduced Search Space,
    2019, arXiv:1909.13719, section 3; ranges as in torchvision's RandAugment.
    """

    num_ops: int = 2
    magnitude: int = 9
    num_magnitude_bins: int = 31
    operations: tuple[str, ...] = RAND_AUGMENT
    fill: Color = (0, 0, 0)

    def __post_init__(self) -> None:
        if not 0 <= self.num_ops <= 100 or self.num_ops != int(self.num_ops):
            raise ValueError(f"num_ops must be a whole number of 0 to 100, got {self.num_ops}")
        if self.num_magnitude_bins < 2 or not 0 <= self.magnitude <= self.num_magnitude_bins - 1:
            raise ValueError(
                f"magnitude must be 0 to num_magnitude_bins - 1 and num_magnitude_bins at least 2, got "
                f"{self.magnitude} and {self.num_magnitude_bins}"
            )
        names = (self.operations,) if isinstance(self.operations, str) else tuple(self.operations)
        unknown = [name for name in names if name not in OPERATIONS[:15]]
        if unknown or not names or len(set(names)) < len(names):
            raise ValueError(
                f"operations must be different names out of {', '.join(OPERATIONS[:15])}, got {names}"
            )
        _freeze(self, "operations", tuple(sorted(names, key=OPERATIONS.index)))
        _freeze(self, "fill", _color(self.fill))

    def numbers(self) -> list[float]:
        """What the core reads."""
        chosen = sum(1 << OPERATIONS.index(name) for name in self.operations)
        share = self.magnitude / (self.num_magnitude_bins - 1)
        return [5, self.num_ops, share, _packed(self.fill), chosen]


@dataclass(frozen=True)
class RandomErasing:
    """With probability `p` a random rectangle of the resized image is painted over, before normalisation.

    Share of the area uniform, ratio log-uniform; nothing is erased after ten draws that do not leave a row
    and a column.

    Args:
        p: probability.
        scale: least and greatest share of the area.
        ratio: least and greatest height / width.
        value: red, green and blue, or "random" for noise.

    Raises:
        ValueError: an argument is none of these.

    Source: Zhong et al., Random Erasing Data Augmentation, 2017, arXiv:1708.04896, algorithm 1; torchvision's
    RandomErasing (which paints after normalisation).
    """

    p: float = 0.5
    scale: Pair = (0.02, 0.33)
    ratio: Pair = (0.3, 3.3)
    value: Color | str = (0, 0, 0)

    def __post_init__(self) -> None:
        _freeze(self, "p", _probability(self.p))
        _freeze(self, "scale", _ordered("scale", self.scale, 0.0, 1.0))
        _freeze(self, "ratio", _ordered("ratio", self.ratio, 1e-6, 1e6))
        if isinstance(self.value, str):
            if self.value != "random":
                raise ValueError(f'value must be (red, green, blue) or "random", got {self.value!r}')
        else:
            _freeze(self, "value", _color(self.value))

    def numbers(self) -> list[float]:
        """What the core reads."""
        fill = -1 if isinstance(self.value, str) else _packed(self.value)
        return [6, self.p, *self.scale, *self.ratio, fill]


Step = RandomResizedCrop | RandomHorizontalFlip | ColorJitter | RandomGrayscale | RandAugment | RandomErasing


def _freeze(step: Any, name: str, value: Any) -> None:
    object.__setattr__(step, name, value)


def _ordered(name: str, bounds: Sequence[float], least: float, most: float) -> Pair:
    pair = tuple(map(float, bounds))
    if len(pair) != 2 or not least <= pair[0] <= pair[1] <= most or not math.isfinite(sum(pair)):
        raise ValueError(
            f"{name} must be (low, high) with {least:g} <= low <= high <= {most:g}, got {bounds}"
        )
    return pair[0], pair[1]


def _probability(p: float) -> float:
    if not 0 <= p <= 1:
        raise ValueError(f"p must be in [0, 1], got {p}")
    return float(p)


def _color(color: Sequence[int]) -> Color:
    values = tuple(color)
    if len(values) != 3 or any(value != int(value) or not 0 <= value <= 255 for value in values):
        raise ValueError(f"a colour must be three whole numbers of 0 to 255, got {color}")
    return int(values[0]), int(values[1]), int(values[2])


def _packed(color: Color) -> int:
    return color[0] | color[1] << 8 | color[2] << 16
