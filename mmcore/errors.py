"""Every error that mmcore raises for what comes from outside: files, data, the environment.

A caller's mistake in the Python interface (a wrong shape, an unknown option) is a plain `ValueError` or
`TypeError`. Each message says what was expected, what was found, where, and how to fix it.
"""

from __future__ import annotations


class MmcoreError(Exception):
    """Root of mmcore's own errors; the command line prints it without a traceback and exits with 2."""


class DataError(MmcoreError):
    """One example cannot be used.

    Args:
        key: which example (row number, file path).
        reason: what was expected, what was found, how to fix it.
        offset: byte offset in the file where the problem begins, where one is known.
    """

    def __init__(self, key: str, reason: str, offset: int | None = None):
        self.key, self.reason, self.offset = key, reason, offset
        where = key if offset is None else f"{key} at byte {offset}"
        super().__init__(f"{where}: {reason}")

    def __reduce__(self):
        return type(self), (self.key, self.reason, self.offset)


class FormatError(MmcoreError, ValueError):
    """A file is not what its format promises, or uses a part of it that is not supported."""


class LimitError(MmcoreError, ValueError):
    """An input is larger than a limit that protects memory or time; the message names the limit's argument."""


class CheckpointError(MmcoreError):
    """A checkpoint or run folder is missing, damaged, or belongs to another model or version."""


class NonfiniteError(MmcoreError):
    """The loss or its gradient is NaN or infinite: training does not go on."""


class EnvError(MmcoreError, ImportError):
    """The environment lacks something: TensorFlow, the compiled core, a package of an extra."""
