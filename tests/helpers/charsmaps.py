"""Makes the character map of a SentencePiece model, for tests without real data."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping

RULES = {
    "\u3000": " ",
    "\u00a0": " ",
    "\t": " ",
    "\u200b": "",
    "\r\n": " ",
    "ﬁ": "fi",
    "①": "1",
    "①①": "11 ",
    "e\u0301": "é",
    "e\u0301\u0302": "ế",
    "Å": "å",
    "ab": "b a",
    "ｶﾞ": "ガ",
    "…": "...",
}


def build(rules: Mapping[str, str]) -> bytes:
    """A precompiled_charsmap: a trie as darts-clone packs it from keys in UTF-8 to places in a pool, and the pool.

    A unit has its label in bits 0 to 7, "is a key" in bit 8, and from bit 10 on what leads from its own place to
    that of its value; the child for a byte is at the place of the value XOR the byte.
    """
    pool, values = bytearray(), {}
    for key, text in rules.items():
        values[key.encode()] = len(pool)
        pool += text.encode() + b"\0"
    units, bases, waiting = {0: 0}, {0}, [(b"", 0)]
    for prefix, place in waiting:  # Grows on the way: breadth first.
        depth = len(prefix)
        labels = sorted({key[depth] for key in values if key.startswith(prefix) and len(key) > depth})
        taken = [0, *labels] if prefix in values else labels
        base = next(
            b
            for b in itertools.count(1)
            if b not in bases and not units.keys() & {b ^ label for label in taken}
        )
        bases.add(base)
        units[place] |= (place ^ base) << 10 | (prefix in values) << 8
        if prefix in values:
            units[base] = 1 << 31 | values[prefix]
        units |= {base ^ label: label for label in labels}
        waiting += [(prefix + bytes([label]), base ^ label) for label in labels]
    size = (max(units) // 256 + 1) * 256  # sentencepiece takes whole blocks only.
    unused = 1 << 31  # No label: it would be a child for a NUL otherwise.
    return struct.pack(f"<I{size}I", 4 * size, *(units.get(i, unused) for i in range(size))) + bytes(pool)
