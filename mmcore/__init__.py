"""mmcore: multimodal building blocks on TensorFlow with a native core.

Importing this package costs milliseconds: subpackages load at first use, and TensorFlow only with those that
need it (`mmcore.text` and `mmcore.image` never do).
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_SUBPACKAGES = (
    "cli",
    "data",
    "encoders",
    "errors",
    "fusion",
    "image",
    "losses",
    "metrics",
    "models",
    "nn",
    "ops",
    "optim",
    "text",
    "train",
    "viz",
    "weights",
)


def set_num_threads(num_threads: int | None) -> None:
    """Sets the size of the process-wide thread pool of the native core; None: the cores this process may use."""
    from mmcore import _load

    _load.native().set_num_threads(0 if num_threads is None else num_threads)


def __getattr__(name: str):
    if name in _SUBPACKAGES:
        return importlib.import_module(f"mmcore.{name}")
    raise AttributeError(f"module 'mmcore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBPACKAGES])
