"""docs/packing.md: every example runs and prints what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

PAGE = (Path(__file__).parent.parent / "docs" / "packing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.S | re.M)


def test_examples_run_and_print_what_the_page_says():
    parsed = doctest.DocTestParser().get_doctest("\n".join(BLOCKS), {}, "packing.md", None, None)
    assert doctest.DocTestRunner().run(parsed).failed == 0
    assert len(parsed.examples) > 15 and all(block.startswith(">>> ") for block in BLOCKS)
