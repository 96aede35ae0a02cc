from __future__ import annotations

import itertools
import pickle
import threading

import numpy as np
import pytest

from mmcore.errors import LimitError
from mmcore.text import Tokenizer

CORPUS = [
    "the lower the newer",
    "a new low, the newest of lows",
    "it's 1234 widely wider",
    "naïve café — déjà vu",
    "  spaces   and\ttabs\n\n lines",
] * 20


@pytest.fixture(scope="module")
def tok() -> Tokenizer:
    return Tokenizer.train(CORPUS, vocab_size=300)


@pytest.fixture(scope="module")
def uncased(tmp_path_factory) -> Tokenizer:
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "the",
        "new",
        "low",
        "##er",
        "##est",
        "##s",
        ",",
        "!",
    ]
    path = tmp_path_factory.mktemp("bert") / "vocab.txt"
    path.write_text("\n".join(words) + "\n", encoding="utf-8")
    return Tokenizer.load(path, lowercase=True)


def test_round_trip_of_any_text(tok):
    for text in ["", " ", "lower", "日本語 👩‍👩‍👧", "\x00\x7f\n", "a\u0301", "\ud7ff\ue000\U0010ffff"]:
        assert tok.decode(tok.encode(text)) == text


def test_special_tokens_are_put_around(tok):
    ids = tok.encode("low")
    assert (ids[0], ids[-1]) == (tok.bos_id, tok.eos_id) == (1, 2)
    assert tok.encode("low", add_special=False) == ids[1:-1]
    assert tok.num_special == 2 and tok.pad_id == 0


def test_special_tokens_in_the_text(tok):
    inside = tok.encode("a<s>b", add_special=False)
    assert inside.count(tok.bos_id) == 1 and len(inside) == 3
    as_text = tok.encode("a<s>b", add_special=False, special="text")
    assert tok.bos_id not in as_text and tok.decode(as_text) == "a<s>b"
    with pytest.raises(ValueError, match="special token <s>"):
        tok.encode("a<s>b", special="error")
    with pytest.raises(ValueError, match='special must be "parse"'):
        tok.encode("a", special="ignore")


def test_decode_keeps_special_tokens_on_request(tok):
    assert tok.decode(tok.encode("low"), skip_special=False) == "<s>low</s>"


def test_batch_equals_single_texts(tok):
    texts = ["", "low", "the newest of lows, widely", "日本語"]
    batch = tok(texts)
    assert batch.ids.dtype == np.int32 and batch.mask.dtype == np.bool_
    for row, mask, text in zip(batch.ids, batch.mask, texts, strict=True):
        ids = tok.encode(text)
        assert row[mask].tolist() == ids
        assert (row[~mask] == tok.pad_id).all() and mask.sum() == len(ids)
    assert batch.ids.shape[1] == batch.mask.sum(axis=1).max()


def test_truncation_keeps_the_closing_token(tok):
    long = "the newest of lows, widely wider " * 5
    ids, mask = tok([long, "low"], max_length=5)
    assert ids.shape == (2, 5) and mask[0].all()
    assert ids[0].tolist() == [tok.bos_id, *tok.encode(long, add_special=False)[:3], tok.eos_id]


def test_max_length_pads_unless_pad_is_false(tok):
    assert tok(["low"], max_length=9).ids.shape == (1, 9)
    assert tok(["low"], max_length=9, pad=False).ids.shape == (1, len(tok.encode("low")))
    assert tok([], max_length=9).ids.shape == (0, 9)
    assert tok([]).ids.shape == (0, 0)


def test_too_long_is_an_error_without_truncation(tok):
    with pytest.raises(ValueError, match="text 1 of the batch: a text needs more than max_length=4"):
        tok(["a", "the newest of lows, widely"], max_length=4, truncate=False)
    assert tok(["a"], max_length=3, truncate=False).mask.all()


def test_max_length_must_hold_the_special_tokens(tok):
    with pytest.raises(ValueError, match="max_length is 1, but the tokenizer adds 2"):
        tok(["a"], max_length=1)
    with pytest.raises(ValueError, match="max_length must be a whole number from 1"):
        tok(["a"], max_length=0)
    assert tok(["the newest"], max_length=2).ids.tolist() == [[1, 2]]
    assert tok(["a b"], max_length=1, add_special=False).mask.all()


def test_ragged_is_the_batch_without_padding(tok):
    texts = ["low", "", "the newest of lows"]
    values, splits = tok.ragged(texts)
    assert values.dtype == np.int32 and splits.dtype == np.int64
    assert [values[a:b].tolist() for a, b in itertools.pairwise(splits)] == [
        tok.encode(text) for text in texts
    ]


def test_number_of_threads_does_not_change_ids(tok):
    texts = [text + str(i) for i, text in enumerate(CORPUS * 60)]
    one = tok(texts, max_length=24, threads=1)
    for threads in (2, 3, 16, None):
        assert np.array_equal(tok(texts, max_length=24, threads=threads).ids, one.ids)
    assert np.array_equal(tok.ragged(texts, threads=4).values, tok.ragged(texts, threads=1).values)
    with pytest.raises(ValueError, match="threads must be a whole number from 1"):
        tok(texts, threads=0)


