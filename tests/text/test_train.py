from __future__ import annotations

import json

import pytest

from mmcore.errors import FormatError
from mmcore.text import Tokenizer
from mmcore.text.train import train_byte_level_bpe

TEXTS = ["the lower the newer lowest", "it's 1234 wide  wider\n", "naïve café"] * 3


def test_special_tokens_and_bytes_come_first():
    tok = Tokenizer.train(TEXTS, vocab_size=262, special_tokens=["<pad>", "<extra>"])
    assert [tok.token(i) for i in range(4)] == ["<pad>", "<extra>", "!", '"']
    assert tok.pad_id == 0 and tok.bos_id is None and tok.num_special == 0
    assert tok.vocab_size == 262


def test_training_stops_where_nothing_is_left_to_merge():
    tok = Tokenizer.train(["ab"], vocab_size=1000, special_tokens=[])
    assert tok.vocab_size == 257 and tok.token(256) == "ab"
    assert Tokenizer.train([], special_tokens=[]).vocab_size == 256


def test_rare_pairs_are_not_merged():
    tok = Tokenizer.train(["abab", "cd"], vocab_size=1000, min_frequency=2, special_tokens=[])
    assert [tok.token(i) for i in range(256, tok.vocab_size)] == ["ab"]


def test_threads_groups_and_kinds_of_text_do_not_change_the_vocabulary(monkeypatch):
    expected = train_byte_level_bpe(TEXTS, 300, [], threads=1)
    assert train_byte_level_bpe(iter(TEXTS), 300, [], threads=4) == expected
    assert train_byte_level_bpe([text.encode() for text in TEXTS], 300, []) == expected
    monkeypatch.setattr("mmcore.text.train._FEED_CHARACTERS", 30)
    assert train_byte_level_bpe(TEXTS, 300, []) == expected


def test_special_token_that_is_a_byte_keeps_its_id():
    definition = train_byte_level_bpe(["ab!"], 300, ["!"])
    assert definition["model"]["vocab"]["!"] == 0 and len(definition["model"]["vocab"]) == 257
    assert json.dumps(definition)


def test_callers_mistakes():
    with pytest.raises(TypeError, match="iterable of texts"):
        Tokenizer.train("one text")
    with pytest.raises(ValueError, match="vocab_size must be at least 259"):
        Tokenizer.train(TEXTS, vocab_size=258)
    with pytest.raises(ValueError, match="distinct"):
        Tokenizer.train(TEXTS, special_tokens=["<s>", "<s>"])
    with pytest.raises(TypeError, match="str or bytes, got int"):
        Tokenizer.train([1, 2])


def written(tmp_path, texts):
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{number}.txt")
        paths[-1].write_bytes(text.encode() if isinstance(text, str) else text)
    return paths


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("model", ["bpe", "wordpiece"])
def test_files_give_what_their_lines_give(tmp_path, model, threads):
    texts = ["the lower\n\n\n the newer\r\nlowest", "", "it's 1234 wide  wider\n" * 50, "naïve café\nend\n"]
    lines = [line for text in texts for line in text.splitlines(keepends=True)]
    train = Tokenizer.train if model == "bpe" else Tokenizer.train_wordpiece
    expected = train(lines, vocab_size=300)
    made = Tokenizer.train_from_files(written(tmp_path, texts), model=model, vocab_size=300, threads=threads)
    assert made.definition == expected.definition


def test_progress_counts_bytes(tmp_path):
    seen = []
    paths = written(tmp_path, ["one line\n", "two\nlines"])
    Tokenizer.train_from_files(paths, vocab_size=262, progress=lambda *bytes_done: seen.append(bytes_done))
    assert seen == [(9, 18), (18, 18)]


def test_invalid_bytes_in_files(tmp_path):
    [path] = written(tmp_path, [b"fine\ncaf\xe9 caf\xe9\n"])
    made = Tokenizer.train_from_files([path], vocab_size=270)
    assert made.definition == Tokenizer.train(["fine\n", "caf\ufffd caf\ufffd\n"], vocab_size=270).definition
    with pytest.raises(FormatError, match=r"0.txt, line 2 at byte 3: is not UTF-8"):
        Tokenizer.train_from_files([path], vocab_size=270, strict=True)


def test_mistakes_about_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nosuch\.txt does not exist"):
        Tokenizer.train_from_files([tmp_path / "nosuch.txt"])
    with pytest.raises(FileNotFoundError, match="is no file"):
        Tokenizer.train_from_files([tmp_path])
    with pytest.raises(TypeError, match="list of paths"):
        Tokenizer.train_from_files("corpus.txt")
    with pytest.raises(ValueError, match='model must be "bpe" or "wordpiece"'):
        Tokenizer.train_from_files([], model="unigram")


def test_wordpiece_vocabulary_begins_with_special_tokens_and_characters():
    tok = Tokenizer.train_wordpiece(["ab ba", "Äb, ab"], vocab_size=12)
    tokens = [tok.token(i) for i in range(tok.vocab_size)]
    assert tokens == [
        *["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        ",",
        "a",
        "b",
        "##a",
        "##b",
        "ab",
        "ba",
    ]
    assert tok.encode("ABA x") == [2, tok.id("ab"), tok.id("##a"), 1, 3] and tok.pad_id == 0


def test_wordpiece_keeps_case_and_limits_the_alphabet():
    tok = Tokenizer.train_wordpiece(["Ab ab", "cc"], vocab_size=30, lowercase=False, alphabet_limit=2)
    tokens = {tok.token(i) for i in range(5, tok.vocab_size)}
    assert tokens == {"b", "c", "##b", "##c", "cc"}


def test_wordpiece_mistakes():
    with pytest.raises(ValueError, match=r"vocab_size must be at least 8 .*alphabet_limit"):
        Tokenizer.train_wordpiece(["ab"], vocab_size=6)
    with pytest.raises(ValueError, match=r"must hold '\[UNK\]'"):
        Tokenizer.train_wordpiece(["ab"], special_tokens=["[PAD]"])
    with pytest.raises(ValueError, match="alphabet_limit must be a whole number from 1"):
        Tokenizer.train_wordpiece(["ab"], alphabet_limit=0)
    with pytest.raises(TypeError, match="iterable of texts"):
        Tokenizer.train_wordpiece("one text")
