from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from mmcore import nn
from mmcore.nn.recurrence import gru_states, lstm_states

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 5, 3)).astype(np.float32)
MASK = np.array([[True, True, True, False, False], [False, True, False, True, True]])


def moved(cell: tf.Module) -> tf.Module:
    for variable in cell.variables:
        variable.assign_add(0.3 * RNG.standard_normal(variable.shape))
    return cell


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def reference(cell: nn.GRU | nn.LSTM, x: np.ndarray, mask: np.ndarray, reverse: bool) -> np.ndarray:
    """Step by step and example by example in float64."""
    kernel, recurrent, bias = (
        v.numpy().astype(np.float64) for v in (cell.kernel, cell.recurrent_kernel, cell.bias)
    )
    out, dim = np.zeros((*x.shape[:2], cell.dim)), cell.dim
    for b in range(len(x)):
        h, c = np.zeros(dim), np.zeros(dim)
        for t in reversed(range(x.shape[1])) if reverse else range(x.shape[1]):
            gates, product = np.split(x[b, t] @ kernel + bias, len(bias) // dim), h @ recurrent
            product = np.split(product, len(bias) // dim)
            if mask[b, t] and isinstance(cell, nn.GRU):
                z, r = (sigmoid(gates[i] + product[i]) for i in (0, 1))
                h = z * h + (1 - z) * np.tanh(gates[2] + r * (product[2] + cell.recurrent_bias.numpy()))
            elif mask[b, t]:
                i, f, g, o = (gate + part for gate, part in zip(gates, product, strict=True))
                c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
                h = sigmoid(o) * np.tanh(c)
            out[b, t] = h
    return out


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_states_equal_a_loop_over_steps_and_masked_steps_repeat_the_state(kind, reverse):
    cell = moved(kind(3, 4))
    found = cell(tf.constant(X), tf.constant(MASK), reverse=reverse)
    np.testing.assert_allclose(found, reference(cell, X, MASK, reverse), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_no_mask_is_a_mask_of_all(kind):
    cell = moved(kind(3, 4))
    np.testing.assert_array_equal(cell(tf.constant(X)), cell(tf.constant(X), tf.ones([2, 5], tf.bool)))


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_bidirectional_is_both_directions_side_by_side(kind):
    both = nn.Bidirectional(moved(kind(3, 4)), moved(kind(3, 4)))
    x, mask = tf.constant(X), tf.constant(MASK)
    expected = tf.concat([both.forward(x, mask), both.backward(x, mask, reverse=True)], axis=-1)
    np.testing.assert_allclose(both(x, mask), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_masked_inputs_change_nothing_and_get_no_gradient(kind):
    cell = kind(3, 4)
    other = np.where(MASK[:, :, None], X, 50.0).astype(np.float32)
    np.testing.assert_array_equal(
        cell(tf.constant(X), tf.constant(MASK)), cell(tf.constant(other), tf.constant(MASK))
    )
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = cell(x, tf.constant(MASK))
    gradient = tape.gradient(y, x).numpy()
    assert not np.any(gradient[~MASK]) and np.all(np.any(gradient[MASK] != 0, axis=-1))


@pytest.mark.parametrize("length", [1, 4])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_gradients_equal_those_of_automatic_differentiation(kind, length):
    draw = np.random.default_rng(1)
    num_gates = 3 if kind == "gru" else 4
    x = tf.constant(draw.standard_normal((length, 2, 3, 5 * num_gates)))
    kernel = tf.constant(draw.standard_normal((2, 5, 5 * num_gates)))
    bias = tf.constant(draw.standard_normal((2, 5)))
    keep = tf.constant((draw.random((length, 2, 3, 1)) < 0.7).astype(np.float64))
    weights = tf.constant(draw.standard_normal((length, 2, 3, 5)))

    def unrolled() -> tf.Tensor:
        h = c = tf.zeros([2, 3, 5], tf.float64)
        states = []
        for t in range(length):
            gates = tf.split(x[t], num_gates, axis=-1)
            parts = tf.split(tf.matmul(h, kernel), num_gates, axis=-1)
            if kind == "gru":
                z, r = tf.sigmoid(gates[0] + parts[0]), tf.sigmoid(gates[1] + parts[1])
                new = z * h + (1 - z) * tf.tanh(gates[2] + r * (parts[2] + bias[:, None]))
            else:
                i, f, g, o = (a + b for a, b in zip(gates, parts, strict=True))
                new_c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
                new = tf.sigmoid(o) * tf.tanh(new_c)
                c = keep[t] * new_c + (1 - keep[t]) * c
            h = keep[t] * new + (1 - keep[t]) * h
            states.append(h)
        return tf.stack(states)

    def fast() -> tf.Tensor:
        return gru_states(x, kernel, bias, keep) if kind == "gru" else lstm_states(x, kernel, keep)

    sources = [x, kernel, bias] if kind == "gru" else [x, kernel]
    results = []
    for run in (unrolled, fast):
        with tf.GradientTape() as tape:
            tape.watch(sources)
            states = run()
            loss = tf.reduce_sum(states * weights)
        results.append([states, *tape.gradient(loss, sources)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_an_unknown_length_works():
    cell = nn.GRU(3, 4)
    graph = tf.function(cell, input_signature=[tf.TensorSpec([None, None, 3])], autograph=False)
    for length in (1, 5):
        np.testing.assert_allclose(
            graph(tf.constant(X[:, :length])), cell(tf.constant(X[:, :length])), atol=1e-6
        )


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_a_plain_graph_of_32_steps_and_width_64_does_not_crash(kind):
    # One product that broadcasts over the steps ends the process here (oneDNN, TensorFlow 2.21).
    cell, x = kind(64, 64), tf.ones([32, 32, 64])

    @tf.function(autograph=False)
    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = cell(x)
        return tape.gradient(y, x)

    assert np.all(np.isfinite(gradient(x)))


def test_the_forget_gate_begins_open():
    np.testing.assert_array_equal(nn.LSTM(3, 2).bias, [0, 0, 1, 1, 0, 0, 0, 0])


@pytest.mark.parametrize("shape", [(2, 3), (2, 5, 4)])
@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_another_shape_is_an_error(kind, shape):
    with pytest.raises(ValueError, match=r"expected \[B, T, 3\]"):
        kind(3, 4)(tf.zeros(shape))


@pytest.mark.parametrize("other", [nn.LSTM(3, 4), nn.GRU(3, 5), nn.GRU(2, 4)])
def test_two_directions_that_differ_are_an_error(other):
    with pytest.raises(ValueError, match=r"found GRU\(3, 4\) and"):
        nn.Bidirectional(nn.GRU(3, 4), other)
