"""Published tokenizers beside their rivals on real texts, one thread. Needs MMCORE_TEST_DATA.

MMCORE_BENCH_TEXTS may name a folder of further texts, LANGUAGE.txt each, of a megabyte or more: only such are long
enough to be measured cold.

Unit: one batch of lines to int32 [B, T] and bool [B, T]. Ceilings as in test_text.py; for texts without repeats,
the merges themselves: a table lookup a byte and a half, which is a cache miss in the second-level cache.
"""

from __future__ import annotations

import itertools
import os
import random
from pathlib import Path

import baselines
import numpy as np
import pytest
from pairing import paired_ratio, seconds
from texts import cold_ratio, measure, size

import mmcore
from mmcore import _load
from mmcore.text import Tokenizer

FOLDER = Path(os.environ.get("MMCORE_TEST_DATA", "/nonexistent"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs real data: set MMCORE_TEST_DATA")

LENGTHS = {"clip": 77, "t5-small": 128, "phi-3-mini": 128, "roberta-base": 128}
LANGUAGES = {
    **{
        f"udhr_{name}": FOLDER / "text" / "udhr" / f"{name}.txt"
        for name in ("cmn_hant", "srp_cyrl", "hin", "amh")
    },
    **{
        path.stem: path
        for path in sorted(Path(os.environ.get("MMCORE_BENCH_TEXTS", "/nonexistent")).glob("*.txt"))
    },
}
LIMITS = itertools.count(15_000_001)
UNITS = {
    "letter": "a",
    "space": " ",
    "emoji": "\U0001f469\u200d\U0001f680",
    "ideograph": "\u4e00",
    "apostrophe": "'",
}


def read_lines(folder: str) -> list[str]:
    paths = sorted((FOLDER / "text" / folder).glob("*.txt"))
    return [line for path in paths for line in path.read_text("utf-8").split("\n") if line]


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return read_lines("corpora")


def load(name: str) -> Tokenizer:
    return Tokenizer.load(FOLDER / "tokenizers" / name)


def agree(tokenizer: Tokenizer, rival, texts: list[str], length: int) -> None:
    """Both give the same ids: the rival pads and cuts to the same length."""
    ids, mask = tokenizer(texts, max_length=length, special="parse")
    for row, real, other in zip(ids, mask, rival(texts), strict=True):
        assert row[real].tolist() == [i for i, m in zip(other.ids, other.attention_mask, strict=True) if m]


@pytest.mark.parametrize("name", LENGTHS)
def test_lines_against_hugging_face(benchmark, lines, name):
    tokenizer, length = load(name), LENGTHS[name]

    def make_rival():
        return baselines.hugging_face(tokenizer.definition, length)

    agree(tokenizer, make_rival(), lines[:5000], length)
    measure(benchmark, tokenizer, lines, "hugging_face", make_rival, length=length)


def test_mistral_against_sentencepiece(benchmark, lines):
    path = FOLDER / "tokenizers" / "sentencepiece" / "mistral_tokenizer_v1_bpe32000_bytefallback.model"
    tokenizer = Tokenizer.load(path)
    rival = baselines.sentencepiece_batch(path)
    rows = [tokenizer.encode(line, add_special=False, special="text") for line in lines[:5000]]
    assert rows == rival(lines[:5000])
    measure(
        benchmark, tokenizer, lines, "sentencepiece", lambda: baselines.sentencepiece_batch(path), length=128
    )


def test_bert_against_tensorflow_text(benchmark, lines):
    """Both as one graph function of a string tensor, on one thread, without the special tokens."""
    tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")
    from mmcore import ops

    tokenizer = load("bert-base-uncased")
    vocabulary = [tokenizer.token(i) for i in range(tokenizer.vocab_size)]
    spec = tf.TensorSpec([None], tf.string)

    def make_ours():  # Another limit makes another native object, whose caches are empty.
        fresh = Tokenizer(tokenizer.definition, max_text_bytes=next(LIMITS))
        return tf.function(
            lambda x: ops.tokenize(fresh, x, max_length=128, add_special=False, special="text")
        ).get_concrete_function(spec)

    def make_rival():
        return tf.function(baselines.tensorflow_text_wordpiece(vocabulary, 128)).get_concrete_function(spec)

    ours, rival = make_ours(), make_rival()
    strings = tf.constant(lines)
    mine, theirs = ours(strings), rival(strings)
    same = tf.reduce_all(mine[0] == theirs[0], axis=1).numpy()
    benchmark.extra_info.update(lines=len(lines), lines_that_differ=int((~same).sum()))
    # Lines with "[UNK]" or "[SEP]" in the text itself, and characters newer than its Unicode, are read differently.
    assert same.mean() > 0.999, [line for line, equal in zip(lines, same, strict=True) if not equal][:5]
    before = _load.native().num_threads()
    mmcore.set_num_threads(1)
    try:
        benchmark.extra_info["times_tensorflow_text_cold"] = cold_ratio(
            make_ours, make_rival, lines, tf.constant
        )
        ratio = paired_ratio(lambda: ours(strings), lambda: rival(strings))
        benchmark.extra_info["times_tensorflow_text_warm"] = ratio.median
        benchmark.pedantic(ours, (strings,), rounds=5, warmup_rounds=1)
    finally:
        mmcore.set_num_threads(before)
    benchmark.extra_info["megabytes_per_s"] = size(lines) / benchmark.stats.stats.median / 1e6


@pytest.mark.parametrize("batch", [256, 4096, 32_768])
@pytest.mark.parametrize("name", ["gpt2", "bert-base-uncased", "clip"])
def test_graph_against_numpy(benchmark, lines, name, batch):
    """The op on a tensor of strings, beside the NumPy face on the same list.

    Calling a graph costs TensorFlow 0.1 to 0.2 ms whatever is in it: `..._without_call` leaves out what one costs that
    only counts the bytes of the strings.
    """
    tf = pytest.importorskip("tensorflow", reason="needs TensorFlow (extra: cpu)")
    from mmcore import ops

    tokenizer, texts, length = load(name), lines[:batch], LENGTHS.get(name, 128)
    strings = tf.constant(texts)

    def in_graph(function):
        concrete = tf.function(function).get_concrete_function(tf.TensorSpec.from_tensor(strings))
        return lambda: concrete(strings)

    ours = in_graph(lambda x: ops.tokenize(tokenizer, x, max_length=length))
    nothing = in_graph(tf.strings.length)

    def numpy_face():
        return tokenizer(texts, max_length=length)

    before = _load.native().num_threads()
    mmcore.set_num_threads(1)
    try:
        for mine, theirs in zip(ours(), numpy_face(), strict=True):
            np.testing.assert_array_equal(mine, theirs)
        ratio = paired_ratio(ours, numpy_face, pairs=31)
        call, op, face = (min(seconds(f) for _ in range(15)) for f in (nothing, ours, numpy_face))
        benchmark.extra_info.update(times_numpy_face=ratio.median, low=ratio.low, high=ratio.high)
        benchmark.extra_info["times_numpy_face_without_call"] = face / (op - call)
        benchmark.pedantic(ours, rounds=3)
    finally:
        mmcore.set_num_threads(before)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["gpt2", "clip", "bert-base-uncased", "t5-small", "phi-3-mini"])
def test_languages_against_hugging_face(benchmark, name, language):
    tokenizer = load(name)
    texts = [line for line in LANGUAGES[language].read_text("utf-8").split("\n") if line]

    def make_rival():
        return baselines.hugging_face(tokenizer.definition, 512)

    agree(tokenizer, make_rival(), texts[:5000], 512)
    measure(benchmark, tokenizer, texts, "hugging_face", make_rival, length=512)


@pytest.mark.parametrize("name", ["gpt2", "clip", "bert-base-uncased", "t5-small", "phi-3-mini"])
def test_text_without_repeats_against_hugging_face(benchmark, name):
    """Random code points: no cache ever has a word, and the tables are used all over."""
    tokenizer, draw = load(name), random.Random(0)
    points = [c for c in range(0x20, 0x1FFFF) if not 0xD800 <= c <= 0xDFFF]
    texts = ["".join(map(chr, draw.choices(points, k=60))) for _ in range(2000)]
    rival = baselines.hugging_face(tokenizer.definition, 512)
    agree(tokenizer, rival, texts, 512)
    fresh = ["".join(map(chr, draw.choices(points, k=60))) for _ in range(10_000)]
    parts = [fresh[i::5] for i in range(5)]
    ratios = sorted(
        seconds(lambda part=part: rival(part))
        / seconds(lambda part=part: tokenizer(part, max_length=512, special="parse", threads=1))
        for part in parts
    )
    benchmark.extra_info.update(times_hugging_face=ratios[2], low=ratios[0], high=ratios[-1])
    benchmark.pedantic(lambda: tokenizer(texts, max_length=512, special="parse", threads=1), rounds=3)


@pytest.mark.parametrize("name", ["gpt2", "clip", "bert-base-uncased", "t5-small", "phi-3-mini"])
@pytest.mark.parametrize("unit", UNITS)
def test_cost_of_a_byte_in_pathological_texts(benchmark, name, unit):
    """seconds a byte of 10^7 bytes of one character, in those of 10^4 bytes of it."""
    tokenizer = load(name)
    short, long = ((UNITS[unit] * count)[:count] for count in (10_000, 10_000_000))
    short, long = (
        text[: int(limit * len(text) / size([text]))] for text, limit in ((short, 1e4), (long, 1e7))
    )

    def encode(text: str) -> None:
        tokenizer.ragged([text], special="parse", threads=1)

    encode(short)
    few = min(seconds(lambda: [encode(short) for _ in range(20)]) for _ in range(3)) / (20 * size([short]))
    many = seconds(lambda: encode(long)) / size([long])
    benchmark.extra_info.update(times_the_cost_of_a_byte=many / few, nanoseconds_a_byte=1e9 * many)
    benchmark.pedantic(lambda: encode(short), rounds=3)


@pytest.mark.parametrize("name", ["gpt2", "bert-base-uncased"])
def test_two_threads_against_one(benchmark, lines, name):
    tokenizer = load(name)
    ratio = paired_ratio(
        lambda: tokenizer(lines, max_length=128, threads=2),
        lambda: tokenizer(lines, max_length=128, threads=1),
    )
    benchmark.extra_info.update(times_one_thread=ratio.median, low=ratio.low, high=ratio.high)
    benchmark.pedantic(lambda: tokenizer(lines, max_length=128, threads=2), rounds=3)
