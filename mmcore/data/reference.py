"""Plain twins of what is fast or clever in `mmcore.data`: the definition, and what the tests compare with."""

from __future__ import annotations

from collections.abc import Sequence


def crc32c(data: bytes) -> int:
    """CRC-32C, bit by bit.

    Source: RFC 3720, appendix B.4 (polynomial 0x1EDC6F41, reflected; initial value and final XOR all ones).

    Example:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def budget_groups(
    order: Sequence[int], costs: Sequence[Sequence[int]], limits: Sequence[int], max_rows: int
) -> list[list[int]]:
    """Cuts an order of rows into batches: each takes rows while all its limits hold.

    A batch of rows R holds a limit l of costs c where |R| * max(c[r] for r in R) <= l: rows are padded to the
    longest. A row that alone is over a limit has a batch of its own.

    Example:
        >>> budget_groups([0, 1, 2, 3], [[4, 4, 8, 1]], [8], 9)
        [[0, 1], [2], [3]]
    """
    groups: list[list[int]] = []
    for row in order:
        bigger = [*groups[-1], row] if groups else [row]
        padded = [len(bigger) * max(cost[r] for r in bigger) for cost in costs]
        if (
            groups
            and len(bigger) <= max_rows
            and all(p <= lim for p, lim in zip(padded, limits, strict=True))
        ):
            groups[-1] = bigger
        else:
            groups.append([row])
    return groups


def pack(
    values: Sequence,
    row_splits: Sequence[int],
    *,
    length: int,
    rows: int | None = None,
    max_segments: int | None = None,
    longest_first: bool = False,
    truncate: bool = False,
) -> tuple[list[list], list[list[int]], list[list[int]], list[list[int]]]:
    """Packs sequences of scalars by first fit; the definition of `mmcore.data.pack`.

    Example:
        >>> pack([1, 2, 3, 4], [0, 1, 4], length=3)
        ([[1, 0, 0], [2, 3, 4]], [[1, 0, 0], [1, 1, 1]], [[0, 0, 0], [0, 1, 2]], [[0, 1], [1, 1]])
    """
    sequences = [list(values[a:b]) for a, b in zip(row_splits, row_splits[1:])]  # noqa: B905, RUF007
    if truncate:
        sequences = [sequence[:length] for sequence in sequences]
    contents: list[list[int]] = [[] for _ in range(rows or 0)]
    order = range(len(sequences))
    for number in sorted(order, key=lambda i: -len(sequences[i])) if longest_first else order:
        needed = len(sequences[number])
        for row in contents:
            taken = sum(len(sequences[i]) for i in row)
            if needed and taken + needed <= length and len(row) < (max_segments or length):
                row.append(number)
                break
        else:
            if needed and rows is None:
                contents.append([number])
    contents = [sorted(row) for row in contents]
    places = [[-1, -1 if sequence else 0] for sequence in sequences]
    for index, row in enumerate(contents):
        for segment, number in enumerate(row, start=1):
            places[number] = [index, segment]

    def laid_out(cells: list[list]) -> list[list]:
        return [row + [0] * (length - len(row)) for row in cells]

    return (
        laid_out([[value for i in row for value in sequences[i]] for row in contents]),
        laid_out([[segment for segment, i in enumerate(row, 1) for _ in sequences[i]] for row in contents]),
        laid_out([[position for i in row for position in range(len(sequences[i]))] for row in contents]),
        places,
    )
