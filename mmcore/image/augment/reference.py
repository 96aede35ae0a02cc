"""What the core draws and computes, in plain Python and Pillow: to be read, tested against, and reproduced by hand.

Every draw is Philox4x32-10 with the seed as key and (index, purpose, block) as counter; the purpose is the
position of the step in the list, 65536 for mixup and 65537 for cutmix, with the step of the training as index.

Source: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011, section 3.3 and table 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from mmcore.image.augment.augmentation import Augmentation
from mmcore.image.augment.steps import (
    ColorJitter,
    RandAugment,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomResizedCrop,
    Step,
)
from mmcore.image.normalize import normalize
from mmcore.image.resize import resize

WORD = 0xFFFFFFFF
MIXUP, CUTMIX = 1 << 16, (1 << 16) + 1


def philox(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Ten rounds on four 32-bit words."""
    (a, b, c, d), (k0, k1) = counter, key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = second >> 32 ^ b ^ k0, second & WORD, first >> 32 ^ d ^ k1, first & WORD
        k0, k1 = k0 + 0x9E3779B9 & WORD, k1 + 0xBB67AE85 & WORD
    return a, b, c, d


class Stream:
    """The draws of one image for one purpose."""

    def __init__(self, seed: int, index: int, purpose: int):
        self._key = (seed & WORD, seed >> 32)
        self._counter = (index & WORD, index >> 32, purpose)
        self._block = 0
        self._rest: list[int] = []

    def bits(self) -> int:
        """64 bits; a block holds two draws, low words first."""
        if not self._rest:
            words = philox((*self._counter, self._block), self._key)
            self._rest = [words[0] | words[1] << 32, words[2] | words[3] << 32]
            self._block += 1
        return self._rest.pop(0)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """low + (high - low) u, u uniform in [0, 1) with 53 bits."""
        return low + (high - low) * ((self.bits() >> 11) * 2.0**-53)

    def below(self, count: int) -> int:
        """A whole number of 0 to count - 1."""
        return self.bits() * count >> 64

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.uniform() < p


def draw_sides(
    stream: Stream, height: int, width: int, scale: tuple[float, float], ratio: tuple[float, float]
) -> tuple[int, int]:
    """round(sqrt(area * ratio)) and round(sqrt(area / ratio)) of a random share and ratio."""
    area = stream.uniform(*scale) * (height * width)
    aspect = math.exp(stream.uniform(math.log(ratio[0]), math.log(ratio[1])))
    return round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))


def draw_crop(step: RandomResizedCrop, stream: Stream, height: int, width: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom)."""
    for _ in range(10):
        w, h = draw_sides(stream, height, width, step.scale, step.ratio)
        if 1 <= w <= width and 1 <= h <= height:
            top, left = stream.below(height - h + 1), stream.below(width - w + 1)
            return left, top, left + w, top + h
    w = max(1, round(min(width, height * step.ratio[1])))
    h = max(1, round(min(height, width / step.ratio[0])))
    left, top = (width - w) // 2, (height - h) // 2
    return left, top, left + w, top + h


def shift_hue(image: Image.Image, turns: float) -> Image.Image:
    """torchvision's adjust_hue on a Pillow image."""
    hue, saturation, value = image.convert("HSV").split()
    shifted = (np.asarray(hue).astype(np.int32) + int(turns * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(shifted.astype(np.uint8)), saturation, value)).convert("RGB")


