"""Unigram models of few letters, ties included, against Hugging Face tokenizers and the plain version."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore.errors import FormatError
from mmcore.text import Tokenizer
from mmcore.text.definition import definition_of
from mmcore.text.reference import unigram as reference
from mmcore.text.spec.scores import read_score

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

LETTERS = "abc▁é日😀<"
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
SCORES = st.one_of(
    st.sampled_from([-1.0, -1.5, -2.0, -3.0, 0.1, -0.1, 0.2, 1.0, -7, 0]),
    st.floats(-20, 5, allow_nan=False),
    st.floats(-20, 0, width=32),
)


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    """A model of few letters, so that paths meet, with any options."""
    texts = draw(st.lists(st.text(st.sampled_from(LETTERS), min_size=1, max_size=5), max_size=20))
    texts = ["<unk>", *texts, *(BYTES[: draw(st.sampled_from([0, 0, 200, 256]))])]
    return {
        "type": "Unigram",
        "unk_id": draw(st.sampled_from([0, 0, 0, len(texts) // 2])),
        "byte_fallback": draw(st.booleans()),
        "vocab": [[text, draw(SCORES) if i < 21 else -3.0] for i, text in enumerate(texts)],
    }


def definition(model: dict[str, Any]) -> dict[str, Any]:
    return definition_of(
        model, added_tokens=[], normalizer=None, pre_tokenizer=None, post_processor=None, decoder=None
    )


def unigram(*vocab: tuple[str, Any], **options: Any) -> dict[str, Any]:
    return {
        "type": "Unigram",
        "unk_id": 0,
        "byte_fallback": False,
        "vocab": list(map(list, vocab)),
        **options,
    }


@settings(max_examples=150, deadline=None)
@given(models(), st.lists(st.text(st.sampled_from(LETTERS + "xyü"), max_size=40), min_size=1, max_size=12))
def test_ids_and_offsets_equal_those_of_hugging_face(model, texts):
    texts = [*texts, "a<unk>x", "<0x41>y", "x<unk><unk>"]
    made = definition(model)
    ours, theirs = Tokenizer(made), hf.Tokenizer.from_str(json.dumps(made))
    for text in texts:
        expected = theirs.encode(text)
        assert ours.encode(text) == ours.encode(text) == expected.ids
        assert reference.encode_word(text, model) == expected.ids
        places = [[len(text[:end].encode()) for end in pair] for pair in expected.offsets]
        assert ours.offsets(text).tolist() == places


@settings(max_examples=300, deadline=None)
@given(st.floats(-1e30, 1e30, allow_nan=False))
def test_scores_are_read_as_hugging_face_reads_them(score):
    made = definition(unigram(("<unk>", score)))
    back = json.loads(hf.Tokenizer.from_str(json.dumps(made)).to_str())["model"]["vocab"]
    assert read_score(score) == back[0][1]


def test_long_words_equal_those_of_hugging_face():
    vocab = [
        ("<unk>", 0),
        ("a", -2.1),
        ("aa", -2.3),
        ("aaaaaaa", -3.7),
        (" ", -4.9),
        ("  ", -5.3),
        ("é", -1.1),
    ]
    made = definition(unigram(*vocab))
    ours, theirs = Tokenizer(made), hf.Tokenizer.from_str(json.dumps(made))
    for text in ("a" * 30_001, " " * 30_001, "😀" * 9000, "aé x" * 9000, "aaaaaé" * 5001):
        assert ours.encode(text) == theirs.encode(text).ids


def test_a_character_without_piece_is_an_error_where_the_model_has_no_unknown_token():
    tok = Tokenizer(definition(unigram(("a", -1.0), ("b", -2.0), unk_id=None)))
    assert tok.encode("ab") == [0, 1]
    with pytest.raises(ValueError, match='the character "é", which is no piece'):
        tok.encode("abé")
    assert tok.encode("ba") == [1, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unk_id": 2}, "unk_id must be the place of a token, found 2"),
        ({"unk_id": -1}, "unk_id must be the place"),
        ({"unk_id": True}, "unk_id must be the place"),
        ({"vocab": [["<unk>", "high"]]}, "must be a number"),
        ({"vocab": [["<unk>", math.inf]]}, "must be a number"),
        ({"vocab": [["<unk>", math.nan]]}, "must be a number"),
        ({"vocab": [["<unk>", True]]}, "must be a number"),
        ({"vocab": []}, "model.vocab"),
        ({"vocab": [["<unk>"]]}, "model.vocab"),
        ({"vocab": [[1, 2.0]]}, "model.vocab must hold strings"),
        ({"alpha": 0.1}, "model.alpha is not supported"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(change, message):
    with pytest.raises(FormatError, match=message):
        Tokenizer(definition(unigram(("<unk>", 0.0), ("a", -1.0)) | change))