def test_shared_by_many_threads(tok):
    texts = [text + str(i) for i, text in enumerate(CORPUS * 5)]
    expected = tok.ragged(texts, threads=1).values
    wrong = []

    def work():
        for _ in range(5):
            if not np.array_equal(tok.ragged(texts).values, expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_offsets_cut_the_bytes_of_the_text(tok):
    text = "naïve  café<s>x"
    offsets = tok.offsets(text)
    assert offsets.dtype == np.int64 and offsets.shape == (len(tok.encode(text)), 2)
    assert offsets[0].tolist() == offsets[-1].tolist() == [0, 0]
    data = text.encode()
    assert b"".join(data[a:b] for a, b in offsets[1:-1]) == data


def test_offsets_of_words(uncased):
    text = "The NÉWER\u0301, lows 低"
    data = text.encode()
    pieces = [data[a:b].decode() for a, b in uncased.offsets(text, add_special=False)]
    assert pieces == ["The", "NÉW", "ER", ",", "low", "s", "低"]


def test_offsets_are_of_the_original_bytes(uncased, tok):
    data = b"\xffnew\xe9\x80 lows"
    assert [data[a:b] for a, b in uncased.offsets(data, add_special=False)] == [b"new", b"low", b"s"]
    assert b"".join(data[a:b] for a, b in tok.offsets(data, add_special=False)) == data


def test_wordpiece_ids(uncased):
    assert uncased.encode("The newest LOWS, xyz!") == [2, 5, 6, 9, 7, 10, 11, 1, 12, 3]
    assert uncased.decode([2, 5, 6, 9, 7, 10, 11, 3]) == "the newest lows,"
    assert uncased.encode("new\x00est\u200d") == [2, 6, 9, 3]
    assert uncased.encode("a" * 101) == uncased.encode("n" * 10_000) == [2, 1, 3]


def test_bytes_are_read_as_python_replaces_them(tok):
    for data in [
        b"a\xff b",
        b"\xe2\x82",
        b"\xf0\x90\x80",
        b"\xed\xa0\x80",
        b"\xc0\xaf\xf5",
        b"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf",
    ]:
        assert tok.encode(data) == tok.encode(data.decode("utf-8", "replace"))
    assert tok.encode("naïve".encode()) == tok.encode("naïve")


def test_surrogates_in_a_str(tok):
    assert tok.encode("a\ud800b\udc00") == tok.encode("a\ufffdb\ufffd")
    assert tok.encode("\ud83d\ude00") == tok.encode("😀")
    assert tok.encode("é\ud83d") == tok.encode("é\ufffd")


def test_one_long_word_round_trips(tok):
    for unit in ("a", " ", "é", "👩", "ab"):
        text = unit * (100_000 // len(unit))
        assert tok.decode(tok.encode(text)) == text


def test_pickle_and_save_keep_everything(tok, uncased, tmp_path):
    for made in (tok, uncased):
        copy = pickle.loads(pickle.dumps(made))
        again = Tokenizer.load(made.save(tmp_path))
        for other in (copy, again):
            assert other.spec == made.spec
            assert other.encode("The newest lows<s>[SEP]") == made.encode("The newest lows<s>[SEP]")
            assert (other.pad_id, other.bos_id, other.eos_id) == (made.pad_id, made.bos_id, made.eos_id)
            assert other.id("low") == made.id("low") and other.token(3) == made.token(3)
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.json"]


def test_token_and_id(tok):
    assert tok.token(tok.id("<s>")) == "<s>" and tok.id("no such token") is None
    assert tok.vocab_size == 300
    with pytest.raises(ValueError, match="300 is not in the vocabulary"):
        tok.token(300)


def test_decode_refuses_ids_outside_of_the_vocabulary(tok):
    for bad in (-1, 300, 2**40):
        with pytest.raises(ValueError, match=f"{bad} is not in the vocabulary of 300"):
            tok.decode([5, bad])
    with pytest.raises(ValueError, match="must be integers of shape"):
        tok.decode([0.5])
    assert tok.decode([]) == ""


def test_wrong_types(tok):
    with pytest.raises(TypeError, match="sequence of str or bytes, got one text"):
        tok("one text")
    with pytest.raises(TypeError, match="must be str or bytes, got int at position 1"):
        tok(["a", 3])


def test_text_limit(tok, tmp_path):
    limited = Tokenizer.load(tok.save(tmp_path), max_text_bytes=10)
    assert limited.encode("a" * 10) == tok.encode("a" * 10)
    for call in (
        lambda: limited.encode("a" * 11),
        lambda: limited(["a", "é" * 6]),
        lambda: limited.offsets("a" * 11),
    ):
        with pytest.raises(LimitError, match="max_text_bytes is 10"):
            call()
