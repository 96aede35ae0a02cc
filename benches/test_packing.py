"""Training on packed rows against our own step on padded ones: a text Transformer of 12 blocks, 512 wide.

Flickr8k captions with CLIP's tokenizer, about 14 tokens with both specials in a context of 77; the loss is contrastive
against fixed vectors, so that nothing but the tower is timed. All sides train one model on the same captions and their
losses are compared first. Unit: real tokens a second, of steps with AdamW, compiled by XLA. Ceiling: positions of the
padded batch divided by positions of the packed one (`ceiling`); the update of 63 million weights is the same for all.
Needs MMCORE_TEST_DATA.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from pairing import paired_ratio, seconds

from mmcore import data, encoders, losses, optim, text, train
from mmcore.typing import PackedRows

FOLDER = Path(os.environ.get("MMCORE_TEST_DATA", "/nonexistent"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs real data: set MMCORE_TEST_DATA")
CONTEXT, DIM = 77, 512
PACKING = data.Packing(rows=6, examples=80, length=2 * CONTEXT)


@pytest.fixture(scope="module")
def batches() -> dict[str, dict[str, tf.Tensor]]:
    """A batch of the pipeline, as many captions as its rows have room for, and the same captions padded."""
    tokenizer = text.Tokenizer.load(FOLDER / "tokenizers" / "clip")
    with open(FOLDER / "flickr8k_1k" / "captions.csv", encoding="utf-8", newline="") as file:
        captions = [row["caption"] for row in csv.DictReader(file)]
    none, count = [None] * len(captions), len(captions)
    examples = data.Examples(none, captions, none, ["train"] * count, range(count), "captions")
    pipeline = data.Pipeline(
        examples, np.arange(count), tokenizer=tokenizer, max_length=CONTEXT, packing=PACKING, training=True
    )
    batch = pipeline.batch(0)
    chosen = batch["label"][batch["weight"] > 0]
    ids, mask = tokenizer([captions[row] for row in chosen], max_length=CONTEXT)
    rows = batch["text"]._replace(places=batch["text"].places[: len(chosen)])
    longest = int(mask.sum(1).max())
    return {
        "packed": {name: tf.constant(array) for name, array in rows._asdict().items()},
        "padded": {"ids": tf.constant(ids), "mask": tf.constant(mask)},
        "longest": {"ids": tf.constant(ids[:, :longest]), "mask": tf.constant(mask[:, :longest])},
    }


@pytest.fixture(scope="module")
def state() -> train.TrainState:
    model = encoders.TextTransformer(
        49408, DIM, max_length=CONTEXT, num_layers=12, num_heads=8, rng=np.random.default_rng(0)
    )
    return train.TrainState(model, optim.AdamW(1e-5))


def loss_fn(model, batch):
    if "mask" in batch:
        pooled = model(batch["ids"], batch["mask"], training=True).pooled
    else:
        rows = PackedRows(**batch)
        options = {"segment_ids": rows.segment_ids, "positions": rows.positions, "places": rows.places}
        pooled = model(rows.values, **options, training=True).pooled
    count = pooled.shape[0]
    targets = tf.random.stateless_normal([count, DIM], [1, 2]) * DIM**-0.5
    return losses.cross_entropy(tf.matmul(pooled, targets, transpose_b=True), tf.range(count)), {}


def check_agreement(state: train.TrainState, batches: dict[str, dict]) -> None:
    """The same loss of the same captions, with the same weights."""
    evaluate = train.make_eval_step(lambda model, batch: loss_fn(model, batch)[0])
    found = {name: float(evaluate(state.model, batch)) for name, batch in batches.items()}
    np.testing.assert_allclose(list(found.values()), found["padded"], rtol=1e-5)


def test_packed_step_against_padded_steps(benchmark, batches, state):
    check_agreement(state, batches)
    step = train.make_train_step(loss_fn)
    real = int(tf.reduce_sum(tf.cast(batches["padded"]["mask"], tf.int32)))
    positions = batches["packed"]["values"].shape.num_elements()

    def run(name: str) -> None:
        float(step(state, batches[name])["loss"])

    for name, pairs in (("padded", 5), ("longest", 7)):
        ratio = paired_ratio(lambda: run("packed"), lambda name=name: run(name), pairs=pairs)
        ceiling = batches[name]["ids"].shape.num_elements() / positions
        benchmark.extra_info.update({f"times_{name}": ratio.median, f"{name}_low": ratio.low})
        benchmark.extra_info.update({f"{name}_high": ratio.high, f"{name}_ceiling": ceiling})
    benchmark.extra_info.update(tokens_per_s=real / seconds(lambda: run("packed")), fill=real / positions)
    benchmark.extra_info.update(captions=batches["padded"]["ids"].shape[0])
    benchmark.extra_info.update(longest=batches["longest"]["ids"].shape[1])
    benchmark.pedantic(lambda: run("packed"), rounds=1)