def jitter(step: ColorJitter, image: Image.Image, stream: Stream) -> Image.Image:
    """Draws whether, the order (Fisher-Yates from the end) and four factors; then applies them."""
    wanted = stream.chance(step.p)
    order = [0, 1, 2, 3]
    for i in (3, 2, 1):
        j = stream.below(i + 1)
        order[i], order[j] = order[j], order[i]
    bounds = step.bounds()
    factors = [stream.uniform(*pair) for pair in bounds]
    adjust: list[Callable[[Image.Image, float], Image.Image]] = [
        lambda picture, factor: ImageEnhance.Brightness(picture).enhance(factor),
        lambda picture, factor: ImageEnhance.Contrast(picture).enhance(factor),
        lambda picture, factor: ImageEnhance.Color(picture).enhance(factor),
        shift_hue,
    ]
    for i in order if wanted else []:
        same = 0.0 if i == 3 else 1.0
        if bounds[i] != (same, same):
            image = adjust[i](image, factors[i])
    return image


def value_of(name: str, share: float, mirrored: bool, height: int, width: int) -> float:
    """What a share of the greatest magnitude means for an operation of RandAugment."""
    sign = -1.0 if mirrored else 1.0
    values = {
        "Rotate": sign * 30 * share,
        "Posterize": 8 - round(4 * share),
        "Solarize": 255 * (1 - share),
        "ShearX": sign * 0.3 * share,
        "ShearY": sign * 0.3 * share,
        "TranslateX": sign * math.floor(150 / 331 * width * share),
        "TranslateY": sign * math.floor(150 / 331 * height * share),
    }
    return values.get(name, 1 + sign * 0.9 * share)


def operate(image: Image.Image, name: str, value: float, fill: tuple[int, int, int]) -> Image.Image:
    """One operation of RandAugment, by Pillow."""
    matrices = {
        "ShearX": (1, value, 0, 0, 1, 0),
        "ShearY": (1, 0, 0, value, 1, 0),
        "TranslateX": (1, 0, value, 0, 1, 0),
        "TranslateY": (1, 0, 0, 0, 1, value),
    }
    if name in matrices:
        return image.transform(image.size, Image.Transform.AFFINE, matrices[name], fillcolor=fill)
    if name == "Rotate":
        return image.rotate(value, fillcolor=fill)
    if name == "Posterize":
        return ImageOps.posterize(image, int(value))
    if name == "Solarize":
        return ImageOps.solarize(image, value)  # type: ignore[arg-type]
    if name in ("Color", "Contrast", "Brightness", "Sharpness"):
        return getattr(ImageEnhance, name)(image).enhance(value)
    if name == "AutoContrast":
        return ImageOps.autocontrast(image)
    if name == "Equalize":
        return ImageOps.equalize(image)
    return ImageOps.invert(image) if name == "Invert" else image


def rand_augment(step: RandAugment, image: Image.Image, stream: Stream) -> Image.Image:
    """For each operation two draws: which, and the sign."""
    share = step.magnitude / (step.num_magnitude_bins - 1)
    for _ in range(step.num_ops):
        name = step.operations[stream.below(len(step.operations))]
        value = value_of(name, share, stream.chance(0.5), image.height, image.width)
        image = operate(image, name, value, step.fill)
    return image


