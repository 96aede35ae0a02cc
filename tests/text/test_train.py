from __future__ import annotations

import json

import pytest

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
