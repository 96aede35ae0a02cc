"""The tokenizers in plain Python: what the native core must compute, for tests and for readers."""

from __future__ import annotations

from mmcore.text.reference.tokenizer import (
    ReferenceTokenizer,
    bert_words,
    gpt2_words,
    merge,
    nfd,
    word_pieces,
)
from mmcore.text.reference.training import Trained, train_bpe, train_wordpiece

__all__ = [
    "ReferenceTokenizer",
    "Trained",
    "bert_words",
    "gpt2_words",
    "merge",
    "nfd",
    "train_bpe",
    "train_wordpiece",
    "word_pieces",
]
