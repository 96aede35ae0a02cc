"""Fixtures of all tests: where the real data lies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data that MMCORE_TEST_DATA names; the test is skipped where it is unset."""
    folder = os.environ.get("MMCORE_TEST_DATA")
    if not folder:
        pytest.skip("needs real data: set MMCORE_TEST_DATA to its folder")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"MMCORE_TEST_DATA is {folder}, which is not a folder")
    return path
