"""Cross entropy of a linear layer over many classes, without the logits of all examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf
from tensorflow.python.eager import record

from mmcore.losses.cross_entropy import check_smoothing, labels_and_weights, positive
from mmcore.ops.chunks import Chunks
from mmcore.ops.first_order import first_order
from mmcore.ops.shapes import sizes

_NO_SECOND = (
    "linear_cross_entropy has no second derivatives; use cross_entropy(x @ kernel + bias, ...) for them"
)


def linear_cross_entropy(
    x: tf.Tensor,
    kernel: tf.Tensor,
    labels: tf.Tensor,
    *,
    bias: tf.Tensor | None = None,
    label_smoothing: float = 0.0,
    weights: tf.Tensor | None = None,
    segment_ids: tf.Tensor | None = None,
    transpose_kernel: bool = False,
    chunk_rows: int = 512,
) -> tf.Tensor:
    """cross_entropy(x @ kernel + bias, labels, ...), where the logits of `chunk_rows` examples exist at a time.

    With a gradient in sight each chunk's share of it is computed at once, so that nothing is computed twice:
    three matrix products, as without chunks. Memory is that of chunk_rows x num_classes logits and the gradient of
    the kernel, where the plain way holds all logits and their gradient. A chunk of fewer rows saves memory and costs
    time: the kernel and its gradient pass through memory for each.

    Shapes:
        x: float32, bfloat16 or float16 [..., dim].
        kernel: [dim, num_classes] in x's dtype, or [num_classes, dim] with `transpose_kernel`, as the table of an
            embedding lies. num_classes must be known when traced.
        labels, weights, segment_ids: [...], as `cross_entropy` takes them.
        bias: float [num_classes] or None.
        returns: float32 []. There is a gradient of x, kernel and bias, and no second one.

    Args:
        x: what the layer is given.
        kernel: of the layer.
        labels: the true classes.
        bias: of the layer.
        label_smoothing: share of the probability spread over all classes, in [0, 1).
        weights: of the examples; no gradient goes through them.
        segment_ids: of packed rows; what is of no segment (0) has weight 0.
        transpose_kernel: the kernel lies [num_classes, dim].
        chunk_rows: examples whose logits exist at a time.

    Raises:
        TypeError: x of another dtype, or a kernel of another than x.
        ValueError: label_smoothing outside [0, 1), chunk_rows below 1, or shapes that do not fit each other.

    Example:
        >>> from mmcore import losses
        >>> x, kernel = tf.constant([[0.0], [9.0]]), tf.constant([[1.0, 1.0]])
        >>> print(f"{losses.linear_cross_entropy(x, kernel, tf.constant([0, 1])).numpy():.4f}")
        0.6931

    Source:
        Gradients together with the loss, chunk by chunk: Hsu et al. 2024, Liger Kernel, arXiv:2410.10989, section
        3.2; the loss: as `cross_entropy`.
    """
    check_smoothing(label_smoothing)
    if chunk_rows < 1:
        raise ValueError(f"expected chunk_rows of at least 1, found {chunk_rows}")
    x, kernel = tf.convert_to_tensor(x), tf.convert_to_tensor(kernel)
    _check_layer(x, kernel, bias, transpose_kernel)
    labels, weights = labels_and_weights(labels, weights, segment_ids, x.shape[:-1])
    shares = tf.ones(sizes(labels)) if weights is None else weights
    shares /= positive(tf.reduce_sum(shares))
    *_, dim = sizes(x)
    layer = _Layer(kernel, [] if bias is None else [tf.convert_to_tensor(bias)], transpose_kernel)
    examples = _Examples(tf.reshape(labels, [-1]), tf.reshape(shares, [-1]), label_smoothing, chunk_rows)
    return _differentiable(tf.reshape(x, [-1, dim]), layer, examples)


class _Layer(NamedTuple):
    kernel: tf.Tensor
    biases: list[tf.Tensor]
    transposed: bool

    def tensors(self) -> list[tf.Tensor]:
        return [self.kernel, *self.biases]

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        logits = tf.matmul(x, self.kernel, transpose_b=self.transposed)
        for bias in self.biases:
            logits += tf.cast(bias, logits.dtype)
        return tf.cast(logits, tf.float32)

    def gradients(self, x: tf.Tensor, dlogits: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Of x in x's dtype, and of kernel and bias in float32."""
        narrow = tf.cast(dlogits, x.dtype)
        dx = tf.matmul(narrow, self.kernel, transpose_b=not self.transposed)
        dkernel = tf.matmul(*((narrow, x) if self.transposed else (x, narrow)), transpose_a=True)
        sums = [tf.reduce_sum(dlogits, axis=0) for _ in self.biases]
        return dx, [tf.cast(dkernel, tf.float32), *sums]


