"""Text to ids, one thread. Unit: one batch of lines to int32 [B, 128] and bool [B, 128].

Ceilings: writing ids and mask (5 bytes a place, most of them padding) at 5 to 10 GB/s, and two to three cache
misses a word; the text itself is read at memory speed. Cold: the lines are new to both sides, which have seen
1 MB of other text before; warm: the same lines again.
"""

from __future__ import annotations

import os
import sysconfig
from collections import Counter
from pathlib import Path

import baselines
import pytest
from pairing import paired_ratio
from texts import measure

from mmcore.text import Tokenizer, byte_level

LENGTH = 128


@pytest.fixture(scope="module")
def lines() -> list[str]:
    """Prose where there is real data, else the sources of Python's library."""
    folder = os.environ.get("MMCORE_TEST_DATA")
    paths = (
        sorted((Path(folder) / "text" / "corpora").glob("*.txt"))
        if folder
        else sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    )
    return [line for path in paths for line in path.read_text(encoding="utf-8").split("\n") if line]


@pytest.fixture(scope="module")
def bpe(lines) -> Tokenizer:
    folder = os.environ.get("MMCORE_TEST_DATA")
    return (
        Tokenizer.load(Path(folder) / "tokenizers" / "gpt2")
        if folder
        else Tokenizer.train(lines, vocab_size=16_000, special_tokens=["<|endoftext|>"])
    )


@pytest.fixture(scope="module")
def wordpiece(lines, tmp_path_factory) -> Tokenizer:
    folder = os.environ.get("MMCORE_TEST_DATA")
    if folder:
        return Tokenizer.load(Path(folder) / "tokenizers" / "bert-base-uncased" / "vocab.txt", lowercase=True)
    words = Counter(word for line in lines for word in line.lower().split() if word.isalpha())
    letters = sorted({letter for word in words for letter in word})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    path = tmp_path_factory.mktemp("bert") / "vocab.txt"
    path.write_text(
        "\n".join([*pieces, *(word for word, _ in words.most_common(10_000) if len(word) > 1)]),
        encoding="utf-8",
    )
    return Tokenizer.load(path, lowercase=True)


@pytest.mark.parametrize("kind", ["bpe", "wordpiece"])
def test_lines_against_hugging_face(benchmark, request, lines, kind):
    tokenizer = request.getfixturevalue(kind)
    rival = baselines.hugging_face(tokenizer.definition, LENGTH)
    ids, mask = tokenizer(lines[:5000], max_length=LENGTH)
    for row, real, other in zip(ids, mask, rival(lines[:5000]), strict=True):
        assert row[real].tolist() == [i for i, m in zip(other.ids, other.attention_mask, strict=True) if m]
    measure(
        benchmark,
        tokenizer,
        lines,
        "hugging_face",
        lambda: baselines.hugging_face(tokenizer.definition, LENGTH),
        length=LENGTH,
    )


def test_lines_against_tiktoken(benchmark, lines, bpe):
    ranks = byte_ranks(bpe)
    rival = baselines.tiktoken_batch(ranks)
    assert rival(lines[:5000]) == [bpe.encode(line, add_special=False) for line in lines[:5000]]
    measure(benchmark, bpe, lines, "tiktoken", lambda: baselines.tiktoken_batch(ranks), length=LENGTH)


def test_one_long_text_against_tiktoken(benchmark, lines, bpe):
    rival = baselines.tiktoken_batch(byte_ranks(bpe))
    text = "\n".join(lines)[:2_000_000]
    assert rival([text])[0] == bpe.encode(text, add_special=False)
    ratio = paired_ratio(lambda: bpe.ragged([text], threads=1), lambda: rival([text]), pairs=5)
    benchmark.extra_info["times_tiktoken_warm"] = ratio.median
    benchmark.pedantic(lambda: bpe.ragged([text], threads=1), rounds=5, warmup_rounds=1)
    benchmark.extra_info["megabytes_per_s"] = len(text.encode()) / benchmark.stats.stats.median / 1e6


def test_training_against_hugging_face(benchmark, lines):
    tokenizers = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

    def rival():
        model = tokenizers.Tokenizer(tokenizers.models.BPE())
        model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
        model.train_from_iterator(
            lines,
            tokenizers.trainers.BpeTrainer(vocab_size=8000, show_progress=False, initial_alphabet=alphabet),
        )
        return model.get_vocab()

    def ours():
        return Tokenizer.train(lines, vocab_size=8000, special_tokens=[])

    made = ours()
    assert rival() == {made.token(i): i for i in range(made.vocab_size)}
    benchmark.extra_info["times_hugging_face"] = paired_ratio(ours, rival, pairs=3).median
    benchmark.pedantic(ours, rounds=3)


def byte_ranks(tokenizer: Tokenizer) -> dict[bytes, int]:
    """The vocabulary in tiktoken's form: bytes to ids, without special tokens."""
    special = {tokenizer.eos_id, tokenizer.pad_id, tokenizer.bos_id}
    return {
        byte_level.to_bytes(tokenizer.token(i)): i for i in range(tokenizer.vocab_size) if i not in special
    }
