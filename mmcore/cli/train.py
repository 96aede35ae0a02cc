"""`mmcore train`: from a manifest, or the built-in set, to a run folder with a tested model."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import tensorflow as tf

from mmcore import data, text, train, weights
from mmcore.cli import evaluate, recipe
from mmcore.cli.config import RunConfig, read_config
from mmcore.cli.progress import Progress
from mmcore.cli.sources import print_notes, read_examples
from mmcore.errors import MmcoreError

LOG_EVERY = 10
EVALUATIONS = 20  # at most so many during a run, evenly spread over its epochs


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Trains, evaluates and saves; exit code 130 or 143 where a signal stopped the training."""
    started = time.monotonic()
    if arguments.resume:
        return _resume(arguments, started)
    out = _new_folder(arguments)
    config, examples = _configure(arguments)
    print_notes([f"epochs: {config.epochs}, batch size {config.batch_size}, image size {config.image_size}, "
                 f"modalities: {' + '.join(config.modalities)}"])
    tokenizer = _make_tokenizer(examples) if "text" in config.modalities else None
    if tokenizer is not None:
        config = replace(config, vocab_size=tokenizer.vocab_size, max_length=_max_length(tokenizer, examples))
    session = _Session(out, config, examples, tokenizer, arguments.max_minutes, started)
    out.mkdir(parents=True)
    try:
        config.write(out)
        if tokenizer is not None:
            tokenizer.save(out / "tokenizer.json")
        return session.train()
    except (MmcoreError, OSError):
        # Before the first checkpoint there is nothing to go on from: leave no half-written run behind.
        if not session.checkpointer.paths():
            shutil.rmtree(out, ignore_errors=True)
        raise


def _resume(arguments: argparse.Namespace, started: float) -> tuple[dict[str, Any], int]:
    if arguments.out is None:
        raise MmcoreError("--resume needs --out RUN: the folder of the run to go on with")
    out = Path(arguments.out)
    config = read_config(out)
    _check_unchanged(arguments, config)
    summary = out / "summary.json"
    if summary.exists():
        print_notes([f"{out} is finished; nothing to go on with"])
        return json.loads(summary.read_text("utf-8")), 0
    examples = read_examples(config, labelled=True)
    tokenizer = text.Tokenizer.load(out / "tokenizer.json") if "text" in config.modalities else None
    session = _Session(out, config, examples, tokenizer, arguments.max_minutes, started)
    if session.checkpointer.paths():
        session.restore()
    return session.train()


def _check_unchanged(arguments: argparse.Namespace, config: RunConfig) -> None:
    """A resumed run keeps its options: one given again must say the same."""
    for name in ("fusion", "image_encoder", "text_encoder", "image_size", "epochs", "batch_size", "learning_rate", "seed"):
        given, had = getattr(arguments, name), getattr(config, name)
        if given is not None and given != had:
            option = f"--{name.replace('_', '-')}"
            raise MmcoreError(f"{option} {given} differs from the run's {had}; leave {option} out to resume, or begin a "
                              "new run in another --out")


def _new_folder(arguments: argparse.Namespace) -> Path:
    if arguments.out is None:
        source = "shapes" if arguments.data is None else Path(arguments.data).stem
        return _unused(Path("runs") / f"{source}-{time.strftime('%Y%m%d-%H%M%S')}")
    out = Path(arguments.out)
    if out.exists():
        raise MmcoreError(f"--out {out} exists already; name a new folder, or add --resume to go on with that run")
    return out


