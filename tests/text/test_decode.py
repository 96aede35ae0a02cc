from __future__ import annotations

import threading

import numpy as np
import pytest

from mmcore.text import Tokenizer

TEXTS = ["low", "", "the newest of lows", "naïve café 🙂", "a" * 3000]


@pytest.fixture(scope="module")
def tok() -> Tokenizer:
    return Tokenizer.train(["the lower the newer", "naïve café"] * 9, vocab_size=290)


@pytest.fixture(scope="module")
def uncased(tmp_path_factory) -> Tokenizer:
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "the",
        "new",
        "low",
        "##er",
        "##est",
        "##s",
        ",",
        "'",
        "s",
        "!",
    ]
    path = tmp_path_factory.mktemp("bert") / "vocab.txt"
    path.write_text("\n".join(words) + "\n", encoding="utf-8")
    return Tokenizer.load(path, lowercase=True)


def each(tok: Tokenizer, rows, **options) -> list[str]:
    return [tok.decode(row, **options) for row in rows]


@pytest.mark.parametrize("skip", [True, False])
def test_padded_ragged_and_lists_are_what_decode_gives(tok, uncased, skip):
    for made in (tok, uncased):
        rows = [made.encode(text) for text in TEXTS]
        expected = each(made, rows, skip_special=skip)
        ids, mask = made(TEXTS)
        values, splits = made.ragged(TEXTS)
        assert made.decode_batch(ids, mask, skip_special=skip) == expected
        assert made.decode_batch(values, row_splits=splits, skip_special=skip) == expected
        assert made.decode_batch(rows, skip_special=skip) == expected
        assert made.decode_batch([np.array(row, np.uint16) for row in rows], skip_special=skip) == expected


def test_all_ids_count_without_a_mask(tok):
    ids, mask = tok(TEXTS[:3], max_length=6)
    assert tok.decode_batch(ids) == each(tok, ids)
    assert tok.decode_batch(ids, np.zeros_like(mask)) == ["", "", ""]


def test_a_mask_may_have_holes_and_hides_any_number(tok):
    ids, mask = tok(["the newest of lows"], max_length=30)
    mask[0, 2] = False
    hidden = np.where(mask, ids, -100)
    assert tok.decode_batch(hidden, mask) == [tok.decode(ids[0][mask[0]])]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint32, np.uint64])
def test_any_integer_type_and_any_strides(tok, dtype):
    ids = np.array([[70, 71, 72, 73], [74, 75, 76, 77]], dtype)
    assert tok.decode_batch(ids) == each(tok, ids.tolist())
    assert tok.decode_batch(ids[:, ::2]) == each(tok, ids[:, ::2].tolist())
    assert tok.decode_batch(ids.T) == each(tok, ids.T.tolist())


def test_empty_batches(tok):
    assert tok.decode_batch([]) == tok.decode_batch(np.empty((0, 5), np.int32)) == []
    assert tok.decode_batch(np.empty((2, 0), np.int32)) == tok.decode_batch([[], []]) == ["", ""]
    assert tok.decode_batch(np.empty(0, np.int64), row_splits=[0]) == []
    assert tok.decode_batch(np.empty(0, np.int64), row_splits=[0, 0]) == [""]


@pytest.mark.parametrize("threads", [1, 2, 4, 16, None])
def test_number_of_threads_does_not_change_texts(tok, threads):
    texts = [f"the {i} newest lows" * (i % 7) for i in range(3000)]
    assert tok.decode_batch(*tok(texts), threads=threads) == texts


def test_shared_by_many_threads(tok):
    texts = [f"the {i} newest lows" for i in range(500)]
    ids, mask = tok(texts)
    wrong = []

    def work():
        wrong.extend(1 for _ in range(5) if tok.decode_batch(ids, mask) != texts)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("bad", [-1, 290, 2**31, -(2**63), 2**63 - 1])
def test_ids_outside_of_the_vocabulary_name_their_row(tok, bad):
    for rows in ([[5], [6, bad]], np.array([[5, 5], [6, bad]])):
        with pytest.raises(
            ValueError, match=rf"row 1 has the id {bad}, which is not in the vocabulary of 280"
        ):
            tok.decode_batch(rows)
    with pytest.raises(ValueError, match=f"{2**64 - 1} is not in any vocabulary"):
        tok.decode_batch(np.array([[2**64 - 1]], np.uint64))


def test_shapes_and_types_that_do_not_fit(tok):
    ids = np.array([[5, 6], [7, 8]])
    cases = [
        (lambda: tok.decode_batch(ids[0]), "integers of shape \\[B, T\\], got int64 of shape \\(2,\\)"),
        (lambda: tok.decode_batch(ids.astype(float)), "integers of shape \\[B, T\\], got float64"),
        (lambda: tok.decode_batch([[0.5]]), "got float64"),
        (lambda: tok.decode_batch([5, 6]), "got int64 of shape \\(\\)"),
        (lambda: tok.decode_batch(ids, ids), "mask must be bool of the shape of ids, \\(2, 2\\), got int64"),
        (lambda: tok.decode_batch(ids, np.ones((1, 2), bool)), "got bool of shape \\(1, 2\\)"),
        (lambda: tok.decode_batch(ids, np.ones((2, 2), bool), row_splits=[0, 2]), "either mask"),
        (lambda: tok.decode_batch(ids, row_splits=[0, 2]), "integers of shape \\[N\\]"),
        (lambda: tok.decode_batch(ids[0], row_splits=[]), "begins with 0"),
        (lambda: tok.decode_batch(ids[0], row_splits=[0, 1]), "row_splits must rise from 0 to .* which is 2"),
        (lambda: tok.decode_batch(ids[0], row_splits=[1, 2]), "row_splits must rise"),
        (lambda: tok.decode_batch(ids[0], row_splits=[0, 3, 2]), "row_splits must rise"),
        (lambda: tok.decode_batch(ids[0], row_splits=[0, -5, 2]), "row_splits must rise"),
        (lambda: tok.decode_batch(ids, threads=0), "threads must be a whole number from 1"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()
