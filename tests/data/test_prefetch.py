from __future__ import annotations

import sys
import threading
import time

import pytest

from mmcore.data import prefetch
from mmcore.errors import DataError


def prefetch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "mmcore-prefetch"]


def test_items_come_in_order_and_the_thread_ends():
    assert list(prefetch(range(50), depth=3)) == list(range(50))
    assert not prefetch_threads()


def test_the_producer_runs_ahead_by_the_depth_and_no_further():
    made = []
    items = prefetch((made.append(i) or i for i in range(20)), depth=3)
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while len(made) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(made) == 5  # one taken, three waiting, one in hand
    items.close()


def test_what_the_producer_raises_the_consumer_raises_after_the_items_before_it():
    def items():
        yield 1
        raise DataError("row 7", "broken")

    running = prefetch(items())
    assert next(running) == 1
    with pytest.raises(DataError, match="row 7: broken"):
        next(running)
    assert not prefetch_threads()


def test_closing_early_stops_the_thread_and_closes_the_items():
    closed = threading.Event()

    def items():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    running = prefetch(items(), depth=2)
    next(running)
    running.close()
    assert closed.is_set() and not prefetch_threads()


def test_a_loop_left_by_break_leaves_no_thread():
    for item in prefetch(range(1000)):
        if item == 3:
            break
    del item
    assert not prefetch_threads()


def test_a_stalled_producer_is_reported():
    release = threading.Event()

    def items():
        release.wait(30)
        yield 0

    running = prefetch(items(), timeout_s=0.1)
    threading.Timer(0.3, release.set).start()
    with pytest.raises(DataError, match=r"no batch was ready within 0.1 s"):
        next(running)
    assert not prefetch_threads()


def test_a_depth_of_nothing_is_refused():
    with pytest.raises(ValueError, match="depth must be at least 1"):
        next(prefetch([], depth=0))


def test_a_producer_that_is_ended_from_outside_is_a_typed_error(monkeypatch):
    def items():
        yield 1
        raise SystemExit(3)

    with pytest.raises(DataError, match=r"was ended by SystemExit\(3\)"):
        list(prefetch(items()))
    monkeypatch.setattr(sys.modules["mmcore.data.prefetch"], "_produce", lambda *arguments: None)
    with pytest.raises(DataError, match="ended without a word"):
        next(prefetch([1]))
