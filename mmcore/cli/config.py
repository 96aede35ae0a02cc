"""What a run is made of, as `config.json` of its folder keeps it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmcore import __version__
from mmcore.errors import CheckpointError
from mmcore.files import atomic_write

FORMAT = 1  # raised when an older program could not read a newer folder
MAX_IMAGE_SIZE = 4096
CHOICES = {
    "fusion": ("concat", "parallel", "attention", "bottleneck"),
    "image_encoder": ("cnn", "vit"),
    "text_encoder": ("rnn", "transformer"),
    "on_bad": ("skip", "replace", "raise"),
    "jit": ("auto", "on", "off"),
}
_AT_LEAST = {"vocab_size": 0, "max_length": 1, "image_size": 1, "epochs": 1, "batch_size": 1, "seed": 0}


@dataclass(frozen=True)
class RunConfig:
    """Data, model and training of one run; nothing else is needed to build its model again.

    Args:
        data: the manifest or folder, absolute; None: the built-in set.
        columns: role ("image", "text", "label", "split") -> column; only roles that have one.
        classes: names, in the order of the logits.
        modalities: "image", "text" or both, in the order of the fusion.
        vocab_size: ids of the tokenizer; 0 without texts.
        max_length: tokens a text is cut to.
        fusion: "concat", "parallel", "attention" or "bottleneck".
        image_encoder: "cnn" or "vit".
        text_encoder: "rnn" or "transformer".
        image_size: side of the square images, in pixels.
        fingerprint: of the rows (see `sources.fingerprint`): a run resumes only on the data it began with.
        epochs, batch_size, learning_rate, seed, weighted, on_bad, jit: as `mmcore train --help` says.
    """

    data: str | None
    columns: dict[str, str]
    classes: tuple[str, ...]
    modalities: tuple[str, ...]
    vocab_size: int
    max_length: int
    fusion: str
    image_encoder: str
    text_encoder: str
    image_size: int
    fingerprint: str
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    weighted: bool
    on_bad: str
    jit: str

    def write(self, run: Path) -> None:
        """Writes `config.json` into the run folder."""
        content = {"format": FORMAT, "mmcore": __version__, **dataclasses.asdict(self)}
        atomic_write(run / "config.json", (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_config(run: Path) -> RunConfig:
    """Reads `config.json` of a run folder.

    Raises:
        CheckpointError: there is none, it is damaged, or a version of another format wrote it.
    """
    path = run / "config.json"
    try:
        content: Any = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{run} is not a run folder (it has no config.json); give the folder that "
            '`mmcore train` printed as "run"'
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} cannot be read ({error}); train again or restore it from a copy"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format", "none") if isinstance(content, dict) else "none"
        writer = content.get("mmcore", "unknown") if isinstance(content, dict) else "unknown"
        raise CheckpointError(
            f"{path} has run format {found}, written by mmcore {writer}; mmcore {__version__} reads "
            f"format {FORMAT}: use that version, or train again with this one"
        )
    return _checked(
        path, {name: value for name, value in content.items() if name not in ("format", "mmcore")}
    )


def _checked(path: Path, values: dict[str, Any]) -> RunConfig:
    expected = {field.name for field in dataclasses.fields(RunConfig)}
    if set(values) != expected:
        raise CheckpointError(
            f"{path} is damaged: missing {sorted(expected - set(values))}, "
            f"unexpected {sorted(set(values) - expected)}; restore it from a copy"
        )
    if wrong := [name for name in values if not _fits(name, values[name])]:
        raise CheckpointError(
            f"{path} is damaged: {wrong[0]} cannot be {str(values[wrong[0]])[:80]!r}; restore it from a copy"
        )
    values |= {name: tuple(values[name]) for name in ("classes", "modalities")}
    return RunConfig(**values)


def _fits(name: str, value: Any) -> bool:
    """Whether a field can have this value."""
    if name in CHOICES:
        return value in CHOICES[name]
    if name in _AT_LEAST:
        most = MAX_IMAGE_SIZE if name == "image_size" else 2**63 - 1
        return type(value) is int and _AT_LEAST[name] <= value <= most
    if name == "learning_rate":
        return type(value) in (int, float) and 0 < value < float("inf")
    if name == "weighted":
        return isinstance(value, bool)
    if name == "modalities":
        return value in (["image"], ["text"], ["image", "text"])
    if name == "classes":
        return isinstance(value, list) and len(value) > 1 and all(isinstance(item, str) for item in value)
    if name == "columns":
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    return isinstance(value, str) or (name == "data" and value is None)
