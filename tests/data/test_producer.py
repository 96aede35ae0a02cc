"""R23: what makes the batches dies or stalls: a typed error within 5 seconds, no hang, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from data_shards import png

from mmcore.data import Pipeline, examples_from
from mmcore.data.workers import Workers
from mmcore.errors import DataError
from mmcore.image import Preprocessor

TINY = Preprocessor(size=4)


class Images:
    """Forty images; `strange` is called for row 17."""

    def __init__(self, strange):
        self.strange = strange

    def __len__(self):
        return 40

    def key(self, row):
        return f"image {row}"

    def image(self, row):
        return self.strange() if row == 17 else png(row)

    def text(self, row):
        return None

    def label(self, row):
        return "a"


def pipeline_with(strange, **options) -> Pipeline:
    return Pipeline(examples_from(Images(strange)), batch_size=5, preprocessor=TINY, threads=2, **options)


def threads_left(within_s: float = 5.0) -> list[str]:
    deadline = time.monotonic() + within_s
    while True:
        names = [thread.name for thread in threading.enumerate() if thread.name.startswith("mmcore-")]
        if not names or time.monotonic() > deadline:
            return names
        time.sleep(0.01)


def leave():
    raise SystemExit(3)


def test_a_decoding_thread_that_is_ended_is_a_typed_error():
    started = time.monotonic()
    with pytest.raises(DataError, match=r"a decoding thread was ended by SystemExit\(3\)"):
        list(pipeline_with(leave))
    assert time.monotonic() - started < 5 and not threads_left()


def test_an_error_of_the_callers_own_source_comes_through_as_it_is():
    def broken():
        raise KeyError("my own mistake")

    with pytest.raises(KeyError, match="my own mistake"):
        list(pipeline_with(broken))
    assert not threads_left()


def test_a_source_that_cannot_be_read_is_a_bad_sample():
    def unreachable():
        raise ConnectionResetError(104, "connection reset by peer")

    pipeline = pipeline_with(unreachable)
    assert np.concatenate([batch["weight"] for batch in pipeline]).sum() == 39
    ((key, reason),) = pipeline.bad.items()
    assert "image 17" in key and reason == "the image cannot be read: connection reset by peer"


def test_a_decode_that_stalls_is_a_typed_error_and_leaves_no_thread_once_it_goes_on():
    release = threading.Event()

    def stalled():
        release.wait(60)
        return png(1)

    started = time.monotonic()
    with pytest.raises(DataError, match=r"no batch was ready within 0.5 s"):
        list(pipeline_with(stalled, timeout_s=0.5))
    assert time.monotonic() - started < 5
    release.set()
    assert not threads_left()


STALLED = """
import sys, time, threading
sys.path[:0] = {path!r}
from test_producer import pipeline_with
from mmcore.errors import DataError
started = time.monotonic()
try:
    list(pipeline_with(threading.Event().wait, timeout_s=0.5))
except DataError as error:
    print(f"{{time.monotonic() - started:.1f}} {{error}}", flush=True)
"""


def test_a_read_that_never_returns_does_not_keep_the_process_from_ending():
    script = STALLED.format(path=[__file__.rpartition("/")[0], *sys.path])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    seconds, _, message = done.stdout.partition(" ")
    assert float(seconds) < 5 and "no batch was ready within 0.5 s" in message


def test_workers_keep_the_order_and_raise_the_first_error_of_the_order():
    with Workers(4) as workers:
        assert workers.map(lambda n: n * n, range(100)) == [n * n for n in range(100)]
        assert workers.map(str, []) == []

        def late(n):
            time.sleep(0.002 * (9 - n))
            raise ValueError(n)

        with pytest.raises(ValueError, match=r"^0$"):
            workers.map(late, range(10))
        assert workers.map(str, [1]) == ["1"]
    assert not threads_left()
