from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.text import Tokenizer

WORDS = [
    "\u2581the",
    "\u2581",
    "\u2581\u2581a",
    "b",
    " ",
    ".",
    "##ing",
    "##",
    "n't",
    "a</w>",
    "</w>",
    "a</w>b",
    "\u00e9",
    "'s",
]
BYTES = [f"<0x{byte:02X}>" for byte in (0x41, 0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0xFF)]
REPLACE = {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}
LLAMA = [
    REPLACE,
    {"type": "ByteFallback"},
    {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 0},
]
DECODERS = {
    "none": None,
    "wordpiece": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "metaspace": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
    "suffix": {"type": "BPEDecoder", "suffix": "</w>"},
    "llama": {"type": "Sequence", "decoders": LLAMA},
    "looks back": {
        "type": "Sequence",
        "decoders": [{"type": "Fuse"}, {**REPLACE, "pattern": {"String": "b."}}],
    },
    "strips the end": {"type": "Sequence", "decoders": [LLAMA[1], LLAMA[2], {**LLAMA[3], "stop": 1}]},
}
IDS = st.lists(st.integers(0, len(WORDS) + len(BYTES)), max_size=30)


def tokenizer(decoder) -> Tokenizer:
    vocab = {token: i for i, token in enumerate([*WORDS, *BYTES])}
    special = {"id": len(vocab), "content": "<s>", "special": True, "normalized": False}
    model = {"type": "BPE", "unk_token": "b", "vocab": vocab, "merges": []}
    return Tokenizer({"added_tokens": [special], "decoder": decoder, "model": model})


@pytest.fixture(scope="module", params=DECODERS)
def tok(request) -> Tokenizer:
    return tokenizer(DECODERS[request.param])


def streamed(tok: Tokenizer, ids: list[int], skip_special: bool = True) -> str:
    stream = tok.decode_stream(skip_special=skip_special)
    return "".join([*map(stream.push, ids), stream.finish()])


@settings(max_examples=300, deadline=None)
@given(ids=IDS, skip=st.booleans())
def test_joined_text_is_that_of_all_ids(tok, ids, skip):
    assert streamed(tok, ids, skip) == tok.decode(ids, skip_special=skip)


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=40), text=st.text(max_size=20))
def test_bytes_of_a_character_wait_for_each_other(byte_level, data, text):
    for ids in (byte_level.encode(text), [byte_level.id(char) for char in map(spelled, data)]):
        stream = byte_level.decode_stream()
        parts = [stream.push(i) for i in ids]
        assert "".join([*parts, stream.finish()]) == byte_level.decode(ids)
    parts = list(map(byte_level.decode_stream().push, byte_level.encode(text)))
    assert "\ufffd" not in "".join(parts).replace("\ufffd" * text.count("\ufffd"), "")


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    return Tokenizer.train(["ab \u00e9\u20ac\U0001f600", "the cat"] * 3, vocab_size=268)


def spelled(byte: int) -> str:
    from mmcore.text import byte_level as alphabet

    return alphabet.CHARS[byte]


def test_text_comes_as_soon_as_it_is_certain():
    stream = tokenizer(DECODERS["llama"]).decode_stream()
    pushed = [stream.push(WORDS.index("\u2581the"))] + [stream.push(len(WORDS) + i) for i in (1, 2)]
    assert pushed == ["the", "", ""]
    assert stream.push(WORDS.index("b")) == "\u00e9b"
    assert stream.finish() == ""


def test_a_long_stream_costs_the_same_for_each_token(tok):
    """Windows stay short: of a thousand tokens none makes more than a few be decoded again."""
    stream = tok.decode_stream()
    if stream._looks_back:
        pytest.skip("this decoder needs all tokens")
    for _ in range(1000):
        stream.push(WORDS.index("b"))
        assert len(stream._window) <= 3


def test_errors_and_a_second_text(tok):
    stream = tok.decode_stream()
    with pytest.raises(ValueError, match="the id 99 is not in the vocabulary of 23"):
        stream.push(99)
    ids = [WORDS.index("\u2581the"), WORDS.index("b")]
    for _ in range(2):
        assert "".join([*map(stream.push, ids), stream.finish()]) == tok.decode(ids)


@pytest.mark.parametrize("name", ["gpt2", "bert-base-uncased", "phi-3-mini"])
def test_real_vocabularies(real_data, name):
    tok = Tokenizer.load(real_data / "tokenizers" / name)
    for text in json.loads((real_data / "text" / "unicode" / "blns.json").read_text("utf-8"))[::5]:
        ids = tok.encode(text)
        assert streamed(tok, ids) == tok.decode(ids)
