"""Arguments that are none: each is refused with what was expected and what was found."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest

from mmcore.errors import FormatError
from mmcore.text import Tokenizer, normalize

TEXTS = ["low lower lowest"] * 3


@pytest.fixture(scope="module")
def tok() -> Tokenizer:
    return Tokenizer.train(TEXTS, vocab_size=266)


def refused(error: type[Exception], message: str, call, *arguments, **options) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call(*arguments, **options)


@pytest.mark.parametrize("name", ["max_length", "threads"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "5", True, 2**31, 2**70, [3]], ids=str)
def test_counts(tok, name, value):
    wanted = f"{name} must be a whole number from 1 to 2,147,483,647, or None, got {value!r}"
    for call in (tok, tok.ragged):
        refused(ValueError, wanted, call, ["a"], **{name: value})


def test_numpy_counts(tok):
    assert tok(["a"], max_length=np.int64(5), threads=np.int32(1)).ids.shape == (1, 5)
    assert tok.token(np.array(5)) == tok.token(5) == tok.token(np.uint8(5))


@pytest.mark.parametrize("value", ["", "x", 3, b"text", ["text"]], ids=str)
def test_special(tok, value):
    wanted = f'special must be "parse", "text" or "error", got {value!r}'
    for call in (tok.encode, tok.offsets, tok.encode_with_offsets, lambda text, **o: tok([text], **o)):
        refused(ValueError, wanted, call, "a", special=value)
    refused(ValueError, wanted, Tokenizer, tok.definition, special=value)


@pytest.mark.parametrize("value", [None, "no", 0, 1.0], ids=str)
def test_switches(tok, value):
    calls = {
        "add_special": (tok.encode, tok.offsets, tok.encode_with_offsets, lambda text, **o: tok([text], **o)),
        "truncate": (lambda text, **o: tok([text], **o), lambda text, **o: tok.ragged([text], **o)),
        "pad": (lambda text, **o: tok([text], **o),),
        "skip_special": (
            lambda _, **o: tok.decode([5], **o),
            lambda _, **o: tok.decode_batch([[5]], **o),
            lambda _, **o: tok.decode_stream(**o),
        ),
    }
    for name, named in calls.items():
        for call in named:
            refused(ValueError, f"{name} must be True or False, got {value!r}", call, "a", **{name: value})
    assert tok.encode("a", add_special=np.bool_(False)) == tok.encode("a", add_special=False)


@pytest.mark.parametrize("texts", [None, 3, {"a": 1}, {"a"}, "a", b"a"], ids=str)
def test_batches_of_something_else(tok, texts):
    found = "one text" if isinstance(texts, str | bytes) else type(texts).__name__
    for call in (tok, tok.ragged):
        refused(TypeError, f"texts must be a sequence of str or bytes, got {found}", call, texts)


@pytest.mark.parametrize("text", [None, 3, ["a"], bytearray(b"a"), np.array(["a"], object)], ids=repr)
def test_texts_of_something_else(tok, text):
    kind = type(text).__name__
    for call in (tok.encode, tok.offsets):
        refused(TypeError, "a text must be str or bytes, got", call, text)
    with pytest.raises(TypeError, match=rf"a text must be str or bytes, got [a-z.]*{kind} at position 1"):
        tok(["a", text])


def test_empty_batches(tok):
    assert tok([]).ids.shape == (0, 0) and tok([], max_length=4).mask.shape == (0, 4)
    assert tok.ragged([]).row_splits.tolist() == [0] and tok.decode_batch([]) == []
    assert tok.decode([]) == "" and tok.decode(np.empty(0)) == ""


def test_copies(tok):
    for made in (copy.copy(tok), copy.deepcopy(tok), copy.deepcopy([tok])[0]):
        assert made.encode("lowest low") == tok.encode("lowest low") and made.definition == tok.definition
        assert (made.special, made.pad_id) == (tok.special, tok.pad_id)


def test_memory_that_there_is_not(tok):
    refused(
        MemoryError, "no memory for rows of max_length=2147483647", tok, [""] * 200_000, max_length=2**31 - 1
    )


def test_plain_parts(tok):
    for plain in (3, [3], [(0.5, 1)], [(1, 2, 3)], [("a", "b")]):
        refused(ValueError, "plain must hold pairs of whole", tok.encode_with_offsets, "abc", plain=plain)
    for part in ((2, 1), (-1, 2), (0, 2**70)):
        refused(ValueError, "0 <= begin <= end", tok.encode_with_offsets, "abc", plain=[part])


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (None, "NoneType of shape ()"),
        (3, "int64 of shape ()"),
        ("abc", "<U3 of shape ()"),
        ([1.0], "float64 of shape (1,)"),
        ([True], "bool of shape (1,)"),
        ([None], "list of shape (1,)"),
        ([2**70], "list of shape (1,)"),
        ([[1, 2]], "int64 of shape (1, 2)"),
        ([[1, 2], [3]], "rows of several lengths"),
        (np.zeros((2, 3, 4), np.int64), "int64 of shape (2, 3, 4)"),
        pytest.param((i for i in [5]), "generator of shape ()", id="generator"),
    ],
    ids=str,
)
def test_ids_of_something_else(tok, ids, found):
    refused(ValueError, f"ids must be integers of shape [T], got {found}", tok.decode, ids)
    if not isinstance(ids, np.ndarray):
        refused(ValueError, "row 1 of ids must be integers of shape [T]", tok.decode_batch, [[5], ids])


def test_rows_of_something_else(tok):
    ids = np.zeros((2, 3), np.int32)
    for rows in (None, 3, "ab"):
        found = type(rows).__name__
        refused(ValueError, f"a list of rows of ids, got {found}", tok.decode_batch, rows)
    refused(
        ValueError, "got rows of several lengths", tok.decode_batch, [[5, 6], [7]], [[True, True], [True]]
    )
    refused(ValueError, "mask must be bool", tok.decode_batch, ids, [[True] * 3, [True]])
    for splits in ("ab", [0.0, 3], [[0, 3]], 3):
        refused(ValueError, "row_splits must be integers of", tok.decode_batch, [5, 6, 7], row_splits=splits)


@pytest.mark.parametrize("token_id", [None, "a", 1.0, True, [5]], ids=str)
def test_one_id_of_something_else(tok, token_id):
    wanted = f"an id must be a whole number, got {token_id!r}"
    refused(ValueError, wanted, tok.token, token_id)
    refused(ValueError, wanted, tok.decode_stream().push, token_id)


def test_tokens_of_something_else(tok):
    for token in (None, 3, b"a", ["a"]):
        refused(TypeError, f"a token must be a str, got {type(token).__name__}", tok.id, token)
    assert tok.id("nosuch") is None


def test_definitions_of_something_else(tok):
    for definition in (None, 3, [], b"{}"):
        wanted = f"a str or a mapping, got {type(definition).__name__}; read files with Tokenizer.load"
        refused(TypeError, wanted, Tokenizer, definition)
    for definition in ({}, {"model": None}, "{}", "[]", "null"):
        refused(FormatError, "an object with a 'model', found none", Tokenizer, definition)
    for definition in ("", "not json", "\ud800"):
        refused(FormatError, "the definition is not", Tokenizer, definition)
    for value in (0, -1, "a", 1.5, 2**70):
        refused(ValueError, "max_text_bytes must be a whole", Tokenizer, tok.definition, max_text_bytes=value)


@pytest.mark.parametrize("train", [Tokenizer.train, Tokenizer.train_wordpiece])
def test_training(train):
    for name, values in {"vocab_size": (None, -5, 300.0, 2**70), "min_frequency": (None, -1, 1.5)}.items():
        for value in values:
            # Before the texts are read.
            refused(ValueError, f"{name} must be a whole number from 0", train, None, **{name: value})
    for tokens in (None, "<s>", 3, [3]):
        refused(ValueError, "special_tokens must be a list of str", train, TEXTS, special_tokens=tokens)
    refused(ValueError, "distinct and not empty", train, TEXTS, special_tokens=["[UNK]", ""])
    refused(TypeError, "texts must be an iterable of str or bytes, got NoneType", train, None)
    refused(TypeError, "a text must be str or bytes, got list", train, [["a"]])
    refused(ValueError, "threads must be a whole number", train, TEXTS, threads=0)


def test_training_from_files():
    refused(TypeError, "files must be a list of paths, got NoneType", Tokenizer.train_from_files, None)
    refused(ValueError, "vocab_size must be", Tokenizer.train_from_files, ["nosuch"], vocab_size=-1)
    for value in ("a", 0, 2**70):
        wanted = "alphabet_limit must be a whole number from 1"
        refused(ValueError, wanted, Tokenizer.train_wordpiece, TEXTS, alphabet_limit=value)


def test_saving_where_there_is_no_folder(tok, tmp_path):
    refused(
        FileNotFoundError, "nosuch does not exist: make it first", tok.save, tmp_path / "nosuch" / "a.json"
    )


def test_forms_of_normalization():
    for form in ("nfc", None, 3, ""):
        refused(ValueError, "form must be 'NFC', 'NFD', 'NFKC' or 'NFKD'", normalize, "a", form)
