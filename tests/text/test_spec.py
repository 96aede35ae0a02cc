from __future__ import annotations

import numpy as np
import pytest

from mmcore._load import native
from mmcore.errors import FormatError
from mmcore.text import Tokenizer


@pytest.fixture(scope="module")
def spec() -> bytes:
    return Tokenizer.train(["the newest of lows, widely wider"] * 3, vocab_size=280).spec


def test_cut_specification_is_refused(spec):
    rng = np.random.default_rng(0)
    for cut in [0, 7, 12, 30, len(spec) - 1, *rng.integers(0, len(spec), 50)]:
        with pytest.raises(FormatError, match="specification"):
            native().Tokenizer(spec[:cut])
    with pytest.raises(FormatError, match="after its end"):
        native().Tokenizer(spec + b"\0")


def test_other_version_is_refused(spec):
    with pytest.raises(FormatError, match="has version 7"):
        native().Tokenizer(spec[:8] + b"\x07" + spec[9:])


def test_damaged_specification_never_crashes(spec):
    rng, refused = np.random.default_rng(0), 0
    for _ in range(300):
        data = bytearray(spec)
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        try:
            native().Tokenizer(bytes(data)).encode("the newest <s> of lows", True, "parse")
        except FormatError:
            refused += 1
    assert 0 < refused < 300
