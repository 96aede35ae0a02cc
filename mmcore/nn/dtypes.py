"""In which precision sums run: `mmcore.ops.dtypes`, where the ops below the layers find it too."""

from __future__ import annotations

from mmcore.ops.dtypes import wide, wide_dtype

__all__ = ["wide", "wide_dtype"]
