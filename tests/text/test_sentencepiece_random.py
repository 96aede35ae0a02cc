"""SentencePiece models of few letters and many equal scores, against the sentencepiece package and the reference."""

from __future__ import annotations

import contextlib
import itertools
import struct

import charsmaps
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.errors import FormatError, LimitError
from mmcore.text import Tokenizer, load_sentencepiece
from mmcore.text.reference import sentencepiece as reference

sp = pytest.importorskip("sentencepiece", reason="needs sentencepiece (extra: test)")

UNIGRAM, BPE, WORD, CHAR = range(1, 5)
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
BYTES = [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
LETTERS = "ab▁é日"
SCORES = st.sampled_from([-1.0, -1.5, -2.0, -0.1, -0.7, -3.0])
SCALES = st.sampled_from([1.0, 1.0, 30_011.3, 99_999.5, -40_000.1])  # Sums beyond 100,000 begin again from 0.
OTHERS = " \u3000x\0ﬁ\u0301\t①e\u0302\r\n\u200b…"
TEXTS = st.lists(st.text(st.sampled_from(LETTERS + OTHERS), max_size=40), min_size=1, max_size=9)
RULES = st.one_of(
    st.just({}),
    st.just(charsmaps.RULES),
    st.dictionaries(
        st.text(st.sampled_from("ab éx①e\u0301 "), min_size=1, max_size=3),
        st.text(st.sampled_from("ab▁é  日"), max_size=4),
        min_size=1,
        max_size=6,
    ),
)


def field(number: int, value: int | float | str | bytes) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


@st.composite
def models(draw: st.DrawFn) -> bytes:
    """A .model file of any kind that is read, with any switches."""
    kind = draw(st.sampled_from([UNIGRAM, BPE, WORD, CHAR]))
    words = st.lists(st.text(st.sampled_from(LETTERS), min_size=2, max_size=5), max_size=25)
    letters = LETTERS if kind == BPE else draw(st.sampled_from([LETTERS, "ab▁", "▁"]))
    fallback = draw(st.booleans())
    kinds = dict.fromkeys([*letters, *draw(words)], NORMAL)
    kinds |= dict.fromkeys(
        draw(st.lists(st.sampled_from([" a", "<x>", "ba", "\u3000", "▁▁b"]), max_size=2)), 4
    )
    scale = draw(SCALES)
    pieces = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), *(BYTES if fallback else [])]
    pieces += [(text, scale * draw(SCORES), kind) for text, kind in kinds.items()]
    switches = [field(number, draw(st.integers(0, 1))) for number in (3, 4, 5)]
    rules = draw(RULES)
    switches += [field(2, charsmaps.build(rules))] if rules else []
    trainer = [field(3, kind), field(24, draw(st.integers(0, 1))), field(35, int(fallback))]
    encoded = [
        field(1, field(1, text) + field(2, score) + field(3, number)) for text, score, number in pieces
    ]
    return b"".join([*encoded, field(2, b"".join(trainer)), field(3, b"".join(switches))])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A .model file with some bytes changed, left out, put in or there twice."""
    data = bytearray(draw(models()))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(data)))
        end = draw(st.integers(begin, min(len(data), begin + 8)))
        data[begin:end] = draw(st.one_of(st.binary(max_size=4), st.just(2 * data[begin:end])))
    return bytes(data)


NUMBERS = st.one_of(st.integers(0, 50), st.integers(0, 2**64 - 1), st.floats(width=32))
MESSAGES = st.recursive(
    st.one_of(NUMBERS, st.binary(max_size=9), st.text(max_size=4)),
    lambda values: st.lists(st.tuples(st.integers(0, 50), values), max_size=6).map(
        lambda fields: b"".join(itertools.starmap(field, fields))
    ),
    max_leaves=30,
)


@settings(max_examples=400, deadline=None)
@given(
    data=st.one_of(damaged(), st.binary(max_size=60), MESSAGES.filter(lambda value: isinstance(value, bytes)))
)
def test_any_bytes_are_a_model_or_a_typed_error(data):
    with contextlib.suppress(FormatError, LimitError):
        tokenizer = Tokenizer(load_sentencepiece.from_model(data, "damaged.model"))
        load_sentencepiece.role_names(data, "damaged.model")
        tokenizer.decode(tokenizer.encode("ab é\u3000<x>日ﬁ"))


@settings(max_examples=200, deadline=None)
@given(data=models(), texts=TEXTS)
def test_random_models_give_the_ids_of_sentencepiece(data, texts):
    definition = load_sentencepiece.from_model(data, "random.model")
    ours, theirs = Tokenizer(definition), sp.SentencePieceProcessor(model_proto=data)
    for text in [*texts, "ab<x>  <x>b", "\u3000 a"]:
        expected = theirs.encode(text)
        assert ours.encode(text) == ours.encode(text) == expected
        assert reference.encode(text, definition) == expected
        assert ours.decode(expected) == theirs.decode(expected)
        offsets = ours.offsets(text)
        assert offsets.shape == (len(expected), 2)
        assert np.all((offsets[:, 0] >= 0) & (offsets[:, 0] <= offsets[:, 1]))
        assert np.all(offsets <= len(text.encode()))
    long = "".join(texts) * 60  # Merged in windows, by pairs of equal score as well.
    assert ours.encode(long) == theirs.encode(long)


@pytest.mark.parametrize("kind", [BPE, CHAR])
def test_unknown_characters_end_where_a_symbol_begins(kind):
    pieces = [("<unk>", 0.0, UNKNOWN), ("<x>", 0.0, USER_DEFINED), ("a", -1.0, NORMAL), ("x", -1.0, NORMAL)]
    encoded = [
        field(1, field(1, text) + field(2, score) + field(3, number)) for text, score, number in pieces
    ]
    plain = b"".join(field(number, 0) for number in (3, 4, 5))
    data = b"".join([*encoded, field(2, field(3, kind)), field(3, plain)])
    tokenizer = Tokenizer(load_sentencepiece.from_model(data, "made.model"))
    assert tokenizer.encode("日é<x>a<<x>") == [0, 1, 2, 0, 1]
    assert tokenizer.offsets("日é<x>a<<x>").tolist() == [[0, 5], [5, 8], [8, 9], [9, 10], [10, 13]]
