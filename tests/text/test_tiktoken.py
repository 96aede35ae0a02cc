"""Ranks read from a .tiktoken file: the ids of tiktoken, and of Hugging Face tokenizers after saving."""

from __future__ import annotations

import base64
import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmcore.errors import FormatError, LimitError
from mmcore.text import Tokenizer
from mmcore.text.load_tiktoken import NAMED_PATTERNS, read_ranks
from mmcore.text.patterns import EXPRESSIONS

tiktoken = pytest.importorskip("tiktoken", reason="needs tiktoken (extra: test)")
hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")

# The expressions of tiktoken's own encodings of these names (tiktoken 0.14, tiktoken_ext/openai_public.py).
RIVAL_PATTERNS = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "cl100k": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k": EXPRESSIONS["o200k"][0],
}
SPECIAL = {"<|endoftext|>": 50257, "<|startoftranscript|>": 50258}


def write_ranks(path: Path, tokens: list[bytes]) -> Path:
    lines = [f"{base64.b64encode(token).decode()} {rank}" for rank, token in enumerate(tokens)]
    path.write_text("\n".join(lines) + "\n")
    return path


def random_tokens(seed: int) -> list[bytes]:
    """The 256 bytes in any order, and tokens put together from others, not all of which merging reaches."""
    rng = random.Random(seed)
    tokens = [bytes([byte]) for byte in range(256)]
    parts = [b"a", b"b", b" ", b"1", b"'", b"s", "é".encode(), "日".encode(), b"\n"]
    for _ in range(60):
        parts.append(rng.choice(parts) + rng.choice(parts))
    made = [token for token in dict.fromkeys(parts) if len(token) > 1 and rng.random() < 0.9]
    rng.shuffle(made)
    tokens += made
    rng.shuffle(tokens)
    return tokens


def random_texts(seed: int) -> list[str]:
    rng = random.Random(seed)
    return ["".join(rng.choices("ab 1's é日\n\r\t.A", k=rng.randint(1, 60))) for _ in range(150)]


@pytest.fixture(scope="module")
def whisper(real_data) -> Path:
    return real_data / "tokenizers" / "tiktoken" / "whisper_multilingual.tiktoken"


@pytest.fixture(scope="module")
def texts(real_data) -> list[str]:
    folder = real_data / "text"
    paths = [*sorted((folder / "corpora").glob("*.txt")), *sorted((folder / "udhr").glob("*.txt"))]
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").split("\n")]
    naughty = json.loads((folder / "unicode" / "blns.json").read_text(encoding="utf-8"))
    invalid = (folder / "unicode" / "utf8tests.bin").read_bytes().decode("utf-8", "replace").split("\n")
    return [*lines[::11], *naughty, *invalid, lines[5] * 300, "a" * 3000, " " * 3000, "\n" * 50]


def differing(tok: Tokenizer, expected: list[list[int]], texts: list[str], **options: Any) -> list[str]:
    values, splits = tok.ragged(texts, **options)
    rows = [row.tolist() for row in np.split(values, splits[1:-1])]
    return [text for text, row, other in zip(texts, rows, expected, strict=True) if row != other]


def rival_of(path: Path, pattern: str, special: dict[str, int]) -> Any:
    ranks = read_ranks(path.read_bytes(), path.name)
    ranks.pop(b"", None)  # tiktoken cannot make the empty token either.
    return tiktoken.Encoding(
        path.stem, pat_str=RIVAL_PATTERNS[pattern], mergeable_ranks=ranks, special_tokens=special
    )


@pytest.mark.parametrize("pattern", NAMED_PATTERNS)
def test_no_line_differs_from_tiktoken(whisper, texts, tmp_path, pattern):
    tok = Tokenizer.load(whisper, pattern=pattern, special_tokens=SPECIAL)
    rival = rival_of(whisper, pattern, SPECIAL)
    assert differing(tok, rival.encode_ordinary_batch(texts), texts, special="text") == []
    for text in texts[::40]:
        assert tok.decode(tok.encode(text, special="text")) == text
    saved = hf.Tokenizer.from_file(str(tok.save(tmp_path)))
    assert differing(tok, [row.ids for row in saved.encode_batch_fast(texts)], texts, special="parse") == []
    again = Tokenizer.load(tmp_path)
    assert again.encode(texts[3]) == tok.encode(texts[3])


