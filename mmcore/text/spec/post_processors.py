"""Post-processors: what is put around a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mmcore.errors import FormatError
from mmcore.text.spec import layout

_TEXT = -1  # Stands for the ids of the text.
_Piece = list[int]


class Template(NamedTuple):
    """Ids that are put before and after each text."""

    before: list[int]
    after: list[int]


def post_processor(component: Any, vocab: Mapping[str, int]) -> Template:
    """What a post-processor adds to a single text.

    Each part of a sequence gets what the one before made, which after a template are several pieces: the next
    one takes the first for a text and the others for its pair, as Hugging Face does.

    Raises:
        FormatError: it is not supported, or adds what is not in the vocabulary.
    """
    pieces: list[_Piece] = [[_TEXT]]
    counted = 0
    for part in layout.flat(component, "processors", "post_processor"):
        kind = part.get("type")
        if kind not in _RUNNERS:
            raise layout.unsupported("post_processor", kind, [*_RUNNERS, "Sequence"])
        before = len(_joined(_RUNNERS[kind](part, vocab, [[_TEXT]])))
        counted += before - 1
        pieces = _RUNNERS[kind](part, vocab, pieces)
    ids = _joined(pieces)
    if ids.count(_TEXT) != 1:
        raise FormatError(
            f"post_processor's template for one text holds it {ids.count(_TEXT)} times, expected once"
        )
    if len(ids) - 1 != counted:  # Where texts are cut, Hugging Face leaves room for what each adds to a text.
        raise FormatError(
            f"post_processor 'Sequence' adds {len(ids) - 1} ids and its parts by themselves {counted}: a template "
            "behind another one is not supported"
        )
    at = ids.index(_TEXT)
    return Template(ids[:at], ids[at + 1 :])


def _joined(pieces: list[_Piece]) -> _Piece:
    return [token_id for piece in pieces for token_id in piece]


def _byte_level(part: Mapping[str, Any], vocab: Mapping[str, int], pieces: list[_Piece]) -> list[_Piece]:
    return pieces  # Changes Hugging Face's offsets, no ids.


def _bert(part: Mapping[str, Any], vocab: Mapping[str, int], pieces: list[_Piece]) -> list[_Piece]:
    cls, sep = _known(part["cls"], vocab), _known(part["sep"], vocab)
    return [[cls, *pieces[0], sep], *([*piece, sep] for piece in pieces[1:])]


def _roberta(part: Mapping[str, Any], vocab: Mapping[str, int], pieces: list[_Piece]) -> list[_Piece]:
    cls, sep = _known(part["cls"], vocab), _known(part["sep"], vocab)
    return [[cls, *pieces[0], sep], *([sep, *piece, sep] for piece in pieces[1:])]


def _known(pair: Any, vocab: Mapping[str, int]) -> int:
    token, token_id = pair
    if vocab.get(token) != token_id:
        raise FormatError(f"post_processor says {token!r} is {token_id}, the vocabulary {vocab.get(token)}")
    return token_id


def _template(part: Mapping[str, Any], vocab: Mapping[str, int], pieces: list[_Piece]) -> list[_Piece]:
    if len(pieces) > 2:
        raise FormatError(
            f"post_processor 'TemplateProcessing' behind one that makes {len(pieces)} pieces of a text is not "
            "supported, at most 2 are"
        )
    known = set(vocab.values())
    made: list[_Piece] = []
    for item in part["single" if len(pieces) == 1 else "pair"]:
        if "Sequence" in item:
            made.append(pieces[0 if item["Sequence"]["id"] == "A" else 1])
            continue
        ids = part["special_tokens"][item["SpecialToken"]["id"]]["ids"]
        if not known.issuperset(ids):
            raise FormatError(f"post_processor adds ids {ids}, which are not in the vocabulary")
        made.append([*ids])
    return made


_Runner = Callable[[Mapping[str, Any], Mapping[str, int], list[_Piece]], list[_Piece]]
_RUNNERS: dict[str, _Runner] = {
    "ByteLevel": _byte_level,
    "RobertaProcessing": _roberta,
    "BertProcessing": _bert,
    "TemplateProcessing": _template,
}
