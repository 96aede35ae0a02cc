"""R1 and R2: damaged images and bombs on both faces: decoded alike, or refused by a typed error, soon."""

from __future__ import annotations

import collections
import resource
import time

import numpy as np
import pytest
import tensorflow as tf
from image_files import bombs, damage, encoded, photo
from image_verdicts import NOT_IN_A_GRAPH
from PIL import Image

from mmcore import ops
from mmcore.errors import DataError, LimitError
from mmcore.image import Preprocessor

PRE = Preprocessor(size=8, crop=None, dtype="uint8")
GREY = photo()[:, :, 0]
SEEDS = [
    encoded(photo(), "JPEG"),
    encoded(photo(), "JPEG", subsampling=0, quality=95),
    encoded(photo(), "JPEG", progressive=True),
    encoded(GREY, "JPEG", optimize=True),
    encoded(photo(300, 420), "JPEG", restart_marker_rows=1),
    encoded(Image.frombytes("CMYK", (53, 37), photo(channels=4).tobytes()), "JPEG"),
    encoded(photo(channels=4), "PNG"),
    encoded(GREY.astype(np.uint16) * 256, "PNG"),
    encoded(Image.fromarray(photo()).quantize(16), "PNG"),
    encoded(photo(), "GIF"),
    encoded(photo(), "BMP"),
    encoded(Image.fromarray(photo()).quantize(200), "BMP"),
]


def outcomes(data: bytes) -> tuple[str, str]:
    """What each face does with a file; pixels that both read are equal."""
    pixels = tensor = None
    try:
        pixels, numpy = PRE([data])[0], "read"
    except (DataError, LimitError) as error:
        numpy = "refused"
        assert str(error).startswith("image 0: ")
    try:
        tensor, graph = ops.preprocess_image(PRE, data, key="image 0").numpy(), "read"
    except (tf.errors.DataLossError, tf.errors.ResourceExhaustedError) as error:
        graph = "other decoder" if NOT_IN_A_GRAPH in str(error) else "refused"
        assert "image 0: " in str(error)
    except tf.errors.InvalidArgumentError as error:
        graph = "refused by TensorFlow's decoder"
        assert "DecodeJpeg" in str(error)
    if pixels is not None and tensor is not None:
        np.testing.assert_array_equal(tensor, pixels)
    return numpy, graph


def check(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    outcomes(SEEDS[0])  # Everything is loaded.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(count):
        data = damage(SEEDS[rng.integers(len(SEEDS))], rng)
        start = time.thread_time()
        found[outcomes(data)] += 1
        assert time.thread_time() - start < 2 * 0.25, data[:32]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 * 1024
    # Pillow alone can make something of a few JPEG files.
    by_pillow_alone = found[("read", "refused by TensorFlow's decoder")] + found[("read", "refused")]
    assert by_pillow_alone <= count / 200
    assert found[("refused", "read")] == 0
    assert found[("read", "read")] > count / 10 and found[("refused", "refused")] > count / 3
    nameless = found[("refused", "refused by TensorFlow's decoder")]
    assert nameless < count / 7  # Damage between headers and the end of a JPEG; its message names no sample.


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_files_have_the_same_outcome_on_both_faces():
    check(seed=0, count=300)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", range(1, 6))
def test_many_more_damaged_files(seed):
    check(seed, count=2000)


BOMBS = bombs()


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bombs_are_refused_at_once_in_a_graph(name):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        with pytest.raises((tf.errors.ResourceExhaustedError, tf.errors.DataLossError), match="image: "):
            ops.preprocess_image(PRE, BOMBS[name])
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
