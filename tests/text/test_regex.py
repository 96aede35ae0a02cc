"""Regular expressions of one class of characters: what they find is what Hugging Face finds, or they are not read."""

from __future__ import annotations

import itertools
import random

import pytest

from mmcore._load import native
from mmcore.text.reference import split as reference
from mmcore.text.spec import regex
from mmcore.text.spec.code_points import complement, named, union

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
READ = [
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]\^_`{|}~]""",  # SigLIP's.
    *(r"\s", r"\d", r"\w", r"\S", r"\D", r"\W", r"\p{L}", r"\p{N}", r"\p{Nd}", r"\p{M}", r"\P{L}", r"\P{M}"),
    *(
        ".",
        "[.]",
        "[^.]",
        r"[^\s]",
        r"[^\W]",
        r"[\D\s]",
        r"[^\p{L}\p{N}]",
        "[a-zá-ü]",
        "[--/]",
        "[-a]",
        "[a-]",
        "[^-]",
    ),
    *(r"\p{P}", r"\p{S}", r"[\p{Han}]", r"[^\p{P}]", "[a[b-d]é]", "[^a[^b-z]]", r"[\w[.,!?]]"),
    *("[+*?(){}|$]", "[a^]", r"[\^a]", "[,-]", r"[\w-]", r"[\n-\r]", r"[\x41-\x{1F600}]", r"[\u3040-\u30ff]"),
]
COUNTS = ("", "+", "{2}", "{2,}", "{1,3}", "{3,3}")
PREFIXED = [
    " ?[^(\\s|[.,!?…。，、।۔،])]+",  # BLOOM's.
    *("[0-9][0-9][0-9]", r"\d\d", r"\s?\p{L}+", r"\s?\p{P}+", r" ?\p{N}{1,3}"),
    *(r"[\w']?[a-z']+", "a?a", r".?\s+", r"[^\r\n]?\w{1,2}"),
]
UNREAD = [
    *("a|b", "(a)", "a*", "^a", "a$", r"\b", r"\B", r"\A", r"\z", r"\h", r"\R"),
    *(r"\p{^L}", r"\p{s}", r"\x{110000}", r"\x{D800}"),
    *("[]", "[]a]", "[^]", "[a", "[[:alpha:]]", "[a[b[c]]]", "[a&&b]"),
    *("[b-a]", r"[a-\d]", r"[\d-a]", "[a-c-e]", r"[\h]"),
    *("a++", "a+?", "a{2}+", "a{2,}?", "a{,2}", "a{0,2}", "a{3,2}", "a{"),
    *("ab+", "[a][b]", r"\s\d", "", "a?", "a?b?c", "a?b{2}", "a?b*"),
    *("\\", "]", "}", "{"),
    *(r"\M-a", r"\c", r"(?i)a", r"\k<a>", r"\pL", r"\1", r"\x80", r"\xe9", r"\p{Hira}"),
]  # fmt: skip
BITS = [
    *"abzAZ09_-^][.,+*?{}()|$&! \n\t",
    "é",
    "ß",
    "日",
    "²",
    "\u200d",
    r"\s",
    r"\d",
    r"\w",
    r"\W",
    r"\S",
    r"\D",
]
BITS += [
    r"\]",
    r"\[",
    r"\-",
    r"\^",
    r"\\",
    r"\.",
    r"\n",
    r"\x41",
    r"\p{L}",
    r"\P{N}",
    "a-f",
    "0-9",
    "&&",
    "[:",
    ":]",
]
UNITS = [
    *"abfzAZ059_-^][.,+*?{}()|$&! \n\t\r",
    "é",
    "ß",
    "日",
    "²",
    "\u200d",
    "٣",
    "\u0301",
    "Ⅷ",
    "  ",
    "aa",
    "12",
]


def theirs(expression: str, text: str) -> list[tuple[int, int]]:
    """The matches that are not empty."""
    cut = hf.pre_tokenizers.Split(hf.Regex(expression), "removed", invert=True)
    return [span for _, span in cut.pre_tokenize_str(text)]


def ours(expression: str, text: str) -> list[tuple[int, int]]:
    found = regex.read(expression)
    if isinstance(found, str):
        cut = native().Splitter.literal(found, 0, True)
    elif found.before is not None:
        cut = native().Splitter.prefixed_runs(found.before, found.ranges, found.most or 0, 0, True)
    else:
        cut = native().Splitter.set_runs(found.ranges, found.least, found.most or 0, 0, True)
    starts = [0, *itertools.accumulate(len(char.encode()) for char in text)]
    place = {byte: i for i, byte in enumerate(starts)}
    return [(place[begin], place[end]) for begin, end in cut.split(text).tolist()]


def removed(expression: str, text: str) -> tuple[str, str]:
    """What is left of a text without the matches, here and there."""
    run = regex.read(expression)
    assert isinstance(run, regex.Run)
    step = native().Normalizer.replace_set(run.ranges, run.least, run.most or 0, "")
    rival = hf.normalizers.Replace(hf.Regex(expression), "")
    return step.normalize(text.encode()).decode(), rival.normalize_str(text)


def edges() -> str:
    """Code points at the ends of all named classes, and all of the first planes' scripts."""
    ends = {c for name in ("s", "d", "w", "L", "N", "M") for pair in named(name) or () for c in pair}
    around = {c + step for c in ends for step in (-1, 0, 1)}
    return "".join(map(chr, sorted((around | {*range(0x3100)}) & {*CODE_POINTS})))


def test_a_class_has_the_code_points_that_hugging_face_finds():
    text = edges()
    for expression in READ:
        left, expected = removed(expression, text)
        assert left == expected, expression


@pytest.mark.slow
@pytest.mark.parametrize("expression", READ)
def test_a_class_has_all_code_points_that_hugging_face_finds(expression):
    left, expected = removed(expression, "".join(map(chr, CODE_POINTS)))
    assert left == expected


@pytest.mark.parametrize("count", COUNTS)
def test_runs_of_a_class_are_those_of_hugging_face_and_of_the_twin(count):
    rng = random.Random(4)
    for unit in READ:
        for _ in range(12):
            text = "".join(rng.choices(UNITS, k=rng.randint(0, 30)))
            spans = ours(unit + count, text)
            assert spans == theirs(unit + count, text), (unit, text)
            run = regex.read(unit + count)
            assert isinstance(run, regex.Run) and spans == list(reference.find_runs(run, text))


@pytest.mark.parametrize("expression", PREFIXED)
def test_a_character_before_a_run_belongs_to_it(expression):
    rng = random.Random(6)
    run = regex.read(expression)
    assert isinstance(run, regex.Run)
    for _ in range(150):
        text = "".join(rng.choices([*UNITS, "…", "،", "'"], k=rng.randint(0, 30)))
        assert ours(expression, text) == theirs(expression, text) == list(reference.find_runs(run, text))


def test_plain_strings_are_read_without_their_escapes():
    for expression, text in (
        (r"\.\.\.", "..."),
        ("ab é", "ab é"),
        (r"\n\t\x41\u00e9", "\n\tAé"),
        (r"\(\[", "(["),
    ):
        assert regex.read(expression) == text
        assert ours(expression, f"a{text}b{text}") == theirs(expression, f"a{text}b{text}")


@pytest.mark.parametrize("expression", UNREAD)
def test_what_has_another_form_is_not_read(expression):
    assert regex.read(expression) is None


def test_whatever_is_read_finds_what_hugging_face_finds():
    rng = random.Random(1)
    read = 0
    for _ in range(6000):
        inside = "".join(rng.choices(BITS, k=rng.randint(1, 5)))
        expression = rng.choice([inside, f"[{inside}]", f"[^{inside}]", f"[^[{inside}]a]"]) + rng.choice(
            COUNTS
        )
        expression = rng.choice(["", "", " ?", f"[{inside}]?", r"\s?"]) + expression
        if regex.read(expression) is None:
            continue
        read += 1
        for _ in range(4):
            text = "".join(rng.choices(UNITS, k=rng.randint(1, 20)))
            assert ours(expression, text) == theirs(expression, text), (expression, text)
    assert read > 2000


def test_sets_of_code_points():
    assert complement(complement(((3, 9),))) == ((3, 9),) and complement(()) == ((0, 0x10FFFF),)
    assert union([]) == () and named("Zs") is None
    with pytest.raises(ValueError, match="range 1 of a set of characters, 2 to 9, must be"):
        native().Splitter.set_runs([(1, 2), (2, 9)], 1, 0, 0, False)
    with pytest.raises(ValueError, match="at least 1 character"):
        native().Normalizer.replace_set([(1, 2)], 0, 0, "")