@pytest.mark.parametrize("seed", range(8))
def test_random_ranks_give_the_ids_of_tiktoken(tmp_path, seed):
    pattern = [*NAMED_PATTERNS][seed % 3]
    path = write_ranks(tmp_path / "random.tiktoken", random_tokens(seed))
    tok, texts = Tokenizer.load(path, pattern=pattern), random_texts(seed)
    assert differing(tok, rival_of(path, pattern, {}).encode_ordinary_batch(texts), texts) == []
    saved = hf.Tokenizer.from_file(str(tok.save(tmp_path)))
    assert differing(tok, [row.ids for row in saved.encode_batch_fast(texts)], texts) == []


def test_special_tokens_in_a_text_are_refused_as_in_tiktoken(whisper):
    tok = Tokenizer.load(whisper, pattern="gpt2", special_tokens=SPECIAL)
    rival = rival_of(whisper, "gpt2", SPECIAL)
    text = "a<|endoftext|> b"
    for encode in (tok.encode, rival.encode, pickle.loads(pickle.dumps(tok)).encode):
        with pytest.raises(ValueError, match=r"<\|endoftext\|>"):
            encode(text)
    with pytest.raises(ValueError, match=r"<\|endoftext\|>"):
        tok([text])
    assert tok.special == "error" and tok.eos_id == 50257
    assert tok.encode(text, special="parse") == rival.encode(text, allowed_special="all")
    assert tok.encode(text, special="text") == rival.encode(text, disallowed_special=())


def test_the_expression_itself_is_a_pattern(whisper):
    for pattern, expression in RIVAL_PATTERNS.items():
        tok = Tokenizer.load(whisper, pattern=expression)
        assert tok.definition == Tokenizer.load(whisper, pattern=pattern).definition


def test_what_the_file_does_not_say_must_be_said(tmp_path):
    path = write_ranks(tmp_path / "t.tiktoken", random_tokens(0))
    with pytest.raises(ValueError, match=r"pattern= one of \['gpt2', 'cl100k', 'o200k'\]"):
        Tokenizer.load(path)
    with pytest.raises(FormatError, match="regular expression"):
        Tokenizer.load(path, pattern="gpt5")
    with pytest.raises(ValueError, match=r"kind='gpt2' does not apply"):
        Tokenizer.load(path, pattern="gpt2", kind="gpt2")
    for special in ({"<s>": 7}, {"<s>": 900, "</s>": 900}):
        with pytest.raises(ValueError, match="special_tokens"):
            Tokenizer.load(path, pattern="gpt2", special_tokens=special)
    saved = Tokenizer.load(path, pattern="gpt2").save(tmp_path)
    with pytest.raises(ValueError, match="pattern='gpt2' does not apply"):
        Tokenizer.load(saved, pattern="gpt2")


@pytest.mark.parametrize(
    ("data", "error", "named"),
    [
        (b"", FormatError, "256 bytes, 256 are missing"),
        (b"YQ== 0\nYQ== 1\n", FormatError, "line 2: the token b'a' was there"),
        (b"YQ== 0\nYg== 0\n", FormatError, "line 2"),
        (b"YQ== -1\n", FormatError, "line 1"),
        (b"YQ== 99999999999\n", FormatError, "below 2,000,000"),
        (b"YQ==\n", FormatError, "expected a token in base64 and its rank"),
        (b"Y\xff 1\n", FormatError, "line 1"),
        (b"hello world\n", FormatError, "line 1"),
        (b"\n" * 2_000_001, LimitError, "2,000,000 lines"),
    ],
)
def test_malformed_files_are_refused(tmp_path, data, error, named):
    path = tmp_path / "t.tiktoken"
    path.write_bytes(data)
    with pytest.raises(error, match=named):
        Tokenizer.load(path, pattern="gpt2")
