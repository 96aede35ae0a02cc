"""Byte-pair encoding with every option, against Hugging Face tokenizers and tiktoken."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore._load import native
from mmcore.errors import FormatError
from mmcore.text import Tokenizer, byte_level
from mmcore.text.definition import definition_of
from mmcore.text.reference import bpe as reference

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

LETTERS = "ab▁é日😀<x"
BYTES = [bytes([byte]) for byte in range(256)]


@st.composite
def models(draw: st.DrawFn) -> dict[str, Any]:
    """A BPE model of few letters, so that merges meet, with any options."""
    prefix = draw(st.sampled_from(["", "", "##", "é"]))
    suffix = draw(st.sampled_from(["", "", "</w>", "é"]))
    letters = draw(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=5, unique=True))
    forms = [p + letter + s for letter in letters for p in {"", prefix} for s in {"", suffix}]
    lacking = draw(st.sets(st.sampled_from(forms), max_size=2))
    fallback = draw(st.sampled_from(["none", "some", "all"]))
    names = [f"<0x{byte:02X}>" for byte in range(256) if fallback == "all" or byte % 7]
    tokens = dict.fromkeys(["<unk>", *(form for form in forms if form not in lacking)])
    merges: list[list[str]] = []
    for _ in range(draw(st.integers(0, 12))):
        left, right = draw(st.tuples(st.sampled_from([*tokens]), st.sampled_from([*tokens])))
        joins = right.startswith(prefix) and len(right) > len(prefix)
        if joins and not (suffix and left.endswith(suffix)) and len(left) + len(right) < 40:
            tokens[left + right[len(prefix) :]] = None
            merges.append([left, right])
    whole = draw(st.lists(st.text(st.sampled_from(letters), min_size=1, max_size=14), max_size=3))
    tokens |= dict.fromkeys([*whole, *(names if fallback != "none" else [])])
    return {
        "type": "BPE",
        "unk_token": draw(st.sampled_from([None, "<unk>"])),
        "continuing_subword_prefix": prefix or None,
        "end_of_word_suffix": suffix or None,
        "fuse_unk": draw(st.booleans()),
        "byte_fallback": draw(st.booleans()),
        "ignore_merges": draw(st.booleans()),
        "vocab": {token: token_id for token_id, token in enumerate(tokens)},
        "merges": merges,
    }


def words(model: dict[str, Any]) -> list[str]:
    """Words of the letters of a model, of letters that it lacks, and of its tokens, short and long."""
    tokens = [token for token in model["vocab"] if not token.startswith("<0x")]
    texts = ["".join(part) for part in itertools.product([*LETTERS[:5], "zü"], repeat=2)]
    texts += [token * count for token in tokens[:12] for count in (1, 2, 7, 40)]
    return [*texts, "".join(texts[::3]), "".join(texts[::5]) * 9, "".join(tokens) * 3]


def rival_of(model: dict[str, Any]) -> Any:
    options = {name: value for name, value in model.items() if name != "type" and value is not None}
    options["merges"] = [tuple(pair) for pair in options["merges"]]
    return hf.models.BPE(**options)


def alone(model: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A definition in which each text is one word."""
    names = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
    return definition_of(model, **{"added_tokens": [], **dict.fromkeys(names), **parts})


@settings(max_examples=200, deadline=None)
@given(model=models())
def test_any_option_gives_the_ids_of_hugging_face(model):
    rival, tok = rival_of(model), Tokenizer(alone(model))
    for word in words(model):
        expected = [token.id for token in rival.tokenize(word)]
        assert tok.encode(word) == expected, word
        assert tok.encode(word) == expected, "from the cache"
        if len(word) < 60:
            assert reference.encode_word(word, model) == expected, word


@settings(max_examples=50, deadline=None)
@given(model=models())
def test_offsets_follow_the_words(model):
    tok = Tokenizer(alone({**model, "unk_token": "<unk>", "byte_fallback": False}))
    for word in words(model):
        offsets = tok.offsets(word).tolist()
        assert [begin for begin, _ in offsets] == [0, *(end for _, end in offsets[:-1])]
        assert len(offsets) == len(tok.encode(word)) and offsets[-1][1] == len(word.encode())


def ranks_of(draw: st.DrawFn) -> list[bytes]:
    tokens = dict.fromkeys(BYTES)
    for _ in range(draw(st.integers(0, 25))):
        left, right = draw(st.tuples(*[st.sampled_from([b"a", b"b", b" ", *[*tokens][256:]])] * 2))
        tokens[left + right] = None
    tokens |= dict.fromkeys(draw(st.lists(st.binary(min_size=1, max_size=5), max_size=4)))
    return [*tokens]


