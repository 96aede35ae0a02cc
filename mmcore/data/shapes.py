"""Draws small pictures of one flat shape each, all pictures at once, with NumPy."""

from __future__ import annotations

import math

import numpy as np

SHAPES = ("circle", "square", "triangle", "star", "cross")
# Figures of k equal tips at radius 1: k, the radius of the inner corners between them, where one tip points.
_TIPS = {
    "square": (4, math.cos(math.pi / 4), math.pi / 4),
    "triangle": (3, 0.5, -math.pi / 2),
    "star": (5, 0.42, -math.pi / 2),
}
_AREA = {"circle": 0.86, "square": 1.05, "triangle": 1.2, "star": 1.15, "cross": 1.0}  # sizes that look alike
_CROSS_ARM = 0.32  # half the width of an arm, in radii
_TILT = 0.35  # radians to either side
_NOISE = np.float32(5)  # standard deviation in grey levels


def draw_shapes(shapes: np.ndarray, rng: np.random.Generator, *, image_size: int = 32) -> np.ndarray:
    """Pictures of shapes whose place, size, tilt, colours, light and noise are drawn at random.

    coverage = clip(1/2 - distance, 0, 1) with the distance to the outline in pixels, so edges are smooth.
    Nothing random depends on which shape is drawn.

    Args:
        shapes: int [N], indices into `SHAPES`.
        rng: the only source of chance.
        image_size: height and width in pixels.

    Returns:
        uint8 [N, image_size, image_size, 3].
    """
    count, size = len(shapes), image_size
    radius = _uniform(rng, 0.28 * size, 0.38 * size, (count, 1, 1))
    centre = _uniform(rng, 0.42 * size, 0.58 * size, (2, count, 1, 1))
    turn = _uniform(rng, -_TILT, _TILT, (count, 1, 1))
    ink, paper = _colours(count, rng)
    picture = _paper(paper, size, rng)
    axis = np.arange(size, dtype=np.float32) + 0.5
    x, y = axis[None, None, :] - centre[0], axis[None, :, None] - centre[1]
    x, y = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    for index, shape in enumerate(SHAPES):
        rows = np.flatnonzero(shapes == index)
        distance = _distance(shape, x[rows], y[rows], radius[rows] * _AREA[shape])
        coverage = np.clip(0.5 - distance, 0, 1)[..., None]
        picture[rows] += coverage * (ink[rows] - picture[rows])
    picture += _NOISE * rng.standard_normal((*picture.shape[:3], 1), np.float32)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def _distance(shape: str, x: np.ndarray, y: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Signed distance in pixels to the outline of a centred shape, negative inside, exact near its edges."""
    if shape == "circle":
        return np.hypot(x, y) - radius
    if shape == "cross":
        long, short = np.maximum(abs(x), abs(y)) - radius, np.minimum(abs(x), abs(y)) - _CROSS_ARM * radius
        return np.maximum(long, short)
    tips, inner, tip = _TIPS[shape]
    half = np.float32(np.pi / tips)
    # Folded: 0 towards a tip, `half` towards an inner corner; the edge runs from (1, 0) to that corner.
    angle = abs((np.arctan2(y, x) - np.float32(tip) + half) % (2 * half) - half)
    length = np.hypot(x, y)
    along, across = length * np.cos(angle), length * np.sin(angle)
    edge_x, edge_y = inner * math.cos(half) - 1, inner * math.sin(half)
    return ((along - radius) * edge_y - across * edge_x) / math.hypot(edge_x, edge_y)


def _uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(low, high, shape).astype(np.float32)


def _colours(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ink and paper, float32 [N, 1, 1, 3] each: any hue, the ink on average 90 to 120 levels darker."""
    paper, ink = _uniform(rng, 130, 235, (2, count, 1, 1, 3))
    step = _uniform(rng, 90, 120, (count, 1, 1, 1))
    return ink + (paper.mean(-1, keepdims=True) - step - ink.mean(-1, keepdims=True)), paper


def _paper(colour: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Backgrounds float32 [N, size, size, 3]: one colour with a slope of light and three faint spots."""
    count = len(colour)
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    slope = _uniform(rng, -10, 10, (2, count, 1, 1))
    light = slope[0] * axis[None, None, :] + slope[1] * axis[None, :, None]
    for _ in range(3):
        place = _uniform(rng, -1, 1, (2, count, 1, 1))
        far_x, far_y = (axis[None, None, :] - place[0]) ** 2, (axis[None, :, None] - place[1]) ** 2
        light += _uniform(rng, -12, 12, (count, 1, 1)) * np.exp(-40 * far_x) * np.exp(-40 * far_y)
    return colour + light[..., None]
