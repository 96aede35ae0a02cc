"""Threads that decode, and never keep the process from ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from mmcore.errors import DataError

T = TypeVar("T")
R = TypeVar("R")


class Workers:
    """Some daemon threads and an ordered `map` over them; for use by one thread.

    Why not concurrent.futures: at exit it joins its threads, so that a read which never returns (a dead network
    disk) would keep the process from ending long after the error was reported.

    Args:
        count: how many threads; they start with the first `map`.
    """

    def __init__(self, count: int):
        self._count = count
        self._jobs: queue.SimpleQueue = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """`function` of every item, in their order.

        Raises:
            Exception: the first, in that order, that `function` raised; all items are done by then.
            DataError: something else ended a call, such as SystemExit.
        """
        items = list(items)
        self._start()
        outcomes: list[tuple[Any, BaseException | None]] = [(None, None)] * len(items)
        done: queue.SimpleQueue = queue.SimpleQueue()
        for index, item in enumerate(items):
            self._jobs.put((function, item, index, outcomes, done))
        for _ in items:
            done.get()
        for _, error in outcomes:
            if isinstance(error, Exception):
                raise error
            if error is not None:
                raise DataError("input pipeline", f"a decoding thread was ended by {error!r}")
        return [value for value, _ in outcomes]

    def close(self) -> None:
        """Tells the threads to end; one that is stuck is left behind as a daemon."""
        for _ in self._threads:
            self._jobs.put(None)
        self._threads = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _start(self) -> None:
        while len(self._threads) < self._count:
            thread = threading.Thread(target=_work, args=(self._jobs,), name="mmcore-decode", daemon=True)
            thread.start()
            self._threads.append(thread)


def _work(jobs: queue.SimpleQueue) -> None:
    while (job := jobs.get()) is not None:
        function, item, index, outcomes, done = job
        try:
            outcomes[index] = (function(item), None)
        except BaseException as error:
            outcomes[index] = (None, error)
        done.put(None)
        # Until the next job comes, this thread would keep the batch alive.
        del job, function, item, outcomes, done
