"""Pre-tokenizers: each becomes one or two steps, parts whose tags csrc/core/text/spec.h lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmcore.errors import FormatError
from mmcore.text.patterns import NAMES, known_number, pattern_number
from mmcore.text.spec import layout, regex
from mmcore.text.spec.byte_splitters import behaviour_number, compile_byte_splitter

_BERT, _WHITESPACE, _WHITESPACE_SPLIT, _PUNCTUATION, _DIGITS, _STRING, _PATTERN, _MARK, _FIXED, _SET = range(
    10
)
_WHERE = ("never", "first", "always")


def compile_pre_tokenizers(component: Any) -> list[bytes]:
    """The steps of a pre-tokenizer.

    Raises:
        FormatError: a component is not supported.
    """
    steps: list[bytes] = []
    bytes_before = False
    for part in layout.flat(component, "pretokenizers", "pre_tokenizer"):
        kind = part.get("type")
        if kind not in _COMPILERS:
            raise layout.unsupported("pre_tokenizer", kind, [*_COMPILERS, "Sequence"])
        steps += [compile_byte_splitter(part)] if bytes_before else _COMPILERS[kind](part)
        bytes_before = bytes_before or kind == "ByteLevel"
    return steps


def is_byte_level(component: Any) -> bool:
    """Whether words are bytes when they come to the model."""
    parts = layout.flat(component, "pretokenizers", "pre_tokenizer")
    return any(part.get("type") == "ByteLevel" for part in parts)


def metaspace_scheme(part: Mapping[str, Any]) -> str:
    """When Metaspace puts a mark in front: "first", "always" or "never". Older files have a switch."""
    scheme = part.get("prepend_scheme")
    if scheme is None:
        scheme = "always" if part.get("add_prefix_space", True) else "never"
    if scheme not in _WHERE:
        raise layout.unsupported("prepend_scheme", scheme, _WHERE)
    return scheme


def _plain(tag: int) -> Callable[[Mapping[str, Any]], list[bytes]]:
    return lambda part: [layout.part(tag)]


def _byte_level(part: Mapping[str, Any]) -> list[bytes]:
    steps = []
    if part.get("add_prefix_space", True):
        steps.append(layout.part(_MARK, layout.u32(0, _WHERE.index("always")), layout.string(" ")))
    if part.get("use_regex", True):
        steps.append(layout.part(_PATTERN, layout.u32(behaviour_number("Isolated"), 0, NAMES.index("gpt2"))))
    return steps


def _metaspace(part: Mapping[str, Any]) -> list[bytes]:
    mark = layout.string(part["replacement"])
    steps = [layout.part(_MARK, layout.u32(1, _WHERE.index(metaspace_scheme(part))), mark)]
    if part.get("split", True):
        steps.append(layout.part(_STRING, layout.u32(behaviour_number("MergedWithNext"), 0), mark))
    return steps


def _punctuation(part: Mapping[str, Any]) -> list[bytes]:
    return [layout.part(_PUNCTUATION, layout.u32(behaviour_number(part.get("behavior", "Isolated"))))]


def _digits(part: Mapping[str, Any]) -> list[bytes]:
    return [layout.part(_DIGITS, layout.u32(layout.flags(part.get("individual_digits", False))))]


def _delimiter(part: Mapping[str, Any]) -> list[bytes]:
    return [
        layout.part(_STRING, layout.u32(behaviour_number("Removed"), 0), layout.string(part["delimiter"]))
    ]


def _split(part: Mapping[str, Any]) -> list[bytes]:
    pattern, invert, behaviour = part["pattern"], part["invert"], behaviour_number(part["behavior"])
    how = layout.u32(behaviour, layout.flags(invert))
    if "String" in pattern:
        if not pattern["String"]:
            raise FormatError("pre_tokenizer 'Split' by an empty string is not supported")
        return [layout.part(_STRING, how, layout.string(pattern["String"]))]
    expression = pattern["Regex"]
    found = regex.read(expression) if known_number(expression) is None else None
    if isinstance(found, regex.Run):
        before = [] if found.before is None else [regex.write_set(found.before)]
        flags = layout.flags(invert, before)
        return [layout.part(_SET, layout.u32(behaviour, flags), regex.write_run(found), *before)]
    if found is not None:
        return [layout.part(_STRING, how, layout.string(found))]
    return [layout.part(_PATTERN, how, layout.u32(pattern_number(expression)))]


def _fixed_length(part: Mapping[str, Any]) -> list[bytes]:
    return [layout.part(_FIXED, layout.u32(part["length"]))]


_COMPILERS: dict[str, Callable[[Mapping[str, Any]], list[bytes]]] = {
    "ByteLevel": _byte_level,
    "Metaspace": _metaspace,
    "BertPreTokenizer": _plain(_BERT),
    "Whitespace": _plain(_WHITESPACE),
    "WhitespaceSplit": _plain(_WHITESPACE_SPLIT),
    "Punctuation": _punctuation,
    "Digits": _digits,
    "CharDelimiterSplit": _delimiter,
    "Split": _split,
    "FixedLength": _fixed_length,
}
