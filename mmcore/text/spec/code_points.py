"""Sets of code points as ranges, with the named ones of Hugging Face's regular expressions (Oniguruma's)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from mmcore._load import native
from mmcore.text.spec import measured

Ranges = tuple[tuple[int, int], ...]
"""First and last of each range, sorted, with a gap between any two."""

_LAST = 0x10FFFF
_LETTER, _NUMBER, _SPACE, _UPPER, _WORD, _SYMBOL = 1, 2, 4, 8, 64, 256  # Bits of native().word_classes.


def union(parts: Iterable[tuple[int, int]]) -> Ranges:
    """The code points that are in any of the ranges, which may overlap.

    Example:
        >>> union([(5, 9), (1, 2), (3, 3), (8, 12)])
        ((1, 3), (5, 12))
    """
    merged: list[tuple[int, int]] = []
    for first, last in sorted(parts):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def complement(ranges: Ranges) -> Ranges:
    """All other code points.

    Example:
        >>> complement(((0, 4), (6, 0x10FFFF)))
        ((5, 5),)
    """
    starts = [0, *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), _LAST]
    return tuple((a, b) for a, b in zip(starts, ends, strict=True) if a <= b)


def named(name: str) -> Ranges | None:
    r"""The class that a name stands for: "s", "d", "w" (after a backslash), "L", "N", "Nd", "M", "P", "S", "Han"
    (in `\p{}`).

    `\w` by itself has six superscripts and fractions of Latin-1 more than within brackets: that is "w alone".
    """
    make = _NAMED.get(name)
    return None if make is None else make()


@functools.cache
def _with_classes(classes: int) -> Ranges:
    return tuple(native().ranges_of_class(classes))


@functools.cache
def _digits() -> Ranges:
    zeros = [int(zero, 16) for zero in measured.ZEROS.split()]
    return union((zero, zero + 9) for zero in zeros)


@functools.cache
def _punctuation() -> Ranges:
    return _parsed(measured.PUNCTUATION)


@functools.cache
def _han() -> Ranges:
    return _parsed(measured.HAN)


def _parsed(text: str) -> Ranges:
    pairs = [part.partition("-") for part in text.split()]
    return tuple((int(first, 16), int(last or first, 16)) for first, _, last in pairs)


@functools.cache
def _symbols() -> Ranges:
    return complement(union([*complement(_with_classes(_SYMBOL)), *_punctuation()]))


@functools.cache
def _marks() -> Ranges:
    # Letters without case and marks have both the class of capitals and that of small letters.
    letters = _with_classes(_LETTER)
    return complement(union([*complement(_with_classes(_UPPER)), *letters]))


@functools.cache
def _word() -> Ranges:
    # The table has Rust's, which has the joiners too.
    return complement(union([*complement(_with_classes(_WORD)), (0x200C, 0x200D)]))


@functools.cache
def _word_alone() -> Ranges:
    return union([*_word(), (0xB2, 0xB3), (0xB9, 0xB9), (0xBC, 0xBE)])


_NAMED: dict[str, Callable[[], Ranges]] = {
    "s": lambda: _with_classes(_SPACE),
    "d": _digits,
    "w": _word,
    "w alone": _word_alone,
    "L": lambda: _with_classes(_LETTER),
    "N": lambda: _with_classes(_NUMBER),
    "Nd": _digits,
    "M": _marks,
    "P": _punctuation,
    "S": _symbols,
    "Han": _han,
}
