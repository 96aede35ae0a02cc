"""Writes normalization_tables.cc: decompositions and compositions, as Hugging Face has them and as Unicode does.

    python csrc/core/base/generate_normalization_tables.py

The tables of Hugging Face tokenizers follow an older version of Unicode, so they are measured: every code point
is normalized by the library itself. The Unicode edition comes from Python's `unicodedata`, which must be of the
version of the official test; of it, only what differs is stored.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import tokenizers
from generate_unicode_tables import CODE_POINTS, HANGUL, array, combining_classes, two_stage
from tokenizers import normalizers

UNICODE_VERSION = "14.0.0"  # That of NormalizationTest.txt, and of Python 3.11.
FORMS = ("NFD", "NFC", "NFKD", "NFKC")
HANGUL_SECONDS = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
Normalize = Callable[[str], str]
Pairs = dict[tuple[int, int], int]


class Edition:
    """What one library does with every code point."""

    def __init__(self, forms: dict[str, Normalize], combining: dict[int, int]) -> None:
        self.combining = combining
        self.changed = {form: changed(normalize) for form, normalize in forms.items()}
        self.nfd = without_hangul(self.changed["NFD"])
        self.nfkd = without_hangul(self.changed["NFKD"])
        self.pairs = compositions(forms["NFC"], self.nfd)

    def unstable(self, form: str) -> set[int]:
        """What `form` changes, moves, or (composing forms) joins to what is before it."""
        seconds = {second for _, second in self.pairs} | HANGUL_SECONDS
        return {*self.changed[form], *self.combining, *(seconds if form in ("NFC", "NFKC") else ())}


def changed(normalize: Normalize) -> dict[int, str]:
    return {c: text for c in CODE_POINTS if (text := normalize(chr(c))) != chr(c)}


def without_hangul(mapping: dict[int, str]) -> dict[int, str]:
    return {c: text for c, text in mapping.items() if c not in HANGUL}


def compositions(nfc: Normalize, nfd: dict[int, str]) -> Pairs:
    """(first, second) -> primary composite: the last step of composing what decomposes to more than one."""
    pairs = {}
    for c, text in nfd.items():
        first = nfc(text[:-1])
        if len(text) > 1 and len(first) == 1 and nfc(text) == chr(c):
            pairs[ord(first), ord(text[-1])] = c
    wrong = [pair for pair, c in pairs.items() if nfc("".join(map(chr, pair))) != chr(c)]
    if wrong:
        raise SystemExit(f"error: these pairs do not compose to what they should: {wrong}")
    return pairs


def hugging_face() -> Edition:
    forms = {form: getattr(normalizers, form)().normalize_str for form in FORMS}
    return Edition(forms, combining_classes())


def standard() -> Edition:
    if unicodedata.unidata_version != UNICODE_VERSION:
        found = f"{unicodedata.unidata_version} (Python {sys.version.split()[0]})"
        raise SystemExit(
            f"error: needs a Python whose unicodedata is {UNICODE_VERSION}, as 3.11; found {found}"
        )

    def normalizer(form: str) -> Normalize:
        return lambda text: unicodedata.normalize(form, text)

    classes = {c: value for c in CODE_POINTS if (value := unicodedata.combining(chr(c)))}
    return Edition({form: normalizer(form) for form in FORMS}, classes)


def overlay(base: dict, other: dict, missing: object) -> dict:
    """What must be written over `base` to have `other`."""
    return {key: other.get(key, missing) for key in {*base, *other} if base.get(key) != other.get(key)}


class Pool:
    """`length, code points...` of each text once; 0 is the empty entry."""

    def __init__(self) -> None:
        self.values, self.places = [0], {"": 0}

    def rows(self, mapping: dict[int, str]) -> list[tuple[int, int]]:
        return [(c, self.place(text)) for c, text in sorted(mapping.items())]

    def place(self, text: str) -> int:
        if text not in self.places:
            self.places[text] = len(self.values)
            self.values += [len(text), *map(ord, text)]
        return self.places[text]


def rows(kind: str, name: str, values: list[tuple[int, ...]]) -> str:
    lines, line = [], "   "
    for value in values:
        text = " {" + ", ".join(map(str, value)) + "},"
        if len(line) + len(text) > 109:
            lines.append(line)
            line = "   "
        line += text
    body = "\n".join([*lines, line])
    return (
        f"static const {kind} {name}Rows[] = {{\n{body}\n}};\n"
        f"const Span<const {kind}> {name}({name}Rows, {len(values)});\n"
    )


def leads(unstable: list[int]) -> list[int]:
    """For each first byte of a character in UTF-8, the bits of all characters that begin with it."""
    bits = [0] * 256
    for c in CODE_POINTS:
        if unstable[c]:
            bits[chr(c).encode()[0]] |= unstable[c]
    return bits


def main() -> None:
    hf, unicode = hugging_face(), standard()
    unstable = [0] * 0x110000
    for bit, (edition, form) in enumerate((edition, form) for edition in (hf, unicode) for form in FORMS):
        for c in edition.unstable(form):
            unstable[c] |= 1 << bit
    index, pages = two_stage(unstable)
    pool = Pool()
    own_nfkd = {c: text for c, text in hf.nfkd.items() if hf.nfd.get(c) != text}
    lost = sorted(c for c in hf.nfd if c not in hf.nfkd)
    if lost:
        raise SystemExit(f"error: canonical but no compatibility decomposition: {lost}")
    lists = [
        ("Decomposition", "kNfkdOfHuggingFace", pool.rows(own_nfkd)),
        ("Decomposition", "kNfdOfUnicode", pool.rows(overlay(hf.nfd, unicode.nfd, ""))),
        ("Decomposition", "kNfkdOfUnicode", pool.rows(overlay(hf.nfkd, unicode.nfkd, ""))),
        ("Combining", "kCombiningOfUnicode", sorted(overlay(hf.combining, unicode.combining, 0).items())),
        ("Composition", "kCompositionsOfHuggingFace", pair_rows(hf.pairs)),
        ("Composition", "kCompositionsOfUnicode", pair_rows(overlay(hf.pairs, unicode.pairs, 0))),
    ]
    text = (
        f"// Generated by generate_normalization_tables.py from tokenizers {tokenizers.__version__} and Unicode "
        f"{UNICODE_VERSION}. Do not edit.\n\n"
        '#include "core/base/normalization_tables.h"\n\nnamespace mmcore {\nnamespace unicode {\n\n'
        + array("uint8_t", "kUnstableIndex", index)
        + array("uint8_t", "kUnstablePages", pages)
        + array("uint8_t", "kUnstableLead", leads(unstable))
        + array("uint32_t", "kDecompositionPool", pool.values)
        + "".join(rows(*part) for part in lists)
        + "\n}  // namespace unicode\n}  // namespace mmcore\n"
    )
    path = Path(__file__).with_name("normalization_tables.cc")
    path.write_text(text, encoding="utf-8", newline="\n")
    counts = ", ".join(f"{name} {len(values)}" for _, name, values in lists)
    print(f"{path.name}: {len(text)} bytes; pool {len(pool.values)}, {counts}", file=sys.stderr)


def pair_rows(pairs: Pairs) -> list[tuple[int, int, int]]:
    """Sorted by the second of each pair, as Compose searches."""
    return [(first, second, c) for (first, second), c in sorted(pairs.items(), key=lambda row: row[0][::-1])]


if __name__ == "__main__":
    main()
