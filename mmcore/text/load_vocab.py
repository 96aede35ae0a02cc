"""Readers of plain vocabularies: vocab.txt, and vocab.json with merges.txt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmcore.errors import FormatError, LimitError
from mmcore.text import spec
from mmcore.text.definition import (
    CLIP_SPECIAL,
    added_token,
    byte_level_definition,
    clip_definition,
    wordpiece_definition,
    wrap_template,
)
from mmcore.text.read_file import parse_json, read_file, text_of

# Rust's char::is_whitespace, which Hugging Face trims from the end of each line of a vocab.txt.
_WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_BERT_ROLES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
_SPECIAL_OF_KIND = {
    "gpt2": ("<|endoftext|>",),
    "roberta": ("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
    "clip": CLIP_SPECIAL,
}
_KINDS = tuple(_SPECIAL_OF_KIND)


def from_vocab_txt(
    path: Path, lowercase: bool | None, config: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A BERT WordPiece tokenizer from its vocabulary, one token a line.

    Args:
        path: the vocabulary.
        lowercase: whether texts are read in lower case.
        config: content of tokenizer_config.json, whose settings of BERT's normalizer count.
    """
    if lowercase is None:
        raise ValueError(
            f"{path.name} does not say whether its texts are lower case: pass lowercase=True "
            "(uncased models) or lowercase=False (cased models)"
        )
    if not isinstance(lowercase, bool):
        raise ValueError(f"lowercase must be True or False, got {lowercase!r:.50}")
    config = config or {}
    data = read_file(path)
    if data.count(b"\n") > spec.MAX_VOCAB_SIZE:
        raise LimitError(f"{path.name} has more than {spec.MAX_VOCAB_SIZE:,} lines")
    lines = text_of(data, path.name).split("\n")
    if lines[-1] == "":
        lines.pop()
    vocab = {line.rstrip(_WHITE_SPACE): number for number, line in enumerate(lines)}
    _expect_config(config, {f"{role}_token": token for role, token in _BERT_ROLES.items()})
    _expect_config(config, {"do_basic_tokenize": True, "never_split": None})
    _refuse_added_tokens(path, vocab)
    if "[UNK]" not in vocab:
        raise FormatError(f"{path.name} is not a WordPiece vocabulary: it has no token [UNK]")
    return wordpiece_definition(
        vocab,
        [token for token in _BERT_ROLES.values() if token in vocab],
        lowercase,
        strip_accents=_switch(config, "strip_accents", None),
        split_chinese=_switch(config, "tokenize_chinese_chars", True),
    )


def from_vocab_and_merges(
    vocab_path: Path, merges_path: Path, kind: str | None, config: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A byte-level BPE tokenizer from vocab.json + merges.txt; `config` is that of `from_vocab_txt`."""
    vocab = parse_json(read_file(vocab_path), vocab_path.name)
    if not isinstance(vocab, dict):
        raise FormatError(f"{vocab_path.name} must map tokens to ids")
    merges = _read_merges(merges_path)
    kind = kind or guess_kind(vocab)
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {_KINDS}, got {kind!r}")
    names = _SPECIAL_OF_KIND[kind]
    if missing := [name for name in names if name not in vocab]:
        raise FormatError(f"{vocab_path.name} is no vocabulary of kind {kind!r}: it lacks {missing}")
    _refuse_added_tokens(vocab_path, vocab)
    if kind == "clip":
        return clip_definition(vocab, merges)
    added = [added_token(name, vocab[name], lstrip=name == "<mask>") for name in names]
    return byte_level_definition(
        vocab,
        merges,
        added,
        wrap_template("<s>", "</s>", vocab) if kind == "roberta" else None,
        prefix_space=bool(_switch(config or {}, "add_prefix_space", False)),
    )


def _switch(config: Mapping[str, Any], name: str, default: bool | None) -> Any:
    value = config.get(name, default)
    if value is not None and not isinstance(value, bool):
        raise FormatError(f"tokenizer_config.json: {name} must be true or false, found {value!r:.80}")
    return value


def _expect_config(config: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Refuses settings that would change ids and are not supported here."""
    for name, wanted in expected.items():
        value = config.get(name)
        value = value.get("content") if isinstance(value, dict) else value
        if value is not None and value != wanted:
            raise FormatError(
                f"tokenizer_config.json: {name} {value!r:.80} beside a vocab.txt is not supported, only "
                f"{wanted!r}: load the model's tokenizer.json"
            )


def _refuse_added_tokens(path: Path, vocab: Mapping[str, int]) -> None:
    """Refuses tokens in the added_tokens.json of old models, whose flags it does not say."""
    beside = path.with_name("added_tokens.json")
    added = parse_json(read_file(beside), beside.name) if beside.exists() else {}
    if not isinstance(added, dict) or any(vocab.get(token) != number for token, number in added.items()):
        raise FormatError(
            f"{beside} has tokens that {path.name} does not have, and does not say how they stand in a text: load "
            "the model's tokenizer.json"
        )


def _read_merges(path: Path) -> list[list[str]]:
    merges = []
    for number, line in enumerate(text_of(read_file(path), path.name).split("\n"), start=1):
        line = line.removesuffix("\r")
        if not line or line.startswith("#version"):
            continue
        pair = line.split(" ")
        if len(pair) != 2 or not all(pair):
            raise FormatError(
                f"{path.name}, line {number}: expected two tokens and a space between them, found {line[:80]!r}"
            )
        merges.append(pair)
    return merges


def guess_kind(vocab: Mapping[str, int]) -> str:
    """The kind of a byte-level vocabulary where its special tokens leave no doubt."""
    is_clip = "<|startoftext|>" in vocab or any(token.endswith("</w>") for token in vocab)
    has = {
        "gpt2": "<|endoftext|>" in vocab and not is_clip,
        "roberta": {"<s>", "</s>", "<mask>"} <= vocab.keys(),
        "clip": is_clip and {*CLIP_SPECIAL} <= vocab.keys(),
    }
    fits = [kind for kind, fit in has.items() if fit]
    if len(fits) != 1:
        raise ValueError(f"vocab.json does not say what is put around a text: pass kind= one of {_KINDS}")
    return fits[0]
