"""Token ids to strings, as a graph op over the same core as `mmcore.text`."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from mmcore import _load
from mmcore.ops.text import Tokenizer, check_tokenizer, flag, spec_constant, to_tensor

_ID_TYPES = (tf.int32, tf.int64)


def detokenize(
    tok: Tokenizer,
    ids: tf.Tensor | tf.RaggedTensor,
    mask: tf.Tensor | None = None,
    *,
    skip_special: bool = True,
) -> tf.Tensor | tf.RaggedTensor:
    """strings = tok.decode_batch(ids, mask), byte for byte, in a graph.

    The tokenizer's specification becomes part of the graph, as in `tokenize`. Runs on the core's thread pool.
    Has no XLA kernel: call it outside functions with `jit_compile=True`.

    Shapes:
        ids: int32 or int64 [..., T]; or a `tf.RaggedTensor` whose last axis is ragged, then without a mask.
        mask: bool [..., T], True = real; what it leaves out may be any number. strings: string [...], UTF-8,
        ragged where `ids` has more than one ragged axis.

    Args:
        tok: a `mmcore.text.Tokenizer`.
        ids: the ids, or anything `tf.convert_to_tensor` makes an integer tensor of.
        mask: None: all ids count.
        skip_special: leave special tokens out of the text.

    Raises:
        TypeError: tok is no tokenizer; ids are not integers; mask is not bool, or no tensor can be made of one.
        ValueError: skip_special is no bool; ids is a scalar; mask and ids have shapes that cannot be equal, or
            ids is ragged and there is a mask.
        tf.errors.InvalidArgumentError: when run; an id that counts is not in the vocabulary; shapes differ.
        tf.errors.ResourceExhaustedError: when run; no memory for the result.

    Example:
        >>> from mmcore import ops, text
        >>> tok = text.Tokenizer.train(["a red square", "a blue square"], vocab_size=280)
        >>> ids, mask = ops.tokenize(tok, ["a red square", ""], max_length=16)
        >>> ops.detokenize(tok, ids, mask).numpy().tolist()
        [b'a red square', b'']
    """
    check_tokenizer(tok)
    skip_special = flag(skip_special, "skip_special")
    if isinstance(ids, tf.RaggedTensor):
        if mask is not None:
            raise ValueError("ragged ids take no mask: their rows end where they end")
        return _ragged(tok, ids, skip_special)
    ids, mask = _checked(ids, mask)
    strings = _load.kernels().mmcore_detokenize(
        spec=spec_constant(tok), ids=ids, mask=mask, skip_special=skip_special
    )
    strings.set_shape(ids.shape[:-1])
    return strings


def reference_detokenize(
    tok: Tokenizer, ids: tf.Tensor, mask: tf.Tensor | None = None, *, skip_special: bool = True
) -> tf.Tensor:
    """The twin of `detokenize` for ids that are not ragged: calls `tok` itself, in Python.

    Shapes, Args and Raises as `detokenize`; needs the interpreter, so that it cannot be saved.
    """
    ids, mask = _checked(ids, mask)

    def decode(rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
        shape = rows.shape[:-1]
        num_rows = int(np.prod(shape, dtype=np.int64))
        matrix = rows.reshape(num_rows, rows.shape[-1])
        real = np.broadcast_to(counts, rows.shape).reshape(matrix.shape)
        texts = [tok.decode(row[m], skip_special=skip_special) for row, m in zip(matrix, real, strict=True)]
        return np.array([text.encode() for text in texts], object).reshape(shape)

    strings = tf.numpy_function(decode, [ids, mask], tf.string)
    strings.set_shape(ids.shape[:-1])
    return strings


def _ragged(tok: Tokenizer, ids: tf.RaggedTensor, skip_special: bool) -> tf.Tensor | tf.RaggedTensor:
    if isinstance(ids.values, tf.RaggedTensor):
        return ids.with_values(_ragged(tok, ids.values, skip_special))
    if ids.values.shape.rank != 1:  # Rows of rows of one length: these are the texts.
        return ids.with_values(detokenize(tok, ids.values, skip_special=skip_special))
    return _load.kernels().mmcore_detokenize_ragged(
        spec=spec_constant(tok),
        ids=_integers(ids.values),
        row_splits=tf.cast(ids.row_splits, tf.int64),
        skip_special=skip_special,
    )


def _checked(ids: Any, mask: Any) -> tuple[tf.Tensor, tf.Tensor]:
    ids = _integers(to_tensor(ids, tf.int32, "ids"))
    if ids.shape.rank == 0:
        raise ValueError("ids must have at least one axis, got a scalar: pass [id]")
    mask = to_tensor(True if mask is None else mask, tf.bool, "mask")
    if mask.dtype != tf.bool:
        raise TypeError(f"expected a mask of dtype bool, found {mask.dtype.name}")
    if mask.shape.rank != 0 and not mask.shape.is_compatible_with(ids.shape):
        raise ValueError(f"mask must have the shape of ids, {ids.shape}, found {mask.shape}")
    return ids, mask


def _integers(ids: tf.Tensor) -> tf.Tensor:
    if not ids.dtype.is_integer:
        raise TypeError(f"expected ids of an integer dtype, found {ids.dtype.name}")
    return ids if ids.dtype in _ID_TYPES else tf.cast(ids, tf.int64)
