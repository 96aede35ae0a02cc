"""Id for id what Hugging Face tokenizers gives, on real vocabularies and texts: not one line may differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmcore.text import Tokenizer

hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

CODE_POINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def gpt2(folder: Path) -> Any:
    rival = hf.Tokenizer(hf.models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    rival.pre_tokenizer = hf.pre_tokenizers.ByteLevel(add_prefix_space=False)
    rival.decoder = hf.decoders.ByteLevel()
    rival.add_special_tokens(["<|endoftext|>"])
    return rival


def from_json(folder: Path) -> Any:
    return hf.Tokenizer.from_file(str(folder / "tokenizer.json"))


def bert(lowercase: bool) -> Callable[[Path], Any]:
    return lambda folder: hf.BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=lowercase)._tokenizer


CASES = {
    "gpt2": ("gpt2", {}, gpt2),
    "roberta": ("roberta-base", {}, from_json),
    "bert-uncased": ("bert-base-uncased", {}, from_json),
    "bert-cased": ("bert-base-cased", {"lowercase": False}, bert(False)),
    "bert-multilingual": ("bert-base-multilingual-cased", {"lowercase": False}, bert(False)),
    "bert-multilingual-lower": ("bert-base-multilingual-cased", {"lowercase": True}, bert(True)),
    "clip": ("clip", {}, from_json),
    "phi-3": ("phi-3-mini", {}, from_json),
    "t5": ("t5-small", {}, from_json),
    "bert-chinese": ("bert-base-chinese", {"lowercase": False}, bert(False)),
}


def runs_of_marks() -> list[str]:
    """More marks than a word may have characters, in order and out of it, alone and behind a letter."""
    units = [
        "\u0301",
        "\u302e",
        "\U0001d165",
        "\u0301\u0323",
        "\u302e\U0001d165",
        "\u3099\u0301",
        "\u05b0\u0301",
    ]
    texts = [
        before + unit * count for unit in units for before in ("", "a", "か", "é") for count in (1, 99, 150)
    ]
    return [*texts, *(f"{text} x{text}a" for text in texts)]


@pytest.fixture(scope="module", params=CASES)
def pair(request, real_data) -> tuple[Tokenizer, Any]:
    name, options, rival = CASES[request.param]
    folder = real_data / "tokenizers" / name
    return Tokenizer.load(folder, **options), rival(folder)


@pytest.fixture(scope="module")
def texts(real_data) -> dict[str, list[str]]:
    folder = real_data / "text"

    def lines(*paths: Path) -> list[str]:
        return [line for path in paths for line in path.read_bytes().decode("utf-8", "replace").split("\n")]

    return {
        "corpora": lines(*sorted((folder / "corpora").glob("*.txt")))[::20],
        "languages": lines(*sorted((folder / "udhr").glob("*.txt")))[::3],
        "naughty": json.loads((folder / "unicode" / "blns.json").read_text(encoding="utf-8")),
        "assigned": lines(folder / "unicode" / "utf8_all_assigned_0-1ffff.txt"),
        "invalid": lines(folder / "unicode" / "utf8tests.bin"),
        "normalization": lines(folder / "unicode" / "NormalizationTest.txt")[::20],
        "runs": runs_of_marks(),
        "each code point": ["".join(CODE_POINTS[i : i + 5]) for i in range(0, 0x33500, 5)],
    }


def differing(ours: Tokenizer, rival: Any, texts: list[str]) -> list[str]:
    values, splits = ours.ragged(texts)
    rows = np.split(values, splits[1:-1])
    rivals = rival.encode_batch_fast(texts)
    return [text for text, row, other in zip(texts, rows, rivals, strict=True) if row.tolist() != other.ids]


def test_no_line_differs(pair, texts):
    for name, lines in texts.items():
        assert differing(*pair, lines) == [], name


def test_decoding_is_equal(pair, texts):
    ours, rival = pair
    for name, lines in texts.items():
        for text in lines[::40]:
            ids = ours.encode(text)
            for skip in (True, False):
                theirs = rival.decode(ids, skip_special_tokens=skip)
                assert ours.decode(ids, skip_special=skip) == theirs, name


def test_special_tokens_in_the_text_are_equal(pair):
    ours, rival = pair
    texts = [
        "<s>a</s>",
        "a <mask> b<mask>",
        "x  \n<mask>\ty",
        "[MASK][CLS] a[SEP]",
        "[mask]",
        "<|endoftext|>",
        "a<|endoftext|><|endoftext|> b",
        "[[MASK]]",
        "<<s>>",
        " [UNK] ",
        "<pad",
    ]
    assert differing(ours, rival, texts) == []


def test_truncation_is_equal(pair, texts):
    ours, rival = pair
    lines = texts["languages"][:300]
    rival.enable_truncation(12)
    try:
        ids, mask = ours(lines, max_length=12)
        rows = [row[m].tolist() for row, m in zip(ids, mask, strict=True)]
        assert rows == [other.ids for other in rival.encode_batch_fast(lines)]
    finally:
        rival.no_truncation()


def test_wordpiece_offsets_are_equal(pair, texts):
    ours, rival = pair
    if "roberta" in repr(rival.post_processor).lower() or ours.num_special == 0:
        pytest.skip("byte-level offsets follow a rule of their own: they cut the bytes without gaps")
    for text in [*texts["languages"][::9], *texts["naughty"]]:
        starts = np.cumsum([0, *(len(char.encode()) for char in text)])
        expected = [[int(starts[a]), int(starts[b])] for a, b in rival.encode(text).offsets]
        assert ours.offsets(text).tolist() == expected, text


@pytest.mark.slow
def test_no_line_differs_anywhere(pair, real_data):
    folder = real_data / "text"
    for path in sorted(folder.rglob("*.*")):
        if path.suffix not in (".txt", ".tsv", ".csv", ".json", ".bin"):
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        assert differing(*pair, [*text.split("\n"), text]) == [], path
    assert differing(*pair, [f"a{char}b {char}" for char in CODE_POINTS]) == []


@pytest.mark.parametrize(
    ("name", "tokenizer", "options"),
    [("gpt-2", "gpt2", {}), ("phi-3", "phi-3-mini", {}), ("bert-bge", "bert-base-uncased", {})],
)
def test_recorded_ids_of_hard_strings(real_data, name, tokenizer, options):
    tok = Tokenizer.load(real_data / "tokenizers" / tokenizer, **options)
    folder = real_data / "tokenizers" / "expected_llamacpp"
    inputs = (folder / f"{name}.inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    expected = [list(map(int, line.split())) for line in (folder / f"{name}.out").read_text().split("\n")]
    assert len(inputs) == 47
    for text, ids in zip(inputs, expected, strict=False):
        assert tok.encode(text, add_special=False) == ids, text


def test_saved_tokenizer_is_read_back_with_equal_ids(real_data, tmp_path, texts):
    corpus = (real_data / "text" / "corpora" / "botchan_en.txt").read_text(encoding="utf-8").split("\n")
    tok = Tokenizer.train(corpus, vocab_size=1500)
    rival = hf.Tokenizer.from_file(str(tok.save(tmp_path)))
    assert rival.get_vocab_size() == tok.vocab_size == 1500
    for lines in (texts["naughty"], texts["languages"], ["<s>a</s><pad>"]):
        assert differing(tok, rival, lines) == []
    assert tok.decode(tok.encode(corpus[5])) == rival.decode(rival.encode(corpus[5]).ids) == corpus[5]


@pytest.mark.parametrize("min_frequency", [0, 3])
def test_training_gives_the_same_vocabulary(real_data, texts, min_frequency):
    corpus = (real_data / "text" / "corpora" / "botchan_en.txt").read_text(encoding="utf-8").split("\n")
    corpus += texts["languages"][::5]
    special = ["<pad>", "<s>", "</s>"]
    tok = Tokenizer.train(corpus, vocab_size=3000, special_tokens=special, min_frequency=min_frequency)
    rival = hf.Tokenizer(hf.models.BPE())
    rival.pre_tokenizer = hf.pre_tokenizers.ByteLevel(add_prefix_space=False)
    rival.train_from_iterator(
        corpus,
        hf.trainers.BpeTrainer(
            vocab_size=3000,
            special_tokens=special,
            min_frequency=min_frequency,
            show_progress=False,
            initial_alphabet=hf.pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    assert rival.get_vocab() == {tok.token(i): i for i in range(tok.vocab_size)}
    theirs = [tuple(pair) for pair in json.loads(rival.to_str())["model"]["merges"]]
    assert theirs == [tuple(pair.split(" ")) for pair in json.loads(tok.definition)["model"]["merges"]]
