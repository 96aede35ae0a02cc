"""What happens when an example turns out to be unusable: counted and skipped or replaced, or raised."""

from __future__ import annotations

import threading

from mmcore.errors import DataError

MAX_BAD_SHARE = 0.05
POLICIES = ("skip", "replace", "raise")


class BadExamples:
    """Collects unusable examples and stops when they are too many to be accidents. Safe to use from threads.

    Args:
        total: how many examples there are.
        on_bad: "skip" and "replace" collect, up to `max_share` of the total; "raise" raises the first one.
        max_share: share of unusable examples from which those raise too; None: any number is collected.

    Attributes:
        reasons: key -> reason, in the order found; each example once.
    """

    def __init__(self, total: int, on_bad: str = "skip", *, max_share: float | None = MAX_BAD_SHARE):
        if on_bad not in POLICIES:
            raise ValueError(f"on_bad must be 'skip', 'replace' or 'raise', found {on_bad!r}")
        self.total = total
        self.max_share = max_share
        self.on_bad = on_bad
        self.reasons: dict[str, str] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.reasons)

    def add(self, error: DataError) -> None:
        """Records one unusable example.

        Raises:
            DataError: the error itself under "raise"; else as soon as more than `max_share` are bad.
        """
        if self.on_bad == "raise":
            raise error
        with self._lock:
            self.reasons.setdefault(error.key, error.reason)
            if self.max_share is not None and len(self.reasons) > self.max_share * self.total:
                key, reason = next(iter(self.reasons.items()))
                raise DataError(
                    key,
                    f"{reason} ({len(self.reasons)} of {self.total} examples are unusable so far, and "
                    f"more than {100 * self.max_share:g} percent end the run; this is the first)",
                ) from error
