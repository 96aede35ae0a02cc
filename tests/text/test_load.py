from __future__ import annotations

import json

import pytest

from mmcore.errors import FormatError, LimitError
from mmcore.text import Tokenizer
from mmcore.text.load import from_vocab_txt, load

VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "##b", "A"]


@pytest.fixture
def vocab_txt(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(VOCAB) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def bpe_json() -> dict:
    return json.loads(Tokenizer.train(["the newest lows"], vocab_size=270).definition)


def write(path, definition) -> str:
    path.write_text(json.dumps(definition), encoding="utf-8")
    return str(path)


def test_vocab_txt_needs_to_know_the_case(vocab_txt):
    with pytest.raises(ValueError, match=r"pass lowercase=True \(uncased models\) or lowercase=False"):
        Tokenizer.load(vocab_txt)
    assert Tokenizer.load(vocab_txt, lowercase=True).encode("A ab") == [2, 4, 4, 5, 3]
    assert Tokenizer.load(vocab_txt, lowercase=False).encode("A ab") == [2, 6, 4, 5, 3]


def test_folder_tells_case_and_roles(vocab_txt):
    (vocab_txt.parent / "tokenizer_config.json").write_text('{"do_lower_case": true, "eos_token": "[PAD]"}')
    tok = Tokenizer.load(vocab_txt.parent)
    assert tok.encode("A") == [2, 4, 3]
    assert (tok.pad_id, tok.bos_id, tok.eos_id) == (0, 2, 0)


def test_lines_of_vocab_txt_end_as_hugging_face_trims_them(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes("[UNK]\r\na \u3000\nb\x1f\n".encode())
    assert list(from_vocab_txt(path, True)["model"]["vocab"]) == ["[UNK]", "a", "b\x1f"]


def test_vocab_and_merges(tmp_path, bpe_json):
    vocab = {**bpe_json["model"]["vocab"], "<|endoftext|>": 270}
    write(tmp_path / "vocab.json", vocab)
    (tmp_path / "merges.txt").write_text(
        "#version: 0.2\n" + "\n".join(bpe_json["model"]["merges"]) + "\n", encoding="utf-8"
    )
    with pytest.raises(FormatError, match="lacks"):
        Tokenizer.load(tmp_path, kind="roberta")
    with pytest.raises(ValueError, match="kind must be one of"):
        Tokenizer.load(tmp_path, kind="clip")
    tok = Tokenizer.load(tmp_path / "merges.txt")
    assert tok.encode("newest<|endoftext|>")[-1] == 270 == tok.eos_id and tok.pad_id is None
    write(tmp_path / "vocab.json", bpe_json["model"]["vocab"])
    with pytest.raises(ValueError, match="pass kind="):
        Tokenizer.load(tmp_path)


def test_options_that_do_not_apply_are_refused(tmp_path, bpe_json):
    path = write(tmp_path / "tokenizer.json", bpe_json)
    with pytest.raises(ValueError, match="lowercase=True does not apply"):
        Tokenizer.load(path, lowercase=True)


def test_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        Tokenizer.load(tmp_path / "tokenizer.json")
    with pytest.raises(FileNotFoundError, match=r"expected tokenizer\.json"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize(
    ("part", "value", "named"),
    [
        ("normalizer", {"type": "NFC"}, "normalizer"),
        ("pre_tokenizer", {"type": "Metaspace"}, "pre_tokenizer 'Metaspace'"),
        ("pre_tokenizer", {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}, "use_regex"),
        ("pre_tokenizer", None, "pre_tokenizer None"),
        ("decoder", {"type": "BPEDecoder"}, "decoder 'BPEDecoder'"),
        ("post_processor", {"type": "Sequence", "processors": []}, "post_processor 'Sequence'"),
        ("truncation", {"max_length": 5}, "truncation"),
        ("padding", {"pad_id": 0}, "padding"),
        ("added_tokens", [{"id": 9, "content": "<s>"}], "added token '<s>' has id 9"),
        ("added_tokens", [3], "malformed"),
    ],
)
def test_unsupported_components_are_named(tmp_path, bpe_json, part, value, named):
    with pytest.raises(FormatError, match=named):
        Tokenizer.load(write(tmp_path / "t.json", {**bpe_json, part: value}))


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        ({"type": "Unigram"}, FormatError, "model type 'Unigram'"),
        ({"dropout": 0.1}, FormatError, "model.dropout"),
        ({"end_of_word_suffix": "</w>"}, FormatError, "end_of_word_suffix"),
        ({"merges": ["x"]}, FormatError, "merge 0"),
        ({"merges": ["nothing here"]}, FormatError, "needs the token 'nothing'"),
        ({"merges": [[1, 2]]}, FormatError, "malformed|needs the token"),
        ({"vocab": {"a": 0}}, FormatError, "256 bytes, 255 are missing"),
        ({"vocab": {}}, FormatError, "model.vocab"),
        ({"vocab": ["a"]}, FormatError, "model.vocab"),
        ({"vocab": {"a": -1}}, FormatError, "has id -1"),
        ({"vocab": {"a": 2**31}}, FormatError, "has id 2147483648"),
        ({"vocab": {"a": True}}, FormatError, "has id True"),
        ({"vocab": {"a": 0, "b": 0}}, FormatError, "id 0 has two tokens"),
        ({"vocab": {"a" * 300_000: 0}}, LimitError, "300,000 characters"),
    ],
)
def test_malformed_models_are_refused(tmp_path, bpe_json, change, error, named):
    model = {**bpe_json["model"], **change}
    definition = {**bpe_json, "added_tokens": [], "post_processor": None, "model": model}
    with pytest.raises(error, match=named):
        Tokenizer.load(write(tmp_path / "t.json", definition))


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"model": 3}', b"\xff\xfe", b"[" * 100_000, b"NaN"])
def test_files_that_are_no_tokenizer(tmp_path, data):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(data)
    with pytest.raises(FormatError):
        load(path)


def test_vocab_txt_without_unknown_token(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("a\nb\n")
    with pytest.raises(FormatError, match=r"no token \[UNK\]"):
        Tokenizer.load(path, lowercase=True)


def test_too_many_entries_are_refused_before_they_are_parsed(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(b'{"model": {"vocab": {' + b'"a":0,' * 5_000_000 + b"}}}")
    with pytest.raises(LimitError, match="2,000,000 entries"):
        load(path)


def test_added_tokens_with_their_flags(tmp_path, bpe_json):
    def added(number, content, **flags):
        return {"id": 270 + number, "content": content, "special": False, "normalized": False, **flags}

    tokens = [
        *bpe_json["added_tokens"],
        added(0, "<l>", lstrip=True),
        added(1, "<rr>", rstrip=True),
        added(2, "word", single_word=True),
        added(3, "words"),
    ]
    tok = Tokenizer.load(write(tmp_path / "t.json", {**bpe_json, "added_tokens": tokens}))

    def spelled(text):
        return [tok.token(i) for i in tok.encode(text, add_special=False)]

    assert spelled("a \n<l>b") == ["a", "<l>", "b"]
    assert spelled("a<rr> \tb") == ["a", "<rr>", "b"]
    assert spelled("word.word swordé") == ["word", ".", "word", *"Ġswordé".replace("é", "Ã©")]
    assert spelled("words") == ["words"]
    assert tok.decode(tok.encode("a<l>b", add_special=False)) == "a<l>b"
