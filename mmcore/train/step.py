"""The training step: forward, backward, clipping and update in one compiled function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal
from weakref import WeakKeyDictionary

import tensorflow as tf

from mmcore import nn, optim
from mmcore.errors import NonfiniteError
from mmcore.ops.backends import in_xla
from mmcore.train.state import TrainState

Metrics = dict[str, tf.Tensor]
LossFn = Callable[..., "tuple[tf.Tensor, Mapping[str, tf.Tensor]]"]
Jit = bool | Literal["auto"]
"""What XLA compiles: all, nothing, or all but what convolves on a CPU (see `make_train_step`)."""
Nonfinite = Literal["skip", "raise"]
"""What is done about a loss or a gradient with NaN or infinity in it (see `make_train_step`)."""
_OWN = ("loss", "grad_norm", "learning_rate", "nonfinite")


def make_train_step(
    loss_fn: LossFn,
    *,
    jit_compile: Jit = "auto",
    clip_norm: float | None = 1.0,
    nonfinite: Nonfinite | None = "skip",
) -> Callable[[TrainState, Any], Metrics]:
    """One update of a `TrainState` by one batch, as one `tf.function`.

    The step computes the gradient of the loss for all trainable variables, clips it to the global norm
    `clip_norm`, applies the optimizer, updates the average of weights if the state keeps one, and adds 1 to
    `state.step`. It is compiled at the first call for each structure, shape and dtype of a batch: keep
    batches of one shape.

    Shapes:
        batch: any nest of arrays or tensors that the loss function understands.
        returned metrics: float32 [] each. `loss`, `grad_norm` (before clipping), `learning_rate` (of this
            update; absent if the optimizer has none), `nonfinite` (1 where the update was left out, else 0; absent
            with nonfinite=None), and those of the loss function.

    Args:
        loss_fn: `(model, batch) -> (loss, metrics)` with a scalar loss and scalar metrics. One that has a
            parameter `seed` also gets `seed=`, int32 [2], derived from the state's seed and step: equal seeds
            and steps give equal randomness, also after a restart.
        jit_compile: True compiles the whole step with XLA; False nothing, and the step also takes string
            tensors and changing shapes. "auto" is True, except for models with `nn.Conv2D` where TensorFlow
            sees no GPU: there its own convolutions are faster, and only clipping and update are compiled.
        clip_norm: bound of the global norm of the gradient; None for no bound.
        nonfinite: where the loss or the gradient's global norm is NaN or infinite, the update is left out: weights,
            moving statistics and the optimizer's state stay as they are, bit for bit, and only `state.step` goes on.
            "raise" then raises as well, for which it waits for every step; to roll back, catch that and restore a
            checkpoint. None: no guard.

    Raises:
        ValueError: clip_norm is not positive; nonfinite is none of the three. At the first call: the loss is not a
            float scalar, a trainable variable gets no gradient, the model made variables after the state, or a
            metric has a name of the step's own.
        NonfiniteError: with nonfinite="raise", as said there.

    Example:
        >>> from mmcore import losses, nn, optim
        >>> def loss_fn(model, batch):
        ...     return losses.cross_entropy(model(batch["x"]), batch["label"]), {}
        >>> state = TrainState(nn.Linear(2, 3), optim.AdamW(1e-3))
        >>> step = make_train_step(loss_fn, jit_compile=False)
        >>> metrics = step(state, {"x": tf.ones([4, 2]), "label": tf.constant([0, 1, 2, 0])})
        >>> sorted(metrics), int(state.step)
        (['grad_norm', 'learning_rate', 'loss', 'nonfinite'], 1)
    """
    if clip_norm is not None and not clip_norm > 0.0:
        raise ValueError(f"clip_norm must be positive or None, found {clip_norm}")
    if nonfinite not in ("skip", "raise", None):
        raise ValueError(f'nonfinite must be "skip", "raise" or None, found {nonfinite!r}')
    _check_jit(jit_compile)
    takes_seed = "seed" in inspect.signature(loss_fn).parameters

    def update(
        state: TrainState, gradients: dict[str, tf.Tensor], metrics: Metrics, statistics: dict[str, tf.Tensor]
    ) -> Metrics:
        norm = optim.global_norm(gradients.values())
        if clip_norm is not None:
            gradients, norm = optim.clip_by_global_norm(gradients, clip_norm)
        metrics = {**metrics, "grad_norm": norm, **_learning_rate(state)}
        if nonfinite is None:
            state.optimizer.apply(gradients, state.step)
        else:
            finite = tf.math.is_finite(tf.cast(metrics["loss"], norm.dtype)) & tf.math.is_finite(norm)
            _apply_if(finite, state, gradients, statistics)
            metrics["nonfinite"] = tf.cast(~finite, tf.float32)
        if state.ema is not None:
            state.ema.update()
        state.step.assign_add(1)
        return {name: tf.cast(value, tf.float32) for name, value in metrics.items()}

    def step_with(update: Callable[..., Metrics], jit_compile: bool) -> Callable[[TrainState, Any], Metrics]:
        @tf.function(jit_compile=jit_compile)
        def step(state: TrainState, batch: Any) -> Metrics:
            options = {"seed": state.step_seed()} if takes_seed else {}
            statistics = {} if nonfinite is None else _statistics(state)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(list(state.trained.values()))
                loss, metrics = loss_fn(state.model, batch, **options)
            _check(state, loss, metrics)
            gradients = _gradients(tape, loss, state.trained)
            return update(state, gradients, {"loss": loss, **metrics}, statistics)

        return step

    if jit_compile != "auto":
        step = step_with(update, jit_compile)
    else:
        step = _by_module(step_with(update, True), step_with(tf.function(update, jit_compile=True), False))
    return _raising(step) if nonfinite == "raise" else step


def make_eval_step(fn: Callable[[Any, Any], Any], *, jit_compile: Jit = "auto") -> Callable[[Any, Any], Any]:
    """`fn(model, batch)` compiled: any nest of tensors from a model and a batch, such as its logits.

    Compiled at the first call for each model and shape of a batch: pad the last batch of a set with rows of
    weight 0 rather than making it shorter.

    Args:
        fn: from model and batch to tensors; it must not change variables.
        jit_compile: compile with XLA; "auto" as in `make_train_step`.

    Example:
        >>> from mmcore import nn
        >>> predict = make_eval_step(lambda model, batch: model(batch["x"]), jit_compile=False)
        >>> predict(nn.Linear(2, 3), {"x": tf.ones([4, 2])}).shape
        TensorShape([4, 3])
    """
    _check_jit(jit_compile)

    def compiled(jit_compile: bool) -> Callable[[Any, Any], Any]:
        return tf.function(lambda model, batch: fn(model, batch), jit_compile=jit_compile)

    return compiled(jit_compile) if jit_compile != "auto" else _by_module(compiled(True), compiled(False))


def _check_jit(jit_compile: Any) -> None:
    if jit_compile not in (True, False, "auto"):
        raise ValueError(f'jit_compile must be True, False or "auto", found {jit_compile!r}')


def _by_module(xla: Callable[[Any, Any], Any], graph: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The one of two functions that suits the module which is their first argument.

    Measured on two cores, three convolutions and a Transformer block, forward and backward: convolutions took
    4.4 ms in TensorFlow's own kernels and 7.2 under XLA, the block 4.9 and 3.8, clipping and update 1.6 and
    0.9. Compiling the block alone as well gained nothing.
    """
    chosen: WeakKeyDictionary[tf.Module, Callable[[Any, Any], Any]] = WeakKeyDictionary()

    def choose(module: Any) -> Callable[[Any, Any], Any]:
        convolves = any(isinstance(part, nn.Conv2D) for part in (module, *module.submodules))
        return graph if convolves and not tf.config.list_physical_devices("GPU") else xla

    def call(module: Any, batch: Any) -> Any:
        if not isinstance(module, tf.Module):
            return xla(module, batch)
        if module not in chosen:
            chosen[module] = choose(module)
        return chosen[module](module, batch)

    return call


