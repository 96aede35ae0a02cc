from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from mmcore import ops
from mmcore.text import Tokenizer

# 22 and 23 bytes: TensorFlow keeps strings of up to 22 bytes in place, longer ones behind a pointer.
TEXTS = ["a red square", "", "blue  circle\n", "\0", "Ünïcödé 漢字 🙂", "x" * 22, "x" * 23, "red " * 5000]
BYTES = [
    *(text.encode() for text in TEXTS),
    b"\xff\xfe bad \xc3",
    b"\xed\xa0\x80",
    b"ok \xf0\x9f\x99",
    b"\x80" * 100,
]


def wordpiece(folder) -> Tokenizer:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "blue", "##s", "circle", "square"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    return Tokenizer.load(folder / "vocab.txt", lowercase=True)


@pytest.fixture(scope="module")
def bpe() -> Tokenizer:
    return Tokenizer.train(TEXTS, vocab_size=300)


@pytest.fixture(scope="module", params=["bpe", "wordpiece"])
def tok(request, bpe, tmp_path_factory) -> Tokenizer:
    return bpe if request.param == "bpe" else wordpiece(tmp_path_factory.mktemp("wordpiece"))


def same(result, expected) -> None:
    ids, mask = result
    assert ids.dtype == tf.int32 and mask.dtype == tf.bool
    np.testing.assert_array_equal(ids, expected[0])
    np.testing.assert_array_equal(mask, expected[1])


@pytest.mark.parametrize("max_length", [2, 3, 9, 64])
def test_equals_the_numpy_face_bit_for_bit(tok, max_length):
    same(ops.tokenize(tok, BYTES, max_length=max_length), tok(BYTES, max_length=max_length))


@pytest.mark.parametrize("options", [{"add_special": False}, {"special": "text"}, {"truncate": False}])
def test_options_mean_what_they_mean_there(tok, options):
    texts = ["a [SEP] red <|endoftext|> square", "blue"]
    result = ops.tokenize(tok, texts, max_length=40, **options)
    same(result, tok(texts, max_length=40, **options))
    same(ops.reference_tokenize(tok, texts, max_length=40, **options), result)


def test_large_batch_runs_on_the_pool_and_equals_one_thread(tok):
    texts = [f"{'red blue ' * (i % 50)}{i}" for i in range(3000)]
    same(ops.tokenize(tok, texts, max_length=33), tok(texts, max_length=33, threads=1))


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 1), (2, 0, 3), (1, 2, 1, 2)])
def test_strings_may_have_any_shape(tok, shape):
    size = int(np.prod(shape))
    strings = tf.reshape(tf.constant(BYTES[:size], shape=[size], dtype=tf.string), shape)
    ids, mask = ops.tokenize(tok, strings, max_length=7)
    assert ids.shape == mask.shape == (*shape, 7)
    expected = tok(BYTES[:size], max_length=7)
    same((tf.reshape(ids, [-1, 7]), tf.reshape(mask, [-1, 7])), expected)
    same(ops.reference_tokenize(tok, strings, max_length=7), (ids, mask))


def test_empty_list_is_an_empty_batch(tok):
    assert ops.tokenize(tok, [], max_length=7)[0].shape == [0, 7]


@pytest.mark.parametrize("shape", [[None], None, [None, 1]])
def test_function_with_unknown_dimensions(tok, shape):
    function = tf.function(
        lambda x: ops.tokenize(tok, x, max_length=6), input_signature=[tf.TensorSpec(shape, tf.string)]
    )
    for texts in (BYTES, BYTES[:2]):
        strings = np.array(texts, object)[:, None] if shape == [None, 1] else texts
        ids, mask = function(tf.constant(strings))
        same((tf.reshape(ids, [-1, 6]), tf.reshape(mask, [-1, 6])), tok(texts, max_length=6))


def test_max_length_is_static_where_the_batch_is_not(tok):
    function = tf.function(lambda x: ops.tokenize(tok, x, max_length=6))
    ids, mask = function.get_concrete_function(tf.TensorSpec([None], tf.string)).output_shapes
    assert ids.as_list() == mask.as_list() == [None, 6]


@pytest.mark.parametrize("calls", [None, 4, tf.data.AUTOTUNE])
def test_dataset_of_single_texts(tok, calls):
    dataset = tf.data.Dataset.from_tensor_slices(BYTES)
    dataset = dataset.map(lambda x: ops.tokenize(tok, x, max_length=9), num_parallel_calls=calls).batch(4)
    assert [spec.shape.as_list() for spec in dataset.element_spec] == [[None, 9], [None, 9]]
    ids, mask = (np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True))
    same((tf.constant(ids), tf.constant(mask)), tok(BYTES, max_length=9))


