"""The splitters against their plain twins, Hugging Face tokenizers, tiktoken and the regex module."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmcore._load import native
from mmcore.errors import FormatError
from mmcore.text.patterns import EXPRESSIONS, NAMES, TIKTOKEN_ONLY, pattern_number
from mmcore.text.reference import split as reference

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
pre = hf.pre_tokenizers
BEHAVIOURS = reference.BEHAVIOURS
SNAKE = ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous")
CODE_POINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
# What the patterns tell apart, and a few characters that they might take for it.
NASTY = (
    "sStTrReEvVmMlLdDaZ09  \t\n\r\x0b\x1c\x85\u00a0\u2003\u3000'’_-.,!/<|>▁"
    "éÉßſıİǅʰªﬁ\u0301\u0327\u0903\u20ddйЖ日本あ한ไ๓²½Ⅷ٣𝒜𝟙👩\u200d🏽\ufeff\x00\u0378\ue000\U00010d40\U0010ffff"
)
WORDS = ("'s", "'LL", "'ſ", "'re", "\r\n", "  ", "<|endoftext|>", "<|startoftext|>", "ABC", "abc", "1234")
PIECES = [*NASTY, *WORDS]
TEXT = st.lists(
    st.one_of(st.sampled_from(PIECES), st.characters(exclude_categories=["Cs"])), max_size=30
).map("".join)
# Around each code point, many of which go into one text.
CONTEXTS = ("{}", "a{}b ", " {}A\n", "'{} 1", "ſA'{0}1{0}\r\n ", "{0}{0}a's  ", "'l{}'{}e\n")

Spans = list[tuple[int, int]]
Cutter = Callable[[str], Spans]


def ours(splitter: Any) -> Cutter:
    def cut(text: str) -> Spans:
        starts = [0, *itertools.accumulate(len(char.encode()) for char in text)]
        place = {byte: i for i, byte in enumerate(starts)}
        return [(place[begin], place[end]) for begin, end in splitter.split(text).tolist()]

    return cut


def theirs(pre_tokenizer: Any) -> Cutter:
    return lambda text: [span for _, span in pre_tokenizer.pre_tokenize_str(text)]


def pattern_case(name: str) -> tuple[Any, Any, Cutter]:
    rival = pre.Split(hf.Regex(EXPRESSIONS[name][0]), "isolated")
    splitter = native().Splitter.pattern(NAMES.index(name), 1, False)
    return splitter, rival, lambda text: reference.split_pattern(name, text, "Isolated")


def case(name: str) -> tuple[Any, Any, Cutter]:
    """(our splitter, the rival's, the plain twin)"""
    if name in EXPRESSIONS:
        return pattern_case(name)
    kind, _, option = name.partition(" ")
    make = native().Splitter
    twins: dict[str, Callable[[], tuple[Any, Any, Cutter]]] = {
        "ByteLevel": lambda: (
            make.pattern(0, 1, False),
            pre.ByteLevel(add_prefix_space=False),
            lambda text: reference.split_pattern("gpt2", text, "Isolated"),
        ),
        "Whitespace": lambda: (make.whitespace(), pre.Whitespace(), reference.split_whitespace),
        "WhitespaceSplit": lambda: (
            make.on_whitespace(),
            pre.WhitespaceSplit(),
            reference.split_on_whitespace,
        ),
        "Punctuation": lambda: (
            make.punctuation(BEHAVIOURS.index(option)),
            pre.Punctuation(SNAKE[BEHAVIOURS.index(option)]),
            lambda text: reference.split_punctuation(text, option),
        ),
        "Digits": lambda: (
            make.digits(option == "individual"),
            pre.Digits(individual_digits=option == "individual"),
            lambda text: reference.split_digits(text, option == "individual"),
        ),
        "BertPreTokenizer": lambda: (make.bert(), pre.BertPreTokenizer(), reference.split_bert),
        "Metaspace": lambda: (
            make.literal("▁", 3, False),
            pre.Split("▁", "merged_with_next"),
            lambda text: reference.split_literal("▁", text, "MergedWithNext"),
        ),
        "FixedLength": lambda: (
            make.fixed_length(int(option)),
            pre.FixedLength(int(option)),
            lambda text: reference.split_fixed_length(text, int(option)),
        ),
        "CharDelimiterSplit": lambda: (
            make.literal(option, 0, False),
            pre.CharDelimiterSplit(option),
            lambda text: reference.split_literal(option, text, "Removed"),
        ),
    }
    return twins[kind]()


CASES = [
    *NAMES,
    "ByteLevel",
    "Whitespace",
    "WhitespaceSplit",
    *(f"Punctuation {behaviour}" for behaviour in BEHAVIOURS),
    "Digits individual",
    "Digits together",
    "BertPreTokenizer",
    "Metaspace",
    "FixedLength 3",
    "CharDelimiterSplit a",
]


@pytest.fixture(scope="module", params=CASES)
def trio(request) -> tuple[Cutter, Cutter, Cutter]:
    splitter, rival, twin = case(request.param)
    return ours(splitter), theirs(rival), twin


def random_texts(seed: int, count: int, size: int) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices(PIECES, k=rng.randint(1, size))) for _ in range(count)]


