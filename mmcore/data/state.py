"""Where a run stands in its data, in a few bytes."""

from __future__ import annotations

import zlib


def make_state(number: int, options: tuple) -> str:
    """The number of the next batch, and a checksum of the options that the order follows from."""
    return f"{number}-{_digest(options)}"


def read_state(state: str | int, options: tuple) -> int:
    """The number of the next batch.

    Raises:
        ValueError: not a state, or of a pipeline with other rows or options.
    """
    if not isinstance(state, str):
        return state
    number, dash, digest = state.partition("-")
    if not (number.isascii() and number.isdecimal() and dash):
        raise ValueError(f"start must be the number of a batch or what Pipeline.state gave, found {state!r}")
    if digest != _digest(options):
        raise ValueError(
            f"the state {state!r} is of other data or options than this pipeline's ({options}); make the "
            "pipeline as it was when the state was taken"
        )
    return int(number)


def _digest(options: tuple) -> str:
    return f"{zlib.crc32(repr(options).encode()):08x}"
