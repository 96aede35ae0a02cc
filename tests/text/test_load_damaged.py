"""Files that are damaged, packed, or something else: the message says what they are."""

from __future__ import annotations

import base64
import gzip
import json

import pytest

from mmcore.errors import FormatError
from mmcore.text import Tokenizer

VOCAB = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\nlow\n##er\n"
RANKS = b"".join(base64.b64encode(bytes([i])) + b" %d\n" % i for i in range(256))
PACKED = {
    "is compressed by gzip: unpack it first": gzip.compress,
    "is a zip archive": lambda data: b"PK\x03\x04" + data,
    "is UTF-16: convert it": lambda data: data.decode("latin-1").encode("utf-16"),
    "is a pointer of Git LFS": lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
}
OPTIONS = {"vocab.txt": {"lowercase": True}, "a.tiktoken": {"pattern": "gpt2"}}


@pytest.fixture(scope="module")
def tok() -> Tokenizer:
    return Tokenizer.train(["low lower lowest"] * 3, vocab_size=266, special_tokens=["<|endoftext|>"])


@pytest.fixture
def folder(tmp_path, tok):
    """A vocab.json with its merges.txt."""
    model = json.loads(tok.definition)["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *model["merges"], ""]), encoding="utf-8")
    return tmp_path


def load(path, data: bytes, **options) -> Tokenizer:
    path.write_bytes(data)
    return Tokenizer.load(path, **options)


@pytest.mark.parametrize("message", PACKED)
@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt", "a.tiktoken", "a.model"])
def test_packed_files(tmp_path, tok, name, message):
    data = {"vocab.txt": VOCAB, "a.tiktoken": RANKS}.get(name, tok.definition.encode())
    with pytest.raises(FormatError, match=f"^{name} {message}"):
        load(tmp_path / name, PACKED[message](data), **OPTIONS.get(name, {}))


@pytest.mark.parametrize("message", PACKED)
def test_packed_merges(folder, message):
    data = (folder / "merges.txt").read_bytes()
    with pytest.raises(FormatError, match=f"^merges.txt {message}"):
        load(folder / "merges.txt", PACKED[message](data))


@pytest.mark.parametrize("message", PACKED)
def test_packed_texts_to_train_on(tmp_path, message):
    good, path = tmp_path / "good.txt", tmp_path / "corpus.txt"
    good.write_text("low lower")
    path.write_bytes(PACKED[message](b"low lower"))
    with pytest.raises(FormatError, match=f"corpus.txt {message}"):
        Tokenizer.train_from_files([good, path])


def test_byte_order_marks(tmp_path, folder, tok):
    mark = b"\xef\xbb\xbf"
    assert load(tmp_path / "tokenizer.json", mark + tok.definition.encode()).encode("low") == tok.encode(
        "low"
    )
    merges = (folder / "merges.txt").read_bytes()
    for name, data in (("vocab.txt", VOCAB), ("merges.txt", merges)):
        with pytest.raises(FormatError, match=f"^{name} begins with a byte order mark"):
            load(tmp_path / name, mark + data, **OPTIONS.get(name, {}))
    with pytest.raises(FormatError, match="line 1: expected a token in base64"):
        load(tmp_path / "a.tiktoken", mark + RANKS, pattern="gpt2")


def test_ends_of_lines(folder, tok):
    hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
    merges = (folder / "merges.txt").read_bytes().replace(b"\n", b"\r\n")
    made = load(folder / "merges.txt", merges)
    theirs = hf.ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    text = "low lowest lower"
    assert made.encode(text) == theirs.encode(text).ids == tok.encode(text)
    assert load(folder / "a.tiktoken", RANKS.replace(b"\n", b"\r\n"), pattern="gpt2").encode("a") == [97]


def test_lines_that_are_there_twice(tmp_path):
    """The last one counts, as in Hugging Face tokenizers; the id of the first has no token."""
    hf = pytest.importorskip("tokenizers", reason="needs Hugging Face tokenizers (extra: test)")
    tok = load(tmp_path / "vocab.txt", VOCAB + b"low\n\nnew\n", lowercase=True)
    theirs = hf.BertWordPieceTokenizer(str(tmp_path / "vocab.txt"), lowercase=True)
    assert tok.encode("low new lower") == theirs.encode("low new lower").ids
    assert tok.token(4) is None is theirs.id_to_token(4) and tok.id("low") == 6


@pytest.mark.parametrize("line", ["a", "a b c", "a ", " b"])
def test_merges_that_are_no_pairs(folder, line):
    merges = (folder / "merges.txt").read_text(encoding="utf-8")
    with pytest.raises(FormatError, match=f"^merges.txt, line 2: expected two tokens .* found '{line}'"):
        load(folder / "merges.txt", merges.replace("\n", f"\n{line}\n", 1).encode())


def test_bad_utf8_says_where(tmp_path):
    with pytest.raises(FormatError, match=r"^vocab.txt is not UTF-8 \(byte 36, line 7\)"):
        load(tmp_path / "vocab.txt", VOCAB + b"caf\xe9\n", lowercase=True)
    with pytest.raises(FormatError, match=r"^tokenizer.json is not UTF-8"):
        load(tmp_path / "tokenizer.json", b'{"model": "\xff"}')


def test_files_of_other_names(tmp_path, tok):
    with pytest.raises(
        FormatError, match=r"a\.bin has the name of no tokenizer file: expected tokenizer.json"
    ):
        load(tmp_path / "a.bin", b"abc")
    with pytest.raises(FormatError, match=r"other\.json is no tokenizer\.json"):
        load(tmp_path / "other.json", b"[1]")
    assert load(tmp_path / "other.json", tok.definition.encode()).vocab_size == tok.vocab_size
    for path in (None, 3):
        with pytest.raises(TypeError, match="path must be a str or a path"):
            Tokenizer.load(path)
    with pytest.raises(FileNotFoundError, match="nothing is downloaded"):
        Tokenizer.load("bert-base-uncased")
    (tmp_path / "tokenizer.json").mkdir()
    with pytest.raises(FileNotFoundError, match="is no file"):
        Tokenizer.load(tmp_path)


def test_folders_with_one_other_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="found none"):
        Tokenizer.load(tmp_path)
    (tmp_path / "a.tiktoken").write_bytes(RANKS)
    assert Tokenizer.load(tmp_path, pattern="gpt2").vocab_size == 256
    (tmp_path / "b.tiktoken").write_bytes(RANKS)
    with pytest.raises(FileNotFoundError, match=r"found several: \['a.tiktoken', 'b.tiktoken'\]"):
        Tokenizer.load(tmp_path, pattern="gpt2")


@pytest.mark.parametrize("tokens", [["<e>"], {"<e>": "256"}, {3: 256}, {"": 256}, {"<e>": True}], ids=str)
def test_special_tokens_of_ranks(tmp_path, tokens):
    with pytest.raises(ValueError, match="special_tokens must map texts to ids"):
        load(tmp_path / "a.tiktoken", RANKS, pattern="gpt2", special_tokens=tokens)


def test_other_options(tmp_path):
    with pytest.raises(ValueError, match="pass pattern="):
        load(tmp_path / "a.tiktoken", RANKS, pattern=3)
    with pytest.raises(ValueError, match="lowercase must be True or False, got 'yes'"):
        load(tmp_path / "vocab.txt", VOCAB, lowercase="yes")
    with pytest.raises(FormatError, match="line 257: the rank 255 was there before"):
        load(tmp_path / "a.tiktoken", RANKS + b"YWI= 255\n", pattern="gpt2")
    with pytest.raises(FormatError, match="line 257: the token b'a' was there before"):
        load(tmp_path / "a.tiktoken", RANKS + b"YQ== 256\n", pattern="gpt2")
