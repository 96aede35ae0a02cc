"""Pictures of training and evaluation; each function returns a matplotlib `Figure` and opens no window."""

from __future__ import annotations

from mmcore.viz.bottleneck import bottleneck
from mmcore.viz.confusion import confusion_matrix
from mmcore.viz.curves import curves
from mmcore.viz.grid import example_grid, wrong_examples
from mmcore.viz.images import image_grid
from mmcore.viz.save import save

__all__ = ["bottleneck", "confusion_matrix", "curves", "example_grid", "image_grid", "save", "wrong_examples"]
