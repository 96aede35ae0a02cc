"""Training vocabularies of 32,000 tokens from 50 MB of distinct lines, all cores. Unit: one vocabulary.

Ceilings: the file is read at memory speed and its words are found at several hundred MB/s a core; the merges
that follow visit each distinct word once for each pair merged in it, two cache misses a visit.

The rival is given its words in both ways that it has, a file and an iterator over lists of lines, and counts with
the faster. Ours runs before, between and after them.
"""

from __future__ import annotations

import os
import statistics
import sysconfig
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pairing import seconds

from mmcore._load import native
from mmcore.text import Tokenizer, train

tokenizers = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
LEAST_BYTES, MOST_BYTES, VOCAB_SIZE = 50_000_000, 52_000_000, 32_000
LINES_A_LIST = 1000
SAMPLED_LINES = 20_000


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Real texts where there are some, then the sources of the packages that are installed; each line once."""
    folders = [Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib"))]
    paths = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    if (data := os.environ.get("MMCORE_TEST_DATA")) is not None:
        texts = Path(data) / "text"
        paths = [*sorted((texts / "corpora").glob("*.txt")), *sorted((texts / "udhr").glob("*.txt")), *paths]
    target = tmp_path_factory.mktemp("training") / "corpus.txt"
    seen: set[bytes] = set()
    with open(target, "wb") as file:
        for path in paths:
            lines = dict.fromkeys(
                path.read_bytes().decode("utf-8", "replace").encode().splitlines(keepends=True)
            )
            fresh = [line for line in lines if line not in seen]
            seen.update(fresh)
            file.writelines(fresh)
            if file.tell() > MOST_BYTES:
                break
    if target.stat().st_size < LEAST_BYTES:
        pytest.skip(f"needs {LEAST_BYTES:,} bytes of distinct lines, the installed packages have fewer")
    return target


def lists_of_lines(path: Path) -> Iterator[list[str]]:
    with open(path, encoding="utf-8", newline="\n") as file:
        while some := list(islice(file, LINES_A_LIST)):
            yield some


def byte_level() -> tuple[Any, Any]:
    """Hugging Face's tokenizer and trainer as ours is: GPT-2's pattern, the 256 bytes, no special tokens."""
    rival = tokenizers.Tokenizer(tokenizers.models.BPE())
    rival.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return rival, tokenizers.trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        show_progress=False,
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
    )


def word_piece() -> tuple[Any, Any]:
    """The same for BERT, uncased, with an alphabet of at most 1000 characters."""
    rival = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    rival.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    rival.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return rival, tokenizers.trainers.WordPieceTrainer(
        vocab_size=VOCAB_SIZE,
        show_progress=False,
        limit_alphabet=1000,
        special_tokens=[*train.WORDPIECE_SPECIAL],
    )


def test_bpe_against_hugging_face(benchmark, corpus):
    def ours() -> Tokenizer:
        return Tokenizer.train_from_files([corpus], vocab_size=VOCAB_SIZE, special_tokens=[])

    made, rivals = ours(), measure(benchmark, ours, byte_level, corpus)
    for rival in rivals:
        assert rival.get_vocab() == {made.token(i): i for i in range(made.vocab_size)}
    describe(benchmark, native().BpeTrainer(), corpus)


def test_wordpiece_against_hugging_face(benchmark, corpus):
    """Its ties follow a hash table: what is compared is how many tokens a sample needs."""

    def ours() -> Tokenizer:
        return Tokenizer.train_from_files([corpus], model="wordpiece", vocab_size=VOCAB_SIZE)

    made, rivals = ours(), measure(benchmark, ours, word_piece, corpus)
    lines = corpus.read_text(encoding="utf-8").split("\n")
    lines = lines[:: max(1, len(lines) // SAMPLED_LINES)]
    length = made.ragged(lines, add_special=False).values.size
    for rival in rivals:
        theirs = sum(len(row.ids) for row in rival.encode_batch_fast(lines, add_special_tokens=False))
        benchmark.extra_info["encoded_length_in_theirs"] = length / theirs
        assert abs(length / theirs - 1) < 0.005
    describe(benchmark, train.wordpiece_trainer(lowercase=True), corpus)


def measure(
    benchmark, ours: Callable[[], Tokenizer], make: Callable[[], tuple[Any, Any]], corpus: Path
) -> list[Any]:
    """Puts `times_hugging_face` into the bench's figures, and gives the rivals for comparison of the results."""
    (by_file, trainer), (by_lists, other) = make(), make()
    mine = [seconds(ours)]
    theirs = [seconds(lambda: by_file.train([str(corpus)], trainer))]
    mine.append(seconds(ours))
    theirs.append(seconds(lambda: by_lists.train_from_iterator(lists_of_lines(corpus), other)))
    benchmark.pedantic(ours, rounds=1)
    mine.append(benchmark.stats.stats.median)
    benchmark.extra_info["times_hugging_face"] = min(theirs) / statistics.median(mine)
    benchmark.extra_info["times_its_training_from_files"] = theirs[0] / statistics.median(mine)
    benchmark.extra_info["times_its_training_from_lists"] = theirs[1] / statistics.median(mine)
    return [by_file, by_lists]


def describe(benchmark, counter: Any, corpus: Path) -> None:
    train.feed_files(counter, [corpus], None)
    benchmark.extra_info["distinct_words"] = counter.num_words
    benchmark.extra_info["megabytes"] = corpus.stat().st_size / 1e6
