"""Graph ops, the core on one thread. Unit: one batch of 4096 captions to ids and mask [4096, 32], or of 8
decoded photos of 427 x 640 to float32 [8, 224, 224, 3].

Ceiling: the NumPy face on the same batch, whose core is the same: at 1 the graph costs nothing. Calling
a graph from Python costs some 0.1 ms, which small batches would measure.
"""

from __future__ import annotations

from collections.abc import Iterator

import baselines
import numpy as np
import pytest
from pairing import paired_ratio

import mmcore
from mmcore import _load
from mmcore.image import Preprocessor
from mmcore.text import Tokenizer

tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")

CAPTIONS, MAX_LENGTH = 4096, 32
NOUNS = ["dog", "dogs", "street", "umbrella", "skateboard", "kitchen", "children", "mountain", "surfer"]
WORDS = ["a", "two", "small", "red", "walking", "standing", "near", "with", "of", "the", "on", *NOUNS]
# The last ones are in no vocabulary as a whole: they become pieces, or unknown.
UNUSUAL = ["skateboarding", "umbrellas", "Dogs,", "mountain's", "漢字", "zzz"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "##s", "##ing", ",", "'", "s"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = _load.native().num_threads()
    mmcore.set_num_threads(1)
    yield
    mmcore.set_num_threads(before)


@pytest.fixture(scope="module")
def captions() -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice([*WORDS, *UNUSUAL], rng.integers(6, 16))) for _ in range(CAPTIONS)]


@pytest.fixture(scope="module")
def tok(tmp_path_factory) -> Tokenizer:
    path = tmp_path_factory.mktemp("wordpiece") / "vocab.txt"
    path.write_text("\n".join(VOCABULARY), encoding="utf-8")
    return Tokenizer.load(path, lowercase=True)


def in_graph(function, *inputs: tf.Tensor):
    """The function in a graph of its own, without what calling it from Python costs for each result."""
    concrete = tf.function(function).get_concrete_function(*(tf.TensorSpec.from_tensor(x) for x in inputs))
    return lambda: concrete(*inputs)


def test_tokenize(benchmark, captions, tok):
    from mmcore import ops

    strings = tf.constant(captions)
    ours = in_graph(lambda x: ops.tokenize(tok, x, max_length=MAX_LENGTH, add_special=False), strings)

    def numpy_face():
        return tok(captions, max_length=MAX_LENGTH, add_special=False)

    for mine, theirs in zip(ours(), numpy_face(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    ratio = paired_ratio(ours, numpy_face)
    report(benchmark, ours, f"{CAPTIONS} captions", times_numpy_face=ratio.median)


def test_tokenize_against_tensorflow_text(benchmark, captions, tok):
    from mmcore import ops

    strings = tf.constant(captions)
    theirs = in_graph(baselines.tensorflow_text_wordpiece(VOCABULARY, MAX_LENGTH), strings)
    ours = in_graph(lambda x: ops.tokenize(tok, x, max_length=MAX_LENGTH, add_special=False), strings)
    np.testing.assert_array_equal(ours()[0], theirs()[0])
    np.testing.assert_array_equal(ours()[1], theirs()[1])
    ratio = paired_ratio(ours, theirs)
    report(benchmark, ours, f"{CAPTIONS} captions", times_tensorflow_text=ratio.median)


def test_resize_normalize(benchmark):
    from mmcore import ops

    pre = Preprocessor.clip()
    batch = np.random.default_rng(0).integers(0, 256, (8, 427, 640, 3), dtype=np.uint8)
    ours = in_graph(lambda x: ops.resize_normalize(pre, x), tf.constant(batch))

    def numpy_face():
        return pre(list(batch))

    np.testing.assert_array_equal(ours(), numpy_face())
    ratio = paired_ratio(ours, numpy_face)
    report(benchmark, ours, "8 photos", times_numpy_face=ratio.median)


def report(benchmark, ours, unit: str, **figures: float) -> None:
    benchmark.extra_info.update(unit=unit, **figures)
    benchmark(ours)
