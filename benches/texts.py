"""How fast a tokenizer encodes, beside a rival: text that both see for the first time, and the same text again."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from pairing import paired_ratio, seconds

from mmcore.text import Tokenizer

WARM_BYTES, COLD_BYTES, COLD_ROUNDS = 1_000_000, 400_000, 5
TURNS = 10  # Of ours to one of the rival's: both last about as long, so that a busy machine slows both alike.

Encode = Callable[[Sequence[str]], Any]
_limits = itertools.count(16_000_001)


def measure(
    benchmark,
    tokenizer: Tokenizer,
    texts: list[str],
    name: str,
    make_rival: Callable[[], Encode],
    *,
    length: int,
) -> None:
    """Puts `times_<name>_cold` and `times_<name>_warm` into the bench's figures, and ours in MB/s.

    Args:
        tokenizer: ours; one thread, rows of `length`.
        texts: cold rounds need more than WARM_BYTES of them; with fewer only the warm ratio is taken.
        name: of the rival.
        make_rival: makes it anew, with empty caches.
    """

    def encoder(tok: Tokenizer) -> Encode:
        return lambda batch: tok(batch, max_length=length, special="parse", threads=1)

    def make_ours() -> Encode:  # Another limit makes another native object, whose caches are empty.
        return encoder(Tokenizer(tokenizer.definition, max_text_bytes=next(_limits)))

    if size(texts) > WARM_BYTES + COLD_BYTES:
        benchmark.extra_info[f"times_{name}_cold"] = cold_ratio(make_ours, make_rival, texts)
    sample = chunks(texts, COLD_BYTES)[0]
    ours, rival = encoder(tokenizer), make_rival()
    warm = paired_ratio(lambda: [ours(sample) for _ in range(TURNS)], lambda: rival(sample))
    benchmark.extra_info[f"times_{name}_warm"] = TURNS * warm.median
    benchmark.pedantic(ours, (sample,), rounds=20, warmup_rounds=2)
    benchmark.extra_info["megabytes_per_s"] = size(sample) / benchmark.stats.stats.median / 1e6


def cold_ratio(
    make_ours: Callable[[], Encode],
    make_rival: Callable[[], Encode],
    texts: list[str],
    prepare: Callable[[list[str]], Any] = lambda batch: batch,
) -> float:
    """time(rival) / time(ours) for text that both see for the first time; the median of COLD_ROUNDS.

    Args:
        prepare: makes what both take out of a list of texts; not timed.
    """
    first, *fresh = chunks(texts, WARM_BYTES)
    ratios = []
    for unseen in chunks([text for chunk in fresh for text in chunk], COLD_BYTES)[:COLD_ROUNDS]:
        batches = prepare(first), prepare(unseen)
        times = []
        for make in (make_ours, make_rival):
            encode = make()
            encode(batches[0])
            times.append(seconds(lambda encode=encode, batches=batches: encode(batches[1])))
        ratios.append(times[1] / times[0])
    return statistics.median(ratios)


def size(texts: Sequence[str]) -> int:
    """Bytes of UTF-8."""
    return sum(len(text.encode()) for text in texts)


def chunks(texts: Sequence[str], num_bytes: int) -> list[list[str]]:
    """Groups of texts of about `num_bytes` characters each."""
    groups: list[list[str]] = [[]]
    total = 0
    for text in texts:
        if total >= num_bytes:
            groups.append([])
            total = 0
        groups[-1].append(text)
        total += len(text)
    return groups
