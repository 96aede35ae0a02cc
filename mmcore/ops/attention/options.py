"""The numbers of an attention call, checked, and the text that carries them to the kernels."""

from __future__ import annotations

import dataclasses
import math
import numbers
import struct
from typing import Any


@dataclasses.dataclass(frozen=True)
class Options:
    """What does not depend on tensors. Calls with equal options share one compiled function."""

    is_causal: bool
    window: int | None
    scale: float
    soft_cap: float | None
    dropout_rate: float

    def text(self) -> str:
        """As csrc/tf/attention_problem.h reads it: integers, for a float the bits of its float32."""
        floats = (self.scale, self.soft_cap or 0.0, self.dropout_rate)
        return " ".join(map(str, (int(self.is_causal), self.window or 0, *map(_bits, floats))))


def checked_options(
    head_dim: int, is_causal: Any, window: Any, scale: Any, soft_cap: Any, dropout_rate: Any
) -> Options:
    """The options, if each is what it must be; see `attention` for what it raises."""
    if not isinstance(is_causal, bool):
        raise TypeError(f"expected is_causal True or False, found {is_causal!r}")
    if window is not None:
        if not isinstance(window, numbers.Integral) or isinstance(window, bool):
            raise TypeError(f"expected window an integer or None, found {window!r}")
        window = int(window)
        if not 1 <= window < 2**63:
            raise ValueError(f"expected window of at least 1 (None: no window), found {window}")
    scale = head_dim**-0.5 if scale is None else _number("scale", scale)
    if soft_cap is not None and not _number("soft_cap", soft_cap) > 0:
        raise ValueError(f"expected soft_cap above 0 (None: no cap), found {soft_cap}")
    if not 0 <= _number("dropout_rate", dropout_rate) < 1:
        raise ValueError(f"expected dropout_rate in [0, 1), found {dropout_rate}")
    # What the kernels see, so that every implementation computes with the same.
    return Options(
        is_causal,
        window,
        _single(scale),
        None if soft_cap is None else _single(soft_cap),
        _single(dropout_rate),
    )


def _number(name: str, value: Any) -> float:
    """A Python number: a tensor would need a gradient that nothing here gives."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(
            f"expected {name} a Python number, found {type(value).__name__}; multiply q by a scale that is a tensor"
        )
    try:
        finite = math.isfinite(_single(float(value)))
    except OverflowError:
        finite = False
    if not finite:
        raise ValueError(f"expected {name} finite in float32, found {value}")
    return float(value)


def _single(value: float) -> float:
    return struct.unpack("=f", struct.pack("=f", value))[0]


def _bits(value: float) -> int:
    return struct.unpack("=I", struct.pack("=f", value))[0]
