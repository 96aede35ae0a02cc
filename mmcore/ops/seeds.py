"""Stateless seeds, int32 [2] tensors that are derived and passed on, and the random numbers made from them.

All randomness of a forward pass is a function of one such seed, by integer arithmetic alone: the same seed
gives the same result eagerly, in a graph, under XLA and on another device.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

# A dropout mask of 2 million values on two cores, TensorFlow 2.21, plain graph / XLA:
# tf.random.stateless_uniform 15 / 1100 ms (other numbers, too), with alg="philox" 15 / 29, this hash 9 / 1.4.
_WORD = tf.uint32


def fold(seed: tf.Tensor, data: int | tf.Tensor) -> tf.Tensor:
    """A seed that depends on `seed` and a number: one for each step, layer or replica.

    Shapes:
        seed: int32 [2]; data: integer scalar; result: int32 [2]. Different numbers give different results.
    """
    return _folded(seed, tf.cast(data, tf.int32))


def split(seed: tf.Tensor, num: int) -> list[tf.Tensor]:
    """`num` different seeds from one, unlike those of `fold`.

    Shapes:
        seed: int32 [2]; result: `num` tensors int32 [2].
    """
    return tf.unstack(_folded(fold(seed, -1), tf.range(num)), num=num)


def fresh() -> tf.Tensor:
    """A new seed from TensorFlow's global generator, int32 [2]: for calls that need not be repeatable."""
    return tf.random.uniform([2], minval=tf.int32.min, maxval=tf.int32.max, dtype=tf.int32)


def bits(seed: tf.Tensor, shape: Sequence[int | tf.Tensor]) -> tf.Tensor:
    """Random 32-bit words: hash(hash(index + a) xor b), with a and b from the seed.

    Good for noise in training, not for cryptography.

    Shapes:
        seed: int32 [2]; result: uint32 of this shape.

    Source: counter-based generators: Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
    """
    index = tf.cast(tf.range(tf.reduce_prod(shape)), _WORD)
    return tf.reshape(bits_at(seed, index), shape)


def bits_at(seed: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
    """The words that `bits` has at these places, of a shape with less than 2^32 or counted modulo 2^32.

    Shapes:
        seed: int32 [2]; index: uint32 [...]; result: uint32 of index's shape.
    """
    first, second = tf.unstack(tf.bitcast(seed, _WORD), num=2)
    return _hash(_xor(_hash(index + _hash(first)), second))


def uniform(seed: tf.Tensor, shape: Sequence[int | tf.Tensor]) -> tf.Tensor:
    """Random numbers in [0, 1), multiples of 2^-24.

    Shapes:
        seed: int32 [2]; result: float32 of this shape.
    """
    return as_uniform(bits(seed, shape))


def as_uniform(words: tf.Tensor) -> tf.Tensor:
    """The upper 24 bits of uint32 words [...] as float32 [...] in [0, 1)."""
    return tf.cast(tf.bitwise.right_shift(words, 8), tf.float32) * 2.0**-24


def _folded(seed: tf.Tensor, data: tf.Tensor) -> tf.Tensor:
    """Seeds [..., 2] for numbers [...]; each step is a bijection of `data`."""
    first, second = tf.unstack(tf.bitcast(seed, _WORD), num=2)
    mixed = _hash(_hash(first) + tf.bitcast(data, _WORD))
    pair = tf.stack([_hash(_xor(_hash(mixed), second)), _hash(mixed + _hash(second))], axis=-1)
    return tf.bitcast(pair, tf.int32)


def _hash(x: tf.Tensor) -> tf.Tensor:
    """A bijection of 32-bit words in which each input bit changes each output bit with a chance near 1/2.

    Source: the form is Appleby's, in MurmurHash3; constants of least bias: Wellons 2018, Hash prospector.
    """
    x = _xor(x, tf.bitwise.right_shift(x, 16)) * tf.constant(0x21F0AAAD, _WORD)
    x = _xor(x, tf.bitwise.right_shift(x, 15)) * tf.constant(0x735A2D97, _WORD)
    return _xor(x, tf.bitwise.right_shift(x, 15))


def _xor(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return tf.bitwise.bitwise_xor(x, y)
