from __future__ import annotations

import PIL
import pytest
from image_parity import SAVED, SIZES, normalized, parity, photos

from mmcore.image.resize import METHODS

pytestmark = pytest.mark.skipif(
    int(PIL.__version__.split(".")[0]) < 13,
    reason="Pillow before 13 begins every resize with the horizontal pass",
)


def test_drawn_pictures_of_every_format_equal_pillows_pixels():
    rows = list(parity(photos(None, 2), sizes=[(64, 96), (150, 90)], methods=("bilinear", "lanczos")))
    assert {row.format for row in rows} >= {"JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"}
    assert [row for row in rows if row.largest] == [] and all(row.images == 2 for row in rows)


def test_float32_is_within_a_millionth():
    assert all(largest < 1e-6 for _, _, largest in normalized(photos(None, 3), sides=(48,)))


@pytest.mark.slow
def test_real_photos_in_every_format_size_and_method_equal_pillows_pixels(real_data):
    rows = list(parity(photos(real_data / "coco_cc", 8)))
    assert len(rows) >= (len(SAVED) - 1) * len(SIZES) * len(METHODS)
    assert [row for row in rows if row.largest] == []
