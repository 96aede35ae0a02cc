from __future__ import annotations

import signal
import threading

import pytest

from mmcore.train import Interrupt


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signal_is_noted_and_the_handlers_come_back(number, code):
    before = signal.getsignal(number)
    with Interrupt() as interrupt:
        assert not interrupt() and interrupt.exit_code is None
        signal.raise_signal(number)
        assert interrupt() and interrupt.exit_code == code
        assert signal.getsignal(number) == before
    assert signal.getsignal(number) == before


def test_second_signal_acts_as_before():
    # Set here: a shell that starts the tests in the background has them ignore SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), Interrupt():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_handlers_come_back_without_a_signal():
    before = signal.getsignal(signal.SIGTERM)
    with Interrupt():
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before


def test_outside_of_the_main_thread_nothing_is_installed():
    found = []

    def work():
        with Interrupt() as interrupt:
            found.append(interrupt())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
