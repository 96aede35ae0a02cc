from __future__ import annotations

import numpy as np
import pytest

from mmcore import image, viz
from mmcore.image.batch import DTYPES, LAYOUTS


def drawn(figure) -> list[np.ndarray]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


PHOTOS = [np.random.default_rng(n).integers(0, 256, (21 + n, 30, 3), dtype=np.uint8) for n in range(3)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_drawn_are_the_resized_bytes(dtype, layout):
    pre = image.Preprocessor(size=9, dtype=dtype, layout=layout)
    want = image.Preprocessor(size=9, dtype="uint8")(PHOTOS)
    got = np.stack(drawn(viz.image_grid(pre(PHOTOS), pre)))
    rounding = {"float32": 0, "uint8": 0, "float16": 0, "bfloat16": 1}[dtype]
    assert np.abs(got.astype(int) - want).max() <= rounding


def test_an_augmented_batch():
    steps = (image.RandomResizedCrop(), image.RandomHorizontalFlip(), image.ColorJitter())
    plain = image.Augmentation(steps, size=(8, 11), dtype="uint8")
    augment = image.Augmentation(steps, size=(8, 11), layout="NCHW")
    figure = viz.image_grid(
        augment(PHOTOS, [4, 5, 6], seed=1), augment, headings=["a", "$b$", "c"], columns=2
    )
    np.testing.assert_array_equal(np.stack(drawn(figure)), plain(PHOTOS, [4, 5, 6], seed=1))
    assert [axes.get_title() for axes in figure.axes] == ["a", "$b$", "c"]


def test_patches_are_put_together_again():
    pre = image.PatchPreprocessor(patch_size=4, max_patches=9)
    figure = viz.image_grid(pre(PHOTOS), pre)
    for picture, photo in zip(drawn(figure), PHOTOS, strict=True):
        rows, columns = pre.grid(*photo.shape[:2])
        want = image.resize(photo, (4 * rows, 4 * columns), method="bilinear")
        np.testing.assert_array_equal(picture, want)
    assert [axes.get_title() for axes in figure.axes] == ["0", "1", "2"]


def test_tensors():
    tf = pytest.importorskip("tensorflow")
    pre = image.Preprocessor(size=9)
    np.testing.assert_array_equal(
        drawn(viz.image_grid(tf.constant(pre(PHOTOS)), pre)), drawn(viz.image_grid(pre(PHOTOS), pre))
    )


def test_values_beyond_the_range_are_clipped():
    batch = np.array([np.inf, -np.inf, np.nan, 9, -9, 0]).reshape(1, 1, 2, 3)
    got = image.denormalize(batch, mean=(0.5,) * 3, std=(0.5,) * 3)
    assert got.ravel().tolist() == [255, 0, 0, 255, 0, 128]


def test_mistakes_of_the_caller():
    pre = image.Preprocessor(size=9)
    for batch, options in [
        (pre([]), {}),
        (pre(PHOTOS), {"headings": ["one"]}),
        (pre(PHOTOS), {"columns": 0}),
    ]:
        with pytest.raises(ValueError, match="expected at least one image, as many headings"):
            viz.image_grid(batch, pre, **options)
    with pytest.raises(ValueError, match=r"batch must be \[B, H, W, 3\], got \[9, 9, 3\]"):
        viz.image_grid(pre(PHOTOS)[0], pre)
    with pytest.raises(ValueError, match=r"batch must be \[B, 3, H, W\], got \[3, 9, 9, 3\]"):
        viz.image_grid(pre(PHOTOS), image.Preprocessor(size=9, layout="NCHW"))
    with pytest.raises(ValueError, match="layout must be"):
        image.denormalize(pre(PHOTOS), mean=(0, 0, 0), std=(1, 1, 1), layout="CHW")
