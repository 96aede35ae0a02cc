"""What happens when an example turns out to be unusable: counted and skipped, or raised."""

from __future__ import annotations

import threading

from mmcore.errors import DataError

_MAX_BAD_SHARE = 0.05


class BadExamples:
    """Collects unusable examples and stops when they are too many to be accidents. Safe to use from threads.

    Args:
        total: how many examples there are.
        on_bad: "skip" collects, up to 5 percent of the total; "raise" raises the first one.

    Attributes:
        reasons: key -> reason, in the order found; each example once.
    """

    def __init__(self, total: int, on_bad: str = "skip"):
        if on_bad not in ("skip", "raise"):
            raise ValueError(f"on_bad must be 'skip' or 'raise', found {on_bad!r}")
        self.total = total
        self.on_bad = on_bad
        self.reasons: dict[str, str] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.reasons)

    def add(self, error: DataError) -> None:
        """Records one unusable example.

        Raises:
            DataError: the error itself under "raise"; under "skip" as soon as more than 5 percent are bad.
        """
        if self.on_bad == "raise":
            raise error
        with self._lock:
            self.reasons.setdefault(error.key, error.reason)
            if len(self.reasons) > _MAX_BAD_SHARE * self.total:
                key, reason = next(iter(self.reasons.items()))
                raise DataError(
                    key,
                    f"{reason} ({len(self.reasons)} of {self.total} examples are unusable so far, and "
                    "more than 5 percent end the run; this is the first)",
                ) from error
