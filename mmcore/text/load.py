"""Readers of tokenizer files. Each gives a definition: the content of a tokenizer.json as a dict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmcore.errors import FormatError, LimitError
from mmcore.text import spec

MAX_FILE_BYTES = 256_000_000
# Rust's char::is_whitespace, which Hugging Face trims from the end of each line of a vocab.txt.
_WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
_BERT_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_KINDS = ("gpt2", "roberta")
_ROLE_NAMES = {
    "pad": ("<pad>", "[PAD]", "<|pad|>", "<|padding|>"),
    "bos": ("<s>", "<bos>", "[BOS]", "[CLS]", "<|startoftext|>", "<|begin_of_text|>", "<|endoftext|>"),
    "eos": ("</s>", "<eos>", "[EOS]", "[SEP]", "<|endoftext|>", "<|end_of_text|>"),
}


class Roles(NamedTuple):
    """Ids with a part to play; None: the tokenizer has no such token."""

    pad: int | None
    bos: int | None
    eos: int | None


class Source(NamedTuple):
    """A tokenizer as read from files."""

    definition: dict[str, Any]
    roles: Roles


def load(path: str | Path, *, lowercase: bool | None = None, kind: str | None = None) -> Source:
    """Reads a tokenizer: a folder, a tokenizer.json, a vocab.txt, or a vocab.json with merges.txt beside it.

    Raises:
        FileNotFoundError: the path, or in a folder any tokenizer file, does not exist.
        FormatError: the file is malformed, or uses something that is not supported.
        ValueError: the file does not say what `lowercase` or `kind` must say, or says it already.
        LimitError: the file is larger than any real vocabulary.
    """
    path = Path(path)
    config: Mapping[str, Any] = {}
    if path.is_dir():
        config = _read_config(path / "tokenizer_config.json")
        path = _find_in(path)
    if path.suffix == ".txt" and path.name != "merges.txt":
        definition = from_vocab_txt(path, config.get("do_lower_case") if lowercase is None else lowercase)
        lowercase = None
    elif path.name in ("merges.txt", "vocab.json"):
        definition = from_vocab_and_merges(path.with_name("vocab.json"), path.with_name("merges.txt"), kind)
        kind = None
    else:
        definition = from_tokenizer_json(_read(path))
    for name, value in (("lowercase", lowercase), ("kind", kind)):
        if value is not None:
            raise ValueError(f"{name}={value!r} does not apply to {path.name}: leave it out")
    return Source(definition, find_roles(definition, config))


def from_tokenizer_json(data: bytes) -> dict[str, Any]:
    """The definition in a tokenizer.json; its components are checked when it is compiled."""
    if data.count(b":") > 2 * spec.MAX_VOCAB_SIZE:
        raise LimitError(f"the tokenizer.json has more than {spec.MAX_VOCAB_SIZE:,} entries")
    definition = parse_json(data, "tokenizer.json")
    if not isinstance(definition, dict) or not isinstance(definition.get("model"), dict):
        raise FormatError("a tokenizer.json is an object with a 'model', found none")
    return definition


def from_vocab_txt(path: Path, lowercase: bool | None) -> dict[str, Any]:
    """A BERT WordPiece tokenizer from its vocabulary, one token a line."""
    if lowercase is None:
        raise ValueError(
            f"{path.name} does not say whether its texts are lower case: pass lowercase=True "
            "(uncased models) or lowercase=False (cased models)"
        )
    data = _read(path)
    if data.count(b"\n") > spec.MAX_VOCAB_SIZE:
        raise LimitError(f"{path.name} has more than {spec.MAX_VOCAB_SIZE:,} lines")
    lines = _decode(data, path.name).split("\n")
    if lines[-1] == "":
        lines.pop()
    vocab = {line.rstrip(_WHITE_SPACE): number for number, line in enumerate(lines)}
    special = [token for token in _BERT_SPECIAL if token in vocab]
    if "[UNK]" not in vocab:
        raise FormatError(f"{path.name} is not a WordPiece vocabulary: it has no token [UNK]")
    template = wrap_template("[CLS]", "[SEP]", vocab) if {"[CLS]", "[SEP]"} <= vocab.keys() else None
    return definition_of(
        {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocab,
        },
        added_tokens=[added_token(token, vocab[token]) for token in special],
        normalizer={
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": lowercase,
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=template,
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    )


def from_vocab_and_merges(vocab_path: Path, merges_path: Path, kind: str | None) -> dict[str, Any]:
    """A byte-level BPE tokenizer from vocab.json + merges.txt (once encoder.json and vocab.bpe)."""
    vocab = parse_json(_read(vocab_path), vocab_path.name)
    if not isinstance(vocab, dict):
        raise FormatError(f"{vocab_path.name} must map tokens to ids")
    lines = _decode(_read(merges_path), merges_path.name).split("\n")
    merges = [line for line in lines if line and not line.startswith("#version")]
    kind = kind or guess_kind(vocab)
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {_KINDS}, got {kind!r}")
    names = ["<|endoftext|>"] if kind == "gpt2" else ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    if missing := [name for name in names if name not in vocab]:
        raise FormatError(f"{vocab_path.name} is no vocabulary of kind {kind!r}: it lacks {missing}")
    added = [added_token(name, vocab[name], lstrip=name == "<mask>") for name in names]
    return byte_level_definition(
        vocab, merges, added, wrap_template("<s>", "</s>", vocab) if kind == "roberta" else None
    )


def guess_kind(vocab: Mapping[str, int]) -> str:
    """The kind of a byte-level vocabulary where its special tokens leave no doubt."""
    has = {"gpt2": "<|endoftext|>" in vocab, "roberta": {"<s>", "</s>", "<mask>"} <= vocab.keys()}
    fits = [kind for kind, fit in has.items() if fit]
    if len(fits) != 1:
        raise ValueError(f"vocab.json does not say what is put around a text: pass kind= one of {_KINDS}")
    return fits[0]


def byte_level_definition(
    vocab: dict[str, int], merges: list[Any], added: list[dict[str, Any]], template: dict[str, Any] | None
) -> dict[str, Any]:
    """The definition of a byte-level BPE tokenizer with GPT-2's pattern."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return definition_of(
        {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocab,
            "merges": merges,
        },
        added_tokens=added,
        normalizer=None,
        pre_tokenizer=byte_level,
        post_processor=template,
        decoder=byte_level,
    )