def _statistics(state: TrainState) -> dict[str, tf.Tensor]:
    """What the forward pass changes, as it was before: the variables that are not trained."""
    return {
        path: variable.read_value() for path, variable in state.weights.items() if path not in state.trained
    }


def _apply_if(
    finite: tf.Tensor,
    state: TrainState,
    gradients: Mapping[str, tf.Tensor],
    statistics: Mapping[str, tf.Tensor],
) -> None:
    """The optimizer's update where `finite`; else the statistics as they were before the forward pass."""
    for path, value in statistics.items():
        variable = state.weights[path]
        variable.assign(tf.where(finite, variable, value))
    update: Callable[..., None] = state.optimizer.apply
    # In a plain graph a branch is cheaper than `where` (0.75 times the time), under XLA dearer (1.6 times).
    if in_xla() and "where" in inspect.signature(update).parameters:
        update(gradients, state.step, where=finite)
        return

    def apply() -> tf.Tensor:
        update(gradients, state.step)
        return finite

    tf.cond(finite, apply, lambda: finite)


def _raising(step: Callable[[TrainState, Any], Metrics]) -> Callable[[TrainState, Any], Metrics]:
    """The step, with an error after an update that was left out."""

    def call(state: TrainState, batch: Any) -> Metrics:
        metrics = step(state, batch)
        if metrics["nonfinite"].numpy():
            raise NonfiniteError(
                f"the loss ({float(metrics['loss'])}) or the gradient (norm {float(metrics['grad_norm'])}) of step "
                f"{int(state.step)} is not finite; the weights are as before it: check this batch, lower the learning "
                "rate, or restore a checkpoint"
            )
        return metrics

    return call


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
