from __future__ import annotations

import gc
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from mmcore import ops
from mmcore.text import Tokenizer

# 22 and 23 bytes: TensorFlow keeps strings of up to 22 bytes in place, longer ones behind a pointer.
TEXTS = ["a red square", "", "x", "é" * 11, "x" * 22, "x" * 23, "x" * 24, "red " * 5000, "漢字 🙂", "a\0b"]


@pytest.fixture(scope="module")
def bpe() -> Tokenizer:
    return Tokenizer.train(TEXTS, vocab_size=300)


@pytest.fixture(scope="module")
def wordpiece(tmp_path_factory) -> Tokenizer:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "blue", "##s", "circle", "square"]
    path = tmp_path_factory.mktemp("wordpiece") / "vocab.txt"
    path.write_text("\n".join(words), encoding="utf-8")
    return Tokenizer.load(path, lowercase=True)


@pytest.fixture(params=["bpe", "wordpiece"])
def tok(request) -> Tokenizer:
    return request.getfixturevalue(request.param)


def texts_of(strings: tf.Tensor) -> list:
    return [text.decode() for text in np.ravel(strings.numpy())]


@pytest.mark.parametrize("dtype", [tf.int32, tf.int64])
@pytest.mark.parametrize("skip", [True, False])
def test_equals_the_numpy_face_byte_for_byte(tok, dtype, skip):
    batch = tok(TEXTS)
    ids, mask = tf.constant(batch.ids, dtype), tf.constant(batch.mask)
    expected = tok.decode_batch(*batch, skip_special=skip)
    assert texts_of(ops.detokenize(tok, ids, mask, skip_special=skip)) == expected
    assert texts_of(ops.reference_detokenize(tok, ids, mask, skip_special=skip)) == expected
    unmasked = tok.decode_batch(batch.ids, skip_special=skip)
    assert texts_of(ops.detokenize(tok, ids, skip_special=skip)) == unmasked
    assert texts_of(ops.reference_detokenize(tok, ids, skip_special=skip)) == unmasked


def test_bytes_that_are_no_utf8_become_replacement_characters(bpe):
    ids = [bpe.id("Ã")]  # The first of two bytes.
    assert ops.detokenize(bpe, [ids]).numpy()[0] == "�".encode() == bpe.decode(ids).encode()


@pytest.mark.parametrize("shape", [(7,), (3, 7), (2, 1, 7), (2, 0, 7), (0, 7), (2, 3, 0), (0,)])
def test_ids_may_have_any_shape(tok, shape):
    ids = tf.reshape(tf.range(int(np.prod(shape))) % 11, shape)
    mask = ids % 3 != 1
    strings = ops.detokenize(tok, ids, mask)
    assert strings.shape == shape[:-1]
    rows = np.reshape(ids, (int(tf.size(strings)), shape[-1])) if tf.size(strings) else np.empty((0, 1), int)
    counts = np.reshape(mask, rows.shape) if rows.size else np.ones(rows.shape, bool)
    assert texts_of(strings) == tok.decode_batch(rows, counts)
    assert texts_of(ops.reference_detokenize(tok, ids, mask)) == texts_of(strings)


def test_ragged_ids(tok):
    rows = [tok.encode(text) for text in TEXTS]
    for ids in (
        tf.ragged.constant(rows, tf.int32),
        tf.ragged.constant(rows, tf.int64, row_splits_dtype=tf.int32),
    ):
        assert texts_of(ops.detokenize(tok, ids)) == tok.decode_batch(rows)
    nested = tf.ragged.constant([[rows[0], rows[1]], [], [rows[7]]], tf.int32)
    strings = ops.detokenize(tok, nested)
    assert strings.row_lengths().numpy().tolist() == [2, 0, 1]
    assert texts_of(strings.values) == tok.decode_batch([rows[0], rows[1], rows[7]])
    pairs = tf.RaggedTensor.from_row_splits(tf.constant([[5, 6], [7, 8]]), [0, 2])
    assert texts_of(ops.detokenize(tok, pairs).values) == tok.decode_batch([[5, 6], [7, 8]])


@pytest.mark.parametrize("shape", [[None, None], None, [None, 30]])
def test_function_with_unknown_dimensions(tok, shape):
    signature = [tf.TensorSpec(shape, tf.int32), tf.TensorSpec(shape, tf.bool)]
    function = tf.function(lambda ids, mask: ops.detokenize(tok, ids, mask), input_signature=signature)
    for count in (len(TEXTS), 2):
        ids, mask = tok(TEXTS[:count], max_length=30)
        assert texts_of(function(ids, mask)) == tok.decode_batch(ids, mask)


def test_function_of_ragged_ids(tok):
    function = tf.function(lambda ids: ops.detokenize(tok, ids))
    rows = [tok.encode(text) for text in TEXTS]
    assert texts_of(function(tf.ragged.constant(rows, tf.int32))) == tok.decode_batch(rows)


