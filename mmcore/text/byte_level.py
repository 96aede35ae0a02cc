"""The 256 printable characters that stand for bytes in the vocabulary files of byte-level BPE.

Source: Radford et al., Language Models are Unsupervised Multitask Learners, 2019, `bytes_to_unicode` of its
code: printable Latin-1 characters stand for themselves, the other bytes for U+0100, U+0101, ... in order.
"""

from __future__ import annotations

_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [byte for byte in range(256) if byte not in _PRINTABLE]

CHARS: str = "".join(chr(byte if byte in _PRINTABLE else 256 + _OTHERS.index(byte)) for byte in range(256))
"""Character of each byte."""

BYTE_ORDER: bytes = bytes(sorted(range(256), key=lambda byte: CHARS[byte]))
"""Bytes in the order of their characters, which is the order of their ids in a trained vocabulary."""

# To Latin-1, whose bytes are the values; characters outside of the alphabet go where Latin-1 cannot follow.
_TO_LATIN1 = dict.fromkeys(range(256), "\uffff") | {ord(char): chr(byte) for byte, char in enumerate(CHARS)}


def to_bytes(token: str) -> bytes | None:
    """The bytes that a token of the vocabulary stands for; None if a character is outside of the alphabet."""
    try:
        return token.translate(_TO_LATIN1).encode("latin-1")
    except UnicodeEncodeError:
        return None


def to_token(data: bytes) -> str:
    """The vocabulary's spelling of bytes: the inverse of `to_bytes`."""
    return "".join(CHARS[byte] for byte in data)
