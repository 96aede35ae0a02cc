"""Pieces of the binary layout: little-endian numbers, strings, lists, and parts (a tag with its fields)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from mmcore.errors import FormatError

NO_TOKEN = 0xFFFFFFFF


def u32(*values: int) -> bytes:
    """Numbers, one after another."""
    return struct.pack(f"<{len(values)}I", *values)


def u32_list(values: Iterable[int]) -> bytes:
    """A list of numbers."""
    values = list(values)
    return u32(len(values), *values)


def flags(*switches: Any) -> int:
    """One bit for each switch, the first one the lowest."""
    return sum(1 << bit for bit, on in enumerate(switches) if on)


def utf8(text: str) -> bytes:
    """The bytes of a text of the definition; JSON can spell lone surrogates, which have none."""
    return text.encode("utf-8", "replace")


def string(data: bytes | str) -> bytes:
    """A string."""
    data = utf8(data) if isinstance(data, str) else data
    return struct.pack("<I", len(data)) + data


def items(encoded: Iterable[bytes]) -> bytes:
    """A list of things that are encoded already."""
    encoded = list(encoded)
    return struct.pack("<I", len(encoded)) + b"".join(encoded)


def part(tag: int, *fields: bytes) -> bytes:
    """A part: tag, size, fields."""
    size = sum(map(len, fields))
    return struct.pack("<II", tag, size) + b"".join(fields)


def flat(component: Any, inner: str, name: str) -> list[Mapping[str, Any]]:
    """The components of a family in their order: sequences, whose list is called `inner`, taken apart."""
    found: list[Mapping[str, Any]] = []
    waiting = [component]
    while waiting:
        item = waiting.pop()
        if item is None:
            continue
        if not isinstance(item, dict):
            raise FormatError(f"{name} must be an object with a 'type', found {str(item)[:200]!r}")
        if item.get("type") == "Sequence":
            waiting += reversed(item[inner])
        else:
            found.append(item)
    return found


def unsupported(name: str, kind: Any, supported: Iterable[str]) -> FormatError:
    """The error for a component that is not supported."""
    return FormatError(f"{name} {kind!r} is not supported; supported are {', '.join(sorted(supported))}")


def expect_absent(component: Mapping[str, Any], *names: str, where: str = "") -> None:
    """Refuses settings that would change the ids and are not supported.

    Raises:
        FormatError: one of them is set.
    """
    for name in names:
        if component.get(name):
            raise FormatError(f"{where}{name} is not supported, found {str(component[name])[:200]}")
