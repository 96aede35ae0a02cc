"""Runs an iterator ahead of its consumer in a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterable
from typing import TypeVar

from mmcore.errors import DataError

T = TypeVar("T")
_POLL_S = 0.2
_JOIN_S = 2.0
_END = object()


def prefetch(items: Iterable[T], *, depth: int = 4, timeout_s: float = 120.0) -> Generator[T, None, None]:
    """Yields the items in order while a thread makes up to `depth` of them ahead.

    The thread starts with the first `next()` and has ended when the generator is exhausted, closed, dropped
    or has raised; whatever `items` raises, the consumer raises.

    Args:
        items: iterated in the thread; its `close()`, if it has one, is called there too.
        depth: how many finished items may wait.
        timeout_s: how long to wait for one item.

    Raises:
        DataError: no item came within `timeout_s`.
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1, found {depth}")
    ready: queue.Queue = queue.Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(target=_produce, args=(items, ready, stop), name="mmcore-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item, error = _get(ready, thread, timeout_s)
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        _end(ready, thread, stop)


def _produce(items: Iterable, ready: queue.Queue, stop: threading.Event) -> None:
    iterator = iter(items)
    try:
        for item in iterator:
            if stop.is_set():
                return
            ready.put((item, None))
        ready.put((_END, None))
    except Exception as error:
        ready.put((None, error))
    except BaseException as error:  # would end the program where the consumer raises it
        ready.put(
            (None, DataError("input pipeline", f"the thread that prepares batches was ended by {error!r}"))
        )
    finally:
        if hasattr(iterator, "close"):
            iterator.close()


def _get(ready: queue.Queue, thread: threading.Thread, timeout_s: float) -> tuple:
    """The next (item, error); waits in short turns so that a dead thread is noticed."""
    deadline = time.monotonic() + timeout_s
    while (left := deadline - time.monotonic()) > 0:
        alive = thread.is_alive()
        try:
            return ready.get(timeout=min(_POLL_S, left))
        except queue.Empty:
            if not alive:
                raise DataError(
                    "input pipeline",
                    "the thread that prepares batches ended without a word; "
                    "start the run again with --resume",
                ) from None
    raise DataError(
        "input pipeline",
        f"no batch was ready within {timeout_s:g} s; is the disk with the images reachable? "
        "For slower storage raise timeout_s",
    )


def _end(ready: queue.Queue, thread: threading.Thread, stop: threading.Event) -> None:
    """Lets the thread run out: frees its place in the queue until it is gone. A stalled one is a daemon.

    A forgotten generator may be collected by the thread itself, which must not wait for itself.
    """
    stop.set()
    if thread is threading.current_thread():
        return
    deadline = time.monotonic() + _JOIN_S
    while thread.is_alive() and time.monotonic() < deadline:
        while not ready.empty():
            ready.get_nowait()
        thread.join(timeout=0.01)
