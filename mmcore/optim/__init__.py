"""Optimizers over variables by path, learning rate schedules, clipping and weight averaging.

An optimizer is any object with `build(variables by path)`, which makes its state, and `apply(gradients by
path, step)`, which updates the variables. If `apply` takes a keyword `where`, a bool [], it must leave everything as it
is where that is False. A `learning_rate` (a number or a function of the step) is reported if it is there, and a pair
`state_dict` / `load_state_dict` is saved in checkpoints.
"""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.optim.adamw import AdamW
from mmcore.optim.ema import EMA
from mmcore.optim.gradients import clip_by_global_norm, global_norm
from mmcore.optim.schedules import Schedule, constant, cosine_schedule
from mmcore.optim.sgd import SGD
from mmcore.optim.slots import decay_kernels

__all__ = [
    "EMA",
    "SGD",
    "AdamW",
    "Schedule",
    "clip_by_global_norm",
    "constant",
    "cosine_schedule",
    "decay_kernels",
    "global_norm",
]
