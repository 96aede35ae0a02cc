"""Unigram in plain Python, as Hugging Face's model does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mmcore.text.spec.scores import read_score

_UNKNOWN_PENALTY = 10.0


class _Step(NamedTuple):
    """The last piece of the best path to a place."""

    score: float
    begin: int
    token_id: int


def encode_word(word: str, model: Mapping[str, Any]) -> list[int]:
    """The ids of one word by the `model` of a tokenizer.json.

    Source: Kudo, Subword Regularization, 2018, arXiv:1804.10959, section 3.2; of paths of equal score Hugging
    Face keeps the one whose last piece begins first.
    """
    ids = {token: token_id for token_id, (token, _) in enumerate(model["vocab"])}
    fallback = model.get("byte_fallback", False)
    found: list[int] = []
    for part in _fused(word, best_path(word, model), model["unk_id"]):
        names = [f"<0x{byte:02X}>" for byte in part.encode()]
        if part in ids:
            found.append(ids[part])
        elif fallback and all(name in ids for name in names):
            found += [ids[name] for name in names]
        else:
            found.append(model["unk_id"])
    return found


def best_path(word: str, model: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    """(begin, end, id) of the pieces whose scores have the largest sum; a character may be no piece."""
    scores = [read_score(score) for _, score in model["vocab"]]
    ids = {token: token_id for token_id, (token, _) in enumerate(model["vocab"])}
    unknown_score, longest = min(scores) - _UNKNOWN_PENALTY, max(map(len, ids))
    best: list[_Step | None] = [_Step(0.0, 0, 0), *[None] * len(word)]

    def offer(end: int, step: _Step) -> None:
        known = best[end]
        if known is None or step.score > known.score:
            best[end] = step

    for begin in range(len(word)):
        here = best[begin].score  # type: ignore[union-attr]  # Every character has been reached.
        for end in range(begin + 1, min(begin + longest, len(word)) + 1):
            token_id = ids.get(word[begin:end])
            if token_id is not None:
                offer(end, _Step(here + scores[token_id], begin, token_id))
        if word[begin] not in ids:
            offer(begin + 1, _Step(here + unknown_score, begin, model["unk_id"]))
    path, end = [], len(word)
    while end > 0:
        _, begin, token_id = best[end]  # type: ignore[misc]
        path.append((begin, end, token_id))
        end = begin
    return path[::-1]


def _fused(word: str, path: list[tuple[int, int, int]], unknown: int) -> Iterator[str]:
    """The texts of the pieces of a path; unknown ones that follow each other are one."""
    waiting = ""
    for begin, end, token_id in path:
        if token_id == unknown:
            waiting += word[begin:end]
            continue
        if waiting:
            yield waiting
            waiting = ""
        yield word[begin:end]
    if waiting:
        yield waiting
