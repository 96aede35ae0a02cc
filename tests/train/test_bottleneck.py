from __future__ import annotations

import time

import numpy as np
import pytest
import tensorflow as tf

from mmcore import train

BATCH = {"x": np.zeros((4, 2), np.float32)}


class Slow:
    """Batches that take a while each; counts how many were made, and whether its iterators were closed."""

    def __init__(self, seconds: float, length: int = 5):
        self.seconds, self.length = seconds, length
        self.made = self.closed = 0

    def __call__(self, epoch: int):
        try:
            for _ in range(self.length):
                time.sleep(self.seconds)
                self.made += 1
                yield BATCH
        finally:
            self.closed += 1


def slow_step(seconds: float):
    def step(state, batch):
        time.sleep(seconds)
        state.append(batch)
        return {"loss": tf.constant(1.0)}

    return step


def test_the_three_rates_are_those_of_input_step_and_both_in_turn():
    dataset, state = Slow(0.02), []
    report = train.measure_bottleneck(state, slow_step(0.01), dataset, steps=6, warmup=2)
    # A busy machine only adds time, so sleeps bound the rates from above.
    assert report.input_only <= 4 / 0.02 and report.step_only <= 4 / 0.01 and report.both <= 4 / 0.03
    assert dataset.made == 1 + 2 * (6 + 2) and len(state) == 2 * (6 + 2)
    assert dataset.closed == 1 + 2 * 2  # every epoch that began, those left early included


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        (
            (400, 1200, 396),
            "the input is the limit: the step alone is 3.0 times as fast; together they reach 99 %",
        ),
        (
            (1200, 400, 200),
            "the step is the limit: the input alone is 3.0 times as fast; together they reach 50 %",
        ),
        ((400, 410, 400), "input and step are equally fast; together they reach 100 %"),
    ],
)
def test_the_table_says_what_limits(rates, sentence):
    table = train.BottleneckReport(*rates).table().splitlines()
    assert [len(line) for line in table[:4]] == [20] * 4
    assert [float(line.split()[-1]) for line in table[1:4]] == list(rates)
    assert table[0].split() == ["images/s"] and table[4].startswith(sentence)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps and warmup must be at least 1, found 0 and 8"),
        ({"warmup": 0}, "steps and warmup must be at least 1"),
        ({"dataset": []}, "the dataset has no batch"),
        ({"dataset": iter([BATCH])}, "can be read only once"),
    ],
)
def test_mistakes_of_the_caller(options, message):
    with pytest.raises(ValueError, match=message):
        train.measure_bottleneck(**{"state": [], "step": slow_step(0), "dataset": [BATCH], **options})