def texts_of_code_points(code_points: list[str], contexts: tuple[str, ...] = CONTEXTS) -> Iterator[str]:
    for context in contexts:
        for i in range(0, len(code_points), 500):
            yield "".join(context.format(char, char) for char in code_points[i : i + 500])


def same(cut: Cutter, rival: Cutter, texts: Iterator[str] | list[str]) -> None:
    differing = [text for text in texts if cut(text) != rival(text)]
    assert differing == []


def test_nasty_texts_equal_the_twin_and_the_rival(trio):
    cut, rival, twin = trio
    texts = random_texts(1, 300, 25)
    same(cut, twin, texts)
    same(cut, rival, [*texts, *random_texts(2, 20, 2000), "", "\n", " ", "'"])


@settings(max_examples=60, deadline=None)
@given(text=TEXT)
def test_any_text_equals_the_twin_and_the_rival(trio, text):
    cut, rival, twin = trio
    assert cut(text) == twin(text) == rival(text)


def test_code_points_equal_the_rival(trio):
    cut, rival, _ = trio
    same(cut, rival, texts_of_code_points(CODE_POINTS[:0x3400:3] + CODE_POINTS[0x3400::313]))


@pytest.mark.slow
def test_all_code_points_equal_the_rival(trio):
    cut, rival, _ = trio
    same(cut, rival, texts_of_code_points(CODE_POINTS))


def test_real_texts_equal_the_rival(trio, real_data: Path):
    cut, rival, _ = trio
    folder = real_data / "text"
    paths = [*folder.glob("corpora/*.txt"), *folder.glob("udhr/*.txt"), *folder.glob("unicode/*")]
    texts = [path.read_bytes()[:12_000].decode("utf-8", "replace") for path in paths if path.is_file()]
    same(cut, rival, texts)


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("behaviour", range(5))
def test_behaviours_equal_the_twin_and_the_rival(behaviour, invert):
    patterns = ["clip", "spaces", "digit", "gpt2"]
    for name in patterns:
        cut = ours(native().Splitter.pattern(NAMES.index(name), behaviour, invert))
        rival = theirs(pre.Split(hf.Regex(EXPRESSIONS[name][0]), SNAKE[behaviour], invert))
        texts = ["a  1 2b", "  ", "12  ", " 12", "it's", *random_texts(3, 100, 20)]
        same(cut, rival, texts)
        twin = [reference.split_pattern(name, text, BEHAVIOURS[behaviour], invert) for text in texts]
        assert [cut(text) for text in texts] == twin, name
    for literal in ["-", "ab", "日本", "a.", "'s"]:
        cut = ours(native().Splitter.literal(literal, behaviour, invert))
        texts = [
            "-",
            "the-final--countdown---",
            "--",
            "ababaab",
            "日本日日本",
            "a.b a..a",
            *random_texts(4, 100, 20),
        ]
        same(cut, theirs(pre.Split(literal, SNAKE[behaviour], invert)), texts)
        for text in texts:
            assert cut(text) == reference.split_literal(literal, text, BEHAVIOURS[behaviour], invert)


