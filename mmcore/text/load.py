"""Readers of tokenizer files. Each gives a definition: the content of a tokenizer.json as a dict."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mmcore.errors import FormatError, LimitError
from mmcore.text import load_sentencepiece, load_tiktoken, spec
from mmcore.text.load_vocab import from_vocab_and_merges, from_vocab_txt
from mmcore.text.read_file import parse_json, read_file
from mmcore.text.roles import Roles, find_roles

_MAX_MERGES = 4_000_000
_EXPECTED = "tokenizer.json, vocab.txt, vocab.json with merges.txt, a .tiktoken or a .model"


class Source(NamedTuple):
    """A tokenizer as read from files."""

    definition: dict[str, Any]
    roles: Roles
    special: Literal["parse", "text", "error"] = "parse"
    """What is done by default about special tokens that are written in a text."""


def load(
    path: str | os.PathLike[str],
    *,
    lowercase: bool | None = None,
    kind: str | None = None,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
) -> Source:
    """Reads a tokenizer: a folder, tokenizer.json, vocab.txt, vocab.json with merges.txt, .tiktoken, or .model.

    Raises:
        FileNotFoundError: the path, or in a folder any tokenizer file, does not exist.
        FormatError: the file is malformed, or uses something that is not supported.
        ValueError: the file does not say what `lowercase`, `kind` or `pattern` must say, or says it already.
        LimitError: the file is larger than any real vocabulary.
        TypeError: `path` is none.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a str or a path, got {type(path).__name__}")
    path = Path(path)
    config: Mapping[str, Any] = {}
    special: Literal["parse", "text", "error"] = "parse"
    if path.is_dir():
        config = _read_config(path / "tokenizer_config.json")
        path = _find_in(path)
    if path.suffix == ".txt" and path.name != "merges.txt":
        definition = from_vocab_txt(
            path, config.get("do_lower_case") if lowercase is None else lowercase, config
        )
        lowercase = None
    elif path.name in ("merges.txt", "vocab.json"):
        definition = from_vocab_and_merges(
            path.with_name("vocab.json"), path.with_name("merges.txt"), kind, config
        )
        kind = None
    elif path.suffix == ".tiktoken":
        definition = load_tiktoken.from_ranks(read_file(path), path.name, pattern, special_tokens)
        pattern = special_tokens = None
        special = "error"
    elif path.suffix == ".model":
        data = read_file(path)
        definition = load_sentencepiece.from_model(data, path.name)
        config = {**load_sentencepiece.role_names(data, path.name), **config}
    elif path.suffix == ".json":
        definition = from_tokenizer_json(read_file(path), path.name)
    else:
        read_file(path)
        raise FormatError(f"{path.name} has the name of no tokenizer file: expected {_EXPECTED}")
    if str(definition["model"].get("type")).startswith("SentencePiece"):
        special = "text"  # SentencePiece finds no control pieces in texts.
    told = {"lowercase": lowercase, "kind": kind, "pattern": pattern, "special_tokens": special_tokens}
    for name, value in told.items():
        if value is not None:
            raise ValueError(f"{name}={value!r} does not apply to {path.name}: leave it out")
    return Source(definition, find_roles(definition, config), special)


def from_tokenizer_json(data: bytes, name: str = "tokenizer.json") -> dict[str, Any]:
    """The definition in a tokenizer.json; its components are checked when it is compiled."""
    # Tokens are entries of an object or lists with their scores, merges strings or lists of two.
    items = spec.MAX_VOCAB_SIZE + _MAX_MERGES
    too_many = data.count(b":") > 2 * spec.MAX_VOCAB_SIZE or data.count(b",") > 2 * items
    if too_many or data.count(b"[") + data.count(b"{") > items:
        raise LimitError(f"{name} has more than {spec.MAX_VOCAB_SIZE:,} entries")
    definition = parse_json(data, name)
    if not isinstance(definition, dict) or not isinstance(definition.get("model"), dict):
        raise FormatError(f"{name} is no tokenizer.json: that is an object with a 'model', found none")
    return definition


def _read_config(path: Path) -> Mapping[str, Any]:
    config = parse_json(read_file(path), path.name) if path.exists() else {}
    if not isinstance(config, dict):
        raise FormatError(f"{path.name} must be an object")
    return config


def _find_in(folder: Path) -> Path:
    for name in ("tokenizer.json", "vocab.json", "vocab.txt"):
        if (folder / name).exists():
            return folder / name
    others = sorted([*folder.glob("*.model"), *folder.glob("*.tiktoken")])
    if len(others) == 1:
        return others[0]
    found = f"several: {[path.name for path in others]}; pass the path of one" if others else "none"
    raise FileNotFoundError(f"{folder} has no tokenizer: expected {_EXPECTED}, found {found}")
