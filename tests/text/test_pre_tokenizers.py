"""Tokenizers with each pre-tokenizer give the ids and offsets that Hugging Face gives."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from mmcore.errors import FormatError
from mmcore.text import Tokenizer
from mmcore.text.patterns import EXPRESSIONS

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

TEXTS = [
    "It's 12345 o'clock, they'LL  say: \"don't\"!\n\n  Ünïcode ǅ\u0301 日本語テキスト 한국어 मराठी",
    "a-b--c  the-final--countdown 3.14159 ½² 👩‍👩‍👧 \r\n\t end ",
    " HTTPServer likeThis LIKEThis v2.0/path/\n/x <|endoftext|> x_1 __init__(self): return -1  \n ",
    "▁a ▁▁b\u00a0c\u2003d\u3000e ١٢٣ 𝟙𝟚 ſ'ſ",
]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
BEHAVIOURS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")


def split(pattern: dict[str, str], behaviour: str = "Isolated", invert: bool = False) -> dict[str, Any]:
    return {"type": "Split", "pattern": pattern, "behavior": behaviour, "invert": invert}


PARTS = {
    **{name: split({"Regex": spellings[0]}) for name, spellings in EXPRESSIONS.items()},
    **{
        f"{name} {behaviour} {invert}": split({"Regex": EXPRESSIONS[name][0]}, behaviour, invert)
        for name in ("clip", "spaces")
        for behaviour in BEHAVIOURS
        for invert in (False, True)
    },
    **{
        f"{expression} {behaviour}": split({"Regex": expression}, behaviour, number % 2 == 1)
        for number, behaviour in enumerate(BEHAVIOURS)
        for expression in (r"[^a-z\s]", r"\d{1,2}", "--", r"[\w-]{2,}")
    },
    **{f"string {behaviour}": split({"String": "-"}, behaviour) for behaviour in BEHAVIOURS},
    **{
        f"Punctuation {behaviour}": {"type": "Punctuation", "behavior": behaviour} for behaviour in BEHAVIOURS
    },
    "BertPreTokenizer": {"type": "BertPreTokenizer"},
    "Whitespace": {"type": "Whitespace"},
    "WhitespaceSplit": {"type": "WhitespaceSplit"},
    "Digits": {"type": "Digits", "individual_digits": False},
    "Digits individual": {"type": "Digits", "individual_digits": True},
    "CharDelimiterSplit": {"type": "CharDelimiterSplit", "delimiter": "e"},
    "FixedLength": {"type": "FixedLength", "length": 3},
}


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    rival = hf.Tokenizer(hf.models.BPE())
    rival.pre_tokenizer = hf.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    trainer = hf.trainers.BpeTrainer(
        vocab_size=600, initial_alphabet=hf.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    rival.train_from_iterator(TEXTS * 3, trainer)
    return json.loads(rival.to_str())


def definition(model: dict[str, Any], *parts: dict[str, Any]) -> str:
    steps = {"type": "Sequence", "pretokenizers": [*parts, BYTE_LEVEL]}
    return json.dumps({**model, "pre_tokenizer": steps, "decoder": BYTE_LEVEL})


def load(tmp_path, text: str) -> Tokenizer:
    path = tmp_path / "tokenizer.json"
    path.write_text(text, encoding="utf-8")
    return Tokenizer.load(path)


def nasty_texts() -> list[str]:
    rng = random.Random(5)
    pieces = [*"".join(TEXTS), "'s", "  ", "\r\n", "ABC", "123"]
    return [*TEXTS, *("".join(rng.choices(pieces, k=rng.randint(0, 60))) for _ in range(150))]


def in_bytes(line: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    starts = [len(line[:i].encode()) for i in range(len(line) + 1)]
    return [(starts[begin], starts[end]) for begin, end in offsets]


@pytest.mark.parametrize("name", PARTS)
def test_ids_and_offsets_equal_hugging_face(name, model, tmp_path):
    text = definition(model, PARTS[name])
    ours, rival = load(tmp_path, text), hf.Tokenizer.from_str(text)
    for line in nasty_texts():
        expected = rival.encode(line)
        assert ours.encode(line) == expected.ids
        # The parts of a character are its bytes here, and the whole of it there.
        pairs = zip(ours.offsets(line).tolist(), in_bytes(line, expected.offsets), strict=True)
        assert all(low <= begin < end <= high for (begin, end), (low, high) in pairs)


def test_sequences_cut_the_words_of_the_step_before(model, tmp_path):
    steps = [PARTS["Digits individual"], PARTS["string MergedWithNext"], PARTS["Punctuation Contiguous"]]
    text = definition(model, *steps, PARTS["gpt2"])
    ours, rival = load(tmp_path, text), hf.Tokenizer.from_str(text)
    for line in nasty_texts():
        assert ours.encode(line) == rival.encode(line).ids


def test_unknown_expression_is_an_error_that_shows_it(model, tmp_path):
    with pytest.raises(FormatError, match=r"(?s)\[a-z\]\+x.*\\s\+"):
        load(tmp_path, definition(model, split({"Regex": "[a-z]+x"})))


def test_a_mark_after_a_mark_stands_where_the_text_begins(model, tmp_path):
    """Both words of "#a" have an origin that begins the text, once a mark was put in front of the first."""
    for first, last in (("always", "first"), ("first", "first")):
        steps = [
            {"type": "Metaspace", "replacement": "▁", "prepend_scheme": first, "split": True},
            {"type": "Punctuation", "behavior": "Isolated"},
            {"type": "Metaspace", "replacement": "_", "prepend_scheme": last, "split": False},
        ]
        text = definition(model, *steps)
        ours, rival = load(tmp_path, text), hf.Tokenizer.from_str(text)
        for line in ["#a", "a#", " #", *nasty_texts()]:
            assert ours.encode(line) == rival.encode(line).ids


def byte_level(use_regex: bool) -> dict[str, Any]:
    return {**BYTE_LEVEL, "use_regex": use_regex}


LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PUBLISHED = {
    "GPT-NeoX, OPT, OLMo, Whisper": [byte_level(True)],
    "StarCoder, SmolLM, Command R": [{"type": "Digits", "individual_digits": True}, byte_level(True)],
    "Falcon": [
        {"type": "Punctuation", "behavior": "Contiguous"},
        byte_level(True),
        {"type": "Digits", "individual_digits": False},
        split({"Regex": "[0-9][0-9][0-9]"}),
    ],
    "BLOOM": [split({"Regex": " ?[^(\\s|[.,!?…。，、।۔،])]+"}), byte_level(False)],
    "Viking": [split({"Regex": " ?[^(\\s|.,!?…。，、।۔،)]+"}), split({"Regex": r"\p{N}"}), byte_level(False)],
    "Llama 3, Phi-4": [split({"Regex": LLAMA3}), byte_level(False)],
    "Llama 4, gpt-oss": [split({"Regex": EXPRESSIONS["o200k"][0]}), byte_level(False)],
    "DeepSeek Coder": [
        split({"Regex": "[\r\n]"}),
        split({"Regex": r"\s?\p{L}+"}),
        split({"Regex": r"\s?\p{P}+"}),
        split({"Regex": "[一-龥ࠀ-一가-\ud7ff]+"}),
        {"type": "Digits", "individual_digits": True},
        byte_level(False),
    ],
    "DeepSeek V3": [
        split({"Regex": r"\p{N}{1,3}"}),
        split({"Regex": "[一-龥\u3040-ゟ゠-ヿ]+"}),
        split({"Regex": EXPRESSIONS["deepseek"][0]}),
        byte_level(False),
    ],
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_pre_tokenizers_of_published_models(name, model, tmp_path):
    steps = {"type": "Sequence", "pretokenizers": PUBLISHED[name]}
    text = json.dumps({**model, "pre_tokenizer": steps, "decoder": BYTE_LEVEL})
    ours, rival = load(tmp_path, text), hf.Tokenizer.from_str(text)
    marks = [
        "…",
        "。",
        "，",
        "،",
        "(",
        "|",
        "²³",
        "١٢٣",
        "12345678",
        "\u0301",
        "龥",
        "가",
        "one²two",
        "\ufb00",
    ]
    rng = random.Random(9)
    lines = ["".join(rng.choices([*marks, *TEXTS[0], *TEXTS[1]], k=rng.randint(1, 40))) for _ in range(200)]
    for line in [*nasty_texts(), *lines]:
        expected = rival.encode(line)
        assert ours.encode(line) == expected.ids, line
        pairs = zip(ours.offsets(line).tolist(), in_bytes(line, expected.offsets), strict=True)
        assert all(low <= begin < end <= high for (begin, end), (low, high) in pairs), line


def test_gemma(tmp_path):
    """Spaces become marks before the text is cut behind each of them."""
    letters = [*"▁abcdehlo", "▁▁", "lo", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocab = {token: number for number, token in enumerate(["<unk>", *letters])}
    steps = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    text = json.dumps(
        {
            "version": "1.0",
            "added_tokens": [],
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
            "pre_tokenizer": split({"String": " "}, "MergedWithPrevious"),
            "post_processor": None,
            "decoder": {"type": "Sequence", "decoders": steps},
            "model": {
                "type": "BPE",
                "unk_token": "<unk>",
                "fuse_unk": True,
                "byte_fallback": True,
                "vocab": vocab,
                "merges": [["▁", "▁"], ["l", "o"]],
            },
        }
    )
    ours, rival = load(tmp_path, text), hf.Tokenizer.from_str(text)
    for line in nasty_texts():
        ids = rival.encode(line).ids
        assert ours.encode(line) == ids and ours.decode(ids) == rival.decode(ids)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            {"type": "Punctuation", "behavior": "Isolated"},
            "behind 'ByteLevel' 'Punctuation' is not supported",
        ),
        (BYTE_LEVEL, "behind 'ByteLevel' 'ByteLevel' is not supported"),
        (split({"Regex": r"\s?[a-z]+"}), "'Split' behind 'ByteLevel' is supported by one class"),
        (split({"String": "ab"}), "'Split' behind 'ByteLevel' is supported by one class"),
        (split({"String": "a"}, "Elsewhere"), "behavior 'Elsewhere' is not supported"),
    ],
)
def test_what_is_not_supported_behind_bytes_is_named(part, message, model, tmp_path):
    steps = {"type": "Sequence", "pretokenizers": [BYTE_LEVEL, part]}
    with pytest.raises(FormatError, match=message):
        load(tmp_path, json.dumps({**model, "pre_tokenizer": steps, "decoder": BYTE_LEVEL}))


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
@pytest.mark.parametrize("expression", ["[0-9]+", "[a-zé²Ã]{2}", r"\W", "[^ĠA-Z]+", r"\d"])
def test_bytes_are_cut_as_their_characters(expression, behaviour, model, tmp_path):
    steps = [
        byte_level(behaviour == "Isolated"),
        split({"Regex": expression}, behaviour, expression == r"\d"),
    ]
    text = json.dumps({**model, "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}})
    ours, rival = load(tmp_path, text), hf.Tokenizer.from_str(text)
    for line in nasty_texts()[:60]:
        assert ours.encode(line) == rival.encode(line).ids, line
