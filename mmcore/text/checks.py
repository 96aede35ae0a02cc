"""Checks of arguments that several calls share."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

SPECIAL = ("parse", "text", "error")
_MOST = 2**31 - 1


def count(value: Any, name: str) -> int:
    """A number of at least 1 as the native core takes it, where 0 stands for None.

    Raises:
        ValueError: it is neither None nor a whole number from 1 to 2^31 - 1.
    """
    if value is None:
        return 0
    number = _index(value)
    if number is None or not 1 <= number <= _MOST:
        raise ValueError(f"{name} must be a whole number from 1 to {_MOST:,}, or None, got {value!r:.50}")
    return number


def whole(value: Any, name: str, least: int, most: int = _MOST) -> int:
    """A whole number from `least` to `most`.

    Raises:
        ValueError: it is not.
    """
    number = _index(value)
    if number is None or not least <= number <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most:,}, got {value!r:.50}")
    return number


def token_id(value: Any, vocab_size: int) -> int:
    """An id that is in the vocabulary.

    Raises:
        ValueError: it is no whole number, or not in the vocabulary.
    """
    number = _index(value)
    if number is None:
        raise ValueError(f"an id must be a whole number, got {value!r:.50}")
    if not 0 <= number < vocab_size:
        raise ValueError(f"the id {number} is not in the vocabulary of {vocab_size}")
    return number


def flag(value: Any, name: str) -> bool:
    """A switch as a bool.

    Raises:
        ValueError: it is something else.
    """
    if value is True or value is False:
        return value
    if not isinstance(value, np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r:.50}")
    return bool(value)


def special_rule(value: Any) -> Any:
    """A rule for special tokens in texts.

    Raises:
        ValueError: it is none of the three.
    """
    if not isinstance(value, str) or value not in SPECIAL:
        raise ValueError(f'special must be "parse", "text" or "error", got {value!r:.50}')
    return value


def special_tokens(tokens: Any) -> Sequence[str]:
    """Special tokens for training.

    Raises:
        ValueError: they are no list of strings, one is there twice, or one is empty.
    """
    if isinstance(tokens, str | bytes) or not hasattr(tokens, "__iter__"):
        raise ValueError(f'special_tokens must be a list of str, such as ["<s>", "</s>"], got {tokens!r:.80}')
    tokens = list(tokens)
    if not all(isinstance(token, str) for token in tokens):
        raise ValueError(f"special_tokens must be a list of str, got {tokens!r:.200}")
    if len(set(tokens)) != len(tokens) or not all(tokens):
        raise ValueError(f"special_tokens must be distinct and not empty, got {tokens!r:.200}")
    return tokens


def _index(value: Any) -> int | None:
    """A whole number of Python, NumPy or TensorFlow as an int; None for anything else, bools too."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None
