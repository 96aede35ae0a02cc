from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmcore import text, train, weights
from mmcore.cli.main import main

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}
SMALL = ["--image-size", "16", "--batch-size", "8", "--epochs", "2"]


def write_manifest(folder: Path, rows: list[dict], name: str = "data.csv") -> Path:
    path = folder / name
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def make_rows(folder: Path, count: int = 60) -> list[dict]:
    """Squares of a colour, with a text that names it; every fifth row is val, every sixth test."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(exist_ok=True)
    rows = []
    for number in range(count):
        label = list(COLOURS)[number % 3]
        array = np.clip(rng.normal(COLOURS[label], 20, (20, 24, 3)), 0, 255).astype(np.uint8)
        name = f"images/{number}.png"
        Image.fromarray(array).save(folder / name)
        split = "val" if number % 5 == 0 else "test" if number % 6 == 1 else "train"
        rows.append(
            {"picture": name, "title": f"number {number}, a {label} square", "label": label, "split": split}
        )
    return rows


def last_json(text: str) -> dict:
    return json.loads(text.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("squares")
    write_manifest(path, make_rows(path))
    return path


@pytest.fixture(scope="module")
def finished_run(folder):
    run = folder / "run"
    assert (
        main(["train", "--data", str(folder / "data.csv"), "--out", str(run), *SMALL, "--epochs", "6"]) == 0
    )
    return run


def test_run_folder_holds_what_the_manual_says(finished_run):
    names = {path.name for path in finished_run.iterdir()}
    assert {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "checkpoints",
        "metrics.jsonl",
        "curves.png",
        "summary.json",
    } <= names
    with Image.open(finished_run / "curves.png") as picture:
        assert min(picture.size) > 300


def test_summary_has_the_promised_figures(finished_run):
    summary = json.loads((finished_run / "summary.json").read_text())
    assert {
        "run",
        "steps",
        "examples_per_s",
        "data_wait_share",
        "train_loss",
        "val_accuracy",
        "test_accuracy",
        "minutes",
    } <= set(summary)
    rows = rows_of(finished_run.parent)
    steps = sum(row["split"] == "train" for row in rows) // 8 * 6
    assert summary["steps"] == steps
    assert 0 <= summary["data_wait_share"] <= 1
    assert summary["test_accuracy"] > 0.5  # three classes: chance is a third
    log = train.read_log(finished_run / "metrics.jsonl")
    assert [record["val_accuracy"] for record in log if "val_accuracy" in record][-1] == summary[
        "val_accuracy"
    ]


def test_evaluate_agrees_with_the_summary(finished_run, capsys):
    assert main(["evaluate", "--run", str(finished_run), "--split", "validation"]) == 0
    figures = last_json(capsys.readouterr().out)
    assert figures["accuracy"] == json.loads((finished_run / "summary.json").read_text())["val_accuracy"]
    assert (figures["split"], figures["examples"], figures["top5"]) == ("val", 12, 1.0)
    assert {"macro_f1", "loss"} <= set(figures)
    assert (finished_run / "evaluate-val" / "confusion.png").exists()


def test_evaluate_shows_the_wrong_examples_and_no_older_ones(finished_run, folder, tmp_path, capsys):
    run = copy_of(finished_run, tmp_path)
    right = {"picture": "images/0.png", "title": "a red square"}
    assert (
        main(
            ["predict", "--run", str(run), "--image", str(folder / "images/0.png"), "--text", "a red square"]
        )
        == 0
    )
    found = last_json(capsys.readouterr().out)["label"]
    other = next(name for name in COLOURS if name != found)
    for label, wrong in ((other, True), (found, False)):
        manifest = write_manifest(folder, [{**right, "label": label}], "to_evaluate.csv")
        assert main(["evaluate", "--run", str(run), "--data", str(manifest)]) == 0
        figures = last_json(capsys.readouterr().out)
        assert figures["accuracy"] == (0.0 if wrong else 1.0)
        assert (Path(figures["pictures"]) / "wrong.png").exists() == wrong


def test_best_checkpoint_can_be_evaluated(finished_run, capsys):
    assert main(["evaluate", "--run", str(finished_run), "--split", "val", "--checkpoint", "best"]) == 0
    log = train.read_log(finished_run / "metrics.jsonl")
    best = max(record["val_accuracy"] for record in log if "val_accuracy" in record)
    assert last_json(capsys.readouterr().out)["accuracy"] == best


def test_predict_one_example_with_either_modality_or_both(finished_run, folder, capsys):
    image, title = ["--image", str(folder / "images" / "3.png")], ["--text", "a red square"]
    for options in (image, title, image + title):
        assert main(["predict", "--run", str(finished_run), *options]) == 0
        figures = last_json(capsys.readouterr().out)
        assert sorted(label for label, _ in figures["top"]) == sorted(COLOURS)
        assert sum(p for _, p in figures["top"]) == pytest.approx(1, abs=1e-5)
        assert [figures["label"], figures["probability"]] == figures["top"][0]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_predict_a_file_without_labels_keeps_its_rows_and_marks_bad_ones(
    finished_run, folder, capsys, suffix
):
    rows = [{"picture": f"images/{n}.png", "title": f"row {n}", "extra": n * 10} for n in range(30)]
    rows[7]["picture"] = "images/none.png"
    source = write_manifest(folder, rows, "new.csv")
    out = folder / f"labelled{suffix}"
    assert main(["predict", "--run", str(finished_run), "--data", str(source), "--out", str(out)]) == 0
    figures = last_json(capsys.readouterr().out)
    assert (figures["rows"], figures["predicted"], figures["skipped"]) == (30, 29, 1)
    text = out.read_text("utf-8")
    written = (
        [json.loads(line) for line in text.splitlines()]
        if suffix == ".jsonl"
        else list(csv.DictReader(text.splitlines()))
    )
    assert [str(row["extra"]) for row in written] == [str(n * 10) for n in range(30)]
    assert written[7]["predicted"] == "" and {row["predicted"] for row in written[:7]} <= set(COLOURS)


def test_prediction_of_a_file_equals_prediction_of_its_rows(finished_run, folder, capsys):
    rows = [{"picture": f"images/{n}.png", "title": f"a square {n}"} for n in range(3)]
    source, out = write_manifest(folder, rows, "three.csv"), folder / "three_labelled.csv"
    assert main(["predict", "--run", str(finished_run), "--data", str(source), "--out", str(out)]) == 0
    for number, row in enumerate(csv.DictReader(out.read_text("utf-8").splitlines())):
        assert (
            main(
                [
                    "predict",
                    "--run",
                    str(finished_run),
                    "--image",
                    str(folder / f"images/{number}.png"),
                    "--text",
                    f"a square {number}",
                ]
            )
            == 0
        )
        one = last_json(capsys.readouterr().out)
        assert one["label"] == row["predicted"]
        assert one["probability"] == pytest.approx(float(row["probability"]), abs=1e-5)


def test_existing_out_is_refused_and_left_alone(finished_run, folder, capsys):
    before = (finished_run / "summary.json").read_bytes()
    assert main(["train", "--data", str(folder / "data.csv"), "--out", str(finished_run)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (finished_run / "summary.json").read_bytes() == before


def test_resuming_a_finished_run_says_so(finished_run, capsys):
    assert main(["train", "--out", str(finished_run), "--resume"]) == 0
    captured = capsys.readouterr()
    assert "is finished" in captured.err
    assert last_json(captured.out) == json.loads((finished_run / "summary.json").read_text())


def copy_of(run: Path, folder: Path) -> Path:
    """A run folder that a test may damage."""
    return Path(shutil.copytree(run, folder / "copy"))


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b'{"steps": "x"}'])
def test_damaged_summary_is_made_again(finished_run, tmp_path, capsys, content):
    run = copy_of(finished_run, tmp_path)
    expected = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_bytes(content)
    assert main(["train", "--out", str(run), "--resume"]) == 0
    made = last_json(capsys.readouterr().out)
    assert json.loads((run / "summary.json").read_text()) == made
    for name in ("steps", "train_loss", "val_accuracy", "test_accuracy"):
        assert made[name] == expected[name]


@pytest.mark.parametrize(
    ("name", "content", "pattern"),
    [
        ("model.safetensors", b"", r"model\.safetensors is not a safetensors file"),
        ("tokenizer.json", b"{", r"tokenizer\.json cannot be read"),
        ("tokenizer.json", None, r"tokenizer\.json cannot be read"),
        ("tokenizer.json", "other", r"tokenizer\.json does not belong to"),
    ],
)
def test_damaged_file_of_a_run_is_named(finished_run, tmp_path, capsys, name, content, pattern):
    run = copy_of(finished_run, tmp_path)
    (run / name).unlink()
    if content == "other":
        text.Tokenizer.train(["another text"], vocab_size=260).save(run)
    elif content is not None:
        (run / name).write_bytes(content)
    assert main(["evaluate", "--run", str(run), "--split", "val"]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith(f"mmcore evaluate: error: {run}") and re.search(pattern, message), message


def test_resuming_with_another_option_is_refused(finished_run, capsys):
    assert main(["train", "--out", str(finished_run), "--resume", "--epochs", "9"]) == 2
    assert "--epochs 9 differs from the run's 6" in capsys.readouterr().err


class StopAfter:
    """Stands in for `train.Interrupt`: a SIGTERM after so many steps."""

    steps = 0
    exit_code = 143

    def __init__(self):
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > self.steps

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


def digest(run: Path) -> str:
    arrays = weights.read_weights(run / "model.safetensors")
    return hashlib.sha256(b"".join(arrays[path].tobytes() for path in sorted(arrays))).hexdigest()


@pytest.mark.parametrize(
    ("steps", "model"),
    [(7, ["--text", ""]), (1, ["--image", "", "--text-encoder", "transformer", "--jit", "off"])],
    ids=["image", "text"],
)
def test_stopped_run_goes_on_to_the_same_weights(folder, monkeypatch, capsys, steps, model):
    options = ["train", "--data", str(folder / "data.csv"), *SMALL, *model]
    whole = folder / f"whole-{steps}"
    assert main([*options, "--out", str(whole)]) == 0
    stopped = folder / f"stopped-{steps}"
    with monkeypatch.context() as patch:
        patch.setattr(StopAfter, "steps", steps)
        patch.setattr(train, "Interrupt", StopAfter)
        assert main([*options, "--out", str(stopped)]) == 143
    assert "--resume" in capsys.readouterr().err
    assert not (stopped / "model.safetensors").exists()
    assert main(["evaluate", "--run", str(stopped)]) == 2
    assert "has not finished" in capsys.readouterr().err
    assert main(["train", "--out", str(stopped), "--resume"]) == 0
    assert digest(stopped) == digest(whole)
    steps_logged = [
        record["step"] for record in train.read_log(stopped / "metrics.jsonl") if "loss" in record
    ]
    assert steps_logged == sorted(set(steps_logged))


def test_run_begun_with_a_relative_path_is_resumed_from_anywhere(folder, tmp_path, monkeypatch):
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    options = ["--epochs", "2", *SMALL, "--text", ""]
    with monkeypatch.context() as patch:
        patch.setattr(StopAfter, "steps", 2)
        patch.setattr(train, "Interrupt", StopAfter)
        assert main(["train", "--data", "link/data.csv", "--out", "run", *options]) == 143
    monkeypatch.chdir(folder)
    assert main(["train", "--out", str(tmp_path / "run"), "--resume"]) == 0


def rows_of(folder: Path) -> list[dict]:
    return list(csv.DictReader((folder / "data.csv").read_text("utf-8").splitlines()))


def without_column(rows):
    return [{key: value for key, value in row.items() if key != "label"} for row in rows]


BAD = {
    "missing column": (lambda rows: rows, ["--image", "pictures"], r"pictures.*picture"),
    "no label column": (without_column, [], "label"),
    "label seen only in val": (
        lambda rows: [*rows, {**rows[0], "label": "purple", "split": "val"}],
        [],
        "purple",
    ),
    "empty manifest": (lambda rows: rows[:0], [], "no row|empty"),
    "one class only": (lambda rows: [{**row, "label": "red"} for row in rows], [], "red.*two classes"),
    "unknown split": (
        lambda rows: [{**row, "split": "trian"} for row in rows],
        ["--split", "split"],
        "trian",
    ),
    "missing file, to raise": (
        lambda rows: [*rows, {**rows[1], "picture": "images/no.png"}],
        ["--on-bad", "raise"],
        r"no\.png.*does not exist",
    ),
    "no image, to raise": (
        lambda rows: [*rows, {**rows[3], "picture": "images/text.png"}],
        ["--on-bad", "raise"],
        r"text\.png",
    ),
    "too many missing files": (
        lambda rows: [{**row, "picture": "images/no.png"} for row in rows],
        [],
        "no.png",
    ),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_data_gives_one_sentence_exit_code_2_and_nothing_written(folder, tmp_path, capsys, case):
    change, options, pattern = BAD[case]
    (folder / "images" / "text.png").write_text("this is no image")
    rows = rows_of(folder)
    changed = change(rows)
    manifest = write_manifest(folder, changed or rows, "bad.csv")
    if not changed:
        manifest.write_text(",".join(rows[0]) + "\n")
    out = tmp_path / "run"
    assert main(["train", "--data", str(manifest), "--out", str(out), *SMALL, *options]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith("mmcore train: error: ")
    assert re.search(pattern, message), message
    assert not out.exists()


def test_text_that_is_not_utf8_names_line_and_byte(folder, tmp_path, capsys):
    manifest = folder / "latin.csv"
    manifest.write_bytes(b"title,label\nfine,a\ncaf\xe9,b\n")
    assert main(["train", "--data", str(manifest), "--out", str(tmp_path / "run")]) == 2
    message = capsys.readouterr().err
    assert "UTF-8" in message and "line 3" in message
    assert not (tmp_path / "run").exists()


def test_manifest_that_does_not_exist(tmp_path, capsys):
    assert main(["train", "--data", str(tmp_path / "none.csv")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_one_bad_image_is_skipped_counted_and_named(folder, tmp_path, capsys):
    (folder / "images" / "text.png").write_text("this is no image")
    rows = rows_of(folder)
    bad = {**rows[1], "picture": "images/text.png", "split": "train"}
    manifest = write_manifest(folder, [*rows, bad], "one_bad.csv")
    out = tmp_path / "run"
    assert main(["train", "--data", str(manifest), "--out", str(out), *SMALL, "--text", ""]) == 0
    assert last_json(capsys.readouterr().out)["skipped"] == 1
    skipped = [record for record in train.read_log(out / "metrics.jsonl") if "skipped" in record]
    assert "text.png" in skipped[0]["skipped"]


@pytest.mark.parametrize(
    ("written", "named"),
    [
        (0, "run/config.json"),
        (2, "run/tokenizer.json"),
        (4, "run/checkpoints"),
        (9, "run/checkpoints"),
        (16, "run/model.safetensors"),
        (18, "run/summary.json"),
    ],
)
def test_full_disk_leaves_no_half_written_run(folder, tmp_path, capsys, monkeypatch, written, named):
    real, calls = os.fsync, []

    def full(descriptor):
        calls.append(descriptor)
        if len(calls) > written:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    out = tmp_path / "run"
    options = ["--image", "", "--text-encoder", "transformer", "--jit", "off", *SMALL]
    assert main(["train", "--data", str(folder / "data.csv"), "--out", str(out), *options]) == 2
    *_, note, message = capsys.readouterr().err.strip().splitlines()
    assert message.startswith("mmcore train: error: ") and "No space left on device" in message
    assert f"{tmp_path / named}" in message and "free space" in message
    assert out.exists() == ("--resume" in note)
    if out.exists():  # a checkpoint was whole before the disk was full: the run can go on from it
        monkeypatch.setattr(os, "fsync", real)
        assert main(["train", "--out", str(out), "--resume"]) == 0


def test_run_that_diverges_ends_with_a_sentence(folder, tmp_path, capsys):
    options = [
        "--image",
        "",
        "--text-encoder",
        "transformer",
        "--jit",
        "off",
        *SMALL,
        "--learning-rate",
        "1e30",
    ]
    out = tmp_path / "run"
    assert main(["train", "--data", str(folder / "data.csv"), "--out", str(out), *options]) == 2
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.search(r"error: the loss is not finite any more: .* --learning-rate below 1e\+30", message)
    assert "--resume" not in message


def test_time_limit_ends_the_run_with_what_is_there(folder, tmp_path, capsys):
    out = tmp_path / "run"
    assert (
        main(
            [
                "train",
                "--data",
                str(folder / "data.csv"),
                "--out",
                str(out),
                "--image",
                "",
                "--max-minutes",
                "0.0001",
                "--epochs",
                "50",
                "--batch-size",
                "8",
            ]
        )
        == 0
    )
    figures = last_json(capsys.readouterr().out)
    assert figures["steps"] == 1 and figures["val_accuracy"] is not None
    assert (out / "model.safetensors").exists()


def test_column_without_data_and_no_modality_at_all_are_refused(capsys):
    assert main(["train", "--label", "class"]) == 2
    assert "--label names a column of --data" in capsys.readouterr().err
    assert main(["train", "--image", "", "--text", ""]) == 2
    assert "nothing to learn from" in capsys.readouterr().err


def test_bad_images_of_every_split_are_skipped_counted_and_named(folder, tmp_path, capsys):
    (folder / "images" / "text.png").write_text("this is no image")
    rows = rows_of(folder)
    bad = [{**rows[3], "picture": "images/text.png", "split": split} for split in ("val", "test")]
    missing = {**rows[3], "picture": "images/none.png"}
    manifest = write_manifest(folder, [*rows, *bad, missing], "bad_everywhere.csv")
    out = tmp_path / "run"
    assert main(["train", "--data", str(manifest), "--out", str(out), *SMALL]) == 0
    assert last_json(capsys.readouterr().out)["skipped"] == 3
    named = [record["skipped"] for record in train.read_log(out / "metrics.jsonl") if "skipped" in record]
    assert len(named) == 3 and sum("text.png" in name for name in named) == 2
    assert main(["evaluate", "--run", str(out), "--split", "val"]) == 0
    figures = last_json(capsys.readouterr().out)
    assert (figures["examples"], figures["skipped"]) == (12, 2)


def test_bad_test_image_is_found_before_training_where_it_is_to_raise(folder, tmp_path, capsys):
    (folder / "images" / "text.png").write_text("this is no image")
    rows = rows_of(folder)
    manifest = write_manifest(folder, [*rows, {**rows[1], "picture": "images/text.png"}], "bad_test.csv")
    out = tmp_path / "run"
    assert main(["train", "--data", str(manifest), "--out", str(out), *SMALL, "--on-bad", "raise"]) == 2
    captured = capsys.readouterr()
    assert "text.png" in captured.err and "step" not in captured.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        (["--text", "label"], "--text label differs from the run's title"),
        (["--data", "other.csv"], r"--data .*other\.csv differs"),
        (["--weighted"], "--weighted True differs"),
        (["--jit", "on"], "--jit on differs from the run's auto"),
    ],
)
def test_resuming_with_other_data_or_options_is_refused(finished_run, capsys, options, pattern):
    assert main(["train", "--out", str(finished_run), "--resume", *options]) == 2
    assert re.search(pattern, capsys.readouterr().err)


def test_resuming_on_changed_data_is_refused(folder, tmp_path, capsys):
    rows = rows_of(folder)
    manifest = write_manifest(folder, rows, "changing.csv")
    out = tmp_path / "run"
    options = ["--image", "", "--batch-size", "8", "--epochs", "50", "--max-minutes", "0.0001"]
    assert main(["train", "--data", str(manifest), "--out", str(out), *options]) == 0
    write_manifest(folder, [{**rows[3], "title": "another title"}, *rows[:3], *rows[4:]], "changing.csv")
    assert main(["train", "--out", str(out), "--resume"]) == 2
    assert "has changed since" in capsys.readouterr().err


def test_predict_refuses_what_cannot_be_written_before_any_work(finished_run, folder, tmp_path, capsys):
    new = write_manifest(folder, [{"picture": "images/0.png", "title": "a"}], "one.csv")
    for out, pattern in [
        (tmp_path / "none" / "x.csv", "does not exist"),
        (tmp_path / "x.txt", "must end in"),
        (new, "is the file of --data"),
    ]:
        assert main(["predict", "--run", str(finished_run), "--data", str(new), "--out", str(out)]) == 2
        assert pattern in capsys.readouterr().err
    taken = write_manifest(folder, [{"picture": "images/0.png", "title": "a", "predicted": "b"}], "taken.csv")
    options = ["--data", str(taken), "--out", str(tmp_path / "y.csv")]
    assert main(["predict", "--run", str(finished_run), *options]) == 2
    assert "column 'predicted' already" in capsys.readouterr().err


def test_weights_of_another_model_are_named(finished_run, tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (run / name).write_bytes((finished_run / name).read_bytes())
    weights.write_weights(run / "model.safetensors", {"kernel": np.zeros(3, np.float32)})
    assert main(["evaluate", "--run", str(run), "--split", "val"]) == 2
    assert "does not belong to" in capsys.readouterr().err


@pytest.mark.slow
def test_main_job_reaches_its_accuracy_on_the_built_in_set(tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path / "run")]) == 0
    assert last_json(capsys.readouterr().out)["test_accuracy"] >= 0.97


@pytest.mark.slow
def test_main_job_reaches_its_accuracy_on_product_photos(tmp_path, capsys, real_data):
    options = ["--image", "image", "--text", "title_masked", "--label", "label"]
    manifest = real_data / "fashion_products" / "products.csv"
    assert main(["train", "--data", str(manifest), "--out", str(tmp_path / "run"), *options]) == 0
    assert last_json(capsys.readouterr().out)["val_accuracy"] >= 0.93
