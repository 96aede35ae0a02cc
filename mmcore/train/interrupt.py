"""Turns SIGTERM and SIGINT into a question that the training loop asks after each step."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Interrupt:
    """Within its context the first SIGTERM or SIGINT is noted; a second one acts as it did before.

    Handlers are installed on entry and put back on exit. Outside of the main thread, where Python allows no
    handlers, nothing is installed and nothing is ever noted.

    Example:
        >>> with Interrupt() as interrupt:
        ...     signal.raise_signal(signal.SIGTERM)
        ...     interrupt(), interrupt.exit_code
        (True, 143)
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Whether a signal came: pass the object as `stop` to `fit`."""
        return self.signal_number is not None

    @property
    def exit_code(self) -> int | None:
        """128 plus the signal's number, as shells do: 143 for SIGTERM, 130 for SIGINT; None without one."""
        return None if self.signal_number is None else 128 + self.signal_number

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.signal_number = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            # None: a handler that was not installed from Python and cannot be put back from here.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}
