from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import mmcore

MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(mmcore.__path__, "mmcore.")
    if not info.name.endswith("__main__")
    and "._native" not in info.name
    and "._kernels" not in info.name
    and "libmmcore" not in info.name
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    globs = {}
    if name.split(".")[1] not in ("text", "image", "data"):
        globs["tf"] = importlib.import_module("tensorflow")
    globs["np"] = importlib.import_module("numpy")
    results = doctest.testmod(module, extraglobs=globs, optionflags=doctest.ELLIPSIS)
    assert results.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    counts = [len(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name))]
    assert sum(counts) > 100
