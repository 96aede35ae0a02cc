from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.text import Tokenizer
from mmcore.text.load_vocab import from_vocab_txt
from mmcore.text.reference import ReferenceTokenizer, gpt2_words, nfd

TEXTS = [
    "the lower the newer lowest",
    "it's we'll they've I'D 'tis",
    "1234 5,678.90  a  b\n\n c",
    "naïve Ångström İstanbul ﬁ ΑΣ",
    "日本語テキスト한국어 मराठी ไทย",
    "a\u0301\u0327\u0345 \u1e69 \u0344 \u0f71\u0f72",
    "👩‍👩‍👧 🇩🇪 e\u200d",
    "\t \u00a0\u2003x \r\n\x0b\x0c\x85y",
    "[CLS]<s>[SE",
    "~`$^+=<>|_",
]
# Few letters, so that merges and pieces meet; and everything that scripts, marks and spaces can do.
ALPHABET = st.one_of(st.sampled_from("elowrstn '\n  L1.é\u0301日"), st.characters(exclude_categories=["Cs"]))
TEXT = st.text(ALPHABET, max_size=60)


@pytest.fixture(scope="module")
def bpe() -> tuple[Tokenizer, ReferenceTokenizer]:
    tok = Tokenizer.train(TEXTS * 3, vocab_size=400)
    return tok, ReferenceTokenizer(json.loads(tok.definition))


@pytest.fixture(scope="module", params=[True, False])
def bert(request, tmp_path_factory) -> tuple[Tokenizer, ReferenceTokenizer]:
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "the",
        "low",
        "##er",
        "##e",
        "##s",
        "##t",
        "new",
        "l",
        "o",
        "e",
        "n",
        "##w",
        "##l",
        "##o",
        "'",
        ".",
        "日",
        "é",
        "##é",
        "i",
        "##\u0307",
        "1",
        "##1",
        "##i",
        "a",
        "\u0345",
    ]
    path = tmp_path_factory.mktemp("bert") / "vocab.txt"
    path.write_text("\n".join(pieces), encoding="utf-8")
    definition = from_vocab_txt(path, request.param)
    return Tokenizer.load(path, lowercase=request.param), ReferenceTokenizer(definition)


@settings(max_examples=300, deadline=None)
@given(text=TEXT)
def test_byte_level_bpe_equals_the_reference(bpe, text):
    tok, reference = bpe
    assert tok.encode(text) == reference.encode(text)
    assert tok.decode(tok.encode(text, special="text")) == text


@settings(max_examples=300, deadline=None)
@given(text=TEXT)
def test_wordpiece_equals_the_reference(bert, text):
    tok, reference = bert
    assert tok.encode(text) == reference.encode(text)
    assert len(tok.offsets(text)) == len(reference.encode(text))


@pytest.mark.parametrize("text", TEXTS)
def test_hard_texts_equal_the_reference(bpe, bert, text):
    for tok, reference in (bpe, bert):
        assert tok.encode(text) == reference.encode(text)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=40))
def test_any_bytes_are_encoded_and_cut_without_gaps(bpe, data):
    tok, reference = bpe
    assert tok.encode(data) == reference.encode(data.decode("utf-8", "replace"))
    assert b"".join(data[a:b] for a, b in tok.offsets(data, add_special=False)) == data


def test_words_around_the_sizes_where_the_code_changes_path(bpe):
    tok, reference = bpe
    for size in (1, 2, 11, 12, 13, 16, 23, 24, 25, 47, 48, 49, 50, 120):
        for text in ("lowernewest" * 12, "e" * 130, "é" * 70, "lowé" * 40):
            word = text.encode()[:size].decode("utf-8", "ignore")
            assert tok.encode(word) == reference.encode(word)
            assert tok.encode(f"{word} x {word}") == reference.encode(f"{word} x {word}")


def test_gpt2_words_by_hand():
    words = ["I", "'ll", " ", " go", "\n\n", " now", " 42", "!?'", "s"]
    assert list(gpt2_words("I'll  go\n\n now 42!?'s")) == words
    assert list(gpt2_words("a \u3000\n")) == ["a", " \u3000\n"]


def test_nfd_by_hand():
    assert nfd("é한\u1e69") == "e\u0301\u1112\u1161\u11abs\u0323\u0307"
    assert nfd("a\u0301\u0327") == "a\u0327\u0301"
