"""Added tokens: those that stand in a text as themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmcore.text.spec import layout


def compile_added_tokens(definition: Mapping[str, Any]) -> bytes:
    """The list of added tokens. Hugging Face ignores empty ones."""
    added = [token for token in definition.get("added_tokens") or [] if token["content"]]
    return layout.items(map(_added_token, added))


def _added_token(token: Mapping[str, Any]) -> bytes:
    names = ("special", "single_word", "lstrip", "rstrip", "normalized")
    switches = layout.flags(*map(token.get, names))
    return layout.u32(token["id"], switches) + layout.string(token["content"])
