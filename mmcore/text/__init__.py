"""Text to token ids and back: exact tokenizers over the native core. Never imports TensorFlow."""

from __future__ import annotations

from mmcore.text.chat import Chat, encode_chat
from mmcore.text.chat_format import ChatFormat
from mmcore.text.chat_template import ChatTemplate
from mmcore.text.encode import RaggedText, TextBatch
from mmcore.text.stream import DecodeStream
from mmcore.text.tokenizer import Tokenizer
from mmcore.text.unicode import normalize

__all__ = [
    "Chat",
    "ChatFormat",
    "ChatTemplate",
    "DecodeStream",
    "RaggedText",
    "TextBatch",
    "Tokenizer",
    "encode_chat",
    "normalize",
]