def _unused(path: Path) -> Path:
    """The path, or the first of path-2, path-3, ... that does not exist."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([path], numbered) if not candidate.exists())


def _configure(arguments: argparse.Namespace) -> tuple[RunConfig, data.Examples]:
    """Reads the examples and settles every option that was left open."""
    seed = 0 if arguments.seed is None else arguments.seed
    if seed < 0:
        raise MmcoreError(f"--seed must not be negative, got {seed}")
    builtin = arguments.data is None
    columns: dict[str, str] = {}
    if builtin:
        examples = data.builtin_examples(seed=seed)
        print_notes([f"data: {examples.source}, rows: {examples.counts()}"])
    else:
        manifest = data.read_manifest(arguments.data, image=arguments.image, text=arguments.text, label=arguments.label,
                                      split=arguments.split, seed=seed, on_bad=arguments.on_bad)
        examples, found = manifest.examples, manifest.columns
        columns = {role: name for role in ("image", "text", "label", "split") if (name := getattr(found, role))}
        print_notes(manifest.notes)
    classes = data.class_names(examples)
    config = RunConfig(
        data=None if builtin else str(Path(arguments.data).resolve()), columns=columns, classes=tuple(classes),
        modalities=_modalities(examples), vocab_size=0, max_length=1,
        fusion=arguments.fusion or "concat", image_encoder=arguments.image_encoder or "cnn",
        text_encoder=arguments.text_encoder or "rnn", image_size=arguments.image_size or (32 if builtin else 64),
        epochs=arguments.epochs or recipe.default_epochs(examples.counts()["train"], builtin=builtin),
        batch_size=arguments.batch_size or 32, learning_rate=arguments.learning_rate or 2e-3, seed=seed,
        weighted=arguments.weighted, on_bad=arguments.on_bad, jit=arguments.jit)
    return config, examples


def _modalities(examples: data.Examples) -> tuple[str, ...]:
    """The modalities that any training row has."""
    rows = examples.split("train")
    has = {"image": any(cell is not None for cell in rows.images), "text": any(cell is not None for cell in rows.texts)}
    return tuple(name for name, there in has.items() if there)


def _make_tokenizer(examples: data.Examples) -> text.Tokenizer:
    texts = [string for string in examples.split("train").texts if string is not None]
    return text.Tokenizer.train(texts, vocab_size=recipe.VOCAB_SIZE)


def _max_length(tokenizer: text.Tokenizer, examples: data.Examples) -> int:
    """Tokens of the longest training text, at most `MAX_TEXT_LENGTH`; a multiple of 4."""
    texts = [string for string in examples.split("train").texts if string is not None]
    _, row_splits = tokenizer.ragged(texts)
    longest = int((row_splits[1:] - row_splits[:-1]).max())
    return min(recipe.MAX_TEXT_LENGTH, -(-max(longest, 1) // 4) * 4)


class _Session:
    """One training run: everything between its configuration and its summary."""

    def __init__(self, out: Path, config: RunConfig, examples: data.Examples, tokenizer: text.Tokenizer | None,
                 max_minutes: float | None, started: float):
        self.out, self.config, self.examples, self.tokenizer = out, config, examples, tokenizer
        self.started, self.deadline = started, None if max_minutes is None else started + 60 * max_minutes
        self.pipeline = recipe.make_pipeline(config, examples.split("train"), tokenizer, training=True)
        self.total_steps = config.epochs * len(self.pipeline)
        self.state = recipe.build_state(config, recipe.build_model(config), self.total_steps)
        self.step = train.make_train_step(recipe.loss_fn, jit_compile=recipe.uses_xla(config))
        self.checkpointer = train.Checkpointer(out / "checkpoints")
        self.position = train.Position()
        self.spent = {"seconds": 0.0, "data_wait_s": 0.0, "examples": 0, "minutes": 0.0}
        self.last: dict[str, float | None] = {"train_loss": None, "val_accuracy": None}
        self.evaluator = evaluate.Evaluator(config, tokenizer)
        val = examples.split("val")
        self.val = recipe.make_pipeline(config, val, tokenizer) if len(val) else None

    def restore(self) -> None:
        """Goes back to the newest whole checkpoint; the log forgets what came after it."""
        restored = self.checkpointer.restore(self.state)
        self.position = train.Position(*restored.extra["position"])
        self.spent, self.last = restored.extra["spent"], restored.extra["last"]
        train.truncate_after(self.out / "metrics.jsonl", restored.step)
        print_notes([f"resuming {self.out} at step {restored.step} of {self.total_steps}"])

    def train(self) -> tuple[dict[str, Any], int]:
        """Runs the loop to its end, a signal, or the time limit; then evaluates and saves."""
        with train.Interrupt() as interrupt, train.LogWriter(self.out / "metrics.jsonl") as log, \
                Progress(self.total_steps, initial=int(self.state.step)) as progress:
            outcome = self._loop(interrupt, log, progress)
        if outcome == "signal":
            code = interrupt.exit_code or 1
            print_notes([f"stopped at step {int(self.state.step)}; go on with: mmcore train --out {self.out} --resume"])
            return {"run": str(self.out), "steps": int(self.state.step), "stopped": True}, code
        return self._finish(), 0

    def _loop(self, interrupt: Callable[[], bool], log: train.LogWriter, progress: Progress) -> Literal["done", "signal"]:
        def stop() -> bool:
            return interrupt() or (self.deadline is not None and time.monotonic() > self.deadline)

        every = -(-self.config.epochs // EVALUATIONS)
        with contextlib.closing(self.pipeline.batches(start=int(self.state.step), stop=self.total_steps)) as stream:
            for event in train.fit(self.state, self.step, lambda epoch: _Epoch(stream, len(self.pipeline)),
                                   epochs=self.config.epochs, start=self.position, log_every=LOG_EVERY, stop=stop):
                self._note(event, log, progress)
                done = event.position.epoch
                if event.kind == "stop" or (event.kind == "epoch" and (done % every == 0 or done == self.config.epochs)):
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
        log.write({"step": event.step, "epoch": event.step / len(self.pipeline), **figures,
                   "data_wait_s": event.data_wait_s, "seconds": event.seconds})
        progress.update(event.step, {name: figures[name] for name in ("loss", "accuracy", "examples_per_s")})

    def _evaluate_and_save(self, event: train.Event, log: train.LogWriter, progress: Progress) -> None:
        if self.val is not None:
            with self.state.averaged() as model:
                figures = self.evaluator.figures(model, self.val)
            self.last["val_accuracy"] = figures["accuracy"]
            log.write({"step": event.step, "epoch": event.step / len(self.pipeline),
                       "val_loss": figures["loss"], "val_accuracy": figures["accuracy"]})
            progress.note(f"epoch {event.step / len(self.pipeline):.1f}: val accuracy {figures['accuracy']:.4f}, "
                          f"loss {figures['loss']:.4f}")
        for key, reason in list(self.pipeline.bad.items())[:3]:
            log.write({"step": event.step, "skipped": key, "reason": reason})
        extra = {"position": list(self.position), "spent": self._spent(), "last": self.last}
        self.checkpointer.save(self.state, extra=extra, metric=self.last["val_accuracy"])

    def _spent(self) -> dict[str, float]:
        return {**self.spent, "minutes": self.spent["minutes"] + (time.monotonic() - self.started) / 60}

    def _finish(self) -> dict[str, Any]:
        """Exports the averaged weights of the last step, tests them, draws the curves, writes the summary."""
        with self.state.averaged() as model:
            arrays = {path: variable.numpy() for path, variable in self.state.weights.items()}
            weights.write_weights(self.out / "model.safetensors", arrays)
            tested = self._test(model)
        spent = self._spent()
        figures = {
            "run": str(self.out), "steps": int(self.state.step),
            "examples_per_s": round(spent["examples"] / spent["seconds"], 1) if spent["seconds"] else None,
            "data_wait_share": round(spent["data_wait_s"] / spent["seconds"], 4) if spent["seconds"] else None,
            "train_loss": self.last["train_loss"], "val_accuracy": self.last["val_accuracy"], "test_accuracy": tested,
            "minutes": round(spent["minutes"], 2), "skipped": len(self.pipeline.bad)}
        self._draw()
        weights.atomic_write(self.out / "summary.json", (json.dumps(figures, indent=1) + "\n").encode())
        return figures

    def _test(self, model: tf.Module) -> float | None:
        test = self.examples.split("test")
        if not len(test):
            return None
        return self.evaluator.figures(model, recipe.make_pipeline(self.config, test, self.tokenizer))["accuracy"]

    def _draw(self) -> None:
        from mmcore import viz

        viz.save(viz.curves(train.read_log(self.out / "metrics.jsonl")), self.out / "curves.png")


class _Epoch:
    """One epoch's share of a stream of batches that goes on through all epochs, so that the next epoch is made ahead."""

    def __init__(self, stream: Iterator[Any], length: int):
        self._stream, self._length = stream, length

    def __iter__(self) -> Iterator[Any]:
        return itertools.islice(self._stream, self._length)

    def skip(self, count: int) -> Iterator[Any]:
        """The rest of an epoch whose first `count` batches were used before the stream began."""
        return itertools.islice(self._stream, self._length - count)
