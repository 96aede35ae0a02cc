from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from data_shards import jpeg, png, sample_members, write_sample_records, write_tar
from PIL import Image

from mmcore.data import (
    Examples,
    Pipeline,
    encode_example,
    examples_from,
    load_image,
    read_manifest,
    write_record_index,
    write_records,
)
from mmcore.errors import DataError
from mmcore.image import Preprocessor

PLAIN = Preprocessor(size=8, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def as_folder(folder: Path, count: int) -> Path:
    for row in range(count):
        (folder / str(row % 2)).mkdir(exist_ok=True, parents=True)
        (folder / str(row % 2) / f"{row:05d}.png").write_bytes(png(row))
    return folder


def as_manifest(folder: Path, count: int) -> Path:
    folder.mkdir()
    lines = ["image,caption,label"]
    for row in range(count):
        (folder / f"{row}.png").write_bytes(png(row))
        lines.append(f"{row}.png,number {row},{row % 2}")
    (folder / "m.csv").write_text("\n".join(lines))
    return folder


def as_tar(folder: Path, count: int) -> Path:
    folder.mkdir()
    write_tar(folder / "shard-0.tar", sample_members(range(count // 2)))
    write_tar(folder / "shard-1.tar", sample_members(range(count // 2, count)))
    return folder


def as_records(folder: Path, count: int) -> Path:
    folder.mkdir()
    write_record_index(write_sample_records(folder / "a-0.tfrecord", range(count // 2)))
    write_sample_records(folder / "a-1.tfrecord", range(count // 2, count))
    return folder


SOURCES = {"folder": as_folder, "manifest": as_manifest, "tar": as_tar, "tfrecord": as_records}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same_rows_by_the_same_five_methods(tmp_path, kind):
    examples = read_manifest(SOURCES[kind](tmp_path / kind, 20), labelled=False).examples
    expected = [*range(0, 20, 2), *range(1, 20, 2)] if kind == "folder" else [*range(20)]
    assert len(examples) == 20
    for position, row in enumerate(expected):
        assert examples.image(position) == (jpeg if kind == "tfrecord" else png)(row)
        assert examples.text(position) == (None if kind == "folder" else f"number {row}")
        assert f"row {position + 1} (" in examples.key(position)
    labels = read_manifest(tmp_path / kind).examples
    assert [labels.label(position) for position in range(20)] == [str(row % 2) for row in expected]
    again = examples_from(examples, splits=examples.splits)
    first, second = (
        Pipeline(rows, batch_size=6, training=True, preprocessor=PLAIN, seed=3) for rows in (examples, again)
    )
    for ours, theirs in zip(first, second, strict=True):
        np.testing.assert_array_equal(ours["image"][0], theirs["image"][0])


@pytest.mark.parametrize("kind", ["tar", "tfrecord"])
def test_batches_of_shards_do_not_depend_on_threads_and_go_on_from_a_state(tmp_path, kind):
    examples = read_manifest(SOURCES[kind](tmp_path / kind, 40)).examples

    def batches(start=0, **options):
        pipeline = Pipeline(
            examples, batch_size=4, training=True, preprocessor=PLAIN, seed=5, cache_bytes=0, **options
        )
        first = pipeline.state(start) if start else 0
        return [batch["image"][0] for batch in pipeline.batches(start=first, stop=25)]

    one = batches(threads=1)
    for other in (batches(threads=2), batches(threads=7), batches(start=0, threads=3)):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(one[13:], batches(start=13, threads=2))


def test_a_source_of_ones_own_may_lack_images():
    class Source:
        def __len__(self):
            return 3

        def key(self, row):
            return f"mine {row}"

        def image(self, row):
            return (None, png(9), b"broken")[row]

        def text(self, row):
            return None

        def label(self, row):
            return "x"

    pipeline = Pipeline(examples_from(Source()), batch_size=3, preprocessor=PLAIN)
    batch = pipeline.batch(0)
    assert batch["image"][1].tolist() == [False, True, False]
    assert batch["weight"].tolist() == [1, 1, 0]
    assert [key for key in pipeline.bad if "mine 2" in key] == list(pipeline.bad)


def test_columns_of_a_tar_are_extensions_and_fields_of_json(tmp_path):
    members = {}
    for row in range(4):
        members[f"a/{row}.seg.PNG"] = png(200)
        members[f"a/{row}.jpg"] = png(row)
        members[f"a/{row}.json"] = json.dumps(
            {"caption": f"the {row}", "label": row % 2, "box": [1]}
        ).encode()
    members |= {"__meta__.json": b"{}", "README": b"hello", "b/.hidden": b""}
    manifest = read_manifest(write_tar(tmp_path / "a.tar", members), labelled=False, text="json.caption")
    assert manifest.columns.image in ("jpg", "seg.png") and manifest.examples.texts == [
        f"the {n}" for n in range(4)
    ]
    chosen = read_manifest(tmp_path / "a.tar", image="jpg", text="json.caption", label="json.label").examples
    assert [load_image(cell)[0, 0, 0] for cell in chosen.images] == [0, 1, 2, 3]
    assert chosen.labels == ["0", "1", "0", "1"]
    with pytest.raises(DataError, match=r"'box'.*'__key__', 'seg.png', 'jpg', 'json', 'json.caption'"):
        read_manifest(tmp_path / "a.tar", text="box")


def test_members_of_a_key_need_not_follow_each_other_and_must_not_repeat(tmp_path):
    apart = write_tar(
        tmp_path / "a.tar", {"0.png": png(0), "1.png": png(1), "0.txt": b"zero it is", "1.txt": b"one it is"}
    )
    examples = read_manifest(apart, labelled=False).examples
    assert examples.texts == ["zero it is", "one it is"]
    twice = write_tar(tmp_path / "b.tar", {"0.png": png(0), "0.PNG": png(1)})
    with pytest.raises(DataError, match=r"b.tar:0.PNG at byte \d+: the sample has this member twice"):
        read_manifest(twice, labelled=False)


def test_shards_named_by_split_make_a_split_column(tmp_path):
    for name, rows in (("train-0", range(6)), ("train-1", range(6, 9)), ("val-0", range(9, 12))):
        write_tar(tmp_path / f"{name}.tar", sample_members(rows))
    assert read_manifest(tmp_path).examples.splits == ["train"] * 9 + ["val"] * 3
    assert set(read_manifest(tmp_path / "val-0.tar", labelled=False).examples.splits) == {"test"}


def test_shards_of_tensorflow_names_are_known(tmp_path):
    write_sample_records(tmp_path / "x.tfrecord-00000-of-00001", range(5))
    assert len(read_manifest(tmp_path).examples) == 5


@pytest.mark.parametrize("kind", ["tar", "tfrecord"])
def test_a_damaged_label_or_text_is_a_bad_row_that_is_named(tmp_path, kind):
    rows = range(60)
    if kind == "tar":
        members = sample_members(rows) | {"00007.txt": b"\xff\xfe\xfd", "00031.cls": b"\xff"}
        path = write_tar(tmp_path / "a.tar", members)
        names = ["a.tar:00007", "a.tar:00031"]
    else:
        path = write_sample_records(tmp_path / "a.tfrecord", rows)
        raw = bytearray(path.read_bytes())
        for text in (b"number 7", b"number 31"):
            raw[raw.index(text)] ^= 1
        path.write_bytes(raw)
        names = ["a.tfrecord:record 7", "a.tfrecord:record 31"]
    manifest = read_manifest(path)
    assert [line for line in [*range(1, 61)] if line not in manifest.examples.lines] == [8, 32]
    for (key, reason), name in zip(manifest.bad.items(), names, strict=True):
        assert name in key and ("UTF-8" in reason or "damaged" in reason)
    with pytest.raises(DataError, match=r"row 8 \("):
        read_manifest(path, on_bad="raise")


def test_a_damaged_column_that_nobody_uses_loses_nothing(tmp_path):
    path = write_tar(tmp_path / "a.tar", sample_members(range(30)) | {"00007.txt": b"\xff\xfe\xfd"})
    assert len(read_manifest(path, text="").examples) == 30


@pytest.mark.parametrize("kind", ["tar", "tfrecord"])
def test_a_shard_cut_short_or_changed_after_it_was_opened_gives_bad_rows_not_other_pixels(tmp_path, kind):
    write = as_tar if kind == "tar" else as_records
    folder = write(tmp_path / kind, 20)
    pipeline = Pipeline(read_manifest(folder).examples, batch_size=20, preprocessor=PLAIN)
    shard = sorted(p for p in folder.iterdir() if p.suffix != ".json")[0]
    shard.write_bytes(shard.read_bytes()[:100])
    batch = pipeline.batch(0)
    assert batch["weight"].tolist() == [0.0] * 10 + [1.0] * 10
    assert all("cut short" in reason or "damaged" in reason for reason in pipeline.bad.values())


def test_both_kinds_in_one_folder_are_refused_and_so_is_an_empty_shard(tmp_path):
    write_tar(tmp_path / "a.tar", {})
    with pytest.raises(DataError, match="the 1 shards hold no sample"):
        read_manifest(tmp_path)
    write_sample_records(tmp_path / "b.tfrecord", range(2))
    with pytest.raises(DataError, match="keep each kind in a folder of its own"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"text": "png"}, "the text column 'png' holds images or other bytes"),
        ({"label": "png"}, "the label column 'png' holds images or other bytes"),
        ({"image": "txt"}, "the image column 'txt' holds texts"),
    ],
)
def test_columns_of_the_wrong_kind_are_refused(tmp_path, roles, message):
    with pytest.raises(DataError, match=message):
        read_manifest(write_tar(tmp_path / "a.tar", sample_members(range(4))), **roles)


# R24: names that try to leave the root. The secret lies beside the folder that is read.
LEAVING = [
    "../secret.png",
    "x/../../secret.png",
    "./../secret.png",
    "..//secret.png",
    "x/./.././../secret.png",
    "link.png",
    "linked/secret.png",
    "linked/../secret.png",
    "../data/../secret.png",
    "secret.png\0",
    "../secret.png\0.png",
    "{absolute}",
]


@pytest.fixture
def secret(tmp_path, monkeypatch):
    """The folder to read, with ways out of it, and what was opened."""
    (tmp_path / "secret.png").write_bytes(png(255))
    folder = tmp_path / "data"
    (folder / "x").mkdir(parents=True)
    os.symlink(tmp_path / "secret.png", folder / "link.png")
    os.symlink(tmp_path, folder / "linked")
    return folder


def brightest(examples: Examples) -> int:
    return max((int(load_image(cell).max()) for cell in examples.images if cell is not None), default=0)


@pytest.mark.parametrize("name", [name for name in LEAVING if name != "{absolute}"])
def test_names_of_manifests_that_leave_the_root_are_refused(secret, name):
    with pytest.raises(DataError, match=r"leads outside|not a file name"):
        (secret / "m.jsonl").write_text(json.dumps({"image": name, "label": "a"}))
        read_manifest(secret / "m.jsonl", image="image")


@pytest.mark.parametrize("name", LEAVING)
def test_names_of_members_are_keys_and_open_nothing(secret, name):
    name = name.format(absolute=secret.parent / "secret.png")
    path = write_tar(secret / "a.tar", {name: png(7), "1.png": png(8)}, tarfile.GNU_FORMAT)
    assert brightest(read_manifest(path, labelled=False).examples) <= 8
    assert sorted(p.name for p in secret.parent.iterdir()) == ["data", "secret.png"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["../secret.png", "{absolute}"])
def test_members_that_are_links_are_not_followed(secret, kind, target):
    path = secret / "a.tar"
    with tarfile.open(path, "w") as archive:
        for row in range(30):
            info = tarfile.TarInfo(f"{row}.png")
            info.size = len(png(8))
            archive.addfile(info, io.BytesIO(png(8)))
        info = tarfile.TarInfo("out.png")
        info.type, info.linkname = kind, target.format(absolute=secret.parent / "secret.png")
        archive.addfile(info)
    manifest = read_manifest(path, labelled=False)
    assert brightest(manifest.examples) == 8 and len(manifest.examples) == 30
    assert ["which is not followed" in reason for reason in manifest.bad.values()] == [True]


@pytest.mark.parametrize("feature", ["../secret.png", "{absolute}", "link.png"])
def test_texts_of_records_and_members_are_no_paths(secret, feature):
    feature = feature.format(absolute=secret.parent / "secret.png")
    write_records(secret / "a.tfrecord", [encode_example({"image": feature, "t": "some words"})] * 3)
    with pytest.raises(DataError, match="the image column 'image' holds texts"):
        read_manifest(secret / "a.tfrecord", labelled=False, image="image")
    mixed = [encode_example({"image": png(3)})] * 30 + [encode_example({"image": feature})]
    write_records(secret / "a.tfrecord", mixed)
    manifest = read_manifest(secret / "a.tfrecord", labelled=False, image="image")
    assert brightest(manifest.examples) == 3
    assert list(manifest.bad.values()) == ["'image' is a text, not an image; correct or remove it"]


def test_shards_that_are_links_out_of_their_folder_need_permission(secret):
    outside = write_tar(secret.parent / "outside.tar", sample_members(range(4)))
    os.symlink(outside, secret / "a.tar")
    with pytest.raises(DataError, match="leads outside"):
        read_manifest(secret)
    assert len(read_manifest(secret, allow_outside=True).examples) == 4


def test_real_photos_in_a_tar_are_those_of_the_files(real_data, tmp_path):
    files = sorted((real_data / "coco_cc").rglob("*.jpg"))[:5]
    path = write_tar(tmp_path / "a.tar", {f"{n}.jpg": file.read_bytes() for n, file in enumerate(files)})
    examples = read_manifest(path, labelled=False).examples
    for cell, file in zip(examples.images, files, strict=True):
        with Image.open(file) as photo:
            np.testing.assert_array_equal(load_image(cell), np.asarray(photo.convert("RGB")))
