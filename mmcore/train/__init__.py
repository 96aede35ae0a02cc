"""Training: state, compiled step, loop, checkpoints and log. It knows no model: it takes a loss function."""

from __future__ import annotations

from mmcore.train.state import Optimizer, TrainState
from mmcore.train.step import make_eval_step, make_train_step

__all__ = ["Optimizer", "TrainState", "make_eval_step", "make_train_step"]
