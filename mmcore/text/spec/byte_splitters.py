"""Pre-tokenizers behind ByteLevel, as in Falcon: they see a character for each byte, and may cut within a character."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmcore.errors import FormatError
from mmcore.text import byte_level
from mmcore.text.spec import layout, regex

_SPLIT_BYTES = 10
_BEHAVIOURS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")


def behaviour_number(name: str) -> int:
    """The number of what becomes of matches.

    Raises:
        FormatError: there is no such behaviour.
    """
    if name not in _BEHAVIOURS:
        raise layout.unsupported("behavior", name, _BEHAVIOURS)
    return _BEHAVIOURS.index(name)


def compile_byte_splitter(part: Mapping[str, Any]) -> bytes:
    """The step of `Digits` or `Split` behind ByteLevel.

    Raises:
        FormatError: it is something else, or splits by more than one class of characters.
    """
    if part["type"] == "Digits":
        # Of the characters of bytes, those that are digits and those that Rust takes for numeric.
        numeric = {char for char in byte_level.CHARS if char.isnumeric()}
        behaviour = "Isolated" if part.get("individual_digits", False) else "Contiguous"
        return _step(behaviour, False, numeric, 1, 1)
    if part["type"] != "Split":
        raise layout.unsupported("pre_tokenizer behind 'ByteLevel'", part["type"], ["Digits", "Split"])
    run = _run(part["pattern"])
    inside = {char for char in byte_level.CHARS if any(a <= ord(char) <= b for a, b in run.ranges)}
    return _step(part["behavior"], part["invert"], inside, run.least, run.most)


def _run(pattern: Mapping[str, str]) -> regex.Run:
    found = regex.read(pattern["Regex"]) if "Regex" in pattern else pattern["String"]
    if isinstance(found, str) and len(found) == 1:
        found = regex.Run(((ord(found), ord(found)),), 1, 1)
    if not isinstance(found, regex.Run) or found.before is not None:
        raise FormatError(
            f"pre_tokenizer 'Split' behind 'ByteLevel' is supported by one class of characters, as [0-9]{{3}}, "
            f"found {str(pattern)[:200]}"
        )
    return found


def _step(behaviour: str, invert: bool, chars: set[str], least: int, most: int | None) -> bytes:
    bits = [
        layout.flags(*(byte_level.CHARS[byte] in chars for byte in range(i, i + 32)))
        for i in range(0, 256, 32)
    ]
    how = layout.u32(behaviour_number(behaviour), layout.flags(invert))
    return layout.part(
        _SPLIT_BYTES, how, layout.u32(least, layout.NO_TOKEN if most is None else most), layout.u32(*bits)
    )
