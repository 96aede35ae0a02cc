r"""Regular expressions that need no engine: a plain string, or one class of characters, once or in runs, before
which one character of another class may stand (`\s?[a-z]+`).

Read as Hugging Face reads them, with Oniguruma in Ruby's syntax. What has another meaning elsewhere, or none that
is certain (`&&`, `[:alpha:]`, possessive and lazy runs), is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mmcore.errors import FormatError
from mmcore.text.spec import layout
from mmcore.text.spec.code_points import Ranges, complement, named, union

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b"}
_SPECIAL = set("()[]{}|^$*+?.\\")
_CODE = re.compile(r"x\{([0-9A-Fa-f]{1,6})\}|x([0-7][0-9A-Fa-f])|u([0-9A-Fa-f]{4})")
_PROPERTY = re.compile(r"([pP])\{(\w+)\}")
_COUNT = re.compile(r"\{(\d{1,4})(,?)(\d{0,4})\}\Z")


class Run(NamedTuple):
    """`[before]?[set]{least,most}`, taken greedily from the left."""

    ranges: Ranges
    least: int
    most: int | None
    before: Ranges | None = None
    """None: no other character stands before the run."""


class _Unread(Exception):
    """The expression has something that is not read here."""


def read(expression: str) -> str | Run | None:
    r"""The string or the run of characters that an expression finds; None: it is neither.

    Example:
        >>> read(r"\.\.\."), read("[a-c_]{2,}")
        ('...', Run(ranges=((95, 95), (97, 99)), least=2, most=None, before=None))
        >>> read("a|b") is read("[a-z]+x") is None
        True
    """
    try:
        return _read(expression)
    except _Unread:
        return None


def write_set(ranges: Ranges) -> bytes:
    """A set, as csrc/core/text/character_set.h describes it."""
    return layout.u32(len(ranges), *(end for pair in ranges for end in pair))


def write_run(run: Run) -> bytes:
    """The fields of a run without what may stand before it, as csrc/core/text/character_set.h describes them."""
    most = layout.NO_TOKEN if run.most is None else run.most
    return layout.u32(run.least, most) + write_set(run.ranges)


def unsupported(name: str, expression: str) -> FormatError:
    """The error for an expression that is neither."""
    return FormatError(
        f"{name} of the regex {expression[:1000]!r} is not supported; supported are a plain string and one class of "
        r"characters, as [a-z!\s], \d+ or [^\p{L}]{2,}"
    )


def _read(expression: str) -> str | Run:
    before = None
    found, at = _unit(expression, 0)
    if expression[at : at + 1] == "?":
        before = _ranges(found)
        found, at = _unit(expression, at + 1)
    if expression[at : at + 1] in ("+", "{"):
        run = Run(_ranges(found), *_count(expression[at:]), before)
    else:
        units = [found, *_more_units(expression, at)]
        if before is None and all(isinstance(unit, str) for unit in units):
            return "".join(map(str, units))
        if any(unit != found for unit in units):
            raise _Unread
        run = Run(_ranges(found), len(units), len(units), before)
    if before is not None and run.least != 1:
        raise _Unread
    return run


def _more_units(text: str, at: int) -> Iterator[str | Ranges]:
    while at < len(text):
        found, at = _unit(text, at)
        yield found


def _ranges(found: str | Ranges) -> Ranges:
    return ((ord(found), ord(found)),) if isinstance(found, str) else found


def _count(text: str) -> tuple[int, int | None]:
    if text == "+":
        return 1, None
    match = _COUNT.fullmatch(text)
    if match is None:
        raise _Unread
    least, comma, most = match.groups()
    highest = (int(most) if most else None) if comma else int(least)
    if int(least) < 1 or (highest is not None and highest < int(least)):
        raise _Unread
    return int(least), highest


def _unit(text: str, at: int) -> tuple[str | Ranges, int]:
    """What one character of the text must be, and where the expression goes on."""
    if at == len(text):
        raise _Unread
    if text[at] == "[":
        return _class(text, at + 1, nested=False)
    if text[at] == "\\":
        return _escape(text, at + 1, " alone")
    if text[at] == ".":
        return complement(((10, 10),)), at + 1
    if text[at] in _SPECIAL:
        raise _Unread
    return text[at], at + 1


def _escape(text: str, at: int, where: str) -> tuple[str | Ranges, int]:
    if at == len(text):
        raise _Unread
    char = text[at]
    if char in _ESCAPES:
        return _ESCAPES[char], at + 1
    if char in "sdwSDW":
        ranges = named(char.lower() + where) or named(char.lower()) or ()
        return ranges if char.islower() else complement(ranges), at + 1
    if (match := _CODE.match(text, at)) is not None:
        code = int(next(filter(None, match.groups())), 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise _Unread
        return chr(code), match.end()
    if (match := _PROPERTY.match(text, at)) is not None and match[2] not in "sdw":
        known = named(match[2])
        if known is None:
            raise _Unread
        return known if match[1] == "p" else complement(known), match.end()
    if char.isascii() and char.isalnum():
        raise _Unread
    return char, at + 1


def _class(text: str, at: int, nested: bool) -> tuple[Ranges, int]:
    negated = text[at : at + 1] == "^"
    at += negated
    begin = at
    parts: list[tuple[int, int]] = []
    while text[at : at + 1] != "]" or at == begin:
        item, at = _item(text, at, nested)
        if not _is_range(text, at):
            parts += _ranges(item)
            continue
        last, at = _item(text, at + 1, nested)
        if not (isinstance(item, str) and isinstance(last, str) and item <= last) or _is_range(text, at):
            raise _Unread
        parts.append((ord(item), ord(last)))
    ranges = union(parts)
    return (complement(ranges) if negated else ranges), at + 1


def _is_range(text: str, at: int) -> bool:
    """Whether a hyphen that is not the last character of its class comes."""
    return text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("]", "")


def _item(text: str, at: int, nested: bool) -> tuple[str | Ranges, int]:
    if at == len(text) or text.startswith(("&&", "[:", "]"), at):
        raise _Unread
    if text[at] == "[":
        if nested:
            raise _Unread
        return _class(text, at + 1, nested=True)
    return _escape(text, at + 1, "") if text[at] == "\\" else (text[at], at + 1)
