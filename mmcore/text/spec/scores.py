"""Scores of pieces as Hugging Face tokenizers reads them from a tokenizer.json."""

from __future__ import annotations

from typing import Any

from mmcore.errors import FormatError

MAX_SCORE = 1e30  # The sum over the longest text stays finite.
_LAST_POWER = 308


def read_score(score: Any) -> float:
    """The double that Hugging Face has for a score of a parsed tokenizer.json.

    Its JSON reader (serde_json without `float_roundtrip`) takes the digits of a number as one integer, rounds it
    to a double, and divides or multiplies that by a power of ten, which rounds again: about a quarter of T5's
    scores differ in the last bit from the nearest double, and a sum of such scores may settle a tie otherwise.

    Raises:
        FormatError: the score is no finite number, or larger than any path of scores could hold.

    Example:
        >>> read_score(-5), read_score(-2.0122928619384766) == -2.0122928619384766
        (-5.0, False)
    """
    if type(score) not in (int, float) or not -MAX_SCORE <= score <= MAX_SCORE:
        raise FormatError(
            f"the score of a piece must be a number of at most {MAX_SCORE:g}, found {score!r:.80}"
        )
    if type(score) is int:
        return float(score)
    digits, _, exponent = repr(abs(score)).partition("e")
    whole, _, fraction = digits.partition(".")
    power = int(exponent or 0) - len(fraction)
    value = float(int(whole + fraction))
    while power < -_LAST_POWER:
        value, power = value / 1e308, power + _LAST_POWER
    value = value / float(f"1e{-power}") if power < 0 else value * float(f"1e{power}")
    return -value if score < 0 else value
