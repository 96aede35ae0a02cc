"""The normalizers of a tokenizer.json against Hugging Face tokenizers and their plain twins."""

from __future__ import annotations

import base64
import json
import random
import resource
import struct
from typing import Any

import charsmaps
import numpy as np
import pytest

from mmcore._load import native
from mmcore.errors import FormatError, LimitError
from mmcore.text import Tokenizer
from mmcore.text.reference.normalize import apply_normalizer
from mmcore.text.spec import regex

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
SMALL_MAP = charsmaps.build({"a": "bc"})  # Enough where there is no real data.
CASES: dict[str, dict[str, Any]] = {
    **{form: {"type": form} for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt")},
    "Strip": {"type": "Strip", "strip_left": True, "strip_right": True},
    "Strip left": {"type": "Strip", "strip_left": True, "strip_right": False},
    "Strip right": {"type": "Strip", "strip_left": False, "strip_right": True},
    "Strip nothing": {"type": "Strip", "strip_left": False, "strip_right": False},
    "Prepend": {"type": "Prepend", "prepend": "▁"},
    "Prepend text": {"type": "Prepend", "prepend": "é日x"},
    "Replace space": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    "Replace pair": {"type": "Replace", "pattern": {"String": "aa"}, "content": "a"},
    "Replace away": {"type": "Replace", "pattern": {"String": "e\u0301"}, "content": ""},
    r"Replace \s+": {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
    r"Replace \s+ away": {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": ""},
    **{
        f"Replace {expression}": {"type": "Replace", "pattern": {"Regex": expression}, "content": content}
        for expression, content in (
            (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]\^_`{|}~]""", ""),
            (r"[^\p{L}\s]+", "é"),
            (r"\W{2,3}", " "),
            ("\\.\\.", "…"),
            ("[á-ü\u3040-\u30ff]{2}", "ab"),
        )
    },
    "Replace {2,}": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    "Replace {2,} by ▁": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"},
    **{
        f"Bert {clean:d}{ideographs:d}{strip}{lower:d}": {
            "type": "BertNormalizer",
            "clean_text": clean,
            "handle_chinese_chars": ideographs,
            "strip_accents": strip,
            "lowercase": lower,
        }
        for clean, ideographs, strip, lower in (
            (True, True, None, True),
            (True, True, None, False),
            (True, True, False, True),
            (True, False, False, False),
            (False, True, False, False),
            (False, False, True, False),
        )
    },
    "Precompiled": {
        "type": "Precompiled",
        "precompiled_charsmap": base64.b64encode(SMALL_MAP).decode(),
    },
    "Precompiled rules": {
        "type": "Precompiled",
        "precompiled_charsmap": base64.b64encode(charsmaps.build(charsmaps.RULES)).decode(),
    },
}
POOLS = (
    "  \t\n\r\u00a0\u2003\u3000\u200b\u1680\u2581\ufeff\ufffd\x00\x01\x1c\x7f\x85\u2028",
    "aabeAZ019.-é",
    "ÅßſıİΣςǅﬁ①㌀Ａ½²Ⅷ",
    "\u0301\u0300\u0323\u0327\u0345\u093c\u20dd\u0903\u0f71\u0f72",
    "日本語한국가각각䷀𠀀",
    "\u200d\ufe0f👩🏽©🇩🇪क\u094dत\u0e33\u0600",
)


def native_normalizer(part: dict[str, Any]) -> Any:
    make, kind = native().Normalizer, part["type"]
    if kind in ("NFC", "NFD", "NFKC", "NFKD"):
        return make.form(kind)
    if kind == "Strip":
        return make.strip(part["strip_left"], part["strip_right"])
    if kind == "Prepend":
        return make.prepend(part["prepend"])
    if kind == "Replace":
        (how, pattern), content = *part["pattern"].items(), part["content"]
        wanted = pattern if how == "String" else regex.read(pattern)
        if isinstance(wanted, regex.Run):
            return make.replace_set(wanted.ranges, wanted.least, wanted.most or 0, content)
        return make.replace(wanted, content)
    if kind == "BertNormalizer":
        lower, strip = part["lowercase"], part["strip_accents"]
        strips = lower if strip is None else strip
        return make.bert(part["clean_text"], part["handle_chinese_chars"], strips, lower)
    if kind == "Precompiled":
        return make.precompiled(base64.b64decode(part["precompiled_charsmap"]))
    return {"Lowercase": make.lowercase, "StripAccents": make.strip_accents, "Nmt": make.nmt}[kind]()


def rival_normalizer(part: dict[str, Any]) -> Any:
    model = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}
    definition = {"version": "1.0", "added_tokens": [], "normalizer": part, "model": model}
    return hf.Tokenizer.from_str(json.dumps(definition)).normalizer


def random_strings(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)

    def char() -> str:
        if rng.random() < 0.1:
            return chr(rng.choice(CODE_POINTS))
        return rng.choice(rng.choice(POOLS))

    return ["".join(char() for _ in range(rng.randint(0, 12))) for _ in range(count)]


def expect_equal(part: dict[str, Any], strings: list[str]) -> None:
    ours, theirs = native_normalizer(part), rival_normalizer(part)
    differing = [
        string
        for string in strings
        if ours.normalize(string.encode()).decode() != theirs.normalize_str(string)
    ]
    assert not differing, [ascii(string) for string in differing[:5]]


def expect_whole_unicode_equal(part: dict[str, Any]) -> None:
    """Every code point, alone between letters and after one of its neighbours: page by page, then one by one."""
    ours, theirs = native_normalizer(part), rival_normalizer(part)
    for context in ("a{}b", " {}\u0301"):
        for start in range(0, len(CODE_POINTS), 64):
            page = "".join(context.format(chr(c)) for c in CODE_POINTS[start : start + 64])
            if ours.normalize(page.encode()).decode() != theirs.normalize_str(page):
                expect_equal(part, [context.format(chr(c)) for c in CODE_POINTS[start : start + 64]])
                raise AssertionError(f"characters from U+{CODE_POINTS[start]:04X} differ in one text")


@pytest.mark.parametrize("name", CASES)
def test_code_points_are_normalized_as_by_hugging_face(name):
    expect_whole_unicode_equal(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_strings_are_normalized_as_by_hugging_face_and_the_reference(name):
    strings = random_strings(4000, seed=1)
    expect_equal(CASES[name], strings)
    ours = native_normalizer(CASES[name])
    for string in strings[:500]:
        assert ours.normalize(string.encode()).decode() == apply_normalizer(CASES[name], string), ascii(
            string
        )


def their_origins(normalizer: Any, string: str) -> list[tuple[str, tuple[int, int]]]:
    """Each character of the normalized text and the bytes it stands for, by cutting the text into characters."""
    text = hf.PreTokenizedString(string)
    text.normalize(lambda part: normalizer.normalize(part))
    text.split(lambda _, part: [part[i : i + 1] for i in range(len(part.normalized))])
    return [
        (char, span) for char, span, _ in text.get_splits(offset_referential="original", offset_type="byte")
    ]


def our_origins(normalizer: Any, string: str) -> list[tuple[str, tuple[int, int]]]:
    data, origins = normalizer.normalize_with_origins(string.encode())
    assert data == normalizer.normalize(string.encode()) and origins.shape == (len(data), 2)
    found, at = [], 0
    for char in data.decode():
        end = at + len(char.encode())
        assert np.all(origins[at:end] == origins[at])
        found.append((char, tuple(origins[at].tolist())))
        at = end
    return found


@pytest.mark.parametrize("name", CASES)
def test_characters_come_from_where_hugging_face_says(name):
    ours, theirs = native_normalizer(CASES[name]), rival_normalizer(CASES[name])
    for string in filter(None, random_strings(2000, seed=2)):
        assert our_origins(ours, string) == their_origins(theirs, string), ascii(string)


@pytest.fixture(scope="module")
def t5(real_data) -> dict[str, Any]:
    definition = json.loads((real_data / "tokenizers/t5-small/tokenizer.json").read_text("utf-8"))
    return definition["normalizer"]


def test_the_charsmap_of_t5(t5):
    assert t5["type"] == "Precompiled"
    expect_whole_unicode_equal(t5)
    strings = random_strings(20000, seed=3)
    expect_equal(t5, strings)
    ours = native_normalizer(t5)
    for string in strings[:300]:
        assert ours.normalize(string.encode()).decode() == apply_normalizer(t5, string), ascii(string)
    theirs = rival_normalizer(t5)
    for string in filter(None, strings[:3000]):
        assert our_origins(ours, string) == their_origins(theirs, string), ascii(string)


def test_a_normalized_text_is_left_alone():
    for name in ("NFC", "Lowercase", "Replace space", "Precompiled", "Strip"):
        normalizer = native_normalizer(CASES[name])
        assert normalizer.normalize(b"") == b""
        assert normalizer.normalize(b"xyz.") == b"xyz."


@pytest.mark.parametrize(
    ("charsmap", "message"),
    [
        (b"", "must begin with the size of a trie"),
        (b"\x00\x00\x00\x00", "must begin with the size of a trie"),
        (b"\x08\x00\x00\x00aaaa", "within its 8 bytes, found 8"),
        (b"\x03\x00\x00\x00aaaa", "found 3"),
        (SMALL_MAP[:-3] + b"\xff\xff\x00", "maps to bytes that are not UTF-8, at byte 1028"),
    ],
)
def test_bad_charsmaps_are_named(charsmap, message):
    with pytest.raises(FormatError, match=message):
        native().Normalizer.precompiled(charsmap)


def test_any_trie_is_read_within_its_bounds():
    rng = random.Random(4)
    for _ in range(200):
        units = [rng.getrandbits(32) for _ in range(rng.randint(1, 600))]
        charsmap = struct.pack(f"<I{len(units)}I", 4 * len(units), *units) + b"ab\0\xc3\xa9\0"
        normalizer = native().Normalizer.precompiled(charsmap)
        for string in random_strings(5, seed=rng.getrandbits(30)):
            normalizer.normalize(string.encode()).decode()


TEXTS = [
    "",
    " ",
    "  Ünïcode  ÅNGSTRÖM ﬁ ①  日本語テキスト 각각 \u1100\u1161\u11a8 \r\n\t end ",
    "a\u0301\u0323e\u0301\u0327 \u0344 İstanbul ΣΑΣ\u2003\u3000x\u200by \x00\x01\x85 ▁▁ aaa   ",
]
SEQUENCES: dict[str, list[dict[str, Any]]] = {
    "phi-3": [CASES["Prepend"], CASES["Replace space"]],
    "clip": [CASES["NFC"], CASES[r"Replace \s+"], CASES["Lowercase"]],
    "albert": [
        CASES["NFKD"],
        CASES["StripAccents"],
        CASES["Lowercase"],
        CASES["Replace {2,}"],
        CASES["Strip"],
    ],
    "nested": [CASES["Nmt"], {"type": "Sequence", "normalizers": [CASES["NFKC"], CASES["Strip left"]]}],
    "bert and more": [CASES["Bert 11None1"], CASES["Precompiled"], CASES["Replace pair"]],
}
NORMALIZERS = {
    **CASES,
    **{name: {"type": "Sequence", "normalizers": steps} for name, steps in SEQUENCES.items()},
}


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    """Byte-pair encoding of characters, some of which are unknown."""
    rival = hf.Tokenizer(hf.models.BPE(unk_token="<unk>"))
    trainer = hf.trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"], show_progress=False)
    rival.train_from_iterator(random_strings(300, seed=6) + TEXTS * 3, trainer)
    return json.loads(rival.to_str())


def load(tmp_path, text: str) -> Tokenizer:
    path = tmp_path / "tokenizer.json"
    path.write_text(text, encoding="utf-8")
    return Tokenizer.load(path)


def in_bytes(line: str, offsets: list[tuple[int, int]]) -> list[list[int]]:
    starts = [len(line[:i].encode()) for i in range(len(line) + 1)]
    return [[starts[begin], starts[end]] for begin, end in offsets]


@pytest.mark.parametrize("pre_tokenizer", [None, {"type": "Whitespace"}])
@pytest.mark.parametrize("name", NORMALIZERS)
def test_ids_and_offsets_equal_hugging_face(name, pre_tokenizer, model, tmp_path):
    text = json.dumps({**model, "normalizer": NORMALIZERS[name], "pre_tokenizer": pre_tokenizer})
    ours, rival = load(tmp_path, text), hf.Tokenizer.from_str(text)
    for line in [*TEXTS, *random_strings(300, seed=7)]:
        expected = rival.encode(line)
        assert ours.encode(line) == expected.ids, ascii(line)
        assert ours.offsets(line).tolist() == in_bytes(line, expected.offsets), ascii(line)


def test_unknown_normalizer_and_expression_are_named(model, tmp_path):
    with pytest.raises(FormatError, match="ByteLevelish"):
        load(tmp_path, json.dumps({**model, "normalizer": {"type": "ByteLevelish"}}))
    part = {"type": "Replace", "pattern": {"Regex": "[a-z]+x"}, "content": ""}
    with pytest.raises(FormatError, match=r"'Replace' of the regex '\[a-z\]\+x' is not supported"):
        load(tmp_path, json.dumps({**model, "normalizer": part}))


@pytest.mark.parametrize("pattern", [{"String": "a"}, {"Regex": "[a-f]"}])
def test_a_step_that_would_fill_the_memory_stops_at_the_limit(pattern, model):
    """40 kB of text would become 2.4 GB in one step: 40 times what 64 bytes for each of its bytes and 1 MB allow."""
    part = {"type": "Replace", "pattern": pattern, "content": "x" * 60_000}
    tok = Tokenizer({**model, "normalizer": part})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for encode in (tok.encode, tok.offsets):
        with pytest.raises(LimitError, match="normalizers make more than 3608576 bytes of a text"):
            encode("a" * 40_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB.