RANKS = st.composite(ranks_of)()


@settings(max_examples=200, deadline=None)
@given(tokens=RANKS)
def test_merges_of_ranks_equal_the_reference(tokens):
    assert native().merges_of_ranks(tokens) == reference.merges_of_ranks(tokens)


@settings(max_examples=200, deadline=None)
@given(tokens=RANKS, word=st.text(st.sampled_from("ab"), min_size=1, max_size=30))
def test_merges_of_ranks_merge_as_ranks_do(tokens, word):
    merges = {(left, right): (rank, rank) for left, right, rank in reference.merges_of_ranks(tokens)}
    symbols = [tokens.index(word.encode()[i : i + 1]) for i in range(len(word))]
    ranks = {token: rank for rank, token in enumerate(tokens)}
    expected = [ranks[part] for part in reference.merge_by_ranks(word.encode(), ranks)]
    assert reference.merge_pairs(symbols, merges) == expected


def test_ranks_without_some_byte_are_refused():
    with pytest.raises(ValueError, match=r"256 bytes, 2 are missing, the first one is 7"):
        native().merges_of_ranks([byte for byte in BYTES if byte not in (b"\x07", b"a")])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"continuing_subword_prefix": "a"}, r"merge 0 \('a' \+ 'b'\) is not supported"),
        ({"continuing_subword_prefix": "b"}, r"merge 0 \('a' \+ 'b'\) is not supported"),
        ({"end_of_word_suffix": "w" * 65}, "end_of_word_suffix has 65 bytes, at most 64"),
        ({"unk_token": "<u>"}, "unknown token '<u>' is not in the vocabulary"),
        ({"vocab": {"a": 0, "b": 1, "ab": 2, "\ud800": 3}}, "lone surrogate"),
    ],
)
def test_what_no_model_means_is_refused(change, named):
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
    with pytest.raises(FormatError, match=named):
        Tokenizer(alone({**model, **change}))


def test_affixes_of_byte_level_models_are_bytes():
    byte_level_step = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    vocab = {char: byte for byte, char in enumerate(byte_level.CHARS)}
    model = {"type": "BPE", "vocab": vocab, "merges": []}
    for change, named in (
        ({"end_of_word_suffix": "▁"}, "not spelled in the characters of bytes"),
        ({"end_of_word_suffix": "</w>", "byte_fallback": True}, "byte_fallback with"),
    ):
        with pytest.raises(FormatError, match=named):
            Tokenizer(alone({**model, **change}, pre_tokenizer=byte_level_step))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_byte_level_models_give_the_ids_of_hugging_face(data):
    suffix = data.draw(st.sampled_from(["", "</w>", "Ġ"]))
    tokens = dict.fromkeys([char + end for end in {"", suffix} for char in byte_level.CHARS])
    if suffix:
        for lacking in data.draw(st.sets(st.sampled_from("abĠÃ©"), max_size=2)):
            del tokens[lacking + suffix]
    known = [part + end for end in {"", suffix} for part in "abĠÃ©" if part + end in tokens]
    merges = []
    for _ in range(data.draw(st.integers(0, 15))):
        left, right = data.draw(st.sampled_from(known)), data.draw(st.sampled_from(known))
        if not (suffix and left.endswith(suffix)) and len(left + right) < 30:
            tokens[left + right] = None
            known.append(left + right)
            merges.append([left, right])
    model = {
        "type": "BPE",
        "unk_token": data.draw(st.sampled_from([None, "a"])),
        "fuse_unk": data.draw(st.booleans()),
        "end_of_word_suffix": suffix or None,
        "ignore_merges": data.draw(st.booleans()),
        "vocab": {token: token_id for token_id, token in enumerate(tokens)},
        "merges": merges,
    }
    use_regex = data.draw(st.booleans())
    step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}
    definition = alone(model, pre_tokenizer=step, decoder=step)
    tok, rival = Tokenizer(definition), hf.Tokenizer.from_str(json.dumps(definition))
    for text in ("a", "ab", "abé  b", "é日", "ab" * 20, "a" * 70, "b a" * 30, "éa" * 40, "\n a"):
        assert tok.encode(text) == tok.encode(text) == rival.encode(text).ids, text
