"""Strings to padded token ids, as a graph op over the same core as `mmcore.text`."""

from __future__ import annotations

import weakref
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from mmcore import _load


class Tokenizer(Protocol):
    """What is asked of a tokenizer; `mmcore.text.Tokenizer` has it."""

    @property
    def spec(self) -> bytes: ...

    @property
    def special(self) -> str: ...

    def __call__(self, texts: Any, /, **options: Any) -> Any: ...

    def decode(self, ids: Any, /, **options: Any) -> str: ...


# Eagerly, a specification of some hundred kilobytes would be copied to a tensor at every call.
_constants: weakref.WeakKeyDictionary[Tokenizer, tf.Tensor] = weakref.WeakKeyDictionary()


def tokenize(
    tok: Tokenizer,
    strings: tf.Tensor,
    *,
    max_length: int,
    add_special: bool = True,
    truncate: bool = True,
    special: str | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """ids, mask = tok(strings, max_length=max_length), bit for bit, in a graph.

    The tokenizer's specification becomes part of the graph: a SavedModel needs no other file, only
    `import mmcore.ops` before it is loaded. Runs on the core's thread pool (`mmcore.set_num_threads`). Has no
    XLA kernel: call it outside functions with `jit_compile=True`.

    Shapes:
        strings: string [...], any bytes (invalid UTF-8 reads as U+FFFD, as in `tok`). ids: int32
        [..., max_length], padded with `tok.pad_id`. mask: bool [..., max_length], True = real. A dimension
        that is unknown in a graph stays so; max_length is always known.

    Args:
        tok: a `mmcore.text.Tokenizer`.
        strings: the texts, or anything `tf.convert_to_tensor` makes a string tensor of.
        max_length: tokens a row, special ones included.
        add_special: put the tokenizer's special tokens around each text.
        truncate: cut texts of more tokens; otherwise they are an error.
        special: what a special token's name within a text is: "parse" (that token), "text" or "error"; None: what
            the tokenizer's own rule says.

    Raises:
        ValueError: max_length is not a positive integer; special is none of the three, or a switch no bool.
        TypeError: tok is no tokenizer; strings is not of dtype string, or nothing that a tensor can be made of.
        tf.errors.InvalidArgumentError: when run; max_length is smaller than the number of special tokens or,
            without truncate, than a text's tokens; a special token's name in a text under special="error".
        tf.errors.ResourceExhaustedError: when run; a text over the tokenizer's limit; no memory for the
            result, or more than 1 TiB.

    Example:
        >>> from mmcore import ops, text
        >>> tok = text.Tokenizer.train(["a red square", "a blue square"], vocab_size=260)
        >>> ids, mask = ops.tokenize(tok, ["a red square", ""], max_length=8)
        >>> ids.shape, mask.dtype, bool(mask[0, 0])
        (TensorShape([2, 8]), tf.bool, True)
    """
    strings, max_length, special = _checked(tok, strings, max_length, special)
    ids, mask = _load.kernels().mmcore_tokenize(
        spec=spec_constant(tok),
        strings=strings,
        max_length=max_length,
        add_special=flag(add_special, "add_special"),
        truncate=flag(truncate, "truncate"),
        special=special,
    )
    return _with_length(ids, mask, strings, max_length)


def reference_tokenize(
    tok: Tokenizer,
    strings: tf.Tensor,
    *,
    max_length: int,
    add_special: bool = True,
    truncate: bool = True,
    special: str | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """The twin of `tokenize`: calls `tok` itself, in Python, for all strings as one list.

    Shapes, Args and Raises as `tokenize`; needs the interpreter, so that it cannot be saved.
    """
    strings, max_length, special = _checked(tok, strings, max_length, special)

    def encode(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ids, mask = tok(
            list(array.ravel()),
            max_length=max_length,
            add_special=add_special,
            truncate=truncate,
            special=special,
        )
        shape = (*array.shape, max_length)
        return ids.reshape(shape), mask.reshape(shape)

    def encode_object(x: np.ndarray | bytes) -> tuple[np.ndarray, np.ndarray]:
        return encode(np.asarray(x, dtype=object))  # A scalar string arrives as bytes.

    ids, mask = tf.numpy_function(encode_object, [strings], [tf.int32, tf.bool])
    return _with_length(ids, mask, strings, max_length)


def _checked(
    tok: Tokenizer, strings: Any, max_length: int, special: str | None
) -> tuple[tf.Tensor, int, str]:
    """The strings as a string tensor, max_length as an int, and the rule for special tokens."""
    check_tokenizer(tok)
    whole = isinstance(max_length, int | np.integer) and not isinstance(max_length, bool)
    if not whole or not 1 <= max_length < 2**31:
        raise ValueError(
            f"expected max_length to be an integer of at least 1 and below 2^31, found {max_length!r}"
        )
    special = tok.special if special is None else special
    if special not in ("parse", "text", "error"):
        raise ValueError(f"expected special to be 'parse', 'text' or 'error', found {special!r}")
    strings = to_tensor(strings, tf.string, "strings")
    if strings.dtype != tf.string:
        raise TypeError(f"expected strings of dtype string, found {strings.dtype.name}: pass the texts")
    return strings, int(max_length), special


def check_tokenizer(tok: Any) -> None:
    """Refuses what has no specification.

    Raises:
        TypeError: it is no tokenizer.
    """
    if not hasattr(tok, "spec"):
        raise TypeError(
            f"expected tok to be a mmcore.text.Tokenizer, found {type(tok).__name__}: read it with Tokenizer.load"
        )


def flag(value: Any, name: str) -> bool:
    """A switch as a bool: TensorFlow takes None for an attribute's default.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"expected {name} to be True or False, found {value!r:.50}")
    return bool(value)


def to_tensor(value: Any, dtype: tf.DType, name: str) -> tf.Tensor:
    """A tensor, of `dtype` where the value leaves it open.

    Raises:
        TypeError: no tensor can be made of the value.
    """
    hint = ": pass its flat_values" if isinstance(value, tf.RaggedTensor) else ""
    try:
        return tf.convert_to_tensor(value, dtype_hint=dtype)
    except (ValueError, TypeError) as error:
        raise TypeError(
            f"expected {name} to be a tensor, or lists of one length for one, found {type(value).__name__}{hint} "
            f"({str(error).strip():.200})"
        ) from None


def spec_constant(tok: Tokenizer) -> tf.Tensor:
    """The specification as a constant: of the graph under construction, or kept as long as the tokenizer."""
    if not tf.executing_eagerly():
        return tf.constant(tok.spec)
    if tok not in _constants:
        with tf.device("CPU"):
            _constants[tok] = tf.constant(tok.spec)
    return _constants[tok]


def _with_length(
    ids: tf.Tensor, mask: tf.Tensor, strings: tf.Tensor, max_length: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Sets the static shapes: a shape function of the C API sees no integer attribute."""
    shape = strings.shape.concatenate([max_length])
    ids.set_shape(shape)
    mask.set_shape(shape)
    return ids, mask