@pytest.mark.parametrize("calls", [None, tf.data.AUTOTUNE])
def test_dataset_there_and_back(tok, calls):
    dataset = tf.data.Dataset.from_tensor_slices(TEXTS * 20).batch(7)
    dataset = dataset.map(lambda x: ops.tokenize(tok, x, max_length=40), num_parallel_calls=calls)
    dataset = dataset.map(lambda ids, mask: ops.detokenize(tok, ids, mask), num_parallel_calls=calls)
    assert dataset.element_spec.shape.as_list() == [None]
    found = [text.decode() for batch in dataset.as_numpy_iterator() for text in batch]
    assert found == tok.decode_batch(*tok(TEXTS * 20, max_length=40))


def test_two_tokenizers_in_one_graph(bpe, wordpiece):
    function = tf.function(lambda ids: (ops.detokenize(bpe, ids), ops.detokenize(wordpiece, ids)))
    ids = tf.constant([[5, 6, 7], [8, 9, 10]])
    for _ in range(2):
        first, second = function(ids)
        assert texts_of(first) == bpe.decode_batch(ids) and texts_of(second) == wordpiece.decode_batch(ids)


RELOAD = """
    import sys
    import numpy as np
    import tensorflow as tf
    import mmcore.ops
    model = tf.saved_model.load(sys.argv[1])
    first, second = model.both(tf.constant(np.load(sys.argv[1] + "/ids.npy")))
    assert "mmcore.text" not in sys.modules
    sys.stdout.buffer.write(b"|".join([*first.numpy(), *second.numpy()]))
"""


def test_a_saved_model_gives_the_same_in_another_process(bpe, wordpiece, tmp_path):
    class Model(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, None], tf.int32)])
        def both(self, ids):
            return ops.detokenize(bpe, ids), ops.detokenize(wordpiece, ids, skip_special=False)

    tf.saved_model.save(Model(), str(tmp_path))
    ids = np.arange(40, dtype=np.int32).reshape(4, 10) % 11
    np.save(tmp_path / "ids.npy", ids)
    expected = [*bpe.decode_batch(ids), *wordpiece.decode_batch(ids, skip_special=False)]
    command = [sys.executable, "-c", textwrap.dedent(RELOAD), str(tmp_path)]
    result = subprocess.run(command, capture_output=True)
    assert result.stdout.decode().split("|") == expected, result.stderr.decode()


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("repeat", [1, 2000])
def test_strings_do_not_leak(bpe, repeat):
    ids = tf.constant([bpe.encode("red " * repeat, add_special=False)] * (200_000 // repeat))
    size = sum(map(len, ops.detokenize(bpe, ids).numpy()))
    ops.detokenize(bpe, ids)
    gc.collect()
    before = resident_bytes()
    for _ in range(40):
        ops.detokenize(bpe, ids)
    gc.collect()
    assert resident_bytes() - before < 10 * size  # 40 times the size, where nothing is freed.


@pytest.mark.parametrize("bad", [-1, 300, 2**31 - 1])
def test_ids_outside_of_the_vocabulary_have_the_numpy_faces_sentence(bpe, bad):
    ids = np.array([[5, 6], [7, bad]], np.int32)
    with pytest.raises(ValueError) as expected:
        bpe.decode_batch(ids)
    with pytest.raises(tf.errors.InvalidArgumentError) as found:
        ops.detokenize(bpe, ids)
    assert str(expected.value) in found.value.message
    assert texts_of(ops.detokenize(bpe, ids, ids == 5)) == bpe.decode_batch(ids, ids == 5)


def test_callers_mistakes(bpe):
    with pytest.raises(TypeError, match="integer dtype, found float32"):
        ops.detokenize(bpe, [[0.5]])
    with pytest.raises(TypeError, match="dtype bool, found int32"):
        ops.detokenize(bpe, [[5]], [[1]])
    with pytest.raises(ValueError, match="got a scalar"):
        ops.detokenize(bpe, 5)
    with pytest.raises(ValueError, match="mask must have the shape of ids"):
        ops.detokenize(bpe, [[5, 6]], [[True]])
    for ids in (None, [[5], [5, 6]], {"a": 1}):
        with pytest.raises(TypeError, match=f"expected ids to be a tensor, .* {type(ids).__name__} "):
            ops.detokenize(bpe, ids)
    with pytest.raises(TypeError, match="expected mask to be a tensor"):
        ops.detokenize(bpe, [[5], [6]], [[True], []])
    with pytest.raises(ValueError, match="ragged ids take no mask"):
        ops.detokenize(bpe, tf.ragged.constant([[5]]), [[True]])


def test_shapes_that_differ_only_when_run(bpe):
    spec = [tf.TensorSpec(None, tf.int32), tf.TensorSpec(None, tf.bool)]
    function = tf.function(lambda ids, mask: ops.detokenize(bpe, ids, mask), input_signature=spec)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"mask must have the shape of ids, \[1, 2\]"):
        function([[5, 6]], [[True]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one axis"):
        function(5, True)
    with pytest.raises(tf.errors.ResourceExhaustedError, match="16 million empty strings"):
        function(tf.zeros([2**25, 0], tf.int32), True)
