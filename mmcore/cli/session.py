"""One training run: the loop with its evaluations, checkpoints and log, and what it leaves behind."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from mmcore import files, text, train, weights
from mmcore.cli import evaluate, recipe
from mmcore.cli.config import RunConfig
from mmcore.cli.figures import finite
from mmcore.cli.progress import Progress
from mmcore.cli.sources import Source, print_notes
from mmcore.errors import NonfiniteError

LOG_EVERY = 10
EVALUATIONS = 20  # at most so many during a run, evenly spread over its epochs
LOST = 10  # so many steps in a row without a finite gradient end a run


class Session:
    """One training run: everything between its configuration and its summary."""

    def __init__(
        self,
        out: Path,
        config: RunConfig,
        source: Source,
        tokenizer: text.Tokenizer | None,
        max_minutes: float | None,
        started: float,
    ):
        examples = source.examples
        self.out, self.config, self.missing = out, config, source.bad
        self.started, self.deadline = started, None if max_minutes is None else started + 60 * max_minutes
        self.pipeline = recipe.make_pipeline(config, examples.split("train"), tokenizer, training=True)
        self.total_steps = config.epochs * len(self.pipeline)
        self.state = recipe.build_state(config, recipe.build_model(config), self.total_steps)
        self.step = train.make_train_step(recipe.loss_fn, jit_compile=recipe.jit_compile(config))
        self.checkpointer = train.Checkpointer(out / "checkpoints")
        self.position = train.Position()
        self.named: set[str] = set()  # bad rows that the log names already
        self.left_out = 0  # updates in a row that were left out
        self.spent = {"seconds": 0.0, "data_wait_s": 0.0, "examples": 0, "minutes": 0.0}
        self.last: dict[str, float | None] = {"train_loss": None, "val_accuracy": None}
        self.evaluator = evaluate.Evaluator(config)
        self.val, self.test = (
            recipe.make_pipeline(config, rows, tokenizer) if len(rows := examples.split(name)) else None
            for name in ("val", "test")
        )

    def check_images(self) -> None:
        """Under on_bad="raise", reads the images of val and test now rather than after hours of training."""
        if self.config.on_bad == "raise":
            for pipeline in filter(None, (self.val, self.test)):
                for _ in pipeline:
                    pass

    def restore(self) -> None:
        """Goes back to the newest whole checkpoint, or to the start; the log forgets what came after it."""
        if not self.checkpointer.paths():
            train.truncate_after(self.out / "metrics.jsonl", -1)
            return
        restored = self.checkpointer.restore(self.state)
        self.position = train.Position(*restored.extra["position"])
        self.spent, self.last = restored.extra["spent"], restored.extra["last"]
        train.truncate_after(self.out / "metrics.jsonl", restored.step)
        print_notes([f"resuming {self.out} at step {restored.step} of {self.total_steps}"])

    def run(self) -> tuple[dict[str, Any], int]:
        """Runs the loop to its end, a signal, or the time limit; then evaluates and saves."""
        with (
            train.Interrupt() as interrupt,
            train.LogWriter(self.out / "metrics.jsonl") as log,
            Progress(self.total_steps, initial=int(self.state.step)) as progress,
        ):
            if self._loop(interrupt, log, progress) == "done":
                return self._finish(log, progress), 0
        step = int(self.state.step)
        print_notes([f"stopped at step {step}; go on with: mmcore train --out {self.out} --resume"])
        return {"run": str(self.out), "steps": step, "stopped": True}, interrupt.exit_code or 1

    def _loop(
        self, interrupt: Callable[[], bool], log: train.LogWriter, progress: Progress
    ) -> Literal["done", "signal"]:
        def stop() -> bool:
            return interrupt() or (self.deadline is not None and time.monotonic() > self.deadline)

        every = -(-self.config.epochs // EVALUATIONS)
        with contextlib.closing(
            self.pipeline.batches(start=int(self.state.step), stop=self.total_steps)
        ) as stream:
            for event in train.fit(
                self.state,
                self.step,
                lambda epoch: _Epoch(stream, len(self.pipeline)),
                epochs=self.config.epochs,
                start=self.position,
                log_every=LOG_EVERY,
                stop=stop,
            ):
                self._note(event, log, progress)
                done = event.position.epoch
                if event.kind == "stop" and interrupt():
                    self._save(None)  # at once: whoever sent the signal may not wait for an evaluation
                elif event.kind == "stop" or (
                    event.kind == "epoch" and (done % every == 0 or done == self.config.epochs)
                ):
                    self._evaluate_and_save(event, log, progress)
        return "signal" if interrupt() and int(self.state.step) < self.total_steps else "done"

    def _note(self, event: train.Event, log: train.LogWriter, progress: Progress) -> None:
        self.position = event.position
        self.spent["seconds"] += event.seconds
        self.spent["data_wait_s"] += event.data_wait_s
        self.spent["examples"] += event.examples
        if not event.steps:
            return
        self.last["train_loss"] = event.metrics["loss"]
        figures = {**event.metrics, "examples_per_s": event.examples_per_s}
        log.write(
            {
                "step": event.step,
                "epoch": event.step / len(self.pipeline),
                **figures,
                "data_wait_s": event.data_wait_s,
                "seconds": event.seconds,
            }
        )
        progress.update(event.step, {name: figures[name] for name in ("loss", "accuracy", "examples_per_s")})
        self._check_finite(event, progress)

    def _check_finite(self, event: train.Event, progress: Progress) -> None:
        """Tells of updates that were left out, and ends a run that has nothing but these."""
        share = event.metrics["nonfinite"]
        if share:
            count = round(share * event.steps)
            progress.note(
                f"step {event.step}: {count} updates left out, since loss or gradient was not finite"
            )
        self.left_out = self.left_out + event.steps if share == 1 else 0
        if self.left_out >= min(LOST, -(-self.total_steps // 2)):
            raise NonfiniteError(
                f"the loss is not finite any more: no update was possible in the {self.left_out} steps up to step "
                f"{event.step}; begin a new run with a --learning-rate below {self.config.learning_rate:g}"
            )

    def _evaluate_and_save(self, event: train.Event, log: train.LogWriter, progress: Progress) -> None:
        if self.val is not None:
            with self.state.averaged() as model:
                figures = self.evaluator.figures(model, self.val)
            self.last["val_accuracy"] = figures["accuracy"]
            log.write(
                {
                    "step": event.step,
                    "epoch": event.step / len(self.pipeline),
                    "val_loss": figures["loss"],
                    "val_accuracy": figures["accuracy"],
                }
            )
            progress.note(
                f"epoch {event.step / len(self.pipeline):.1f}: val accuracy {figures['accuracy']:.4f}, "
                f"loss {figures['loss']:.4f}"
            )
        self._name_bad(log, progress)
        self._save(self.last["val_accuracy"])

    def _save(self, metric: float | None) -> None:
        extra = {"position": list(self.position), "spent": self._spent(), "last": finite(self.last)}
        self.checkpointer.save(self.state, extra=extra, metric=metric)

    def _bad(self) -> dict[str, str]:
        """Rows that were left out so far, in any split: key -> reason."""
        pipelines = filter(None, (self.pipeline, self.val, self.test))
        return dict(self.missing, **{key: reason for p in pipelines for key, reason in p.bad.items()})

    def _name_bad(self, log: train.LogWriter, progress: Progress) -> None:
        """Names in the log, and to the user, the left-out rows that were not named before."""
        for key, reason in self._bad().items():
            if key not in self.named:
                self.named.add(key)
                log.write({"step": int(self.state.step), "skipped": key, "reason": reason})
                progress.note(f"skipped {key}: {reason}")

    def _spent(self) -> dict[str, float]:
        return {**self.spent, "minutes": self.spent["minutes"] + (time.monotonic() - self.started) / 60}

    def _finish(self, log: train.LogWriter, progress: Progress) -> dict[str, Any]:
        """Exports the averaged weights of the last step, tests them, draws the curves, writes the summary."""
        with self.state.averaged() as model:
            arrays = {path: variable.numpy() for path, variable in self.state.weights.items()}
            weights.write_weights(self.out / "model.safetensors", arrays)
            tested = self.evaluator.figures(model, self.test)["accuracy"] if self.test else None
        self._name_bad(log, progress)
        spent = self._spent()
        figures = {
            "run": str(self.out),
            "steps": int(self.state.step),
            "examples_per_s": round(spent["examples"] / spent["seconds"], 1) if spent["seconds"] else None,
            "data_wait_share": round(spent["data_wait_s"] / spent["seconds"], 4)
            if spent["seconds"]
            else None,
            "train_loss": self.last["train_loss"],
            "val_accuracy": self.last["val_accuracy"],
            "test_accuracy": tested,
            "minutes": round(spent["minutes"], 2),
            "skipped": len(self._bad()),
        }
        self._draw()
        files.atomic_write(self.out / "summary.json", (json.dumps(finite(figures), indent=1) + "\n").encode())
        return figures

    def _draw(self) -> None:
        from mmcore import viz

        viz.save(viz.curves(train.read_log(self.out / "metrics.jsonl")), self.out / "curves.png")


class _Epoch:
    """One epoch's share of a stream of batches through all epochs, so that the next epoch is made ahead."""

    def __init__(self, stream: Iterator[Any], length: int):
        self._stream, self._length = stream, length

    def __iter__(self) -> Iterator[Any]:
        return itertools.islice(self._stream, self._length)

    def skip(self, count: int) -> Iterator[Any]:
        """The rest of an epoch whose first `count` batches were used before the stream began."""
        return itertools.islice(self._stream, self._length - count)
