"""Figures to files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mmcore.files import errors_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, path: str | Path, *, dpi: int = 120) -> None:
    """Writes a figure; the ending of the path chooses the format (.png, .svg, .pdf).

    Characters that the font lacks (emoji, some scripts) come out as boxes, without matplotlib's warnings.

    Raises:
        OSError: the file cannot be written; it names the file.
    """
    with warnings.catch_warnings(), errors_name(path):
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(path, dpi=dpi)
