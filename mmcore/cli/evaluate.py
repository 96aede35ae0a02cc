"""`mmcore evaluate`: accuracy, macro F1 and loss of a run on a split, with the pictures that explain them."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from mmcore import data, losses, metrics, nn, text, train, weights
from mmcore.cli import recipe
from mmcore.cli.config import RunConfig, read_config
from mmcore.cli.sources import print_notes, read_examples
from mmcore.errors import CheckpointError, DataError, MmcoreError

WRONG_SHOWN = 24


class Predictions(NamedTuple):
    """Logits float32 [N, num_classes], labels int32 [N] and whether each row counts, bool [N], in the rows' order."""

    logits: np.ndarray
    labels: np.ndarray
    counts: np.ndarray


class Evaluator:
    """Runs a run's model over pipelines; compiled once for all of them."""

    def __init__(self, config: RunConfig):
        self.config = config
        self._predict = recipe.make_predictor(config)

    def predictions(self, model: tf.Module, pipeline: data.Pipeline) -> Predictions:
        """The logits of every row of an evaluation pipeline."""
        logits, labels, counts = [], [], []
        for batch in pipeline:
            logits.append(
                self._predict(model, {name: batch[name] for name in self.config.modalities}).numpy()
            )
            labels.append(batch["label"])
            counts.append(batch["weight"] > 0)
        return Predictions(*(np.concatenate(parts) for parts in (logits, labels, counts)))

    def figures(self, model: tf.Module, pipeline: data.Pipeline) -> dict[str, Any]:
        """Figures over the rows that count: examples, accuracy, top5, macro_f1, loss."""
        return figures_of(self.predictions(model, pipeline), len(self.config.classes))


def figures_of(predictions: Predictions, num_classes: int) -> dict[str, Any]:
    """Figures of collected predictions.

    Raises:
        DataError: no row counts.
    """
    logits, labels = predictions.logits[predictions.counts], predictions.labels[predictions.counts]
    if not len(labels):
        raise DataError(
            "evaluation", "no row could be used: none has both a label and a readable image or text"
        )
    predicted = logits.argmax(1)
    return {
        "examples": len(labels),
        "accuracy": metrics.accuracy(predicted, labels),
        "top5": metrics.top_k_accuracy(logits, labels, k=min(5, num_classes)),
        "macro_f1": metrics.macro_f1(predicted, labels, num_classes),
        "loss": float(losses.cross_entropy(tf.constant(logits), tf.constant(labels))),
    }


def load_run(run: Path, checkpoint: str = "last") -> tuple[RunConfig, tf.Module, text.Tokenizer | None]:
    """Configuration, trained model and tokenizer of a run folder.

    Args:
        run: the folder.
        checkpoint: "last" for `model.safetensors`, "best" for the checkpoint of the best val accuracy, both with
            averaged weights.

    Raises:
        CheckpointError: a part is missing, damaged, or does not fit.
    """
    config = read_config(run)
    tokenizer = read_tokenizer(run, config)
    model = recipe.build_model(config)
    if checkpoint == "best":
        _load_best(run, config, model)
    else:
        path = run / "model.safetensors"
        if not path.exists():
            raise CheckpointError(
                f"{run} has no model.safetensors: its training has not finished; go on with: "
                f"mmcore train --out {run} --resume"
            )
        arrays = weights.read_weights(path)
        try:
            weights.load_into(nn.variables_by_path(model), arrays)
        except ValueError as error:
            raise CheckpointError(f"{path} does not belong to {run / 'config.json'}: {error}") from error
    return config, model, tokenizer


def read_tokenizer(run: Path, config: RunConfig) -> text.Tokenizer | None:
    """The tokenizer of a run folder; None for a run without texts.

    Raises:
        CheckpointError: it is missing, damaged, or of another run.
    """
    if "text" not in config.modalities:
        return None
    path = run / "tokenizer.json"
    try:
        tokenizer = text.Tokenizer.load(path)
    except (OSError, MmcoreError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); restore it from a copy") from error
    if tokenizer.vocab_size != config.vocab_size:
        raise CheckpointError(
            f"{path} does not belong to {run / 'config.json'}: it has {tokenizer.vocab_size} tokens, the model "
            f"{config.vocab_size}; restore it from a copy"
        )
    return tokenizer


def _load_best(run: Path, config: RunConfig, model: tf.Module) -> None:
    state = recipe.build_state(config, model, total_steps=1)
    restored = train.Checkpointer(run / "checkpoints").restore(state, which="best")
    with state.averaged():
        averaged = {path: variable.numpy() for path, variable in state.weights.items()}
    weights.load_into(nn.variables_by_path(model), averaged)
    print_notes([f"weights of step {restored.step}, val accuracy {restored.metric}"])


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Evaluates a split and leaves `evaluate-SPLIT/` with a confusion matrix and the wrong examples in the run."""
    folder = Path(arguments.run)
    config, model, tokenizer = load_run(folder, arguments.checkpoint)
    config = replace(config, on_bad=arguments.on_bad)
    split = data.split_name(arguments.split)
    if split is None:
        raise MmcoreError(f"--split must be train, val or test, got {arguments.split!r}")
    everything, missing = read_examples(config, arguments.data, labelled=True)
    examples = everything.split(split)
    if not len(examples):
        raise DataError(
            everything.source,
            f"no row has the split {split!r}; rows of each split: {everything.counts()}; "
            "choose one with --split",
        )
    pipeline = recipe.make_pipeline(config, examples, tokenizer)
    predictions = Evaluator(config).predictions(model, pipeline)
    figures = figures_of(predictions, len(config.classes))
    pictures = folder / f"evaluate-{split}"
    pictures.mkdir(exist_ok=True)
    _draw(pictures, config, examples, predictions)
    bad = missing | pipeline.bad
    print_notes(f"skipped {key}: {reason}" for key, reason in bad.items())
    return {"split": split, **figures, "skipped": len(bad), "pictures": str(pictures)}, 0


def _draw(folder: Path, config: RunConfig, examples: data.Examples, predictions: Predictions) -> None:
    from mmcore import viz

    predicted = predictions.logits.argmax(1)
    counts = predictions.counts
    matrix = metrics.confusion_matrix(predicted[counts], predictions.labels[counts], len(config.classes))
    viz.save(viz.confusion_matrix(matrix, config.classes), folder / "confusion.png")
    probabilities = tf.nn.softmax(predictions.logits).numpy().max(1)
    wrong = np.flatnonzero((predicted != predictions.labels) & counts)
    wrong = wrong[np.argsort(-probabilities[wrong])][:WRONG_SHOWN]  # the surest mistakes first
    if not len(wrong):
        (folder / "wrong.png").unlink(missing_ok=True)  # of an earlier evaluation
        return
    rows = examples.take(wrong)
    viz.save(
        viz.wrong_examples(
            [data.load_image(cell) for cell in rows.images],
            rows.texts,
            [config.classes[predictions.labels[row]] for row in wrong],
            [config.classes[predicted[row]] for row in wrong],
            probabilities[wrong],
        ),
        folder / "wrong.png",
    )
