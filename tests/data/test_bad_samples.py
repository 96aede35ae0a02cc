"""R22: one percent of 10,000 samples is bad, in every kind of source, under every policy."""

from __future__ import annotations

import collections

import numpy as np
import pytest
from data_shards import jpeg, sample_members, write_sample_records, write_tar

from mmcore.data import Pipeline, read_manifest
from mmcore.errors import DataError
from mmcore.image import Preprocessor

COUNT = 10_000
BAD = frozenset(range(57, COUNT, 100))
TINY = Preprocessor(size=2, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Every kind of source with the same rows. Files are few: good ones by grey level, and one bad."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "manifest").mkdir()
    for grey in range(256):
        (folder / "manifest" / f"{grey}.jpg").write_bytes(jpeg(grey))
    (folder / "manifest" / "bad.jpg").write_bytes(b"")
    lines = ["image,label"]
    classes = folder / "folder"
    for row in range(COUNT):
        name = "bad" if row in BAD else str(row % 256)
        lines.append(f"{name}.jpg,{row % 2}")
        target = classes / "one" / f"{row:05d}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(folder / "manifest" / f"{name}.jpg")
    (folder / "manifest" / "m.csv").write_text("\n".join(lines))
    members = {f"{row:05d}.jpg": b"no image" if row in BAD else jpeg(row % 256) for row in range(COUNT)}
    write_tar(folder / "a.tar", members)
    write_sample_records(folder / "a.tfrecord", range(COUNT), BAD)
    places = {"manifest": folder / "manifest", "folder": classes}
    places |= {"tar": folder / "a.tar", "tfrecord": folder / "a.tfrecord"}
    return {kind: read_manifest(path, labelled=False, text="").examples for kind, path in places.items()}


def greys(batches) -> list[int]:
    return [int(grey) for batch in batches for grey in np.rint(batch["image"][0][:, 0, 0, 0] * 255)]


@pytest.mark.parametrize("kind", ["manifest", "folder", "tar", "tfrecord"])
@pytest.mark.parametrize("policy", ["raise", "skip", "replace"])
def test_bad_samples_are_counted_exactly_and_their_neighbours_stay(sources, kind, policy):
    examples = sources[kind]
    options = {"batch_size": 500, "training": True, "preprocessor": TINY, "seed": 1, "on_bad": policy}
    pipeline = Pipeline(examples, threads=2, **options)
    if policy == "raise":
        with pytest.raises(DataError) as caught:
            list(pipeline)
        row = int(caught.value.key.split("row ")[1].split(" ")[0]) - 1
        assert row in BAD and caught.value.reason
        return
    batches = list(pipeline)
    assert list(pipeline.bad) and set(pipeline.bad) == {examples.key(row) for row in BAD}
    assert all("empty" in reason or "not an image" in reason for reason in pipeline.bad.values())
    weights = np.concatenate([batch["weight"] for batch in batches])
    order = np.random.default_rng(np.random.SeedSequence(1, spawn_key=(0, 0))).permutation(COUNT)
    good = np.array([row not in BAD for row in order])
    found = np.array(greys(batches))
    np.testing.assert_array_equal(found[good], order[good] % 256)
    if policy == "skip":
        np.testing.assert_array_equal(weights, good)
        return
    assert weights.all() and all(batch["image"][1].all() for batch in batches)
    again = list(Pipeline(examples, threads=1, cache_bytes=0, **options).batches(start=7, stop=9))
    np.testing.assert_array_equal(greys(again), greys(batches[7:9]))
    assert max(collections.Counter(found[~good]).values()) < 10  # drawn from all rows, not from a few


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_above_five_percent_the_run_ends(tmp_path, policy):
    def pipeline(bad):
        path = write_tar(tmp_path / f"{bad}.tar", sample_members(range(200), range(bad)))
        examples = read_manifest(path, labelled=False).examples
        return Pipeline(examples, batch_size=20, training=True, preprocessor=TINY, on_bad=policy)

    ten = pipeline(10)
    assert len(list(ten)) == 10 and len(ten.bad) == 10
    with pytest.raises(DataError, match="11 of 200 examples are unusable so far"):
        list(pipeline(11))


def test_a_replacement_brings_its_own_label_text_and_weight(tmp_path):
    path = write_tar(tmp_path / "a.tar", sample_members(range(100), {3, 50}))
    examples = read_manifest(path).examples.take(range(100))
    labels = np.arange(len(examples), dtype=np.int32)
    pipeline = Pipeline(
        examples, labels, batch_size=100, training=True, preprocessor=TINY, on_bad="replace", seed=2
    )
    batch = pipeline.batch(0)
    assert batch["label"].tolist() == greys([batch])
    assert not {3, 50} & set(batch["label"].tolist())


def test_replacing_in_an_evaluation_is_refused(sources):
    with pytest.raises(ValueError, match="on_bad='replace' is for training"):
        Pipeline(sources["tar"], batch_size=5, preprocessor=TINY, on_bad="replace")
