"""WordPiece training beside Hugging Face's WordPieceTrainer, on real texts."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from mmcore.text import Tokenizer

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def rival(paths: list[Path], **options: Any) -> Any:
    tokenizer = hf.Tokenizer(hf.models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = hf.normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = hf.pre_tokenizers.BertPreTokenizer()
    tokenizer.train(
        [str(path) for path in paths], hf.trainers.WordPieceTrainer(show_progress=False, **options)
    )
    return tokenizer


@pytest.fixture(scope="module")
def corpus(real_data) -> list[Path]:
    udhr = [
        real_data / "text" / "udhr" / f"{name}.txt"
        for name in ("deu_1901", "hin", "cmn_hant", "ell_polytonic")
    ]
    return [real_data / "text" / "corpora" / "botchan_en.txt", *udhr]


@pytest.mark.parametrize("min_frequency", [0, 3])
def test_same_vocabulary_where_hugging_face_has_no_choice(corpus, min_frequency):
    # Its ids of continuing characters follow a hash table; as special tokens they have the order given here.
    characters = sorted({char for char in rival(corpus, vocab_size=1).get_vocab() if len(char) == 1})
    special = [*SPECIAL, *(f"##{char}" for char in characters)]
    options = {"vocab_size": 6000, "min_frequency": min_frequency, "special_tokens": special}
    theirs = rival(corpus, **options).get_vocab()
    made = Tokenizer.train_from_files(corpus, model="wordpiece", alphabet_limit=10_000, **options)
    assert {made.token(i): i for i in range(made.vocab_size)} == theirs


def test_encoded_length_beside_hugging_face(corpus):
    options = {"vocab_size": 6000, "special_tokens": SPECIAL}
    theirs = rival(corpus, limit_alphabet=1000, **options)
    made = Tokenizer.train_from_files(corpus, model="wordpiece", **options)
    lines = [line for path in corpus for line in path.read_text(encoding="utf-8").split("\n")]
    length = len(made.ragged(lines, add_special=False).values)
    other = sum(len(row.ids) for row in theirs.encode_batch(lines, add_special_tokens=False))
    assert abs(length / other - 1) < 0.005


def test_hugging_face_reads_what_was_saved(corpus, tmp_path):
    made = Tokenizer.train_from_files(corpus, model="wordpiece", vocab_size=3000)
    theirs = hf.Tokenizer.from_file(str(made.save(tmp_path)))
    lines = [line for path in corpus for line in path.read_text(encoding="utf-8").split("\n")]
    values, splits = made.ragged(lines)
    rows = [values[a:b].tolist() for a, b in itertools.pairwise(splits)]
    assert rows == [row.ids for row in theirs.encode_batch(lines)]


def test_byte_level_training_from_files(corpus):
    made = Tokenizer.train_from_files(corpus, vocab_size=3000, special_tokens=[])
    theirs = hf.Tokenizer(hf.models.BPE())
    theirs.pre_tokenizer = hf.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = hf.pre_tokenizers.ByteLevel.alphabet()
    trainer = hf.trainers.BpeTrainer(vocab_size=3000, show_progress=False, initial_alphabet=alphabet)
    theirs.train([str(path) for path in corpus], trainer)
    assert {made.token(i): i for i in range(made.vocab_size)} == theirs.get_vocab()
