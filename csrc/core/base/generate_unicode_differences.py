"""Writes docs/unicode_differences.md: the code points that Hugging Face tokenizers normalizes unlike Unicode.

python csrc/core/base/generate_unicode_differences.py
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import tokenizers
from generate_normalization_tables import FORMS, UNICODE_VERSION, Edition, hugging_face, overlay, standard

INTRODUCTION = f"""\
# Where Hugging Face normalizes unlike Unicode

Written by csrc/core/base/generate_unicode_differences.py from tokenizers {tokenizers.__version__} and Unicode \
{UNICODE_VERSION}.

`mmcore.text.normalize` follows Unicode {UNICODE_VERSION}: every line of its NormalizationTest.txt passes. \
`Tokenizer` must give
Hugging Face's ids, so it follows the older tables that Hugging Face carries. They differ in what is listed here and
in nothing else.
"""


def points(text: str) -> str:
    return " ".join(f"U+{ord(char):04X}" for char in text)


def name(c: int) -> str:
    return unicodedata.name(chr(c), "no name")


def table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return f"## {title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def decompositions(hf: Edition, unicode: Edition) -> list[tuple[str, ...]]:
    found = []
    for form in FORMS:
        theirs, ours = hf.changed[form], unicode.changed[form]
        for c in sorted(overlay(theirs, ours, None)):
            both = (points(mapping.get(c, chr(c))) for mapping in (theirs, ours))
            found.append((f"U+{c:04X}", name(c), form, *both))
    return sorted(found, key=lambda row: (int(row[0][2:], 16), row[2]))


def combining(hf: Edition, unicode: Edition) -> list[tuple[str, ...]]:
    differing = sorted(overlay(hf.combining, unicode.combining, 0))
    return [
        (f"U+{c:04X}", name(c), str(hf.combining.get(c, 0)), str(unicode.combining.get(c, 0)))
        for c in differing
    ]


def pairs(hf: Edition, unicode: Edition) -> list[tuple[str, ...]]:
    differing = sorted(overlay(hf.pairs, unicode.pairs, 0))
    editions = (hf.pairs, unicode.pairs)
    return [
        (
            points("".join(map(chr, pair))),
            *(f"U+{edition[pair]:04X}" if pair in edition else "none" for edition in editions),
        )
        for pair in differing
    ]


def main() -> None:
    hf, unicode = hugging_face(), standard()
    forms, classes, compositions = decompositions(hf, unicode), combining(hf, unicode), pairs(hf, unicode)
    sections = [
        table(
            f"Normalized alone: {len({row[0] for row in forms})} code points",
            ("code point", "name", "form", "Hugging Face", "Unicode"),
            forms,
        ),
        table(
            f"Combining class (the order among marks): {len(classes)} code points",
            ("code point", "name", "Hugging Face", "Unicode"),
            classes,
        ),
        table(f"Composition: {len(compositions)} pairs", ("pair", "Hugging Face", "Unicode"), compositions),
    ]
    path = Path(__file__).parents[3] / "docs" / "unicode_differences.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([INTRODUCTION, *sections]), encoding="utf-8", newline="\n")
    print(
        f"{path.name}: {len(forms)} forms, {len(classes)} classes, {len(compositions)} pairs", file=sys.stderr
    )


if __name__ == "__main__":
    main()
