"""The parts that some tokens play: which one pads rows, which ones begin and end a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mmcore.errors import FormatError
from mmcore.text import spec

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


def find_roles(definition: Mapping[str, Any], config: Mapping[str, Any]) -> Roles:
    """Pad, begin and end ids: from tokenizer_config.json, else from the usual names of special tokens.

    A definition with padding says itself what rows are filled with.
    """
    entries = definition.get("added_tokens") or []
    if not isinstance(entries, list):
        raise FormatError(f"added_tokens must be a list, found {type(entries).__name__}")
    special = {
        added["content"]: added["id"]
        for added in entries
        if isinstance(added, dict) and added.get("special") and isinstance(added.get("content"), str)
        if type(added.get("id")) is int
    }

    def find(role: str) -> int | None:
        told = config.get(f"{role}_token")
        told = told.get("content") if isinstance(told, dict) else told
        names = (told,) if told is not None else _ROLE_NAMES[role]
        return next((special[name] for name in names if isinstance(name, str) and name in special), None)

    pad = spec.read_settings(definition).pad_id
    return Roles(find("pad") if pad is None else pad, find("bos"), find("eos"))
