"""Prints a table of vocabulary x corpus: lines, and how many of them get other ids than in the original library.

    MMCORE_TEST_DATA=folder python benches/exactness.py [VOCABULARY ...] > exactness.md      (some minutes)

Every line of every corpus counts, and every corpus once more as one text. The libraries are Hugging Face tokenizers,
tiktoken and sentencepiece. Ends with 1 where any line differs. The tests take a part of the same texts, and with
`-m slow` all of them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import tiktoken
import tokenizers as hf

from mmcore.text import Tokenizer
from mmcore.text.load_tiktoken import read_ranks
from mmcore.text.patterns import EXPRESSIONS

Encode = Callable[[Sequence[str]], list[list[int]]]
_BATCH = 5000
# The expressions of tiktoken's own encodings of these names (tiktoken_ext/openai_public.py).
_RANK_PATTERNS: dict[str, str] = {
    "gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "cl100k": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k": EXPRESSIONS["o200k"][0],
}


def corpora(data: Path) -> dict[str, list[str]]:
    """Name -> texts; invalid UTF-8 is read as both sides do, each maximal invalid part as U+FFFD."""
    folder = data / "text"

    def lines(paths: Iterator[Path]) -> list[str]:
        texts = [path.read_bytes().decode("utf-8", "replace") for path in sorted(paths)]
        return [line for text in texts for line in [*text.split("\n"), text]]

    characters = [chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
    return {
        "corpora": lines(folder.glob("corpora/*.txt")),
        "44 UDHR languages": lines(folder.glob("udhr/*.txt")),
        "classification": lines(
            path
            for path in folder.glob("classification/**/*")
            if path.suffix in (".csv", ".tsv", ".txt", ".label")
        ),
        "naughty strings": json.loads((folder / "unicode" / "blns.json").read_text("utf-8")),
        "other Unicode files": lines(path for path in folder.glob("unicode/*.txt")),
        "invalid UTF-8": lines(folder.glob("unicode/*.bin")),
        "each code point": [f"a{character}b {character}" for character in characters],
    }


def pairs(data: Path) -> Iterator[tuple[str, Encode, Encode]]:
    """Name, this package's encoder and the original library's, for each vocabulary of the data."""
    folder = data / "tokenizers"
    for name in ("roberta-base", "clip", "bert-base-uncased", "t5-small", "phi-3-mini"):
        yield name, _ours(Tokenizer.load(folder / name)), _hugging_face(folder / name / "tokenizer.json")
    yield "gpt2", _ours(Tokenizer.load(folder / "gpt2")), _gpt2(folder / "gpt2")
    for name, lowercase in (
        ("cased", False),
        ("multilingual-cased", False),
        ("chinese", False),
        ("chinese", True),
    ):
        path = folder / f"bert-base-{name}" / "vocab.txt"
        rival = hf.BertWordPieceTokenizer(str(path), lowercase=lowercase)._tokenizer
        label = f"bert-base-{name}" + (", lower case" if lowercase else "")
        yield label, _ours(Tokenizer.load(path, lowercase=lowercase)), _encode_batch(rival)
    for path in sorted(folder.glob("wordpiece_small/*.txt")):
        rival = hf.Tokenizer(hf.models.WordPiece.from_file(str(path), unk_token="[UNK]"))
        rival.normalizer = hf.normalizers.BertNormalizer(lowercase=True)
        rival.pre_tokenizer = hf.pre_tokenizers.BertPreTokenizer()
        yield path.stem, _ours(Tokenizer.load(path, lowercase=True), add_special=False), _encode_batch(rival)
    for path in sorted(folder.glob("sentencepiece/*.model")):
        processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        yield path.stem, _ours(Tokenizer.load(path)), lambda texts, p=processor: p.encode(list(texts))
    for path in sorted(folder.glob("tiktoken/*.tiktoken")):
        for pattern, expression in _RANK_PATTERNS.items():
            ranks = {token: rank for token, rank in read_ranks(path.read_bytes(), path.name).items() if token}
            rival = tiktoken.Encoding(path.stem, pat_str=expression, mergeable_ranks=ranks, special_tokens={})
            tok = Tokenizer.load(path, pattern=pattern)
            yield f"{path.stem}, {pattern}", _ours(tok), rival.encode_ordinary_batch


def _ours(tok: Tokenizer, **options: Any) -> Encode:
    def encode(texts: Sequence[str]) -> list[list[int]]:
        values, row_splits = tok.ragged(texts, **options)
        return [row.tolist() for row in np.split(values, row_splits[1:-1])]

    return encode


def _hugging_face(path: Path) -> Encode:
    tok = hf.Tokenizer.from_file(str(path))
    tok.no_truncation()
    tok.no_padding()
    return _encode_batch(tok)


def _gpt2(folder: Path) -> Encode:
    tok = hf.Tokenizer(hf.models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt")))
    tok.pre_tokenizer = hf.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.add_special_tokens(["<|endoftext|>"])
    return _encode_batch(tok)


def _encode_batch(tok: hf.Tokenizer) -> Encode:
    return lambda texts: [row.ids for row in tok.encode_batch_fast(list(texts))]


def differing(ours: Encode, theirs: Encode, texts: Sequence[str]) -> list[str]:
    """The texts that get other ids."""
    found = []
    for begin in range(0, len(texts), _BATCH):
        batch = texts[begin : begin + _BATCH]
        found += [t for t, a, b in zip(batch, ours(batch), theirs(batch), strict=True) if a != list(b)]
    return found


def main() -> int:
    data = Path(os.environ["MMCORE_TEST_DATA"])
    texts, total = corpora(data), 0
    print("| vocabulary | " + " | ".join(f"{name} ({len(lines):,})" for name, lines in texts.items()) + " |")
    print("|---" * (len(texts) + 1) + "|")
    for name, ours, theirs in pairs(data):
        if len(sys.argv) > 1 and not any(wanted in name for wanted in sys.argv[1:]):
            continue
        counts = []
        for lines in texts.values():
            wrong = differing(ours, theirs, lines)
            total += len(wrong)
            counts.append(len(wrong))
            for text in wrong[:3]:
                print(f"{name}: {text[:200]!a}", file=sys.stderr)
        print(f"| {name} | " + " | ".join(map(str, counts)) + " |", flush=True)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
