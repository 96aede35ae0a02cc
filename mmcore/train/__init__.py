"""Training: state, compiled step, loop, checkpoints and log. It knows no model: it takes a loss function."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.train.checkpoint import Checkpointer, Restored
from mmcore.train.interrupt import Interrupt
from mmcore.train.log import LogWriter, read_log, truncate_after
from mmcore.train.loop import Event, Position, fit
from mmcore.train.state import Optimizer, TrainState
from mmcore.train.step import make_eval_step, make_train_step

__all__ = [
    "Checkpointer",
    "Event",
    "Interrupt",
    "LogWriter",
    "Optimizer",
    "Position",
    "Restored",
    "TrainState",
    "fit",
    "make_eval_step",
    "make_train_step",
    "read_log",
    "truncate_after",
]
