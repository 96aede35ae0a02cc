from __future__ import annotations

import resource
import subprocess
import sys

import pytest
from PIL import Image

from mmcore import viz


def test_a_picture_with_letters_that_the_font_lacks_is_written_without_a_warning(tmp_path):
    viz.save(viz.example_grid([None], ["日本語 and 😀"], ["h"]), tmp_path / "x.png", dpi=50)
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.size == (95, 137)


def test_disk_without_room_is_an_error_that_names_the_file(tmp_path):
    figure = viz.example_grid([None], ["a"], ["b"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(OSError, match=r"x\.png"):
            viz.save(figure, tmp_path / "x.png", dpi=50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_importing_viz_imports_no_matplotlib():
    code = "import sys, mmcore.viz; assert not {'matplotlib', 'tensorflow'} & sys.modules.keys(), sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
