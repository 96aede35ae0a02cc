"""Decoders: each becomes one step, a part whose tag csrc/core/text/spec.h lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mmcore.errors import FormatError
from mmcore.text.spec import layout, regex
from mmcore.text.spec.pre_tokenizers import metaspace_scheme

_BYTE_LEVEL, _WORD_PIECE, _METASPACE, _BPE, _REPLACE, _BYTE_FALLBACK, _FUSE, _STRIP, _SENTENCE_PIECE = range(
    9
)


def compile_decoders(component: Any) -> list[bytes]:
    """The steps of a decoder. Without any, tokens are joined by spaces, as in Hugging Face.

    Raises:
        FormatError: a component is not supported.
    """
    steps = []
    for number, part in enumerate(_parts(component)):
        kind = part.get("type")
        if kind not in _COMPILERS:
            raise layout.unsupported("decoder", kind, [*_COMPILERS, "Sequence"])
        if kind == "ByteLevel" and number != 0:
            raise FormatError("decoder 'ByteLevel' is supported only as the first one")
        steps.append(_COMPILERS[kind](part))
    return steps


def is_byte_level(component: Any) -> bool:
    """Whether tokens are read as bytes when they are decoded."""
    parts = _parts(component)
    return bool(parts) and parts[0].get("type") == "ByteLevel"


def _parts(component: Any) -> list[Mapping[str, Any]]:
    return layout.flat(component, "decoders", "decoder")


def _plain(tag: int) -> Callable[[Mapping[str, Any]], bytes]:
    return lambda part: layout.part(tag)


def _found(text: str, kind: str) -> bytes:
    if not text:
        raise FormatError(f"decoder {kind!r} of an empty string is not supported")
    return layout.string(text)


def _word_piece(part: Mapping[str, Any]) -> bytes:
    switches = layout.flags(part.get("cleanup", True))
    return layout.part(_WORD_PIECE, layout.string(part.get("prefix", "##")), layout.u32(switches))


def _metaspace(part: Mapping[str, Any]) -> bytes:
    switches = layout.flags(metaspace_scheme(part) != "never")
    return layout.part(_METASPACE, _found(part["replacement"], "Metaspace"), layout.u32(switches))


def _bpe(part: Mapping[str, Any]) -> bytes:
    return layout.part(_BPE, _found(part.get("suffix", "</w>"), "BPEDecoder"))


def _replace(part: Mapping[str, Any]) -> bytes:
    pattern = part["pattern"]
    wanted = pattern["String"] if "String" in pattern else regex.read(pattern["Regex"])
    if not isinstance(wanted, str):
        raise FormatError(
            f"decoder 'Replace' of a regex that is no plain string is not supported, found {pattern['Regex']!r}"
        )
    return layout.part(_REPLACE, _found(wanted, "Replace"), layout.string(part["content"]))


def _strip(part: Mapping[str, Any]) -> bytes:
    return layout.part(_STRIP, _found(part["content"], "Strip"), layout.u32(part["start"], part["stop"]))


def _sentence_piece(part: Mapping[str, Any]) -> bytes:
    switches = layout.flags(part["drop_first"], part["drop_all"], part["byte_fallback"])
    return layout.part(
        _SENTENCE_PIECE, layout.u32(switches), layout.string(part["unknown"]), layout.string(part["surface"])
    )


_COMPILERS: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
    "ByteLevel": _plain(_BYTE_LEVEL),
    "WordPiece": _word_piece,
    "Metaspace": _metaspace,
    "BPEDecoder": _bpe,
    "Replace": _replace,
    "ByteFallback": _plain(_BYTE_FALLBACK),
    "Fuse": _plain(_FUSE),
    "Strip": _strip,
    "SentencePiece": _sentence_piece,
}
