"""Training beside its twin in plain Python, and both beside Hugging Face's trainers on texts full of ties."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.text import Tokenizer, byte_level
from mmcore.text.reference import Trained, train_bpe, train_wordpiece

SPECIAL = [
    "<pad>",
    "!",
    "é",
    "日",
    "th",
]  # Two are bytes in the spelling of byte-level BPE, one may be merged.
WORDPIECE_SPECIAL = ["[PAD]", "[UNK]", "a", "##b", "the"]
# Few letters: many ties, many ways to one token, pairs that are gained again after they were merged.
REPEATS = st.text(st.sampled_from("aab Aé\u0301日!'\n"), max_size=40)
TEXTS = st.lists(REPEATS, max_size=12)
HAND = [
    ["aaaaaaa aaaa aa", "aaaaa a"],
    ["abcabc abc bcabc", "abc bc ab cab", "abcd bcd abcd"],
    ["the lower the newer lowest", "it's 12 1234 wide  wider\n", "naïve CAFÉ cafe\u0301"] * 2,
    ["日本語 日本 本日", "\u0f71\u0f72 👩‍👩‍👧 \u200d"],
    ["", " ", "\n\n"],
    [],
]


def trained(tok: Tokenizer) -> Trained:
    model = json.loads(tok.definition)["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    pairs = [merge.split(" ") for merge in model.get("merges", [])]
    return Trained(tokens, [(model["vocab"][left], model["vocab"][right]) for left, right in pairs])


def check_bpe(texts: list[str], vocab_size: int, special: list[str], least: int, threads: int = 1) -> None:
    made = Tokenizer.train(
        texts, vocab_size=vocab_size, special_tokens=special, min_frequency=least, threads=threads
    )
    assert trained(made) == train_bpe(texts, vocab_size, special, least)


def check_wordpiece(texts: list[str], vocab_size: int, least: int, **options: Any) -> None:
    made = Tokenizer.train_wordpiece(
        texts,
        vocab_size=vocab_size,
        special_tokens=WORDPIECE_SPECIAL,
        min_frequency=least,
        threads=1,
        **options,
    )
    assert trained(made).tokens == train_wordpiece(texts, vocab_size, WORDPIECE_SPECIAL, least, **options)


@pytest.mark.parametrize("least", [0, 2])
@pytest.mark.parametrize("special", [[], SPECIAL], ids=["plain", "special"])
@pytest.mark.parametrize("texts", HAND)
def test_bpe_equals_the_twin(texts, special, least):
    for vocab_size in (262, 270, 400):
        check_bpe(texts, vocab_size, special, least)


@pytest.mark.parametrize("least", [0, 2])
@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("texts", HAND)
def test_wordpiece_equals_the_twin(texts, lowercase, least):
    check_wordpiece(texts, 150, least, lowercase=lowercase)
    check_wordpiece(texts, 150, least, lowercase=lowercase, alphabet_limit=5)


def test_tokens_of_more_than_32_kilobytes_are_not_made():
    check_bpe(["ab" * 20_000], 300, [], 0)
    check_wordpiece(["é" * 20_000], 300, 0, lowercase=False)
    made = Tokenizer.train(["a" * 100_000], vocab_size=300)
    assert max(len(made.token(i)) for i in range(made.vocab_size)) == 32_768


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS, more=st.integers(0, 60), special=st.sampled_from([[], SPECIAL]), least=st.integers(0, 4))
def test_bpe_on_random_texts(texts, more, special, least):
    check_bpe(texts, 261 + more, special, least)


@settings(max_examples=300, deadline=None)
@given(texts=TEXTS, limit=st.integers(1, 12), least=st.integers(0, 4), lowercase=st.booleans())
def test_wordpiece_on_random_texts(texts, limit, least, lowercase):
    check_wordpiece(texts, 60, least, lowercase=lowercase, alphabet_limit=limit)


@pytest.fixture(scope="module")
def real_texts(real_data) -> list[str]:
    names = ("corpora/botchan_en.txt", "udhr/deu_1901.txt", "udhr/hin.txt", "udhr/cmn_hant.txt")
    return [(real_data / "text" / name).read_text(encoding="utf-8")[:20_000] for name in names]


def test_bpe_on_real_texts(real_texts):
    check_bpe(real_texts, 2000, SPECIAL, 2, threads=2)


def test_wordpiece_on_real_texts(real_texts):
    check_wordpiece(real_texts, 2500, 2, alphabet_limit=300)


@settings(max_examples=200, deadline=None)
@given(texts=TEXTS, more=st.integers(0, 60), least=st.integers(0, 3))
def test_bpe_on_random_texts_equals_hugging_face(texts, more, least):
    hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
    theirs = hf.Tokenizer(hf.models.BPE())
    theirs.pre_tokenizer = hf.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = hf.trainers.BpeTrainer(
        vocab_size=256 + more,
        min_frequency=least,
        show_progress=False,
        initial_alphabet=sorted(byte_level.CHARS),
    )
    theirs.train_from_iterator(texts, trainer)
    model = json.loads(theirs.to_str())["model"]
    made = train_bpe(texts, 256 + more, [], least)
    assert model["vocab"] == {token: number for number, token in enumerate(made.tokens)}
    assert model["merges"] == [[made.tokens[left], made.tokens[right]] for left, right in made.merges]
    check_bpe(texts, 256 + more, [], least)


@settings(max_examples=200, deadline=None)
@given(texts=TEXTS, size=st.integers(1, 60), least=st.integers(0, 3))
def test_wordpiece_on_random_texts_equals_hugging_face(texts, size, least):
    """Its ids of characters follow a hash table; as special tokens they have an order."""
    hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
    alphabet = train_wordpiece(texts, 0)
    theirs = hf.Tokenizer(hf.models.WordPiece(unk_token="[UNK]"))
    theirs.normalizer = hf.normalizers.BertNormalizer(lowercase=True)
    theirs.pre_tokenizer = hf.pre_tokenizers.BertPreTokenizer()
    size = max(size, len(alphabet) + 1)
    trainer = hf.trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=least, special_tokens=["[UNK]", *alphabet], show_progress=False
    )
    theirs.train_from_iterator(texts, trainer)
    found = theirs.get_vocab()
    expected = train_wordpiece(texts, size, ["[UNK]", *alphabet], least)
    assert sorted(found, key=found.get) == expected
