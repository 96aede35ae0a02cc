"""Normalizers: each becomes one step, a part whose tag csrc/core/text/spec.h lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mmcore.errors import FormatError
from mmcore.text.spec import layout, regex

(
    _NFC,
    _NFD,
    _NFKC,
    _NFKD,
    _LOWERCASE,
    _STRIP_ACCENTS,
    _STRIP,
    _REPLACE,
    _PREPEND,
    _BERT,
    _PRECOMPILED,
    _NMT,
    _SENTENCE_PIECE,
    _REPLACE_SET,
) = range(14)


class BertOptions(NamedTuple):
    """The switches of BertNormalizer."""

    clean_text: bool
    handle_chinese_chars: bool
    strip_accents: bool
    lowercase: bool


def compile_normalizers(component: Any) -> list[bytes]:
    """The steps of a normalizer.

    Raises:
        FormatError: a component is not supported.
    """
    steps = []
    for part in layout.flat(component, "normalizers", "normalizer"):
        kind = part.get("type")
        if kind not in _COMPILERS:
            raise layout.unsupported("normalizer", kind, [*_COMPILERS, "Sequence"])
        steps.append(_COMPILERS[kind](part))
    return steps


def bert_options(part: Mapping[str, Any] | None) -> BertOptions:
    """The switches of a BertNormalizer; all off where there is none."""
    if part is None:
        return BertOptions(False, False, False, False)
    lowercase, strip = part.get("lowercase", True), part.get("strip_accents")
    return BertOptions(
        part.get("clean_text", True),
        part.get("handle_chinese_chars", True),
        lowercase if strip is None else strip,
        lowercase,
    )


def _plain(tag: int) -> Callable[[Mapping[str, Any]], bytes]:
    return lambda part: layout.part(tag)


def _strip(part: Mapping[str, Any]) -> bytes:
    return layout.part(_STRIP, layout.u32(layout.flags(part["strip_left"], part["strip_right"])))


def _replace(part: Mapping[str, Any]) -> bytes:
    pattern, content = part["pattern"], layout.string(part["content"])
    wanted = pattern["String"] if "String" in pattern else regex.read(pattern["Regex"])
    if wanted is None or (isinstance(wanted, regex.Run) and wanted.before is not None):
        raise regex.unsupported("normalizer 'Replace'", pattern["Regex"])
    if isinstance(wanted, regex.Run):
        return layout.part(_REPLACE_SET, regex.write_run(wanted), content)
    if not wanted:
        raise FormatError("normalizer 'Replace' of an empty string is not supported")
    return layout.part(_REPLACE, layout.string(wanted), content)


def _prepend(part: Mapping[str, Any]) -> bytes:
    return layout.part(_PREPEND, layout.string(part["prepend"]))


def _bert(part: Mapping[str, Any]) -> bytes:
    return layout.part(_BERT, layout.u32(layout.flags(*bert_options(part))))


def _precompiled(part: Mapping[str, Any]) -> bytes:
    return layout.part(_PRECOMPILED, _charsmap(part))


def _charsmap(part: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(part["precompiled_charsmap"] or "", validate=True)
    except binascii.Error as error:
        raise FormatError(
            f"normalizer {part['type']!r} has a charsmap that is not base64: {error}"
        ) from error


def _sentence_piece(part: Mapping[str, Any]) -> bytes:
    names = (
        "add_dummy_prefix",
        "treat_whitespace_as_suffix",
        "remove_extra_whitespaces",
        "escape_whitespaces",
    )
    charsmap = _charsmap(part)
    return layout.part(
        _SENTENCE_PIECE,
        layout.u32(layout.flags(*(part[name] for name in names))),
        layout.items(map(layout.string, part["user_defined_symbols"])),
        layout.u32(len(charsmap)),
        charsmap,
    )


_COMPILERS: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
    "NFC": _plain(_NFC),
    "NFD": _plain(_NFD),
    "NFKC": _plain(_NFKC),
    "NFKD": _plain(_NFKD),
    "Lowercase": _plain(_LOWERCASE),
    "StripAccents": _plain(_STRIP_ACCENTS),
    "Strip": _strip,
    "Replace": _replace,
    "Prepend": _prepend,
    "BertNormalizer": _bert,
    "Precompiled": _precompiled,
    "Nmt": _plain(_NMT),
    "SentencePiece": _sentence_piece,
}
