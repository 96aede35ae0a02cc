from __future__ import annotations

import json

import pytest

from mmcore.cli.config import RunConfig, read_config
from mmcore.errors import CheckpointError

CONFIG = RunConfig(
    data=None,
    columns={},
    classes=("a", "b"),
    modalities=("image",),
    vocab_size=0,
    max_length=4,
    fusion="concat",
    image_encoder="cnn",
    text_encoder="rnn",
    image_size=32,
    fingerprint="00",
    epochs=2,
    batch_size=8,
    learning_rate=1e-3,
    seed=3,
    weighted=False,
    on_bad="skip",
    jit="auto",
)


def test_written_config_is_read_back(tmp_path):
    CONFIG.write(tmp_path)
    assert read_config(tmp_path) == CONFIG


def test_folder_without_a_config_is_no_run(tmp_path):
    with pytest.raises(CheckpointError, match="not a run folder"):
        read_config(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "[" * 10_000])
def test_damaged_config_is_named(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_config(tmp_path)


def test_run_of_another_version_says_which_and_what_to_do(tmp_path):
    CONFIG.write(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 7, "mmcore": "9.1"}))
    with pytest.raises(
        CheckpointError, match=r"format 7, written by mmcore 9\.1.*reads format 1.*train again"
    ):
        read_config(tmp_path)


def test_missing_and_unexpected_fields_are_named(tmp_path):
    CONFIG.write(tmp_path)
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    del content["seed"]
    path.write_text(json.dumps({**content, "sead": 3}))
    with pytest.raises(CheckpointError, match=r"missing \['seed'\].*unexpected \['sead'\]"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_size", "32"),
        ("image_size", 10**9),
        ("image_size", True),
        ("fusion", "sum"),
        ("classes", 5),
        ("classes", ["a"]),
        ("modalities", ["audio"]),
        ("learning_rate", None),
        ("weighted", 1),
        ("columns", {"text": 3}),
        ("epochs", 0),
        ("data", 7),
        ("jit", []),
    ],
)
def test_values_that_a_field_cannot_have_are_named(tmp_path, name, value):
    CONFIG.write(tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(CheckpointError, match=rf"config\.json is damaged: {name} cannot be"):
        read_config(tmp_path)