def test_dataset_of_batches_in_parallel(tok):
    dataset = tf.data.Dataset.from_tensor_slices(BYTES * 20).batch(7)
    dataset = dataset.map(lambda x: ops.tokenize(tok, x, max_length=9), num_parallel_calls=tf.data.AUTOTUNE)
    ids, mask = (np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True))
    same((tf.constant(ids), tf.constant(mask)), tok(BYTES * 20, max_length=9))


def test_two_tokenizers_in_one_graph(bpe, tmp_path):
    other = wordpiece(tmp_path)
    function = tf.function(
        lambda x: (ops.tokenize(bpe, x, max_length=5), ops.tokenize(other, x, max_length=4))
    )
    for _ in range(2):
        first, second = function(tf.constant(BYTES))
        same(first, bpe(BYTES, max_length=5))
        same(second, other(BYTES, max_length=4))


def test_two_tokenizers_take_turns_in_one_kernel(bpe, tmp_path):
    other = wordpiece(tmp_path)
    for tok in (bpe, other, bpe, bpe, other):
        same(ops.tokenize(tok, BYTES, max_length=5), tok(BYTES, max_length=5))


def test_a_tokenizer_is_freed_when_nothing_needs_it():
    tok = Tokenizer.train(["some words"], vocab_size=262)
    ops.tokenize(tok, ["words"], max_length=4)
    gone = weakref.ref(tok)
    del tok
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("max_length", [0, -1, 2.5, True, "7", None, 2**31, 2**70])
def test_max_length_must_be_a_positive_integer(bpe, max_length):
    with pytest.raises(ValueError, match="expected max_length to be an integer of at least 1 and below 2"):
        ops.tokenize(bpe, ["a"], max_length=max_length)


def test_special_must_be_one_of_three(bpe):
    with pytest.raises(ValueError, match="expected special to be 'parse', 'text' or 'error', found 'no'"):
        ops.tokenize(bpe, ["a"], max_length=4, special="no")


def test_ids_are_no_strings(bpe):
    with pytest.raises(TypeError, match="dtype string, found int32"):
        ops.tokenize(bpe, [1, 2], max_length=4)


@pytest.mark.parametrize("strings", [None, [["a"], ["b", "c"]], ["a\ud800"], {"a": 1}], ids=str)
def test_what_no_tensor_can_be_made_of(bpe, strings):
    named = type(strings).__name__
    with pytest.raises(
        TypeError, match=f"expected strings to be a tensor, or lists of one length .* {named} "
    ):
        ops.tokenize(bpe, strings, max_length=4)


def test_ragged_strings_say_what_to_do(bpe):
    with pytest.raises(TypeError, match="found RaggedTensor: pass its flat_values"):
        ops.tokenize(bpe, tf.ragged.constant([["a"], ["b", "c"]]), max_length=4)


@pytest.mark.parametrize("tok", [None, "tokenizer.json"])
def test_tokenizers_of_something_else(tok):
    wanted = f"expected tok to be a mmcore.text.Tokenizer, found {type(tok).__name__}"
    with pytest.raises(TypeError, match=wanted):
        ops.tokenize(tok, ["a"], max_length=4)
    with pytest.raises(TypeError, match=wanted):
        ops.detokenize(tok, [[5]])


def test_switches_are_bools(bpe):
    for name in ("add_special", "truncate"):
        for value in (None, "no", 0):
            with pytest.raises(ValueError, match=f"expected {name} to be True or False, found {value!r}"):
                ops.tokenize(bpe, ["a"], max_length=4, **{name: value})
        ops.tokenize(bpe, ["a"], max_length=4, **{name: np.bool_(True)})
    with pytest.raises(ValueError, match="expected skip_special to be True or False, found None"):
        ops.detokenize(bpe, [[5]], skip_special=None)


def test_errors_have_the_numpy_faces_sentence(tmp_path):
    tok = wordpiece(tmp_path)
    cases = [
        ({"max_length": 1}, ["a"]),
        ({"max_length": 3, "truncate": False}, ["a red square"]),
        ({"max_length": 9, "special": "error"}, ["a [MASK]"]),
    ]
    for options, texts in cases:
        with pytest.raises(ValueError) as expected:
            tok(texts, **options)
        with pytest.raises(tf.errors.InvalidArgumentError) as found:
            ops.tokenize(tok, texts, **options)
        assert str(expected.value) in found.value.message


def test_a_malformed_specification_is_data_loss(bpe):
    class Damaged:
        spec = bpe.spec[:-5]
        special = "parse"

    with pytest.raises(tf.errors.DataLossError):
        ops.tokenize(Damaged(), ["a"], max_length=4)
