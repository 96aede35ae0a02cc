from __future__ import annotations

import json

import pytest

from mmcore.errors import FormatError, LimitError
from mmcore.text import Tokenizer
from mmcore.text.load import load
from mmcore.text.load_vocab import from_vocab_txt

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
    with pytest.raises(FormatError, match=r"no vocabulary of kind 'clip': it lacks \['<\|startoftext\|>'\]"):
        Tokenizer.load(tmp_path, kind="clip")
    with pytest.raises(ValueError, match="kind must be one of"):
        Tokenizer.load(tmp_path, kind="bert")
    tok = Tokenizer.load(tmp_path / "merges.txt")
    assert tok.encode("newest<|endoftext|>")[-1] == 270 == tok.eos_id and tok.pad_id is None
    write(tmp_path / "vocab.json", bpe_json["model"]["vocab"])
    with pytest.raises(ValueError, match="pass kind="):
        Tokenizer.load(tmp_path)


def test_a_vocabulary_of_clip_is_what_its_tokenizer_json_is(tmp_path, real_data):
    expected = json.loads((real_data / "tokenizers" / "clip" / "tokenizer.json").read_text("utf-8"))
    write(tmp_path / "vocab.json", expected["model"]["vocab"])
    merges = tmp_path / "merges.txt"
    merges.write_text("#version: 0.2\n" + "\n".join(expected["model"]["merges"]) + "\n", encoding="utf-8")
    whole = Tokenizer.load(real_data / "tokenizers" / "clip")
    texts = ["A  Photo\tof a CAT, it's <|endoftext|> 12 <|startoftext|>", "Ĉu naïve ΣΑΣ? 日本", ""]
    for tok in (Tokenizer.load(tmp_path), Tokenizer.load(merges, kind="clip")):
        assert [tok.encode(text) for text in texts] == [whole.encode(text) for text in texts]
        assert tok.decode(tok.encode(texts[0])) == whole.decode(whole.encode(texts[0]))
        assert (tok.bos_id, tok.eos_id) == (49406, 49407)
    del expected["model"]["vocab"]["<|startoftext|>"]
    write(tmp_path / "vocab.json", expected["model"]["vocab"])
    with pytest.raises(ValueError, match="pass kind="):  # GPT-2's it is not.
        Tokenizer.load(tmp_path)


def test_a_configuration_beside_vocab_and_merges(tmp_path, bpe_json):
    vocab = {**bpe_json["model"]["vocab"], "<|endoftext|>": 270}
    write(tmp_path / "vocab.json", vocab)
    (tmp_path / "merges.txt").write_text("\n".join(bpe_json["model"]["merges"]), encoding="utf-8")
    plain = Tokenizer.load(tmp_path)
    write(tmp_path / "tokenizer_config.json", {"add_prefix_space": True})
    assert Tokenizer.load(tmp_path).encode("low") == plain.encode(" low") != plain.encode("low")
    write(tmp_path / "tokenizer_config.json", {"add_prefix_space": "yes"})
    with pytest.raises(FormatError, match="add_prefix_space must be true or false"):
        Tokenizer.load(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    write(tmp_path / "added_tokens.json", {"<|endoftext|>": 270})
    assert Tokenizer.load(tmp_path).encode("low") == plain.encode("low")
    write(tmp_path / "added_tokens.json", {"<|startoftranscript|>": 271})
    with pytest.raises(FormatError, match=r"added_tokens\.json has tokens that vocab\.json does not have"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize(
    ("config", "ids"),
    [
        ({"do_lower_case": True}, [2, 4, 3]),
        ({"do_lower_case": True, "strip_accents": False}, [2, 1, 3]),
        ({"do_lower_case": False, "strip_accents": True}, [2, 6, 3]),
        ({"do_lower_case": False}, [2, 1, 3]),
    ],
)
def test_switches_of_a_configuration_beside_a_vocab_txt(vocab_txt, config, ids):
    write(vocab_txt.parent / "tokenizer_config.json", {**config, "cls_token": {"content": "[CLS]"}})
    assert Tokenizer.load(vocab_txt.parent).encode("Á") == ids


def test_chinese_may_stay_together(vocab_txt):
    with vocab_txt.open("a", encoding="utf-8") as file:
        file.write("中\n中中\n")
    for split, ids in ((True, [2, 7, 7, 3]), (False, [2, 8, 3])):
        config = {"do_lower_case": True, "tokenize_chinese_chars": split}
        write(vocab_txt.parent / "tokenizer_config.json", config)
        assert Tokenizer.load(vocab_txt.parent).encode("中中") == ids


@pytest.mark.parametrize(
    "config",
    [{"cls_token": "<s>"}, {"unk_token": "<unk>"}, {"do_basic_tokenize": False}, {"never_split": ["a"]}],
)
def test_what_a_configuration_beside_a_vocab_txt_may_not_say(vocab_txt, config):
    write(vocab_txt.parent / "tokenizer_config.json", {"do_lower_case": True, **config})
    with pytest.raises(FormatError, match=f"{next(iter(config))} .* is not supported"):
        Tokenizer.load(vocab_txt.parent)


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
        ("normalizer", {"type": "ByteLevel"}, "normalizer 'ByteLevel' is not supported"),
        ("normalizer", "NFC", "normalizer must be an object"),
        ("pre_tokenizer", {"type": "Metaspace"}, "'replacement'"),
        ("pre_tokenizer", {"type": "UnicodeScripts"}, "pre_tokenizer 'UnicodeScripts' is not supported"),
        ("decoder", {"type": "CTC"}, "decoder 'CTC' is not supported; supported are BPEDecoder"),
        ("post_processor", {"type": "Other"}, "post_processor 'Other' is not supported"),
        ("truncation", {"max_length": 0}, "truncation.max_length to be a number of at least 1, found 0"),
        ("truncation", {"max_length": 5, "strategy": "OnlySecond"}, "truncation strategy 'OnlySecond'"),
        ("padding", {"pad_id": 0, "direction": "Up"}, "padding direction 'Up'"),
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
        ({"type": "WordLevel"}, FormatError, "model type 'WordLevel'"),
        ({"dropout": 0.1}, FormatError, "model.dropout"),
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
