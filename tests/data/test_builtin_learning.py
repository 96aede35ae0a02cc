from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mmcore.data import Pipeline, builtin_examples, class_names, label_ids
from mmcore.image import Preprocessor


class WordTokenizer:
    """Ids are places in the list of words; 0 is padding."""

    pad_id = 0

    def __init__(self, texts):
        self.words = {
            word: n for n, word in enumerate(sorted({w for text in texts for w in text.split()}), start=1)
        }

    def __call__(self, texts, *, max_length, pad, special):
        ids = np.zeros((len(texts), max_length), np.int32)
        for row, text in enumerate(texts):
            known = [self.words.get(word, 0) for word in text.split()][:max_length]
            ids[row, : len(known)] = known
        return SimpleNamespace(ids=ids, mask=ids != 0)


@pytest.mark.slow
def test_a_small_model_learns_the_built_in_set():
    from mmcore import encoders, fusion, losses, models, optim, train

    examples = builtin_examples()
    classes = class_names(examples)
    tokenizer = WordTokenizer(examples.split("train").texts)

    def pipeline(split, **options):
        rows = examples.split(split)
        return Pipeline(
            rows,
            label_ids(rows, classes),
            preprocessor=Preprocessor(size=32),
            tokenizer=tokenizer,
            max_length=12,
            **options,
        )

    def loss_fn(model, batch, seed):
        logits = model(batch, training=True, seed=seed)
        return losses.cross_entropy(logits, batch["label"], weights=batch["weight"]), {}

    rng = np.random.default_rng(0)
    cnn = encoders.CNN(encoders.CNNConfig(widths=(16, 32, 64), depths=(1, 1, 1)), rng=rng)
    rnn = encoders.TextRNN(len(tokenizer.words) + 1, 64, rng=rng)
    join = fusion.Concat([cnn.dim, rnn.dim], 64, rng=rng)
    model = models.MultimodalClassifier({"image": cnn, "text": rnn}, join, len(classes), rng=rng)
    training = pipeline("train", batch_size=64, training=True)
    steps = 8 * len(training)
    state = train.TrainState(
        model, optim.AdamW(optim.cosine_schedule(3e-3, warmup_steps=50, total_steps=steps))
    )
    step = train.make_train_step(loss_fn, jit_compile=False)
    for batch in training.batches(stop=steps):
        step(state, batch)
    right = sum(
        int((model(batch).numpy().argmax(1) == batch["label"]).sum())
        for batch in pipeline("test", batch_size=100)
    )
    assert right >= 990
