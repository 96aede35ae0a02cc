"""Training: state, compiled step, loop, checkpoints and log. It knows no model: it takes a loss function."""

from __future__ import annotations

from mmcore import _tensorflow as _tensorflow
from mmcore.train.bottleneck import BottleneckReport, measure_bottleneck
from mmcore.train.checkpoint import Checkpointer, Restored
from mmcore.train.interrupt import Interrupt
from mmcore.train.log import LogWriter, read_log, truncate_after
from mmcore.train.loop import Event, Position, fit
from mmcore.train.state import Optimizer, TrainState
from mmcore.train.step import Jit, Nonfinite, make_eval_step, make_train_step

__all__ = [
    "BottleneckReport",
    "Checkpointer",
    "Event",
    "Interrupt",
    "Jit",
    "LogWriter",
    "Nonfinite",
    "Optimizer",
    "Position",
    "Restored",
    "TrainState",
    "fit",
    "make_eval_step",
    "make_train_step",
    "measure_bottleneck",
    "read_log",
    "truncate_after",
]
