"""Text to token ids and back: exact tokenizers over the native core. Never imports TensorFlow."""

from __future__ import annotations

from mmcore.text.tokenizer import RaggedText, TextBatch, Tokenizer

__all__ = ["RaggedText", "TextBatch", "Tokenizer"]
