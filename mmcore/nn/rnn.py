"""Recurrent layers: GRU, LSTM, and two of them in opposite directions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from mmcore.nn import init as inits
from mmcore.nn.recurrence import gru_states, lstm_states
from mmcore.nn.shapes import sizes


class GRU(tf.Module):
    """Gated recurrent unit: z, r = sigmoid(..), n = tanh(x W_n + r (h R_n + b)), h' = z h + (1 - z) n.

    Shapes:
        x: float [B, T, in_dim]; mask: bool [B, T] or None; result: [B, T, dim] in x's dtype. A masked step
        repeats the state before it, so the state after the last real step is at the end (at the start for
        `reverse`).

    Args:
        in_dim: width of the input.
        dim: width of the state.
        rng: source of the initial values (Glorot for the input, orthogonal for the state); None: fresh
            entropy.

    Raises:
        ValueError: an input that is not [B, T, in_dim].

    Source: Cho et al. 2014, arXiv:1406.1078, equations 5 to 8, with the reset gate after the product.

    Example:
        >>> from mmcore import nn
        >>> nn.GRU(2, 5)(tf.zeros([3, 4, 2])).shape
        TensorShape([3, 4, 5])
    """

    def __init__(self, in_dim: int, dim: int, *, rng: np.random.Generator | None = None):
        super().__init__()
        rng = inits.generator(rng)
        self.in_dim, self.dim = in_dim, dim
        self.kernel = tf.Variable(_gate_kernels(inits.glorot_uniform, rng, in_dim, dim, 3))
        self.recurrent_kernel = tf.Variable(_gate_kernels(inits.orthogonal, rng, dim, dim, 3))
        self.bias = tf.Variable(tf.zeros([3 * dim]))
        self.recurrent_bias = tf.Variable(tf.zeros([dim]))

    def __call__(self, x: tf.Tensor, mask: tf.Tensor | None = None, *, reverse: bool = False) -> tf.Tensor:
        return _run([self], x, mask, [reverse])[0]

    @staticmethod
    def states(cells: Sequence[GRU], gates: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
        """States [T, G, B, dim] of several GRUs from their projected inputs [T, G, B, 3 dim]."""
        bias = tf.cast(tf.stack([cell.recurrent_bias for cell in cells]), gates.dtype)
        return gru_states(gates, _stacked_kernels(cells, gates.dtype), bias, keep)


class LSTM(tf.Module):
    """Long short-term memory: c' = f c + i g, h' = o tanh(c'); the forget gate's bias starts at one.

    Shapes:
        x: float [B, T, in_dim]; mask: bool [B, T] or None; result: h, [B, T, dim] in x's dtype. A masked step
        repeats the state before it, so the state after the last real step is at the end (at the start for
        `reverse`).

    Args:
        in_dim: width of the input.
        dim: width of the state.
        rng: source of the initial values (Glorot for the input, orthogonal for the state); None: fresh
            entropy.

    Raises:
        ValueError: an input that is not [B, T, in_dim].

    Source: Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000; its bias: Jozefowicz et al. 2015.
    """

    def __init__(self, in_dim: int, dim: int, *, rng: np.random.Generator | None = None):
        super().__init__()
        rng = inits.generator(rng)
        self.in_dim, self.dim = in_dim, dim
        self.kernel = tf.Variable(_gate_kernels(inits.glorot_uniform, rng, in_dim, dim, 4))
        self.recurrent_kernel = tf.Variable(_gate_kernels(inits.orthogonal, rng, dim, dim, 4))
        self.bias = tf.Variable(np.repeat(np.array([0, 1, 0, 0], np.float32), dim))

    def __call__(self, x: tf.Tensor, mask: tf.Tensor | None = None, *, reverse: bool = False) -> tf.Tensor:
        return _run([self], x, mask, [reverse])[0]

    @staticmethod
    def states(cells: Sequence[LSTM], gates: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
        """States [T, G, B, dim] of several LSTMs from their projected inputs [T, G, B, 4 dim]."""
        return lstm_states(gates, _stacked_kernels(cells, gates.dtype), keep)


class Bidirectional(tf.Module):
    """concat(forward(x), backward(x, reverse=True)), with one loop for both directions.

    Shapes:
        x: float [B, T, in_dim]; mask: bool [B, T] or None; result: [B, T, 2 dim] in x's dtype.

    Args:
        forward: a GRU or an LSTM.
        backward: another of the same kind and sizes.

    Raises:
        ValueError: two cells that differ in kind or size.

    Source: Schuster and Paliwal 1997.
    """

    def __init__(self, forward: GRU | LSTM, backward: GRU | LSTM):
        super().__init__()
        found = [f"{type(cell).__name__}({cell.in_dim}, {cell.dim})" for cell in (forward, backward)]
        if found[0] != found[1]:
            raise ValueError(f"expected two cells of one kind and size, found {found[0]} and {found[1]}")
        self.forward, self.backward = forward, backward

    def __call__(self, x: tf.Tensor, mask: tf.Tensor | None = None) -> tf.Tensor:
        return tf.concat(_run([self.forward, self.backward], x, mask, [False, True]), axis=-1)


def _gate_kernels(
    init: inits.Init, rng: np.random.Generator, rows: int, columns: int, num: int
) -> np.ndarray:
    """Each gate's kernel drawn by itself, side by side."""
    return np.concatenate([init(rng, (rows, columns)) for _ in range(num)], axis=1)


def _stacked_kernels(cells: Sequence[GRU | LSTM], dtype: tf.DType) -> tf.Tensor:
    return tf.cast(tf.stack([cell.recurrent_kernel for cell in cells]), dtype)


def _run(
    cells: Sequence[GRU | LSTM], x: tf.Tensor, mask: tf.Tensor | None, reverse: Sequence[bool]
) -> list[tf.Tensor]:
    """The states [B, T, dim] of each cell, all cells in one loop."""
    if x.shape.rank != 3 or x.shape[-1] != cells[0].in_dim:
        raise ValueError(f"expected [B, T, {cells[0].in_dim}], found {x.shape}")

    def turned(y: tf.Tensor, backwards: bool) -> tf.Tensor:
        return tf.reverse(y, axis=[0]) if backwards else y

    batch, length, _ = sizes(x)
    rows = tf.reshape(tf.transpose(x, [1, 0, 2]), [-1, x.shape[-1]])
    gates, keeps = [], []
    keep = tf.ones([length, batch, 1], x.dtype)
    if mask is not None:
        keep = tf.cast(tf.transpose(mask)[:, :, None], x.dtype)
    for cell, backwards in zip(cells, reverse, strict=True):
        projected = tf.matmul(rows, tf.cast(cell.kernel, x.dtype)) + tf.cast(cell.bias, x.dtype)
        gates.append(turned(tf.reshape(projected, [length, batch, projected.shape[-1]]), backwards))
        keeps.append(turned(keep, backwards))
    states = cells[0].states(cells, tf.stack(gates, axis=1), tf.stack(keeps, axis=1))
    return [
        tf.transpose(turned(part, backwards), [1, 0, 2])
        for part, backwards in zip(tf.unstack(states, num=len(cells), axis=1), reverse, strict=True)
    ]
