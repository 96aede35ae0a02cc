"""Definitions: what a tokenizer.json holds, put together for tokenizers that come from other files or training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcore.text.patterns import EXPRESSIONS

CLIP_SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def wordpiece_definition(
    vocab: dict[str, int],
    special: Sequence[str],
    lowercase: bool,
    *,
    strip_accents: bool | None = None,
    split_chinese: bool = True,
) -> dict[str, Any]:
    """The definition of a BERT WordPiece tokenizer; strip_accents=None: as `lowercase`."""
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
            "handle_chinese_chars": split_chinese,
            "strip_accents": strip_accents,
            "lowercase": lowercase,
        },
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor=template,
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True},
    )


def byte_level_definition(
    vocab: dict[str, int],
    merges: list[Any],
    added: list[dict[str, Any]],
    template: dict[str, Any] | None,
    *,
    prefix_space: bool = False,
) -> dict[str, Any]:
    """The definition of a byte-level BPE tokenizer with GPT-2's pattern."""
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": prefix_space,
        "trim_offsets": True,
        "use_regex": True,
    }
    return definition_of(
        _bpe(vocab, merges),
        added_tokens=added,
        normalizer=None,
        pre_tokenizer=byte_level,
        post_processor=template,
        decoder=byte_level,
    )


def clip_definition(vocab: dict[str, int], merges: list[Any]) -> dict[str, Any]:
    """The definition of CLIP's tokenizer: byte-level BPE in lower case, whose words end in `</w>`."""
    begin, end = CLIP_SPECIAL
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    split = {
        "type": "Split",
        "pattern": {"Regex": EXPRESSIONS["clip_with_names"][0]},
        "behavior": "Removed",
        "invert": True,
    }
    space = {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}
    return definition_of(
        _bpe(vocab, merges, unk_token=end, end_of_word_suffix="</w>"),
        added_tokens=[added_token(begin, vocab[begin], normalized=True), added_token(end, vocab[end])],
        normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}, space, {"type": "Lowercase"}]},
        pre_tokenizer={"type": "Sequence", "pretokenizers": [split, byte_level]},
        post_processor={
            "type": "RobertaProcessing",
            "sep": [end, vocab[end]],
            "cls": [begin, vocab[begin]],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        decoder={**byte_level, "add_prefix_space": True},
    )


def _bpe(vocab: dict[str, int], merges: list[Any], **options: str) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        **options,
        "vocab": vocab,
        "merges": merges,
    }


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


def added_token(
    content: str, token_id: int, *, lstrip: bool = False, normalized: bool = False
) -> dict[str, Any]:
    """The entry of a special token."""
    return {
        "id": token_id,
        "content": content,
        "single_word": False,
        "lstrip": lstrip,
        "rstrip": False,
        "normalized": normalized,
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
