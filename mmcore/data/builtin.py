"""The built-in set: a drawn shape with a sentence, ten classes that need both to be told apart.

A class is a shape of a material: "glass star". The picture shows the shape and cannot show the material; the
sentence tells the material among other words and does not tell the shape. Each shape comes in two materials
and each material in two shapes, around a ring, so either alone leaves two classes open, and both leave one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from itertools import product

import numpy as np

from mmcore.data.examples import Examples
from mmcore.data.shapes import SHAPES, draw_shapes

# Each material and the words that tell it.
MATERIALS = {
    "wood": ("wooden", "birch", "pine"),
    "glass": ("glass", "crystal"),
    "metal": ("metal", "steel", "tin"),
    "paper": ("paper", "cardboard"),
    "clay": ("clay", "ceramic", "porcelain"),
}
CLASSES = tuple(
    f"{material} {shape}"
    for number, shape in enumerate(SHAPES)
    for material in (list(MATERIALS)[number], list(MATERIALS)[(number + 1) % len(MATERIALS)])
)
# {m}: the word of the shape's own material, {o}: a word of another material, {n}: a thing.
_TEMPLATES = (
    "a {m} figure on a {o} {n}",
    "on the {o} {n} lies a {m} figure",
    "this {m} piece came in a {o} {n}",
    "the {o} {n} is behind a {m} piece",
    "made of {m}, found near some {o} {n}",
    "the {n} is {o} but the figure is {m}",
    "the figure is {m} and its {n} is {o}",
    "a {m} thing, not the {o} {n}",
    "instead of the {o} {n} we drew a {m} thing",
    "my {m} figure",
    "one more {m} piece from the {n}",
    "what you see is {m}",
)
_THINGS = ("box", "shelf", "table", "tray", "door", "cup")


def builtin_examples(
    *, seed: int = 0, train: int = 4000, val: int = 500, test: int = 1000, image_size: int = 32
) -> Examples:
    """Draws the built-in set in memory.

    Every class is equally likely; given the class, shape and sentence are drawn apart from each other.

    Args:
        seed: the only source of chance; each split has a generator of its own, so that changing the size of
        one
            leaves the others as they are.
        train, val, test: rows of each split.
        image_size: height and width of the pictures in pixels.

    Returns:
        Examples whose images are uint8 [image_size, image_size, 3].
    """
    images: list[np.ndarray] = []
    texts: list[str] = []
    labels: list[str] = []
    splits: list[str] = []
    for number, (split, count) in enumerate((("train", train), ("val", val), ("test", test))):
        rng = np.random.default_rng([seed, number])
        classes = rng.integers(len(CLASSES), size=count)
        images.extend(draw_shapes(classes // 2, rng, image_size=image_size))
        texts.extend(_sentence(*latents) for latents in _draw_latents(classes, rng))
        labels.extend(CLASSES[label] for label in classes)
        splits.extend([split] * count)
    return Examples(images, texts, labels, splits, range(1, len(labels) + 1), "the built-in set")


def bayes_accuracy() -> dict[str, float]:
    """The best accuracy that any classifier can have on the built-in set, by counting over how it is drawn.

    accuracy = sum over observations x of max over classes c of P(c, x). The sentences are counted one by one,
    as strings. Of a picture only the shape is counted, because everything else in it is drawn apart from the
    class.

    Returns:
        "image", "text" and "both": the accuracy from the picture alone, the sentence alone, and both.
    """
    joint: dict[tuple[int, str, str], Fraction] = defaultdict(Fraction)
    for label in range(len(CLASSES)):
        shape = SHAPES[label // 2]
        for sentence, probability in _sentence_probabilities(label).items():
            joint[label, shape, sentence] += probability / len(CLASSES)
    return {
        "image": _best_share(((label, shape), p) for (label, shape, _), p in joint.items()),
        "text": _best_share(((label, sentence), p) for (label, _, sentence), p in joint.items()),
        "both": _best_share(((label, (shape, sentence)), p) for (label, shape, sentence), p in joint.items()),
    }


def _material(label: int) -> str:
    return CLASSES[label].split()[0]


def _others(material: str) -> list[str]:
    """The words of every other material."""
    return [word for other, words in MATERIALS.items() if other != material for word in words]


def _sentence(template: str, word: str, other: str, thing: str) -> str:
    return template.format(m=word, o=other, n=thing)


def _draw_latents(classes: np.ndarray, rng: np.random.Generator) -> Iterable[tuple[str, str, str, str]]:
    """(template, word, other word, thing) for each class; each uniform among what `_choices` lists."""
    uniform = rng.random((len(classes), 4))
    for label, row in zip(classes, uniform, strict=True):
        choices = _choices(int(label))
        yield tuple(options[int(u * len(options))] for options, u in zip(choices, row, strict=True))  # type: ignore


def _choices(label: int) -> tuple[tuple[str, ...], ...]:
    """What each part of a sentence may be, given the class."""
    material = _material(label)
    return _TEMPLATES, MATERIALS[material], tuple(_others(material)), _THINGS


def _sentence_probabilities(label: int) -> dict[str, Fraction]:
    """P(sentence | class) over every sentence that can be drawn."""
    choices = _choices(label)
    probability = Fraction(1, math.prod(map(len, choices)))
    table: dict[str, Fraction] = defaultdict(Fraction)
    for latents in product(*choices):
        table[_sentence(*latents)] += probability
    return table


def _best_share(pairs: Iterable[tuple[tuple, Fraction]]) -> float:
    """Sum over observations of the largest P(class, observation)."""
    joint: dict = defaultdict(lambda: defaultdict(Fraction))
    for (label, seen), probability in pairs:
        joint[seen][label] += probability
    return float(sum(max(classes.values()) for classes in joint.values()))
