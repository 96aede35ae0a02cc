"""Conversations to ids, with a mask of what a model is to learn: the turns of the assistant.

What a user writes never becomes a special token: in the contents of messages special tokens are text, only in
what stands around them they are parsed. Everything is encoded as one text, so ids equal those of the rendered
conversation wherever no content spells a special token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmcore.text.chat_format import Message, Renderer
from mmcore.text.tokenizer import Tokenizer
from mmcore.text.unicode import without_surrogates


class Chat(NamedTuple):
    """An encoded conversation.

    Shapes:
        ids: int32 [T].
        loss_mask: bool [T], True where a token begins in a turn of the assistant (its end marker included).
    """

    ids: np.ndarray
    loss_mask: np.ndarray


def encode_chat(
    tok: Tokenizer, renderer: Renderer, messages: Sequence[Message], *, add_generation_prompt: bool = False
) -> Chat:
    """The ids of a conversation and which of them to learn.

    Args:
        tok: the model's tokenizer.
        renderer: a `ChatFormat` or a `ChatTemplate`.
        messages: mappings with "role" and "content"; a content is a str, or a list of parts (text, images).
        add_generation_prompt: end with what asks the assistant for an answer.

    Raises:
        ValueError: as the renderer's `render`.
        TypeError: `tok` is no tokenizer, or `renderer` is none.

    Example:
        >>> from mmcore.text import ChatFormat
        >>> tok = Tokenizer.train(["a user asks"], vocab_size=260, special_tokens=["<end>"])
        >>> plain = ChatFormat({"user": ("", "<end>"), "assistant": ("", "<end>")})
        >>> talk = [{"role": "user", "content": "<end>"}, {"role": "assistant", "content": "b"}]
        >>> chat = encode_chat(tok, plain, talk)
        >>> [tok.token(i) for i in chat.ids], chat.loss_mask.tolist()[-3:]
        (['<', 'e', 'n', 'd', '>', '<end>', 'b', '<end>'], [False, True, True])
    """
    if not hasattr(renderer, "render"):
        raise TypeError(f"renderer must be a ChatFormat or a ChatTemplate, got {type(renderer).__name__}")
    if not isinstance(tok, Tokenizer):
        raise TypeError(f"tok must be a Tokenizer, got {type(tok).__name__}")
    rendered = renderer.render(messages, add_generation_prompt=add_generation_prompt)
    text, ends = without_surrogates(rendered.text), _byte_ends(rendered.text)
    plain = [(int(ends[begin]), int(ends[end])) for begin, end in rendered.contents]
    ids, offsets = tok.encode_with_offsets(text, add_special=False, special="parse", plain=plain)
    mask = np.zeros(len(ids), bool)
    for begin, end in rendered.answers:
        mask |= (ends[begin] <= offsets[:, 0]) & (offsets[:, 0] < ends[end])
    return Chat(ids, mask)


def _byte_ends(text: str) -> np.ndarray:
    """Where each character of a text ends in its UTF-8, behind a 0; half of a surrogate pair takes nothing."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    sizes = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    pairs = (points[:-1] >> 10 == 0xD800 >> 10) & (points[1:] >> 10 == 0xDC00 >> 10)
    sizes[:-1][pairs] = 0
    sizes[1:][pairs] = 4
    return np.concatenate([[0], np.cumsum(sizes)])
