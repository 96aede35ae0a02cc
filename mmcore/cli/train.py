"""`mmcore train`: from a manifest, or the built-in set, to a run folder with a tested model."""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmcore import data, text
from mmcore.cli import recipe
from mmcore.cli.config import RunConfig, read_config
from mmcore.cli.evaluate import read_tokenizer
from mmcore.cli.session import Session
from mmcore.cli.sources import Source, fingerprint, only, print_notes, read_examples
from mmcore.errors import MmcoreError, NonfiniteError

_ROLES = ("image", "text", "label", "split")


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Trains, evaluates and saves; exit code 130 or 143 where a signal stopped the training."""
    started = time.monotonic()
    if arguments.resume:
        return _resume(arguments, started)
    out = _new_folder(arguments)
    config, source = _configure(arguments)
    examples = source.examples
    print_notes(
        [
            f"epochs: {config.epochs}, batch size {config.batch_size}, image size {config.image_size}, "
            f"modalities: {' + '.join(config.modalities)}"
        ]
    )
    tokenizer = _make_tokenizer(examples) if "text" in config.modalities else None
    if tokenizer is not None:
        config = replace(config, vocab_size=tokenizer.vocab_size, max_length=_max_length(tokenizer, examples))
    session = Session(out, config, source, tokenizer, arguments.max_minutes, started)
    session.check_images()
    out.mkdir(parents=True)
    try:
        config.write(out)
        if tokenizer is not None:
            tokenizer.save(out / "tokenizer.json")
        return session.run()
    except (MmcoreError, OSError) as error:
        # Before the first checkpoint there is nothing to go on from: leave no half-written run behind.
        if not session.checkpointer.paths():
            shutil.rmtree(out, ignore_errors=True)
        elif not isinstance(error, NonfiniteError):  # That would come again.
            print_notes([f"go on from the last checkpoint with: mmcore train --out {out} --resume"])
        raise


def _resume(arguments: argparse.Namespace, started: float) -> tuple[dict[str, Any], int]:
    if arguments.out is None:
        raise MmcoreError("--resume needs --out RUN: the folder of the run to go on with")
    out = Path(arguments.out)
    config = read_config(out)
    _check_unchanged(arguments, config)
    if arguments.on_bad is not None:
        config = replace(config, on_bad=arguments.on_bad)
    source = read_examples(config, labelled=True)
    if fingerprint(source.examples) != config.fingerprint:
        raise MmcoreError(
            f"{source.examples.source} has changed since {out} began, so the run cannot go on as it would have; "
            "restore the data, or begin a new run in another --out"
        )
    tokenizer = read_tokenizer(out, config)
    session = Session(out, config, source, tokenizer, arguments.max_minutes, started)
    figures = _summary(out)
    if figures is not None and figures["steps"] >= session.total_steps:
        print_notes([f"{out} is finished; nothing to go on with"])
        return figures, 0
    session.restore()
    return session.run()


def _summary(out: Path) -> dict[str, Any] | None:
    """The figures that a run ended with; None where it has not ended, or they are damaged and are made again."""
    try:
        figures = json.loads((out / "summary.json").read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    return figures if isinstance(figures, dict) and isinstance(figures.get("steps"), int) else None


def _check_unchanged(arguments: argparse.Namespace, config: RunConfig) -> None:
    """A resumed run keeps its options: one given again must say the same."""
    for name in (
        "fusion",
        "image_encoder",
        "text_encoder",
        "image_size",
        "epochs",
        "batch_size",
        "learning_rate",
        "seed",
        "weighted",
        "jit",
        "data",
        *_ROLES,
    ):
        given = getattr(arguments, name)
        had = (config.columns.get(name) or "") if name in _ROLES else getattr(config, name)
        if name == "data" and given is not None:
            given = str(Path(given).resolve())
        if given is not None and given != had:
            option = f"--{name.replace('_', '-')}"
            raise MmcoreError(
                f"{option} {given} differs from the run's {had}; leave {option} out to resume, or begin a "
                "new run in another --out"
            )


def _new_folder(arguments: argparse.Namespace) -> Path:
    if arguments.out is None:
        source = "shapes" if arguments.data is None else Path(arguments.data).stem
        return _unused(Path("runs") / f"{source}-{time.strftime('%Y%m%d-%H%M%S')}")
    out = Path(arguments.out)
    if out.exists():
        raise MmcoreError(
            f"--out {out} exists already; name a new folder, or add --resume to go on with that run"
        )
    return out


def _unused(path: Path) -> Path:
    """The path, or the first of path-2, path-3, ... that does not exist."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(candidate for candidate in itertools.chain([path], numbered) if not candidate.exists())


def _configure(arguments: argparse.Namespace) -> tuple[RunConfig, Source]:
    """Reads the examples and settles every option that was left open."""
    seed = 0 if arguments.seed is None else arguments.seed
    if not 0 <= seed < 2**63:
        raise MmcoreError(f"--seed must be at least 0 and below 2^63, got {seed}")
    builtin = arguments.data is None
    columns: dict[str, str] = {}
    missing: dict[str, str] = {}
    on_bad = arguments.on_bad or "skip"
    if builtin:
        examples = _without(data.builtin_examples(seed=seed), arguments)
        print_notes([f"data: {examples.source}, rows: {examples.counts()}"])
    else:
        manifest = data.read_manifest(
            arguments.data,
            image=arguments.image,
            text=arguments.text,
            label=arguments.label,
            split=arguments.split,
            seed=seed,
            on_bad=on_bad,
        )
        examples, found, missing = manifest.examples, manifest.columns, manifest.bad
        columns = {role: name for role in _ROLES if (name := getattr(found, role))}
        print_notes(manifest.notes)
    classes = data.class_names(examples)
    config = RunConfig(
        data=None if builtin else str(Path(arguments.data).resolve()),
        columns=columns,
        classes=tuple(classes),
        modalities=_modalities(examples),
        vocab_size=0,
        max_length=1,
        fusion=arguments.fusion or "concat",
        image_encoder=arguments.image_encoder or "cnn",
        text_encoder=arguments.text_encoder or "rnn",
        image_size=arguments.image_size or (32 if builtin else 64),
        epochs=arguments.epochs or recipe.default_epochs(examples.counts()["train"], builtin=builtin),
        batch_size=arguments.batch_size or 32,
        learning_rate=arguments.learning_rate or 2e-3,
        seed=seed,
        weighted=bool(arguments.weighted),
        on_bad=on_bad,
        jit=arguments.jit or "auto",
        fingerprint=fingerprint(examples),
    )
    return config, Source(examples, missing)


def _without(examples: data.Examples, arguments: argparse.Namespace) -> data.Examples:
    """The built-in examples without the modalities that `--image ''` and `--text ''` leave out."""
    for name in _ROLES:
        if getattr(arguments, name):
            raise MmcoreError(
                f"--{name} names a column of --data, which is not given; add --data FILE_OR_FOLDER"
            )
    kept = [name for name in ("image", "text") if getattr(arguments, name) != ""]
    if not kept:
        raise MmcoreError("--image '' and --text '' together leave nothing to learn from; drop one of them")
    return only(examples, kept)


def _modalities(examples: data.Examples) -> tuple[str, ...]:
    """The modalities that any training row has."""
    rows = examples.split("train")
    has = {
        "image": any(cell is not None for cell in rows.images),
        "text": any(cell is not None for cell in rows.texts),
    }
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