@pytest.mark.parametrize("name", [name for name in NAMES if len(EXPRESSIONS[name]) > 1])
def test_spellings_of_a_pattern_mean_the_same(name):
    cut = ours(native().Splitter.pattern(NAMES.index(name), 1, False))
    for expression in EXPRESSIONS[name][1:]:
        rival = theirs(pre.Split(hf.Regex(expression), "isolated"))
        same(cut, rival, [*random_texts(5, 200, 30), *random_texts(6, 10, 2000)])


def test_patterns_mean_the_same_to_the_regex_module():
    regex = pytest.importorskip("regex", reason="needs the regex module (extra: test)")
    old = "\U00010d40"  # A letter since Unicode 16: the module may follow another version.
    for name in NAMES:
        cut = ours(native().Splitter.pattern(NAMES.index(name), 0, True))
        for expression in EXPRESSIONS[name]:
            if name in ("cl100k_oniguruma", "kimi"):
                continue  # `{1,3}+` is possessive there, and `&&` are two letters.
            find = regex.compile(expression).finditer
            texts = [text.replace(old, "") for text in random_texts(7, 200, 30)]
            same(cut, lambda text, find=find: [match.span() for match in find(text)], texts)


def tiktoken_words(expression: str, texts: list[str]) -> list[list[bytes]]:
    """The words that tiktoken cuts: with every part of the texts in the vocabulary each word is one token."""
    tiktoken = pytest.importorskip("tiktoken", reason="needs tiktoken (extra: test)")
    parts = {bytes([i]) for i in range(256)}
    for text in map(str.encode, texts):
        parts |= {text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1)}
    ranks = {part: i for i, part in enumerate(sorted(parts, key=len))}
    encoding = tiktoken.Encoding("any", pat_str=expression, mergeable_ranks=ranks, special_tokens={})
    return [encoding.decode_tokens_bytes(encoding.encode_ordinary(text)) for text in texts]


@pytest.mark.parametrize(
    "expression",
    [*TIKTOKEN_ONLY, *itertools.chain(*EXPRESSIONS.values())],
    ids=lambda expression: NAMES[pattern_number(expression)],
)
def test_tiktoken_cuts_the_same_words(expression):
    number = pattern_number(expression, tiktoken=True)
    splitter = native().Splitter.pattern(number, 0, True)
    texts = ["a \n ", "a1234 12345", " \n\n  ", *random_texts(8, 150, 12), *random_texts(9, 150, 6)]
    expected = [[text.encode()[i:j] for i, j in splitter.split(text).tolist()] for text in texts]
    assert tiktoken_words(expression, texts) == expected


@pytest.mark.parametrize("behaviour", ["5", "-1"])
def test_unknown_expression_is_shown_with_those_that_are_supported(behaviour):
    with pytest.raises(FormatError, match=r"(?s)\[a-z\]\+" + behaviour + r".*\\s\+"):
        pattern_number("[a-z]+" + behaviour)


def test_numbers_of_patterns_follow_their_names():
    for name, spellings in EXPRESSIONS.items():
        for spelling in spellings:
            assert NAMES[pattern_number(spelling)] == name
            assert NAMES[pattern_number(spelling, tiktoken=True)] == TIKTOKEN_ONLY.get(spelling, name)


def test_splitters_refuse_what_has_no_meaning():
    make = native().Splitter
    with pytest.raises(ValueError, match="must not be empty"):
        make.literal("", 0, False)
    with pytest.raises(ValueError, match="at least 1"):
        make.fixed_length(0)
    with pytest.raises(ValueError, match="unknown pattern"):
        make.pattern(len(NAMES), 0, False)
    with pytest.raises(ValueError, match="behaviour is 0 to 4"):
        make.punctuation(5)
    with pytest.raises(ValueError, match="0x10FFFF"):
        native().word_classes(0x110000)