def erase(step: RandomErasing, image: Image.Image, stream: Stream) -> Image.Image:
    """Noise takes 32 bits a pixel, low half of a draw first, red lowest."""
    if not stream.chance(step.p):
        return image
    pixels = np.array(image)
    height, width = pixels.shape[:2]
    for _ in range(10):
        h, w = draw_sides(stream, height, width, step.scale, step.ratio)
        if w < width and h < height:
            top, left = stream.below(height - h + 1), stream.below(width - w + 1)
            if isinstance(step.value, str):
                words = [half for _ in range((h * w + 1) // 2) for half in _halves(stream.bits())][: h * w]
                values = np.array(words, "<u4").view(np.uint8).reshape(h, w, 4)[:, :, :3]
            else:
                values = np.array(step.value, np.uint8)
            pixels[top : top + h, left : left + w] = values
            break
    return Image.fromarray(pixels)


def _halves(bits: int) -> tuple[int, int]:
    return bits & WORD, bits >> 32


def apply_step(step: Step, image: Image.Image, stream: Stream) -> Image.Image:
    """A step after the crop."""
    if isinstance(step, RandomHorizontalFlip):
        return ImageOps.mirror(image) if stream.chance(step.p) else image
    if isinstance(step, RandomGrayscale):
        return image.convert("L").convert("RGB") if stream.chance(step.p) else image
    if isinstance(step, ColorJitter):
        return jitter(step, image, stream)
    if isinstance(step, RandAugment):
        return rand_augment(step, image, stream)
    if isinstance(step, RandomErasing):
        return erase(step, image, stream)
    raise TypeError(f"expected a step after the crop, found {type(step).__name__}")


def augment(augmentation: Augmentation, pixels: np.ndarray, index: int, *, seed: int) -> np.ndarray:
    """One image uint8 [H, W, 3] through an augmentation of dtype "float32" or "uint8" and layout "NHWC"."""
    box = None
    steps = list(enumerate(augmentation.steps))
    if steps and isinstance(steps[0][1], RandomResizedCrop):
        box = draw_crop(steps.pop(0)[1], Stream(seed, index, 0), *pixels.shape[:2])  # type: ignore[arg-type]
    image = Image.fromarray(resize(pixels, augmentation.height_and_width(), augmentation.resize, box=box))
    for purpose, step in steps:
        image = apply_step(step, image, Stream(seed, index, purpose))
    array = np.array(image)
    if augmentation.dtype == "uint8":
        return array
    return normalize(array, mean=augmentation.mean, std=augmentation.std)


def draw_log_gamma(stream: Stream, alpha: float) -> float:
    """The logarithm of a gamma variate.

    Source: Marsaglia, Tsang, A Simple Method for Generating Gamma Variables, 2000, section 2.
    """
    d = (alpha + 1.0 if alpha < 1 else alpha) - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        radius = math.sqrt(-2.0 * math.log(1.0 - stream.uniform()))
        x = radius * math.cos(6.283185307179586 * stream.uniform())
        u = 1.0 - stream.uniform()
        root = 1.0 + c * x
        if root <= 0.0:
            continue
        v = root * root * root
        if math.log(u) < 0.5 * x * x + d - d * v + d * math.log(v):
            break
    sample = math.log(d) + math.log(v)
    return sample + math.log(1.0 - stream.uniform()) / alpha if alpha < 1 else sample


def draw_beta(stream: Stream, alpha: float) -> float:
    """Beta(alpha, alpha) from two gamma variates."""
    first = draw_log_gamma(stream, alpha)
    second = draw_log_gamma(stream, alpha)
    return 1.0 / (1.0 + math.exp(second - first))


def mixup(
    images: np.ndarray, labels: np.ndarray, *, seed: int, step: int, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """`mmcore.image.mixup` of labels float32 [B, K]."""
    share = np.float32(draw_beta(Stream(seed, step, MIXUP), alpha))
    return _blend(images, share), _blend(labels, share)


def cutmix(
    images: np.ndarray, labels: np.ndarray, *, seed: int, step: int, alpha: float
) -> tuple[np.ndarray, np.ndarray]:
    """`mmcore.image.cutmix` of labels float32 [B, K]."""
    stream = Stream(seed, step, CUTMIX)
    half = 0.5 * math.sqrt(1.0 - draw_beta(stream, alpha))
    height, width = images.shape[1:3]
    x, y = stream.below(width), stream.below(height)
    half_width, half_height = math.floor(half * width), math.floor(half * height)
    rows = slice(max(y - half_height, 0), min(y + half_height, height))
    columns = slice(max(x - half_width, 0), min(x + half_width, width))
    mixed = images.copy()
    mixed[:, rows, columns] = np.roll(images, 1, axis=0)[:, rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return mixed, _blend(labels, np.float32(1.0 - area / (height * width)))


def _blend(rows: np.ndarray, share: np.float32) -> np.ndarray:
    return share * rows + (np.float32(1) - share) * np.roll(rows, 1, axis=0)
