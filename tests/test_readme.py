from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```", README, flags=re.S | re.M)


def test_every_python_example_is_found():
    assert len(BLOCKS) == README.count("```python") == 5


@pytest.mark.parametrize(("title", "code"), BLOCKS, ids=[title for title, _ in BLOCKS])
def test_example_runs_as_written(title, code, tmp_path):
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=300
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert finished.stdout.strip()


def test_commands_name_real_verbs_and_options():
    from mmcore.cli.main import _parser

    lines = [line.split("#")[0] for line in README.splitlines() if line.startswith("mmcore ")]
    assert len(lines) >= 5
    for line in lines:
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", line)][1:]
        assert _parser().parse_args(words).verb == words[0]
