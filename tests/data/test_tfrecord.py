from __future__ import annotations

import gzip
import json
import random

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from mmcore._load import native
from mmcore.data import encode_example, parse_example, reference, write_record_index, write_records
from mmcore.data.tfrecord import (
    index_path,
    masked_crc32c,
    read_payloads,
    read_record,
    read_record_index,
    scan_records,
)
from mmcore.errors import DataError, FormatError

PAYLOADS = [bytes([n]) * (7 * n) for n in range(12)]


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "a.tfrecord"
    write_records(path, PAYLOADS)
    return path


@given(st.binary(max_size=200), st.integers(0, 9))
def test_the_checksum_is_that_of_its_twin_at_every_length_and_alignment(data, start):
    view = memoryview(data)[start:]
    assert native().crc32c(view) == reference.crc32c(bytes(view))


def test_the_checksum_takes_bytes_only():
    with pytest.raises(ValueError, match="contiguous bytes"):
        native().crc32c(memoryview(b"abcdef")[::2])


def test_tensorflow_reads_what_is_written_and_the_other_way_round(tmp_path, shard):
    assert [record.numpy() for record in tf.data.TFRecordDataset(str(shard))] == PAYLOADS
    theirs = tmp_path / "theirs.tfrecord"
    with tf.io.TFRecordWriter(str(theirs)) as writer:
        for payload in PAYLOADS:
            writer.write(payload)
    assert theirs.read_bytes() == shard.read_bytes()
    assert list(read_payloads(theirs, scan_records(theirs))) == PAYLOADS


FEATURES = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    st.one_of(
        st.lists(st.binary(max_size=20), max_size=4),
        st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
        st.lists(st.floats(width=32, allow_nan=False), max_size=4),
    ),
    max_size=4,
)


@given(FEATURES)
def test_examples_are_those_of_tensorflow(features):
    message = tf.train.Example.FromString(encode_example(features))
    found = {
        name: list(getattr(feature, feature.WhichOneof("kind")).value)
        for name, feature in message.features.feature.items()
    }
    assert found == features == parse_example(message.SerializeToString())


def test_numbers_that_are_not_packed_are_read():
    # Example{features{feature{"n": int64_list{value: 5, value: -1}}}}, each value in a field of its own
    inner = b"\x1a\x0d\x08\x05\x08" + b"\xff" * 9 + b"\x01"
    entry = b"\x0a\x01n\x12" + bytes([len(inner)]) + inner
    features = b"\x0a" + bytes([len(entry)]) + entry
    message = b"\x0a" + bytes([len(features)]) + features
    assert parse_example(message) == {"n": [5, -1]}
    assert list(tf.train.Example.FromString(message).features.feature["n"].int64_list.value) == [5, -1]


@given(st.binary(max_size=60))
def test_any_bytes_are_features_or_a_typed_error(message):
    try:
        parse_example(message)
    except FormatError as error:
        assert "expected a tf.train.Example" in str(error) or "packed floats" in str(error)


def test_a_damaged_example_is_no_example_for_tensorflow_either():
    whole = encode_example({"text": "a cat", "label": 3, "x": [0.5, 2.0]})
    for cut in range(1, len(whole)):
        with pytest.raises(FormatError):
            parse_example(whole[:cut])


def test_mixed_features_are_refused():
    with pytest.raises(ValueError, match="feature 'a' must hold str, bytes, int or float, found int, str"):
        encode_example({"a": [1, "b"]})


def test_one_flipped_byte_loses_at_most_one_record_with_an_index(shard):
    index = write_record_index(shard)
    assert read_record_index(shard) == index == scan_records(shard)
    whole = shard.read_bytes()
    for position in range(len(whole)):
        shard.write_bytes(whole[:position] + bytes([whole[position] ^ 0x41]) + whole[position + 1 :])
        found = read_record_index(shard)
        lost = []
        for number, payload in enumerate(PAYLOADS):
            try:
                assert read_record(shard, found, number) == payload
            except DataError as error:
                lost.append(number)
                assert f"record {number} is damaged" in error.reason and error.offset == index.offsets[number]
        inside = [
            n
            for n, (o, size) in enumerate(zip(index.offsets, index.lengths, strict=True))
            if o <= position < o + size
        ]
        assert lost == inside


def test_without_an_index_a_damaged_length_ends_reading_and_says_where(shard):
    whole = bytearray(shard.read_bytes())
    third = scan_records(shard).offsets[2] - 12
    whole[third] ^= 1
    shard.write_bytes(whole)
    with pytest.raises(DataError, match=r"length of the record is damaged.*write_record_index") as caught:
        scan_records(shard)
    assert caught.value.offset == third


def test_a_file_cut_anywhere_is_an_error_that_says_so(shard):
    whole = shard.read_bytes()
    ends = {0, *(o + n + 4 for o, n in zip(scan_records(shard).offsets, map(len, PAYLOADS), strict=True))}
    write_record_index(shard)
    for size in random.Random(0).sample(range(len(whole)), 80):
        shard.write_bytes(whole[:size])
        with pytest.raises(DataError, match="the shard is cut short"):
            read_record_index(shard)
        if size not in ends:  # between two records only the index can tell
            with pytest.raises(DataError, match="the shard is cut short"):
                scan_records(shard)


def test_a_longer_file_than_its_index_says_is_an_error(shard):
    write_record_index(shard)
    with open(shard, "ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match="written again since; write its index anew"):
        read_record_index(shard)


def test_no_index_of_a_damaged_file(shard):
    whole = bytearray(shard.read_bytes())
    whole[scan_records(shard).offsets[5]] ^= 1
    shard.write_bytes(whole)
    with pytest.raises(DataError, match="record 5 is damaged"):
        write_record_index(shard)
    assert not index_path(shard).exists()


def test_every_flipped_byte_of_the_index_is_noticed(shard):
    write_record_index(shard)
    source = index_path(shard)
    whole = source.read_bytes()
    for position in range(0, len(whole) - 1, 3):
        source.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(DataError, match="the index is damaged"):
            read_record_index(shard)


@pytest.mark.parametrize(
    "changes",
    [{"count": 3}, {"version": 2}, {"lengths": None}, {"offsets": ["x"] * 12}, {"lengths": [10**9] * 12}],
)
def test_an_index_that_makes_no_sense_is_refused(shard, changes):
    write_record_index(shard)
    content = json.loads(index_path(shard).read_bytes().split(b"\n")[0]) | changes
    body = json.dumps(content).encode()
    index_path(shard).write_bytes(b"%s\n%08x\n" % (body, masked_crc32c(body)))
    with pytest.raises(DataError, match=r"not an index of this version|outside its file"):
        read_record_index(shard)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(b"x" * 100, mtime=0), "compressed with gzip"),
        (b"this is not a record file at all", "not a TFRecord file, or the length"),
    ],
)
def test_other_files_are_named(tmp_path, content, message):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        scan_records(path)


def test_a_record_over_the_limit_is_refused(shard):
    with pytest.raises(DataError, match="a record of 77 bytes; expected at most max_bytes=76"):
        scan_records(shard, max_bytes=76)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_record_index(tmp_path / "none.tfrecord")
