from __future__ import annotations

import random
import unicodedata
from pathlib import Path

import pytest

from mmcore import text
from mmcore._load import native
from mmcore.text.reference.normalize import form as reference_form
from mmcore.text.unicode import UNICODE_VERSION

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def hugging_face_edition(string: str, form: str) -> str:
    changed = native().normalize(string.encode(), form, hugging_face=True)
    return string if changed is None else changed.decode()


@pytest.fixture(scope="module")
def strings() -> list[str]:
    """All characters one by one, then short strings of what normalization moves, joins and changes."""
    rng = random.Random(0)
    unstable = [c for c in CODE_POINTS if native().decompose(c, True, True)[2]]
    marks = [c for c in unstable if native().decompose(c, True, False)[0]]
    jamo = [*range(0x1100, 0x1200), *range(0xAC00, 0xAC40)]
    pools = (unstable, marks, jamo, [*map(ord, "aeoA \n日\u0301\u0300\u0327")], CODE_POINTS)
    mixed = [
        "".join(chr(rng.choice(rng.choice(pools))) for _ in range(rng.randint(1, 10))) for _ in range(20000)
    ]
    return [*map(chr, CODE_POINTS), *(string.replace("\n", " ") for string in mixed)]


def expect_equal(strings: list[str], normalize, expected) -> None:
    """Compares line by line: a line feed neither composes nor moves."""
    joined = "\n".join(string for string in strings if string != "\n")
    for string, ours, theirs in zip(
        joined.split("\n"), normalize(joined).split("\n"), expected(joined).split("\n"), strict=True
    ):
        assert ours == theirs, ascii(string)


def parse_test_line(line: str) -> list[str]:
    return ["".join(chr(int(c, 16)) for c in field.split()) for field in line.split(";")[:5]]


def test_every_line_of_the_normalization_test(real_data):
    path = real_data / "text/unicode/NormalizationTest.txt"
    lines = [line for line in path.read_text("utf-8").splitlines() if line and line[0] not in "#@"]
    assert len(lines) == 18992
    for line in lines:
        source, nfc, nfd, nfkc, nfkd = parse_test_line(line)
        for column in (source, nfc, nfd):
            assert (text.normalize(column, "NFC"), text.normalize(column, "NFD")) == (nfc, nfd), line
        for column in (nfkc, nfkd):
            assert (text.normalize(column, "NFC"), text.normalize(column, "NFD")) == (nfkc, nfkd), line
        for column in (source, nfc, nfd, nfkc, nfkd):
            assert (text.normalize(column, "NFKC"), text.normalize(column, "NFKD")) == (nfkc, nfkd), line


@pytest.mark.parametrize("form", FORMS)
def test_code_points_and_strings_as_python_normalizes_them(form, strings):
    if unicodedata.unidata_version != UNICODE_VERSION:
        pytest.skip(f"needs a Python with Unicode {UNICODE_VERSION}, has {unicodedata.unidata_version}")
    expect_equal(strings, lambda s: text.normalize(s, form), lambda s: unicodedata.normalize(form, s))


@pytest.mark.parametrize("form", FORMS)
def test_code_points_and_strings_as_hugging_face_normalizes_them(form, strings):
    expected = getattr(pytest.importorskip("tokenizers").normalizers, form)()
    expect_equal(strings, lambda s: hugging_face_edition(s, form), expected.normalize_str)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hugging_face", [True, False])
def test_equals_the_reference(form, hugging_face, strings):
    for string in strings[-1500:]:
        changed = native().normalize(string.encode(), form, hugging_face)
        expected = reference_form(string, form, hugging_face)
        assert (string if changed is None else changed.decode()) == expected, ascii(string)


def test_a_normalized_text_is_returned_itself():
    string = "Tschüß, 日本 한국"
    assert text.normalize(string, "NFC") is string
    assert text.normalize("", "NFKD") == ""


def test_surrogate_pairs_are_joined_and_lone_ones_replaced():
    assert text.normalize("\ud835\udc9c e\u0301 \udc00", "NFKC") == "A é \ufffd"


@pytest.mark.parametrize("count", [10, 100_000])
def test_many_marks_are_ordered(count):
    string = "a" + "\u0301\u0323" * count
    assert text.normalize(string, "NFD") == "a" + "\u0323" * count + "\u0301" * count
    assert text.normalize(string, "NFC") == "\u1ea1" + "\u0323" * (count - 1) + "\u0301" * count


def test_unknown_form_is_named():
    with pytest.raises(ValueError, match="form must be 'NFC', 'NFD', 'NFKC' or 'NFKD', got 'NFX'"):
        text.normalize("a", "NFX")


def test_bytes_are_refused():
    with pytest.raises(TypeError, match="text must be a str, got bytes; decode bytes first"):
        text.normalize(b"a", "NFC")


def test_every_difference_between_the_editions_is_in_the_docs():
    listed = (Path(__file__).parents[2] / "docs" / "unicode_differences.md").read_text("utf-8")
    for c in CODE_POINTS:
        for compatibility in (False, True):
            ours, theirs = (native().decompose(c, compatibility, edition)[:2] for edition in (False, True))
            assert ours == theirs or f"U+{c:04X}" in listed, hex(c)
