"""Added tokens are found where Hugging Face finds them: before and after normalizers, with all their flags."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest

from mmcore.text import Tokenizer

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

NORMALIZERS = {
    "none": None,
    "lowercase": {"type": "Lowercase"},
    "nfkc, strip": {
        "type": "Sequence",
        "normalizers": [{"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": True}],
    },
    "prepend, replace": {
        "type": "Sequence",
        "normalizers": [
            {"type": "Prepend", "prepend": "_"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "_"},
        ],
    },
    "bert": {
        "type": "BertNormalizer",
        "clean_text": True,
        "handle_chinese_chars": True,
        "strip_accents": None,
        "lowercase": True,
    },
}
PRE_TOKENIZERS = {
    "none": None,
    "white space": {"type": "WhitespaceSplit"},
    **{
        scheme: {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": True}
        for scheme in ("first", "always", "never")
    },
    "white space, metaspace first": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
        ],
    },
}
CONTENTS = ("<S>", "<s>", "Née", "ab", "a b", "日本", "ﬁx", "<s>x", "É", "_", "b\n\n", "\nb")
UNITS = [
    *CONTENTS,
    *"abcx <s>SNée日本\n\t_",
    "  ",
    "e\u0301",
    "\u2160",
    "\u200d",
    "½",
    "\u0903",
    "\u24b6",
    "‿",
]


def definition(seed: int, normalizer: Any, pre_tokenizer: Any) -> str:
    """A vocabulary of characters and added tokens with random flags."""
    rng = random.Random(seed)
    characters = sorted({*"".join(UNITS), *"abcdefghijklmnopqrstuvwxyz▁éñ1/2Ⅰ"})
    vocab = {character: number for number, character in enumerate(["[UNK]", *characters])}
    names = ("single_word", "lstrip", "rstrip", "normalized", "special")
    contents = rng.sample(CONTENTS, 6)
    first = len(vocab)
    new = [content for content in contents if content not in vocab]
    ids = {
        content: vocab.get(content, first + (new.index(content) if content in new else 0))
        for content in contents
    }
    added = [
        {"id": ids[content], "content": content, **{name: rng.random() < 0.4 for name in names}}
        for content in contents
    ]
    added.sort(key=lambda token: token["id"])
    model = {"type": "BPE", "unk_token": "[UNK]", "fuse_unk": False, "vocab": vocab, "merges": []}
    parts = {
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": None,
    }
    settings = {"version": "1.0", "truncation": None, "padding": None}
    return json.dumps({**settings, "added_tokens": added, **parts, "model": model})


@pytest.mark.parametrize("normalizer", NORMALIZERS)
@pytest.mark.parametrize("pre_tokenizer", PRE_TOKENIZERS)
def test_ids_and_offsets_are_those_of_hugging_face(normalizer, pre_tokenizer):
    for seed in range(12):
        text = definition(seed, NORMALIZERS[normalizer], PRE_TOKENIZERS[pre_tokenizer])
        ours, rival = Tokenizer(text), hf.Tokenizer.from_str(text)
        rng = random.Random(seed)
        for _ in range(60):
            line = "".join(rng.choices(UNITS, k=rng.randint(0, 12)))
            theirs = rival.encode(line)
            starts = [0]
            for character in line:
                starts.append(starts[-1] + len(character.encode()))
            assert ours.encode(line) == theirs.ids, (seed, line)
            offsets = [[starts[a], starts[b]] for a, b in theirs.offsets]
            assert ours.offsets(line).tolist() == offsets, (seed, line, theirs.tokens)


def test_what_touches_a_single_word_is_what_hugging_face_takes_for_a_letter():
    tokens = [hf.AddedToken("x", single_word=True, normalized=False)]
    rival = hf.Tokenizer(hf.models.BPE(vocab={"[U]": 0, "x": 1}, merges=[], unk_token="[U]"))
    rival.add_tokens(tokens)
    ours = Tokenizer(rival.to_str())
    characters = [chr(c) for c in range(0x32000) if not 0xD800 <= c <= 0xDFFF]
    lines = [text for c in characters for text in (f"x{c}x", f"{c}x")]
    values, splits = ours.ragged(lines)
    rows = [values[a:b].tolist() for a, b in itertools.pairwise(splits)]
    assert rows == [other.ids for other in rival.encode_batch_fast(lines)]


def small(added: list[Any], normalizer: Any) -> tuple[Tokenizer, Any]:
    """Ours and the rival's tokenizer of single letters."""
    off = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    vocab = {letter: number for number, letter in enumerate("abx <>")}
    tokens = [{"id": len(vocab) + i, **off, **token} for i, token in enumerate(added)]
    model = {"type": "BPE", "vocab": vocab, "merges": []}
    text = json.dumps({"version": "1.0", "added_tokens": tokens, "normalizer": normalizer, "model": model})
    return Tokenizer(text), hf.Tokenizer.from_str(text)


def test_a_token_that_normalizers_change_decodes_to_what_it_becomes_and_is_special_no_more():
    added = [
        {"content": "<X>", "special": True, "normalized": True},
        {"content": "<A>", "special": True, "normalized": True},
        {"content": "<a>", "special": True},
    ]
    ours, rival = small(added, {"type": "Lowercase"})
    ids = [0, 6, 7, 8, 1]
    assert [ours.decode(ids, skip_special=skip) for skip in (True, False)] == ["a <x> b", "a <x> <a> <a> b"]
    for skip in (True, False):
        assert ours.decode(ids, skip_special=skip) == rival.decode(ids, skip_special_tokens=skip)
        stream = ours.decode_stream(skip_special=skip)
        assert "".join([*map(stream.push, ids), stream.finish()]) == ours.decode(ids, skip_special=skip)


@pytest.mark.parametrize("flag", ["single_word", "lstrip", "rstrip"])
def test_white_space_that_a_token_swallowed_is_found_as_a_token_again(flag):
    ours, rival = small([{"content": "<x>", "rstrip": True}, {"content": " b", flag: True}], None)
    for text in ("a<x> b", "a<x>  b b", "<x> <x>  b  a", "<x>   "):
        other = rival.encode(text)
        assert (ours.encode(text), ours.offsets(text).tolist()) == (other.ids, [[*o] for o in other.offsets])
    ours, rival = small([{"content": "<x>", "rstrip": True}, {"content": "  "}], None)
    for text in ("a<x>   b", "a<x>     ", "<x> <x>  b  a", "    "):
        assert ours.encode(text) == rival.encode(text).ids


def test_a_long_run_of_tokens_that_swallow_white_space_takes_linear_time():
    ours, _ = small([{"content": "\t", "rstrip": True, "lstrip": True}], None)
    assert ours.encode("\t" * 1_000_000) == [6]
    ours, _ = small([{"content": "  ", "rstrip": True}], None)
    assert len(ours.encode(" " * 1_000_000)) == 500_000