class _Examples(NamedTuple):
    labels: tf.Tensor  # [N]
    shares: tf.Tensor  # float32 [N], of the loss.
    label_smoothing: float
    chunk_rows: int


def _differentiable(x: tf.Tensor, layer: _Layer, examples: _Examples) -> tf.Tensor:
    inputs = [x, *layer.tensors()]
    # A tape that records now wants the gradient: it comes along. A function that is differentiated later computes it
    # when it is asked.
    wanted = record.should_record_backprop(inputs)

    @tf.custom_gradient
    def run(*tensors: tf.Tensor) -> Any:
        # Or a tape would ask what is called inside for gradients, which nobody needs.
        with record.stop_recording():
            loss, gradients = _run(x, layer, examples, with_gradients=wanted)

        def gradient(dloss: tf.Tensor) -> list[tf.Tensor]:
            with record.stop_recording():
                found = gradients if wanted else _run(x, layer, examples, with_gradients=True)[1]
                scaled = [
                    tf.cast(dloss * tf.cast(g, tf.float32), t.dtype)
                    for g, t in zip(found, tensors, strict=True)
                ]
            return first_order([*tensors, dloss], scaled, _NO_SECOND)

        return loss, gradient

    return run(*inputs)


def _run(
    x: tf.Tensor, layer: _Layer, examples: _Examples, *, with_gradients: bool
) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
    """The loss, and gradients of x, kernel and bias if they are wanted."""
    chunks = Chunks(sizes(x)[0], examples.chunk_rows)
    parts = [chunks.split(t, 0) for t in (x, examples.labels, examples.shares)]

    def body(i: Any, carried: list[tf.Tensor]) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        rows, labels, shares = (tf.gather(part, i, axis=0) for part in parts)
        losses, slopes = _losses(layer.logits(rows), labels, examples.label_smoothing)
        loss = carried[0] + tf.reduce_sum(losses * shares)
        if not with_gradients:
            return [], [loss]
        dx, sums = layer.gradients(rows, slopes * shares[:, None])
        if not chunks.single:
            sums = [total + part for total, part in zip(carried[1:], sums, strict=True)]
        return [dx], [loss, *sums]

    zeros = [tf.zeros(t.shape) for t in layer.tensors()] if with_gradients and not chunks.single else []
    pieces, (loss, *sums) = chunks.loop(body, [x.dtype] * with_gradients, [tf.zeros([]), *zeros])
    return loss, [*(chunks.join(piece, 0) for piece in pieces), *sums]


def _losses(logits: tf.Tensor, labels: tf.Tensor, smoothing: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Of each row the loss, and its gradient by the logits."""
    losses, slopes = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(features=logits, labels=labels)
    if not smoothing:
        return losses, slopes
    classes = logits.shape[1]
    true = tf.one_hot(labels, classes)
    uniform = losses + tf.reduce_sum(logits * (true - 1.0 / classes), axis=1)
    return losses + smoothing * (uniform - losses), slopes + smoothing * (true - 1.0 / classes)


def _check_layer(x: tf.Tensor, kernel: tf.Tensor, bias: Any, transposed: bool) -> None:
    if x.dtype not in (tf.float32, tf.bfloat16, tf.float16) or kernel.dtype != x.dtype:
        raise TypeError(
            f"expected x float32, bfloat16 or float16 and a kernel of its dtype, found {x.dtype.name} and "
            f"{kernel.dtype.name}; cast them"
        )
    expected = "[num_classes, dim]" if transposed else "[dim, num_classes]"
    dim, classes = (
        (kernel.shape.as_list()[:: -1 if transposed else 1]) if kernel.shape.rank == 2 else (None, None)
    )
    if not (x.shape.rank and classes and dim and x.shape[-1] == dim):
        raise ValueError(
            f"expected x [..., dim] and kernel {expected}, known when traced, found {x.shape} and {kernel.shape}"
        )
    if bias is not None and tf.convert_to_tensor(bias).shape.as_list() != [classes]:
        raise ValueError(f"expected bias [{classes}], found {tf.convert_to_tensor(bias).shape}")
