from __future__ import annotations

from mmcore.text import byte_level


def test_alphabet_has_256_printable_characters_and_is_inverted():
    assert len(set(byte_level.CHARS)) == 256 and byte_level.CHARS.isprintable()
    assert byte_level.to_token(b" \n") == "ĠĊ"
    data = bytes(range(256))
    assert byte_level.to_bytes(byte_level.to_token(data)) == data
    assert sorted(byte_level.BYTE_ORDER) == list(data) and byte_level.BYTE_ORDER[0] == ord("!")


def test_characters_outside_of_the_alphabet_are_noticed():
    for token in (" ", "a b", "\xa0", "｜", "\x7f"):
        assert byte_level.to_bytes(token) is None