def definition_of(model: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A definition with its keys in the order in which Hugging Face writes them."""
    order = ("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder")
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        **{name: parts[name] for name in order},
        "model": model,
    }


def added_token(content: str, token_id: int, *, lstrip: bool = False) -> dict[str, Any]:
    """The entry of a special token."""
    return {
        "id": token_id,
        "content": content,
        "single_word": False,
        "lstrip": lstrip,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def wrap_template(first: str, last: str, vocab: Mapping[str, int]) -> dict[str, Any]:
    """A post-processor that puts `first` before each text and `last` after it."""

    def special(token: str, type_id: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": type_id}}

    def text(name: str, type_id: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": type_id}}

    single = [special(first, 0), text("A", 0), special(last, 0)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, text("B", 1), special(last, 1)],
        "special_tokens": {
            token: {"id": token, "ids": [vocab[token]], "tokens": [token]} for token in (first, last)
        },
    }


def find_roles(definition: Mapping[str, Any], config: Mapping[str, Any]) -> Roles:
    """Pad, begin and end ids: from tokenizer_config.json, else from the usual names of special tokens."""
    special = {
        added["content"]: added["id"]
        for added in definition.get("added_tokens") or []
        if isinstance(added, dict) and added.get("special") and "content" in added and "id" in added
    }

    def find(role: str) -> int | None:
        told = config.get(f"{role}_token")
        told = told.get("content") if isinstance(told, dict) else told
        names = (told,) if told is not None else _ROLE_NAMES[role]
        return next((special[name] for name in names if name in special), None)

    return Roles(find("pad"), find("bos"), find("eos"))


def parse_json(data: bytes, name: str) -> Any:
    """JSON with all its failures as FormatError."""
    try:
        return json.loads(_decode(data, name))
    except RecursionError:
        raise FormatError(f"{name} is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"{name} is not valid JSON: {error}") from None


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig" if name.endswith(".json") else "utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"{name} is not UTF-8 (byte {error.start})") from None


def _read(path: Path) -> bytes:
    if not path.exists():
        raise FileNotFoundError(f"tokenizer file {path} does not exist")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise LimitError(f"{path} has {path.stat().st_size:,} bytes, the limit is {MAX_FILE_BYTES:,}")
    return path.read_bytes()


def _read_config(path: Path) -> Mapping[str, Any]:
    config = parse_json(_read(path), path.name) if path.exists() else {}
    if not isinstance(config, dict):
        raise FormatError(f"{path.name} must be an object")
    return config


def _find_in(folder: Path) -> Path:
    for name in ("tokenizer.json", "vocab.json", "vocab.txt"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(
        f"{folder} has no tokenizer: expected tokenizer.json, vocab.txt, or vocab.json with merges.txt"
    )
