"""Pre-tokenizers in plain Python: each pattern is written down part by part and matched with backtracking.

Nothing here knows how the native scanners work; what the two share is only the table of the classes of
characters (`native().word_classes`), which is measured from the rivals.

Source: the patterns are those of GPT-2 (Radford et al., 2019), CLIP (Radford et al., 2021, arXiv:2103.00020),
tiktoken's cl100k and o200k, Llama 3 (arXiv:2407.21783), Qwen 2 (arXiv:2407.10671) and Mistral's Tekken, as their
published tokenizer.json files spell them.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Callable, Iterable, Iterator, Sequence

from mmcore._load import native
from mmcore.text.spec.code_points import Ranges, named
from mmcore.text.spec.regex import Run

LETTER, NUMBER, SPACE, UPPER, LOWER, NEWLINE, WORD, NUMERIC, SYMBOL = (1 << bit for bit in range(9))
MARK_OR_LETTER = UPPER | LOWER
PUNCTUATION = 32  # of native().code_point
BEHAVIOURS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")

Test = Callable[[str], bool]
Span = tuple[int, int]
# From the place where it begins, all places where a part of a pattern may end: the preferred first.
Part = Callable[[str, int], Iterable[int]]


def of(classes: int) -> Test:
    """Accepts characters that have one of the classes."""
    return lambda char: native().word_classes(ord(char)) & classes != 0


def none_of(classes: int) -> Test:
    """Accepts characters that have none of the classes."""
    return lambda char: native().word_classes(ord(char)) & classes == 0


def some(test: Test, least: int = 1, most: int | None = None) -> Part:
    """`{least,most}` characters that the test accepts, as many as there are."""

    def ends(text: str, at: int) -> Iterable[int]:
        limit = len(text) if most is None else min(len(text), at + most)
        accepted = itertools.takewhile(lambda i: test(text[i]), range(at, limit))
        return range(at + sum(1 for _ in accepted), at + least - 1, -1)

    return ends


def maybe(test: Test) -> Part:
    """`?`"""
    return some(test, 0, 1)


def spelled(word: str, any_case: bool = False) -> list[Part]:
    """The word itself, with `(?i:...)` in any case."""
    if any_case:
        return [some(lambda char, c=c: char.casefold() == c, 1, 1) for c in word]  # type: ignore[misc]
    return [some(lambda char, c=c: char == c, 1, 1) for c in word]  # type: ignore[misc]


def either(*alternatives: list[Part]) -> Part:
    """`a|b|...`"""
    return lambda text, at: itertools.chain.from_iterable(ends(parts, text, at) for parts in alternatives)


def not_before(test: Test) -> Part:
    """`(?!...)` of one character."""
    return lambda text, at: [] if at < len(text) and test(text[at]) else [at]


def ends(parts: Sequence[Part], text: str, at: int) -> Iterator[int]:
    """All places where the parts, one behind the other, may end: the preferred first."""
    if not parts:
        yield at
        return
    for end in parts[0](text, at):
        yield from ends(parts[1:], text, end)


SPACES = [some(of(SPACE))]
SPACES_BEFORE_MORE = [some(of(SPACE)), not_before(none_of(SPACE))]  # \s+(?!\S)
TO_LINE_END = [some(of(SPACE), 0), some(of(NEWLINE))]  # \s*[\r\n]+
SPACES_TO_END = [some(of(SPACE)), not_before(lambda _: True)]  # \s++$
CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")
PREFIX = maybe(none_of(LETTER | NUMBER | NEWLINE))
BLANK = maybe(lambda char: char == " ")
SYMBOLS = none_of(LETTER | NUMBER | SPACE)
NAMES = ("<|startoftext|>", "<|endoftext|>")


def contractions(any_case: bool) -> list[list[Part]]:
    return [spelled(word, any_case) for word in CONTRACTIONS]


def lines(
    letters: int, digits: int | None, trailing: str = "\r\n", first: Sequence[list[Part]] = ()
) -> list[list[Part]]:
    """What cl100k and its heirs have behind their words."""
    return [
        [some(of(NUMBER), 1, digits)],
        [BLANK, some(none_of(letters | NUMBER | SPACE)), some(lambda char: char in trailing, 0)],
        *first,
        TO_LINE_END,
        SPACES_BEFORE_MORE,
        SPACES,
    ]


def uncased(letters: int, digits: int | None, first: Sequence[list[Part]] = ()) -> list[list[Part]]:
    words = [PREFIX, some(of(letters))]
    return [*contractions(any_case=True), words, *lines(letters, digits, first=first)]


def cased(digits: int, tail: list[Part]) -> list[list[Part]]:
    return [
        [PREFIX, some(of(UPPER), 0), some(of(LOWER)), *tail],
        [PREFIX, some(of(UPPER)), some(of(LOWER), 0), *tail],
        *lines(LETTER, digits, "\r\n/"),
    ]


def without_han(classes: int) -> Test:
    """Accepts characters that have one of the classes and are no Chinese ones."""
    return lambda char: of(classes)(char) and not is_han(char)


def is_han(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in named("Han") or ())


def clip(names: Sequence[str]) -> list[list[Part]]:
    return [
        *map(spelled, names),
        *contractions(any_case=False),
        [some(of(LETTER))],
        [some(of(NUMBER), 1, 1)],
        [some(SYMBOLS)],
    ]


PATTERNS: dict[str, list[list[Part]]] = {
    "gpt2": [
        *contractions(any_case=False),
        [BLANK, some(of(LETTER))],
        [BLANK, some(of(NUMBER))],
        [BLANK, some(SYMBOLS)],
        SPACES_BEFORE_MORE,
        SPACES,
    ],
    "clip": clip(()),
    "clip_with_names": clip(NAMES),
    "cl100k": uncased(LETTER, 3),
    "cl100k_tiktoken": uncased(LETTER, 3, first=[SPACES_TO_END]),
    "cl100k_oniguruma": uncased(LETTER, None, first=[SPACES_TO_END]),
    "qwen2": uncased(LETTER, 1),
    "qwen35": uncased(MARK_OR_LETTER, 1),
    "o200k": cased(3, [either(*contractions(any_case=True), [])]),
    "tekken": cased(1, []),
    "spaces": [SPACES],
    "digit_groups": [[some(of(NUMBER), 1, 3)]],
    "digit": [[some(of(NUMBER), 1, 1)]],
    "deepseek": [
        [
            some(lambda char: char in string.punctuation, 1, 1),
            some(lambda char: char in string.ascii_letters),
        ],
        [maybe(none_of(LETTER | SYMBOL | NEWLINE)), some(of(MARK_OR_LETTER))],
        [BLANK, some(of(SYMBOL)), some(of(NEWLINE), 0)],
        TO_LINE_END,
        SPACES_BEFORE_MORE,
        SPACES,
    ],
    "cjk": [[some(lambda char: "\u4e00" <= char <= "\u9fa5" or "\u3040" <= char <= "\u30ff")]],
    "kimi": [
        [some(is_han)],
        [
            PREFIX,
            some(without_han(UPPER), 0),
            some(without_han(LOWER)),
            either(*contractions(any_case=True), []),
        ],
        [
            PREFIX,
            some(without_han(UPPER)),
            some(without_han(LOWER), 0),
            either(*contractions(any_case=True), []),
        ],
        *lines(LETTER, 3),
    ],
}
"""The alternatives of each known pattern, in the order of their numbers in a specification."""


def find(alternatives: Sequence[list[Part]], text: str) -> Iterator[Span]:
    """The matches of a pattern that never matches nothing, from left to right."""
    at = 0
    while at < len(text):
        end = next(either(*alternatives)(text, at).__iter__(), at)
        if end > at:
            yield at, end
        at = max(end, at + 1)


def find_runs(run: Run, text: str) -> Iterator[Span]:
    """The matches of one class of characters, before which one of another class may stand."""

    def of_ranges(ranges: Ranges) -> Test:
        return lambda char: any(first <= ord(char) <= last for first, last in ranges)

    before = [] if run.before is None else [maybe(of_ranges(run.before))]
    return find([[*before, some(of_ranges(run.ranges), run.least, run.most)]], text)


def find_literal(literal: str, text: str) -> Iterator[Span]:
    """The places of a string that is not empty, from left to right, none over another."""
    at = text.find(literal)
    while at >= 0:
        yield at, at + len(literal)
        at = text.find(literal, at + len(literal))


def split(text: str, matches: Iterable[Span], behaviour: str, invert: bool = False) -> list[Span]:
    """What becomes of the matches of a pattern and of the text between them: the words.

    Args:
        text: any text.
        matches: spans of characters in it, in order.
        behaviour: one of `BEHAVIOURS`.
        invert: takes what lies between the matches for the matches, and them for it.
    """
    parts: list[tuple[Span, bool]] = []
    at = 0
    for begin, end in [*matches, (len(text), len(text))]:
        parts += [((at, begin), invert), ((begin, end), not invert)]
        at = end
    parts = [(span, match) for span, match in parts if span[0] < span[1]]
    if behaviour == "Removed":
        return [span for span, match in parts if not match]
    groups: list[list[tuple[Span, bool]]] = []
    for part in parts:
        if groups and _joins(groups[-1][-1][1], part[1], behaviour):
            groups[-1].append(part)
        else:
            groups.append([part])
    return [(group[0][0][0], group[-1][0][1]) for group in groups]


def _joins(previous: bool, match: bool, behaviour: str) -> bool:
    return {
        "Isolated": False,
        "MergedWithPrevious": match and not previous,
        "MergedWithNext": previous and not match,
        "Contiguous": match == previous,
    }[behaviour]


def split_pattern(name: str, text: str, behaviour: str, invert: bool = False) -> list[Span]:
    """`Split` with the known pattern of that name."""
    return split(text, find(PATTERNS[name], text), behaviour, invert)


def split_literal(literal: str, text: str, behaviour: str, invert: bool = False) -> list[Span]:
    """`Split` with a string; with "▁" and "MergedWithNext" what `Metaspace` cuts."""
    return split(text, find_literal(literal, text), behaviour, invert)


def split_whitespace(text: str) -> list[Span]:
    r"""`Whitespace`: `\w+|[^\w\s]+`."""
    words = [[some(of(WORD))], [some(none_of(WORD | SPACE))]]
    return split(text, find(words, text), "Removed", invert=True)


def split_on_whitespace(text: str) -> list[Span]:
    """`WhitespaceSplit`"""
    return split(text, find([SPACES], text), "Removed")


def split_punctuation(text: str, behaviour: str) -> list[Span]:
    """`Punctuation`"""
    return split(text, find([[some(is_punctuation, 1, 1)]], text), behaviour)


def split_digits(text: str, individual: bool) -> list[Span]:
    """`Digits`"""
    matches = find([[some(of(NUMERIC), 1, 1)]], text)
    return split(text, matches, "Isolated" if individual else "Contiguous")


def split_bert(text: str) -> list[Span]:
    """`BertPreTokenizer`: white space is dropped, punctuation stands alone."""
    return [
        (begin + first, begin + last)
        for begin, end in split_on_whitespace(text)
        for first, last in split_punctuation(text[begin:end], "Isolated")
    ]


def split_fixed_length(text: str, length: int) -> list[Span]:
    """`FixedLength`"""
    return [(at, min(at + length, len(text))) for at in range(0, len(text), length)]


def is_punctuation(char: str) -> bool:
    return native().code_point(ord(char))[0] & PUNCTUATION != 0
