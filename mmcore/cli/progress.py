"""Progress on standard error: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from tqdm import tqdm


class Progress:
    """A bar of `total` steps on a terminal; elsewhere a line every `line_every_s` seconds and for each note.

    Args:
        total: steps in all.
        initial: steps done before.
        line_every_s: seconds between lines where there is no terminal.
    """

    def __init__(self, total: int, *, initial: int = 0, line_every_s: float = 10.0):
        self._bar = (
            tqdm(total=total, initial=initial, unit="step", dynamic_ncols=True)
            if sys.stderr.isatty()
            else None
        )
        self._total, self._done, self._line_every_s = total, initial, line_every_s
        self._last_line = time.monotonic()

    def update(self, done: int, figures: dict[str, float]) -> None:
        """Moves to `done` steps and shows the figures."""
        shown = {name: f"{value:.4g}" for name, value in figures.items()}
        if self._bar is not None:
            self._bar.set_postfix(shown, refresh=False)
            self._bar.update(done - self._done)
        elif time.monotonic() - self._last_line >= self._line_every_s or done == self._total:
            self.note(
                f"step {done}/{self._total}  " + "  ".join(f"{name} {value}" for name, value in shown.items())
            )
        self._done = done

    def note(self, line: str) -> None:
        """Prints a line above the bar."""
        self._last_line = time.monotonic()
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
