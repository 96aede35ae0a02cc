from __future__ import annotations

import errno
import math
import resource

import pytest

from mmcore.errors import FormatError
from mmcore.train import LogWriter, read_log, truncate_after


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def write(path, *records):
    with LogWriter(path) as log:
        for record in records:
            log.write(record)


def test_records_are_appended_and_readable_before_close(path):
    write(path, {"step": 1})
    log = LogWriter(path)
    log.write({"step": 2, "note": "naïve\nline"})
    assert read_log(path) == [{"step": 1}, {"step": 2, "note": "naïve\nline"}]
    log.close()


def test_numbers_that_json_lacks_become_null(path):
    write(path, {"a": math.nan, "b": -math.inf, "c": 1.5})
    assert path.read_text() == '{"a": null, "b": null, "c": 1.5}\n'


def test_incomplete_last_line_is_passed_over_and_removed_by_the_next_writer(path):
    write(path, {"step": 1}, {"step": 2})
    path.write_bytes(path.read_bytes()[:-3])
    assert read_log(path) == [{"step": 1}]
    write(path, {"step": 3})
    assert read_log(path) == [{"step": 1}, {"step": 3}]


def test_truncate_after_keeps_earlier_steps_and_records_without_step(path):
    write(path, {"run": "a"}, {"step": 1}, {"step": 2}, {"step": 2, "epoch": 1}, {"step": 3})
    truncate_after(path, 2)
    assert read_log(path) == [{"run": "a"}, {"step": 1}, {"step": 2}, {"step": 2, "epoch": 1}]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_truncate_after_without_a_log(path):
    truncate_after(path, 2)
    assert not path.exists()


@pytest.mark.parametrize("line", ["{broken", "[1]", "[" * 100_000])
def test_damaged_line_is_named(path, line):
    path.write_text('{"step": 1}\n' + line + '\n{"step": 2}\n')
    with pytest.raises(FormatError, match="line 2: expected a JSON object"):
        read_log(path)


def test_values_that_are_not_json(path):
    with pytest.raises(TypeError), LogWriter(path) as log:
        log.write({"loss": object()})


def test_disk_without_room_is_an_error_that_names_the_file(path):
    log = LogWriter(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        log.write({"step": 1})
        with pytest.raises(OSError, match="metrics") as failed:
            log.write({"step": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert failed.value.errno == errno.EFBIG and failed.value.filename == str(path)
    log.close()
    assert read_log(path) == [{"step": 1}, {"step": 2}]
