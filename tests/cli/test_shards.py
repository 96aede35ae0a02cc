from __future__ import annotations

import csv
import dataclasses
import json

import pytest
from data_shards import png, write_tar

from mmcore import data
from mmcore.cli.main import main
from mmcore.cli.sources import fingerprint

SMALL = ["--image-size", "16", "--batch-size", "8", "--epochs", "1", "--jit", "off"]


def members(rows) -> dict[str, bytes]:
    """Dark and light squares with a sentence each."""
    found = {}
    for row in rows:
        found[f"{row:03d}.png"] = png(200 * (row % 2) + row % 50)
        found[f"{row:03d}.txt"] = f"square number {row}".encode()
        found[f"{row:03d}.cls"] = ("dark", "light")[row % 2].encode()
    return found


def write_shards(folder):
    for name, rows in (("train-0", range(16)), ("train-1", range(16, 30)), ("val-0", range(30, 36))):
        write_tar(folder / f"{name}.tar", members(rows))
    return folder


def test_a_run_is_trained_on_tar_shards_evaluated_on_another_and_predicts_from_records(tmp_path, capsys):
    shards = tmp_path / "shards"
    shards.mkdir()
    run, out = tmp_path / "run", tmp_path / "out.csv"
    train = ["train", "--data", str(write_shards(shards)), "--out", str(run), *SMALL, "--on-bad", "replace"]
    assert main(train) == 0
    config = json.loads((run / "config.json").read_text())
    assert config["columns"] == {"image": "png", "text": "txt", "label": "cls", "split": "split"}
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["steps"] == 30 // 8

    other = write_tar(tmp_path / "other.tar", members(range(36, 43)))
    assert main(["evaluate", "--run", str(run), "--data", str(other)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["examples"] == 7

    records = tmp_path / "new.tfrecord"
    rows = [{"png": png(row), "txt": f"number {row}"} for row in (9, 220)]
    data.write_records(records, map(data.encode_example, rows))
    assert main(["predict", "--run", str(run), "--data", str(records), "--out", str(out)]) == 0
    with open(out, newline="") as file:
        labelled = list(csv.DictReader(file))
    assert [row["txt"] for row in labelled] == ["number 9", "number 220"]
    assert all(row["predicted"] in ("dark", "light") for row in labelled)


def test_the_fingerprint_of_shards_is_that_of_their_rows_and_places(tmp_path):
    (tmp_path / "a").mkdir()
    write_shards(tmp_path / "a")
    first, again = (data.read_manifest(tmp_path / "a").examples for _ in range(2))
    assert fingerprint(first) == fingerprint(again)
    assert fingerprint(first) != fingerprint(dataclasses.replace(first, images=first.images[::-1]))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not a tar archive"), (b"\x1f\x8b" + bytes(600), "compressed"), (bytes(1024), "hold no sample")],
)
def test_a_broken_shard_ends_with_a_message(tmp_path, capsys, content, message):
    (tmp_path / "a.tar").write_bytes(content)
    assert main(["train", "--data", str(tmp_path / "a.tar"), "--out", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err
