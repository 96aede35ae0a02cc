"""docs/data.md: every example runs and prints what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.S | re.M)


def test_examples_run_and_print_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parsed = doctest.DocTestParser().get_doctest("\n".join(BLOCKS), {}, "data.md", None, None)
    assert doctest.DocTestRunner().run(parsed).failed == 0
    assert len(parsed.examples) > 30 and all(block.startswith(">>> ") for block in BLOCKS)
