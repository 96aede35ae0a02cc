"""What limits a training run: its input or its step."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from mmcore.train.loop import Dataset, num_examples
from mmcore.train.state import TrainState

_NEAR = 0.1  # rates that differ by less are called equal: repeated runs differ by as much


@dataclass(frozen=True)
class BottleneckReport:
    """Rates in examples a second, each over the same number of batches.

    Args:
        input_only: reading batches and doing nothing with them.
        step_only: the step on one batch over and over.
        both: the step on the batches as they come.
        unit: what an example is called.
    """

    input_only: float
    step_only: float
    both: float
    unit: str = "images"

    @property
    def rates(self) -> dict[str, float]:
        """The three rates by name, as `mmcore.viz.bottleneck` draws them."""
        return {"input only": self.input_only, "step only": self.step_only, "both": self.both}

    @property
    def overlap(self) -> float:
        """both / min(input_only, step_only): 1 where the faster side is hidden behind the slower one wholly."""
        return self.both / min(self.input_only, self.step_only)

    def table(self) -> str:
        """The rates as a table to print, and what limits them in one sentence."""
        width = max(len(f"{self.unit}/s"), *(len(f"{rate:.1f}") for rate in self.rates.values()))
        lines = [f"{'':10}  {self.unit + '/s':>{width}}"]
        lines += [f"{name:10}  {rate:{width}.1f}" for name, rate in self.rates.items()]
        return "\n".join([*lines, self.sentence()])

    def sentence(self) -> str:
        """What limits the run, in words."""
        ratio = self.input_only / self.step_only
        share = f"together they reach {100 * self.overlap:.0f} % of the slower one"
        if abs(ratio - 1) < _NEAR:
            return f"input and step are equally fast; {share}"
        slower, faster = ("input", "step") if ratio < 1 else ("step", "input")
        return f"the {slower} is the limit: the {faster} alone is {max(ratio, 1 / ratio):.1f} times as fast; {share}"


def measure_bottleneck(
    state: TrainState,
    step: Callable[[TrainState, Any], dict[str, tf.Tensor]],
    dataset: Dataset,
    *,
    steps: int = 30,
    warmup: int = 8,
    unit: str = "images",
) -> BottleneckReport:
    """Measures a run's input alone, its step alone, and both together.

    A `data.Pipeline` keeps decoded images in memory, so that a second pass over few images is faster than the
    first: for the rate of the first, make it with `cache_bytes=0`.

    Args:
        state: what the step changes; it is trained by 2 * (steps + warmup) steps, so give one to throw away.
        step: as for `fit`.
        dataset: as for `fit`; run through again and again where it is short.
        steps: batches that are timed in each of the three.
        warmup: batches before them: tracing and compiling, and what the input holds ready; choose more than
            the pipeline's `ahead`.
        unit: what an example is called in the table.

    Raises:
        ValueError: steps < 1 or warmup < 1; the dataset has no batch.

    Example:
        >>> from mmcore import losses, nn, optim, train
        >>> def loss_fn(model, batch):
        ...     return losses.cross_entropy(model(batch["x"]), batch["label"]), {}
        >>> state = train.TrainState(nn.Linear(2, 3), optim.SGD(0.1))
        >>> batches = [{"x": tf.ones([4, 2]), "label": tf.zeros([4], tf.int32)}] * 3
        >>> step = train.make_train_step(loss_fn, jit_compile=False)
        >>> report = train.measure_bottleneck(state, step, batches, steps=5)
        >>> [line.split()[0] for line in report.table().splitlines()[:4]]
        ['images/s', 'input', 'step', 'both']
    """
    if steps < 1 or warmup < 1:
        raise ValueError(f"steps and warmup must be at least 1, found {steps} and {warmup}")
    with closing(_endless(dataset)) as batches:
        batch = next(batches)
    step_only = _rate(lambda: (batch, step(state, batch)), steps, warmup)
    with closing(_endless(dataset)) as batches:
        input_only = _rate(lambda: (next(batches), {}), steps, warmup)
    with closing(_endless(dataset)) as batches:
        both = _rate(lambda: _step_on(state, step, next(batches)), steps, warmup)
    return BottleneckReport(input_only, step_only, both, unit)


def _step_on(
    state: TrainState, step: Callable[[TrainState, Any], dict[str, tf.Tensor]], batch: Any
) -> tuple[Any, dict[str, tf.Tensor]]:
    return batch, step(state, batch)


def _rate(turn: Callable[[], tuple[Any, dict[str, tf.Tensor]]], steps: int, warmup: int) -> float:
    """Examples a second over `steps` turns after `warmup` ones; a turn gives its batch and its metrics."""
    for _ in range(warmup):
        _, metrics = turn()
    _wait(metrics)
    examples, started = 0, time.perf_counter()
    for _ in range(steps):
        batch, metrics = turn()
        examples += num_examples(batch)
    _wait(metrics)
    return examples / max(time.perf_counter() - started, 1e-9)


def _wait(metrics: dict[str, tf.Tensor]) -> None:
    """Reads the metrics, so that a device that works on its own has done the step."""
    for value in metrics.values():
        value.numpy()


def _endless(dataset: Dataset) -> Generator[Any, None, None]:
    """The batches of epoch after epoch."""
    epoch = 0
    while True:
        batches = iter(dataset(epoch) if callable(dataset) else dataset)
        found = False
        try:
            for batch in batches:
                found = True
                yield batch
        finally:
            if hasattr(batches, "close"):
                batches.close()
        if not found:
            raise ValueError("the dataset has no batch: it is empty or can be read only once")
        epoch += 1
