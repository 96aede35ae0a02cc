"""The log of a run: JSON lines, one record a line, readable while the run goes on and after a crash."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from mmcore.errors import FormatError
from mmcore.files import atomic_write, errors_name


class LogWriter:
    """Appends records to a JSON-lines file, flushed line by line.

    Numbers that JSON does not have (NaN, infinities) become null. A last line that a crash left incomplete is
    removed when the file is opened.

    Args:
        path: the file, made if it does not exist.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "metrics.jsonl"
        >>> with LogWriter(path) as log:
        ...     log.write({"step": 10, "loss": 0.5})
        >>> read_log(path)
        [{'step': 10, 'loss': 0.5}]
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        if self.path.exists():
            os.truncate(self.path, _whole_lines(self.path.read_bytes()))
        self._file = open(self.path, "a", encoding="utf-8", newline="\n")  # noqa: SIM115 (closed by close)

    def write(self, record: Mapping[str, Any]) -> None:
        """Appends one record.

        Raises:
            OSError: the disk is full or gone; it names the file.
            TypeError: a value is not JSON (convert arrays and tensors first).
        """
        finite = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in record.items()
        }
        with errors_name(self.path):
            self._file.write(json.dumps(finite, ensure_ascii=False) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        with errors_name(self.path):
            self._file.close()

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def read_log(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """All records of a log; an incomplete last line is passed over.

    Raises:
        OSError: the file cannot be read.
        FormatError: a whole line is not a JSON object.
    """
    data = Path(path).read_bytes()
    records = []
    for number, line in enumerate(data[: _whole_lines(data)].splitlines(), start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FormatError(
                f"{path}, line {number}: expected a JSON object ({error}); remove it"
            ) from error
        if not isinstance(record, dict):
            raise FormatError(
                f"{path}, line {number}: expected a JSON object, found {line[:40]!r}; remove it"
            )
        records.append(record)
    return records


def truncate_after(path: str | os.PathLike[str], step: int) -> None:
    """Removes the records of steps after `step`, atomically: what a resumed run is going to write again.

    Records without a `step` stay. A log that does not exist is fine.

    Raises:
        OSError: the file cannot be read or written.
        FormatError: a whole line is not a JSON object.
    """
    if not Path(path).exists():
        return
    kept = [record for record in read_log(path) if record.get("step", 0) <= step]
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in kept)
    atomic_write(path, lines.encode())


def _whole_lines(data: bytes) -> int:
    """Number of bytes up to the end of the last complete line."""
    return data.rfind(b"\n") + 1
