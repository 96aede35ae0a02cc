"""The training loop: thin enough to copy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, NamedTuple

import tensorflow as tf

from mmcore.train.state import TrainState

Dataset = Iterable[Any] | Callable[[int], Iterable[Any]]


class Position(NamedTuple):
    """Where in the data a run stands: `batch` batches of epoch `epoch` (from 0) are done."""

    epoch: int = 0
    batch: int = 0


@dataclass(frozen=True)
class Event:
    """What happened in the loop since the event before, without the time spent by the loop's caller.

    Args:
        kind: "log" after every `log_every` steps, "epoch" at the end of each epoch, "stop" when `stop` asked
            for it. Every run of steps ends with an event, so the windows of all events cover all steps once.
        step: updates made so far, `state.step`.
        position: where to go on from after this event.
        metrics: means over the steps of the window; empty if the window has no steps.
        steps: steps in the window.
        examples: examples in the window.
        seconds: wall time of the window.
        data_wait_s: the part of it spent waiting for the next batch.
    """

    kind: Literal["log", "epoch", "stop"]
    step: int
    position: Position
    metrics: dict[str, float]
    steps: int
    examples: int
    seconds: float
    data_wait_s: float

    @property
    def examples_per_s(self) -> float:
        """Examples a second over the window, waiting for data included."""
        return self.examples / self.seconds if self.seconds else 0.0


@dataclass
class _Window:
    """What was measured since the last event. Metrics stay tensors: reading one would wait for the device."""

    metrics: list[dict[str, tf.Tensor]] = field(default_factory=list)
    examples: int = 0
    data_wait_s: float = 0.0
    started: float = field(default_factory=time.perf_counter)

    def next(self, batches: Iterator[Any]) -> Any:
        """The next batch, or None at the end, with the time it took."""
        before = time.perf_counter()
        batch = next(batches, None)
        self.data_wait_s += time.perf_counter() - before
        return batch

    def event(self, kind: Literal["log", "epoch", "stop"], step: int, position: Position) -> Event:
        names = self.metrics[0] if self.metrics else ()
        means = {name: sum(float(m[name]) for m in self.metrics) / len(self.metrics) for name in names}
        seconds = time.perf_counter() - self.started
        return Event(kind, step, position, means, len(self.metrics), self.examples, seconds, self.data_wait_s)


def fit(
    state: TrainState,
    step: Callable[[TrainState, Any], dict[str, tf.Tensor]],
    dataset: Dataset,
    *,
    epochs: int = 1,
    start: Position | tuple[int, int] = (0, 0),
    log_every: int = 10,
    stop: Callable[[], bool] | None = None,
) -> Iterator[Event]:
    """Runs a step over a dataset and yields events; the caller evaluates, logs and saves in between.

    The metrics of a step are read from the device only for an event, so between events the next steps are
    already under way where the device works on its own.

    Args:
        state: what the step changes.
        step: `(state, batch) -> metrics`, such as the result of `make_train_step`.
        dataset: batches of an epoch, run through anew for every epoch; or a function from the epoch's number
            to its batches, which a run that resumes bit for bit needs if the order changes by epoch.
        epochs: number of epochs in all, those before `start` included.
        start: where to go on from, such as `event.position` of a saved run. Batches that were done are passed
            over by the dataset's own `skip(n)` if it has one, else by reading them.
        log_every: steps between "log" events.
        stop: asked after every step; true ends the run with a "stop" event.

    Raises:
        ValueError: an epoch has no batch (or none after `start`), or log_every < 1.

    Example:
        >>> from mmcore import losses, nn, optim, train
        >>> def loss_fn(model, batch):
        ...     return losses.cross_entropy(model(batch["x"]), batch["label"]), {}
        >>> state = train.TrainState(nn.Linear(2, 3), optim.SGD(0.1))
        >>> batches = [{"x": tf.ones([4, 2]), "label": tf.zeros([4], tf.int32)}] * 3
        >>> step = train.make_train_step(loss_fn, jit_compile=False)
        >>> [(event.kind, event.step) for event in train.fit(state, step, batches, log_every=2)]
        [('log', 2), ('epoch', 3)]
    """
    if log_every < 1:
        raise ValueError(f"log_every must be at least 1, found {log_every}")
    count = int(state.step)
    start = Position(*start)
    for epoch in range(start.epoch, epochs):
        done = start.batch if epoch == start.epoch else 0
        window = _Window()
        batches = _batches(dataset, epoch, done)
        batch = window.next(batches)
        if batch is None and not done:
            raise ValueError(
                f"the dataset has no batch in epoch {epoch}: it is empty or can be read only once"
            )
        while batch is not None:
            window.metrics.append(step(state, batch))
            window.examples += num_examples(batch)
            count, done = count + 1, done + 1
            if stop is not None and stop():
                yield window.event("stop", count, Position(epoch, done))
                return
            if len(window.metrics) == log_every:
                yield window.event("log", count, Position(epoch, done))
                window = _Window()
            batch = window.next(batches)
        yield window.event("epoch", count, Position(epoch + 1, 0))


def _batches(dataset: Dataset, epoch: int, skip: int) -> Iterator[Any]:
    """The batches of an epoch after the first `skip`."""
    batches: Any = dataset(epoch) if callable(dataset) else dataset
    if skip and hasattr(batches, "skip"):
        return iter(batches.skip(skip))
    return islice(iter(batches), skip, None)


def num_examples(batch: Any) -> int:
    """Length of the first array of a batch that has an axis: how many examples it has."""
    return next((int(leaf.shape[0]) for leaf in tf.nest.flatten(batch) if len(getattr(leaf, "shape", ()))), 0)
