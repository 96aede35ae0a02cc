"""The user's pages in docs/: every example runs, and the tables name what there is."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from mmcore.text.spec import decoders, models, normalizers, post_processors, pre_tokenizers

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "tokenizers.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.S | re.M)
COMPONENTS = {
    "model": [*models._COMPILERS],
    "normalizer": [*normalizers._COMPILERS],
    "pre_tokenizer": [*pre_tokenizers._COMPILERS],
    "post_processor": [*post_processors._RUNNERS],
    "decoder": [*decoders._COMPILERS],
}


def test_examples_run_and_print_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # Without its fences: these would be output that is expected.
    parsed = doctest.DocTestParser().get_doctest("\n".join(BLOCKS), {}, "tokenizers.md", None, None)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    assert runner.run(parsed).failed == 0
    assert len(parsed.examples) > 30 and all(block.startswith(">>> ") for block in BLOCKS)


@pytest.mark.parametrize("part", COMPONENTS)
def test_the_table_names_the_components_that_are_supported(part):
    [row] = re.findall(rf"^\| {part} \| (.*) \|$", PAGE, flags=re.M)
    named = set(re.findall(r"`([A-Z]\w+)`", row)) - {"Sequence"}
    known = {name for name in COMPONENTS[part] if not name.startswith("SentencePiece")}
    assert named == known


def test_links_lead_somewhere():
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (DOCS / target).exists(), f"{page.name}: {target}"
