"""Compiles a definition (the JSON of a tokenizer.json) to the binary specification of the native core.

The layout is described in csrc/core/text/spec.h. Every part of the definition is either understood exactly or
a `FormatError` that names it: a component that is skipped would silently give other ids.
"""

from __future__ import annotations

from mmcore.text.spec.compile import MAX_TEXT_BYTES, compile_spec
from mmcore.text.spec.models import model_kind
from mmcore.text.spec.normalizers import bert_options
from mmcore.text.spec.post_processors import Template, post_processor
from mmcore.text.spec.settings import Settings, read_settings
from mmcore.text.spec.vocabulary import MAX_PIECE_BYTES, MAX_VOCAB_SIZE, all_tokens

__all__ = [
    "MAX_PIECE_BYTES",
    "MAX_TEXT_BYTES",
    "MAX_VOCAB_SIZE",
    "Settings",
    "Template",
    "all_tokens",
    "bert_options",
    "compile_spec",
    "model_kind",
    "post_processor",
    "read_settings",
]
