"""The training step: forward, backward, clipping and update in one compiled function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from mmcore import nn, optim
from mmcore.train.state import TrainState

Metrics = dict[str, tf.Tensor]
LossFn = Callable[..., "tuple[tf.Tensor, Mapping[str, tf.Tensor]]"]
_OWN = ("loss", "grad_norm", "learning_rate")


def make_train_step(
    loss_fn: LossFn, *, jit_compile: bool = True, clip_norm: float | None = 1.0
) -> Callable[[TrainState, Any], Metrics]:
    """One update of a `TrainState` by one batch, as one `tf.function`.

    The step computes the gradient of the loss for all trainable variables, clips it to the global norm
    `clip_norm`, applies the optimizer, updates the average of weights if the state keeps one, and adds 1 to
    `state.step`. It is compiled at the first call for each structure, shape and dtype of a batch: keep
    batches of one shape.

    Shapes:
        batch: any nest of arrays or tensors that the loss function understands.
        returned metrics: float32 [] each. `loss`, `grad_norm` (before clipping), `learning_rate` (of this
            update; absent if the optimizer has none), and those of the loss function.

    Args:
        loss_fn: `(model, batch) -> (loss, metrics)` with a scalar loss and scalar metrics. One that has a
            parameter `seed` also gets `seed=`, int32 [2], derived from the state's seed and step: equal seeds
            and steps give equal randomness, also after a restart.
        jit_compile: compile with XLA. Without it the step also takes string tensors and changing shapes,
            slower.
        clip_norm: bound of the global norm of the gradient; None for no bound.

    Raises:
        ValueError: clip_norm is not positive. At the first call: the loss is not a float scalar, a trainable
            variable gets no gradient, the model made variables after the state, or a metric has a name of the
            step's own.

    Example:
        >>> from mmcore import losses, nn, optim
        >>> def loss_fn(model, batch):
        ...     return losses.cross_entropy(model(batch["x"]), batch["label"]), {}
        >>> state = TrainState(nn.Linear(2, 3), optim.AdamW(1e-3))
        >>> step = make_train_step(loss_fn, jit_compile=False)
        >>> metrics = step(state, {"x": tf.ones([4, 2]), "label": tf.constant([0, 1, 2, 0])})
        >>> sorted(metrics), int(state.step)
        (['grad_norm', 'learning_rate', 'loss'], 1)
    """
    if clip_norm is not None and not clip_norm > 0.0:
        raise ValueError(f"clip_norm must be positive or None, found {clip_norm}")
    takes_seed = "seed" in inspect.signature(loss_fn).parameters

    @tf.function(jit_compile=jit_compile)
    def step(state: TrainState, batch: Any) -> Metrics:
        options = {"seed": state.step_seed()} if takes_seed else {}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(list(state.trained.values()))
            loss, metrics = loss_fn(state.model, batch, **options)
        _check(state, loss, metrics)
        gradients = _gradients(tape, loss, state.trained)
        norm = optim.global_norm(gradients.values())
        if clip_norm is not None:
            gradients, norm = optim.clip_by_global_norm(gradients, clip_norm)
        own = {"loss": loss, "grad_norm": norm, **_learning_rate(state)}
        state.optimizer.apply(gradients, state.step)
        if state.ema is not None:
            state.ema.update()
        state.step.assign_add(1)
        return {name: tf.cast(value, tf.float32) for name, value in {**own, **metrics}.items()}

    return step


def make_eval_step(fn: Callable[[Any, Any], Any], *, jit_compile: bool = True) -> Callable[[Any, Any], Any]:
    """`fn(model, batch)` compiled: any nest of tensors from a model and a batch, such as its logits.

    Compiled at the first call for each model and shape of a batch: pad the last batch of a set with rows of
    weight 0 rather than making it shorter.

    Args:
        fn: from model and batch to tensors; it must not change variables.
        jit_compile: compile with XLA.

    Example:
        >>> from mmcore import nn
        >>> predict = make_eval_step(lambda model, batch: model(batch["x"]), jit_compile=False)
        >>> predict(nn.Linear(2, 3), {"x": tf.ones([4, 2])}).shape
        TensorShape([4, 3])
    """
    return tf.function(lambda model, batch: fn(model, batch), jit_compile=jit_compile)


def _check(state: TrainState, loss: tf.Tensor, metrics: Mapping[str, tf.Tensor]) -> None:
    """What can be wrong with a loss function, at tracing time."""
    if loss.shape.rank != 0 or not loss.dtype.is_floating:
        raise ValueError(
            f"expected a float scalar as the loss, found {loss.dtype.name} of shape {loss.shape}; "
            "reduce it, for instance by tf.reduce_mean"
        )
    if taken := sorted(set(metrics) & set(_OWN)):
        raise ValueError(
            f"the step reports {', '.join(_OWN)} itself; rename the loss function's metrics {taken}"
        )
    if late := sorted(set(nn.variables_by_path(state.model)) - set(state.weights)):
        raise ValueError(
            f"the model made variables after the TrainState was built: {late}; make them in __init__"
        )


def _gradients(
    tape: tf.GradientTape, loss: tf.Tensor, variables: Mapping[str, tf.Variable]
) -> dict[str, tf.Tensor]:
    """Dense gradients by path; a gathered table's gradient becomes dense as well."""
    gradients = dict(zip(variables, tape.gradient(loss, list(variables.values())), strict=True))
    if unused := [path for path, gradient in gradients.items() if gradient is None]:
        raise ValueError(
            f"the loss does not depend on {len(unused)} trainable variables: {', '.join(unused)}; "
            "use them in the loss or make them with trainable=False"
        )
    return {path: tf.convert_to_tensor(gradient) for path, gradient in gradients.items()}


def _learning_rate(state: TrainState) -> Metrics:
    rate = getattr(state.optimizer, "learning_rate", None)
    if rate is None:
        return {}
    return {"learning_rate": tf.convert_to_tensor(rate(state.step) if callable(rate) else rate)}
