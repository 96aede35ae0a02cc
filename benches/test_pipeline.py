"""Whether preprocessing hides behind the step. Unit: examples a second over one epoch of the `mmcore train` recipe.

Input alone and step alone are the two ceilings: overlapped, a run goes at the slower of them where cores are
free, and at the sum of their times where both need the same cores. `data_wait_share` is the share of the
training time that is spent blocked in `next()`; below 0.1 the input is hidden.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from mmcore import data, text, train
from mmcore.cli import recipe
from mmcore.cli.config import RunConfig

MAX_LENGTH = 24


@pytest.fixture(scope="module")
def examples() -> data.Examples:
    """Product photos and titles where there is real data, else the built-in set."""
    folder = os.environ.get("MMCORE_TEST_DATA")
    if not folder:
        return data.builtin_examples(val=1, test=1).split("train")
    manifest = Path(folder) / "fashion_products" / "products.csv"
    found = data.read_manifest(manifest, image="image", text="title_masked", label="label", split="split")
    return found.examples.split("train")


def configured(examples: data.Examples, vocab_size: int) -> RunConfig:
    return RunConfig(
        data=None,
        columns={},
        classes=tuple(data.class_names(examples)),
        modalities=("image", "text"),
        vocab_size=vocab_size,
        max_length=MAX_LENGTH,
        fusion="concat",
        image_encoder="cnn",
        text_encoder="rnn",
        image_size=64,
        fingerprint="",
        epochs=2,
        batch_size=32,
        learning_rate=2e-3,
        seed=0,
        weighted=False,
        on_bad="raise",
        jit="auto",
    )


def test_input_behind_the_step(benchmark, examples):
    tokenizer = text.Tokenizer.train(examples.texts, vocab_size=recipe.VOCAB_SIZE)
    config = configured(examples, tokenizer.vocab_size)
    pipeline = recipe.make_pipeline(config, examples, tokenizer, training=True)
    count = len(pipeline)
    state = recipe.build_state(config, recipe.build_model(config), total_steps=10 * count)
    step = train.make_train_step(recipe.loss_fn, jit_compile=recipe.jit_compile(config))
    batch = pipeline.batch(0)
    assert np.isfinite(float(step(state, batch)["loss"]))  # compiles

    first = rate(lambda: list(pipeline.batches(0, count)), count)  # reads and decodes the files
    kept = rate(lambda: list(pipeline.batches(count, 2 * count)), count)  # crops what is kept in memory
    alone = rate(lambda: [float(step(state, batch)["loss"]) for _ in range(count)], count)
    fresh = recipe.make_pipeline(config, examples, tokenizer, training=True)
    (event,) = train.fit(state, step, lambda epoch: fresh.batches(0, count), log_every=10**9)
    together = event.examples / event.seconds
    benchmark.extra_info.update(
        input_only_first_epoch=first * config.batch_size,
        input_only_later=kept * config.batch_size,
        step_only=alone * config.batch_size,
        together_first_epoch=together,
        data_wait_share_first_epoch=event.data_wait_s / event.seconds,
    )
    benchmark.pedantic(lambda: list(pipeline.batches(count, 2 * count)), rounds=3)


def rate(function, count: int) -> float:
    """Calls of `count` things a second."""
    start = time.perf_counter()
    function()
    return count / (time.perf_counter() - start)
