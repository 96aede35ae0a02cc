from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from mmcore.image.geometry import apply_orientation, center_window, shorter_side_size


@pytest.mark.parametrize(
    ("height", "width", "shorter", "want"),
    [
        (427, 640, 224, (224, 335)),
        (640, 427, 224, (335, 224)),
        (300, 300, 224, (224, 224)),
        (1, 7, 3, (3, 21)),
        (333, 500, 256, (256, 384)),
        (2, 3, 5, (5, 7)),
    ],
)
def test_shorter_side_rounds_the_longer_down(height, width, shorter, want):
    assert shorter_side_size(height, width, shorter) == want


def test_center_window_rounds_down():
    assert center_window(224, 335, 224) == (0, 55)
    assert center_window(227, 226, 224) == (1, 1)
    with pytest.raises(ValueError, match="does not fit"):
        center_window(224, 223, 224)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_equals_pillow(orientation):
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", exif=exif)
    want = np.asarray(ImageOps.exif_transpose(Image.open(buffer)))
    np.testing.assert_array_equal(apply_orientation(image, orientation), want)
