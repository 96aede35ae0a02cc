"""Chance edits of shards and their index: the rows that are left are right, or there is a typed error."""

from __future__ import annotations

import random
import tarfile

import pytest
from data_shards import jpeg, sample_members, write_sample_records, write_tar

from mmcore.data import read_manifest, write_record_index
from mmcore.data.tfrecord import index_path
from mmcore.errors import DataError

EDITS = 150


def edited(whole: bytes, chance: random.Random) -> bytes:
    """The bytes with one to three changes: a flip, a cut, a repeat, zeros, or a piece of itself elsewhere."""
    raw = bytearray(whole)
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(raw))
        size = min(chance.choice([1, 2, 8, 100, 512]), len(raw) - start)
        other = chance.randrange(len(raw))
        match chance.randrange(6):
            case 0 | 1:
                raw[start] ^= 1 << chance.randrange(8)
            case 2:
                del raw[start : start + size]
            case 3:
                raw[start:start] = raw[other : other + size]
            case 4:
                raw[start : start + size] = bytes(size)
            case 5:
                raw[start : start + size] = raw[other : other + size]
        raw = raw or bytearray(b"\0")
    return bytes(raw)


def read_all(path) -> list[tuple[bytes | None, str | None, str | None]]:
    examples = read_manifest(path, labelled=False, split="").examples
    found = []
    for row in range(len(examples)):
        try:
            found.append((examples.image(row), examples.text(row), examples.label(row)))
        except DataError:
            continue
    return found


@pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_edited_archives_are_read_or_refused(tmp_path, tar_format):
    long_names = {f"{'folder/' * 20}{name}": content for name, content in sample_members(range(6)).items()}
    path = write_tar(tmp_path / "a.tar", long_names, tar_format)
    whole = path.read_bytes()
    for seed in range(EDITS):
        path.write_bytes(edited(whole, random.Random(seed)))
        try:
            read_all(path)
        except DataError as error:
            assert len(str(error)) > 20


@pytest.mark.parametrize("indexed", [False, True])
def test_of_edited_records_only_true_ones_are_left(tmp_path, indexed):
    path = write_sample_records(tmp_path / "a.tfrecord", range(12))
    if indexed:
        write_record_index(path)
    whole, complete = path.read_bytes(), 0
    for seed in range(EDITS):
        path.write_bytes(edited(whole, random.Random(seed)))
        try:
            rows = read_all(path)
        except DataError as error:
            assert len(str(error)) > 20
            continue
        complete += 1
        for content, text, _ in rows:
            assert text is not None and content == jpeg(int(text.split()[1]))
    assert complete > EDITS // 20


def test_edited_indexes_are_refused(tmp_path):
    path = write_sample_records(tmp_path / "a.tfrecord", range(12))
    write_record_index(path)
    whole = index_path(path).read_bytes()
    for seed in range(EDITS):
        changed = edited(whole, random.Random(seed))
        index_path(path).write_bytes(changed)
        if changed.rstrip(b"\n") != whole.rstrip(b"\n"):
            with pytest.raises(DataError, match=r"the index is damaged"):
                read_all(path)
