"""A definition as one binary specification."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from mmcore.errors import FormatError
from mmcore.text.spec import decoders, layout, pre_tokenizers
from mmcore.text.spec.added import compile_added_tokens
from mmcore.text.spec.models import Tokens, compile_model, token_bytes
from mmcore.text.spec.normalizers import compile_normalizers
from mmcore.text.spec.post_processors import post_processor
from mmcore.text.spec.settings import read_settings
from mmcore.text.spec.vocabulary import all_tokens, model_tokens

MAX_TEXT_BYTES = 16_000_000
_VERSION = 3


def compile_spec(
    definition: Mapping[str, Any], pad_id: int | None, max_text_bytes: int = MAX_TEXT_BYTES
) -> bytes:
    """The specification of a definition.

    Args:
        definition: parsed tokenizer.json.
        pad_id: id that fills rows; None: rows are filled with 0.
        max_text_bytes: longer texts are refused with a `LimitError`.

    Raises:
        FormatError: a component is not supported or contradicts another one.
        LimitError: the vocabulary or a piece is larger than the limits.
    """
    try:
        return _compile(definition, pad_id, max_text_bytes)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, struct.error) as error:
        raise FormatError(f"the definition is malformed ({type(error).__name__}: {error})") from error


def _compile(definition: Mapping[str, Any], pad_id: int | None, max_text_bytes: int) -> bytes:
    vocab, settings = all_tokens(definition), read_settings(definition)
    tokens = _tokens(definition, vocab)
    template = post_processor(definition.get("post_processor"), vocab)
    return b"".join(
        [
            b"MMTOK\0\0\0",
            struct.pack("<IQ", _VERSION, max_text_bytes),
            layout.u32(
                layout.NO_TOKEN if pad_id is None else pad_id,
                layout.flags(settings.cut_at_begin, settings.fill_at_begin),
            ),
            layout.items(
                layout.string(token_bytes(token, tokens.decoded_as_bytes)) for token in tokens.by_id
            ),
            compile_added_tokens(definition),
            layout.u32_list(template.before),
            layout.u32_list(template.after),
            layout.items(compile_normalizers(definition.get("normalizer"))),
            layout.items(pre_tokenizers.compile_pre_tokenizers(definition.get("pre_tokenizer"))),
            layout.items(decoders.compile_decoders(definition.get("decoder"))),
            compile_model(definition["model"], tokens),
        ]
    )


def _tokens(definition: Mapping[str, Any], vocab: Mapping[str, int]) -> Tokens:
    by_id: list[str | None] = [None] * (max(vocab.values(), default=-1) + 1)
    for token, token_id in vocab.items():
        by_id[token_id] = token
    return Tokens(
        model_tokens(definition["model"]),
        by_id,
        pre_tokenizers.is_byte_level(definition.get("pre_tokenizer")),
        decoders.is_byte_level(definition.get("decoder")),
    )
