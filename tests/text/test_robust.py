"""Bad input: vocabularies that somebody made to do harm, texts that somebody made to take long, any bytes at all."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.errors import FormatError, LimitError, MmcoreError
from mmcore.text import Tokenizer
from mmcore.text.definition import definition_of

CORPUS = [
    "the newest and the lowest",
    "naïve café, 12345 dogs don't",
    "   spaces\r\n\tand tabs",
    "人之初 привет",
]
PARTS = ("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder")


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    return Tokenizer.train(CORPUS * 3, vocab_size=330)


@pytest.fixture(scope="module")
def definition(byte_level) -> dict[str, Any]:
    return json.loads(byte_level.definition)


@pytest.fixture(scope="module")
def bert() -> Tokenizer:
    tokens = ["[UNK]", "the", "new", "a", "e", "c", "人", "!", "##e", "##a", "##est", "##s", "d", "##o"]
    return Tokenizer(
        definition_of(
            {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "max_input_chars_per_word": 100,
                "vocab": {token: number for number, token in enumerate(tokens)},
            },
            added_tokens=[],
            normalizer={"type": "BertNormalizer", "lowercase": True},
            pre_tokenizer={"type": "BertPreTokenizer"},
            post_processor=None,
            decoder={"type": "WordPiece"},
        )
    )


def fallback_bpe() -> Tokenizer:
    tokens = [
        "<unk>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        "▁",
        "a",
        "b",
        "ab",
        "▁a",
        "aa",
        "aaaa",
        "▁▁",
    ]
    model = {
        "type": "BPE",
        "unk_token": "<unk>",
        "fuse_unk": True,
        "byte_fallback": True,
        "vocab": {token: number for number, token in enumerate(tokens)},
        "merges": [["a", "b"], ["▁", "a"], ["a", "a"], ["aa", "aa"], ["▁", "▁"]],
    }
    pre_tokenizer = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": False}
    decoders = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    parts = {**dict.fromkeys(PARTS), "added_tokens": [], "pre_tokenizer": pre_tokenizer}
    return Tokenizer(definition_of(model, **{**parts, "decoder": {"type": "Sequence", "decoders": decoders}}))


def unigram() -> Tokenizer:
    vocab = [
        ["<unk>", 0.0],
        *([piece, -2.0 - n] for n, piece in enumerate(["a", "aa", "e", " ", "人", "\r\n"])),
    ]
    model = {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": vocab}
    return Tokenizer(definition_of(model, **{**dict.fromkeys(PARTS), "added_tokens": []}))


@pytest.fixture(scope="module")
def every_model(byte_level, bert) -> dict[str, Tokenizer]:
    return {"byte-level": byte_level, "bert": bert, "fallback": fallback_bpe(), "unigram": unigram()}


# Files.


def with_model(definition: dict[str, Any], **change: Any) -> bytes:
    changed = {**definition, "added_tokens": [], "post_processor": None}
    return json.dumps({**changed, "model": {**definition["model"], **change}}).encode()


def deep(name: str, depth: int) -> bytes:
    """A file in which the component `name` holds itself `depth` times."""
    inner = b'{"type": "Sequence", "%s": [' % {"decoder": b"decoders", "normalizer": b"normalizers"}[name]
    return b'{"%s": %s%s, "model": {"vocab": {"a": 0}}}' % (name.encode(), inner * depth, b"]}" * depth)


VOCABULARIES: dict[str, tuple[Any, type[Exception]]] = {
    "a piece of 300 kB": ({"a" * 300_000: 0}, LimitError),
    "a piece of 300 kB that JSON escapes": ({"\u4e2d" * 100_000: 0}, LimitError),
    "a negative id": ({"a": -1}, FormatError),
    "an id of 2^31": ({"a": 2**31}, FormatError),
    "an id of 2^63": ({"a": 2**63}, FormatError),
    "an id of 10^400": ({"a": 10**400}, FormatError),
    "an id over the limit, alone": ({"a": 2_000_000}, FormatError),
    "an id that is no whole number": ({"a": 0.5}, FormatError),
    "an id that is text": ({"a": "0"}, FormatError),
    "one id for two": ({"a": 0, "b": 0}, FormatError),
    "a list of numbers": ([1, 2], FormatError),
    "a list of lists": ([[], []], FormatError),
    "a score that is text": ([["a", "b"]], FormatError),
    "nothing": (None, FormatError),
}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_vocabularies_that_are_refused(tmp_path, definition, name):
    vocab, error = VOCABULARIES[name]
    path = tmp_path / "tokenizer.json"
    for kind in ("BPE", "WordPiece", "Unigram"):
        path.write_bytes(with_model(definition, type=kind, vocab=vocab, merges=[], unk_token="a", unk_id=0))
        with pytest.raises(error):
            Tokenizer.load(path)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"model": {"vocab": {' + b'"a":0,' * 10_000_000 + b'"b": 1}}}', id="10^7 entries"),
        pytest.param(b'{"model": {"vocab": [' + b'["a",0],' * 10_000_000 + b'["b", 1]]}}', id="10^7 scores"),
        pytest.param(b'{"model": {"vocab": [' + b"[]," * 10_000_000 + b"[]]}}", id="10^7 lists"),
        pytest.param(
            b'{"added_tokens": [' + b"{}," * 10_000_000 + b'{}], "model": {"vocab": {"a":0}}}',
            id="10^7 added",
        ),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="depth 10^5"),
        pytest.param(b'{"a":' * 100_000 + b"0" + b"}" * 100_000, id="objects of depth 10^5"),
        pytest.param(deep("decoder", 10_000), id="decoders in decoders"),
        pytest.param(deep("normalizer", 10_000), id="normalizers in normalizers"),
        pytest.param(b'{"model": {"vocab": {"a": %s}}}' % (b"9" * 5_000), id="a number of 5,000 digits"),
        pytest.param(b'{"model": {"vocab": {"\xff\xfe": 0}}}', id="bad UTF-8"),
        pytest.param(b'{"model": {"vocab": {"a": 0}}}'[:-3], id="cut short"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param(b"\0" * 1000, id="zeros"),
    ],
)
def test_files_that_are_refused(tmp_path, data):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(data)
    with pytest.raises(MmcoreError):
        Tokenizer.load(path)


@pytest.mark.parametrize(
    ("name", "data", "options"),
    [
        ("vocab.txt", b"[UNK]\n" + b"a\n" * 10_000_000, {"lowercase": True}),
        ("vocab.txt", b"[UNK]\n" + b"a" * 300_000, {"lowercase": True}),
        ("vocab.txt", b"[UNK]\n\xff\xfe", {"lowercase": True}),
        ("vocab.txt", b"", {"lowercase": True}),
        ("ranks.tiktoken", b"YQ== 0\n" * 3, {"pattern": "cl100k"}),
        ("ranks.tiktoken", b"YQ== -1\n", {"pattern": "cl100k"}),
        ("ranks.tiktoken", b"YQ== 2147483648\n", {"pattern": "cl100k"}),
        ("ranks.tiktoken", b"YQ==\n", {"pattern": "cl100k"}),
        ("ranks.tiktoken", b"\xff 0\n", {"pattern": "cl100k"}),
        ("ranks.tiktoken", b"", {"pattern": "cl100k"}),
        ("ranks.tiktoken", b"YQ== 0\n" * 10_000_000, {"pattern": "cl100k"}),
    ],
)
def test_other_files_that_are_refused(tmp_path, name, data, options):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(MmcoreError):
        Tokenizer.load(path, **options)


def test_zero_characters_are_characters(tmp_path, definition):
    vocab = {**definition["model"]["vocab"], "\0": 1000, "a\0b": 1001}
    path = tmp_path / "tokenizer.json"
    path.write_bytes(with_model(definition, vocab=vocab))
    tok = Tokenizer.load(path)
    assert tok.decode(tok.encode("a\0b\0")) == "a\0b\0"


def test_merges_that_go_in_circles_end(tmp_path, definition):
    merges = [["a", "b"], ["ab", "a"], ["b", "a"], ["a", "ba"], ["aba", "b"], ["ab", "ab"], ["ab", "ab"]]
    vocab = dict(definition["model"]["vocab"])
    for left, right in merges:
        vocab.setdefault(left + right, 1000 + len(vocab))
    path = tmp_path / "tokenizer.json"
    path.write_bytes(with_model(definition, vocab=vocab, merges=[*merges, *merges[::-1]]))
    tok = Tokenizer.load(path)
    for text in ("ab" * 5000, "ba" * 5000, "aab" * 3000, "a" * 9999):
        assert tok.decode(tok.encode(text)) == text


def test_decoders_cannot_make_a_text_of_any_size(definition):
    doubling = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
    decoder = {"type": "Sequence", "decoders": [definition["decoder"], *[doubling] * 60]}
    tok = Tokenizer({**definition, "decoder": decoder})
    with pytest.raises(LimitError, match="decoder"):
        tok.decode(tok.encode("a"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_change_of_a_definition_loads_or_is_refused(definition, data):
    """Some value somewhere is another one: whatever comes is a tokenizer or one of our errors."""
    changed = json.loads(json.dumps(definition))
    changed["model"]["merges"] = changed["model"]["merges"][:20]
    item: Any = changed
    while True:
        keys = list(item) if isinstance(item, dict) else list(range(len(item)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(item[key], (dict, list)) and item[key] and data.draw(st.integers(0, 3)):
            item = item[key]
            continue
        wild = [
            None,
            True,
            -1,
            0,
            2**31,
            2**64,
            1e308,
            "",
            "a",
            "\ud800",
            "\0",
            [],
            [[]],
            {},
            {"type": "Sequence"},
        ]
        item[key] = data.draw(st.sampled_from(wild))
        break
    try:
        tok = Tokenizer(json.dumps(changed))
    except MmcoreError:
        return
    tok.decode(tok.encode("the newest <s> 人 a"))


# Texts.


UNITS = {
    "letters": "a",
    "spaces": " ",
    "emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "marks": "e\u0301\u0323",
    "ideographs": "人性",
    "line ends": "\r\n",
    "zeros": "\0",
    "marks alone": "\u0300",
    "digits": "7",
    "punctuation": "!",
    "tabs": "\t",
    "words": "the newest ",
}


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_long_repeats(every_model, byte_level, unit, size):
    text = unit * (size // len(unit.encode()))
    for name, tok in every_model.items():
        ids = tok.encode(text)
        assert tok([text], max_length=50).mask.sum() == min(50, len(ids))
        assert all(0 <= i < tok.vocab_size for i in ids[:100]), name
    assert byte_level.decode(byte_level.encode(text)) == text


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_texts_of_ten_megabytes(every_model, byte_level, unit):
    text = unit * (10_000_000 // len(unit.encode()))
    for tok in every_model.values():
        tok.encode(text)
    assert byte_level.decode(byte_level.encode(text)) == text


def test_texts_over_the_limit(byte_level):
    tok = Tokenizer(byte_level.definition, max_text_bytes=100)
    tok.encode("a" * 100)
    for call in (
        tok.encode,
        tok.offsets,
        lambda text: tok([text], max_length=4),
        lambda text: tok.ragged([text]),
    ):
        with pytest.raises(LimitError, match="max_text_bytes"):
            call("a" * 101)


def test_max_length_below_the_special_tokens(tmp_path, definition):
    template = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
        * 1,
        "pair": [],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1, 1, 1], "tokens": ["<s>"] * 3}},
    }
    tok = Tokenizer({**definition, "post_processor": template})
    assert tok(["a b"], max_length=3).ids.tolist() == [[1, 1, 1]]
    for bad in (0, 1, 2, -1):
        with pytest.raises(ValueError, match="max_length"):
            tok(["a b"], max_length=bad)


@pytest.mark.parametrize("bad", [-1, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, 330])
def test_ids_that_do_not_exist(byte_level, bad):
    for call in (
        lambda: byte_level.decode([5, bad]),
        lambda: byte_level.decode(np.array([5, bad], np.int64)),
        lambda: byte_level.decode_batch([[5], [5, bad]]),
    ):
        with pytest.raises(ValueError, match=r"is not in the vocabulary|out of range|does not fit"):
            call()


# Any text and any bytes.

HARD = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("ae \r\n\t\0'\u0301\u200d\u3000\ufeff\U0010ffff人1<s>"),
    ),
    max_size=60,
)


@settings(max_examples=700, deadline=None)
@given(HARD)
def test_byte_level_models_give_the_text_back(byte_level, text):
    assert byte_level.decode(byte_level.encode(text, special="text"), skip_special=True) == text


@settings(max_examples=700, deadline=None)
@given(st.one_of(HARD.map(str.encode), st.binary(max_size=80)))
def test_offsets_of_byte_level_models_cut_the_text(byte_level, data):
    """The bytes that each id stands for, one after another, are the text; what is invalid is read as U+FFFD."""
    ids = byte_level.encode(data, special="text", add_special=False)
    offsets = byte_level.offsets(data, special="text", add_special=False)
    assert len(ids) == len(offsets)
    assert byte_level.decode(ids) == data.decode("utf-8", "replace")
    ends = offsets[:, 1].tolist()
    assert ends == sorted(ends) and (not ends or ends[-1] == len(data))
    if data.decode("utf-8", "replace").encode() == data:
        assert offsets[:, 0].tolist() == [0, *ends[:-1]][: len(ends)]
        pieces = [data[begin:end] for begin, end in offsets.tolist()]
        assert b"".join(pieces) == data


@settings(max_examples=600, deadline=None)
@given(st.lists(st.one_of(HARD, st.binary(max_size=80)), min_size=1, max_size=5), st.integers(3, 20))
def test_any_text_is_encoded_alike_everywhere(every_model, texts, width):
    for tok in every_model.values():
        rows = [tok.encode(text) for text in texts]
        values, splits = tok.ragged(texts)
        assert values.tolist() == [i for row in rows for i in row]
        assert np.diff(splits).tolist() == [len(row) for row in rows]
        ids, mask = tok(texts, max_length=width)
        end = (
            width - tok.num_special // 2
        )  # Where there are special tokens, one begins a row and one ends it.
        cut = [row if len(row) <= width else row[:end] + row[len(row) - width + end :] for row in rows]
        assert [row[m].tolist() for row, m in zip(ids, mask, strict=True)] == cut
        for text, row in zip(texts, rows, strict=True):
            assert len(tok.offsets(text)) == len(row)
            tok.decode(row)


# Threads and processes.


def batch() -> list[str]:
    return [f"{text} {number}" for number in range(3000) for text in CORPUS]


def test_threads_do_not_change_a_bit(every_model):
    texts = batch()
    for tok in every_model.values():
        expected = tok(texts, max_length=32, threads=1)
        for threads in (2, 4, 16):
            found = tok(texts, max_length=32, threads=threads)
            assert found.ids.tobytes() == expected.ids.tobytes()
            assert found.mask.tobytes() == expected.mask.tobytes()


def test_one_tokenizer_for_many_threads(every_model):
    texts = batch()[:2000]
    for tok in every_model.values():
        expected = [tok.encode(text) for text in texts]
        with ThreadPoolExecutor(16) as pool:
            for found in pool.map(lambda _, tok=tok: [tok.encode(text) for text in texts], range(16)):
                assert found == expected


def encode_in_child(pickled: bytes, queue: Any) -> None:
    queue.put(pickle.loads(pickled)(batch(), max_length=8).ids.sum())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_forked_processes(byte_level):
    """The pool has run before the fork, and its threads are not in the child."""
    context = multiprocessing.get_context("fork")
    expected = byte_level(batch(), max_length=8).ids.sum()
    queue = context.Queue()
    for _ in range(20):
        child = context.Process(target=encode_in_child, args=(pickle.dumps(byte_level), queue))
        child.start()
        assert queue.get(timeout=120) == expected
        child.join(60)
        assert child.exitcode == 0


def test_a_process_of_its_own(byte_level):
    """What a spawned worker does: it gets the tokenizer pickled, and nothing else."""
    texts = batch()
    code = (
        "import pickle, sys\ntok, texts = pickle.load(sys.stdin.buffer)\n"
        "print(tok(texts, max_length=8).ids.sum(), 'tensorflow' in sys.modules)"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps((byte_level, texts)), capture_output=True, check=True
    )
    expected = byte_level(texts, max_length=8).ids.sum()
    assert finished.stdout.decode().split() == [str(expected), "False"]


@pytest.mark.slow
def test_all_real_vocabularies_load(real_data):
    for path in sorted(Path(real_data, "tokenizers").glob("*/tokenizer.json")):
        if os.path.getsize(path) > 1000:
            Tokenizer.load(path)
