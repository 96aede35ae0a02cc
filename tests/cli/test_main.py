from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from mmcore.cli.main import main


def test_help_of_every_verb_shows_an_example(capsys):
    for verb in ("train", "evaluate", "predict", "tokenize", "bench", "doctor"):
        with pytest.raises(SystemExit) as stopped:
            main([verb, "--help"])
        assert stopped.value.code == 0
        assert "example" in capsys.readouterr().out


def test_help_does_not_import_tensorflow():
    code = (
        "import sys\nfrom mmcore.cli.main import main\ntry:\n    main(['--help'])\n"
        "except SystemExit:\n    sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--epochs", "0"],
        ["train", "--fusion", "sum"],
        ["nothing"],
        [],
        ["train", "--batch-size", "many"],
        ["evaluate"],
        ["train", "--learning-rate", "inf"],
        ["train", "--learning-rate", "nan"],
        ["train", "--image-size", "1000000000"],
    ],
)
def test_a_mistake_in_the_options_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("usage:")


def test_doctor_reports_versions_and_ops(capsys):
    assert main(["doctor"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out.splitlines()[-1])
    assert report["problems"] == []
    assert {"mmcore_tokenize", "mmcore_resize_normalize"} <= set(report["ops"])
    assert report["attention"]["in jit_compile=True"].startswith("native: ")
    assert "tensorflow_loaded" in captured.err


def test_doctor_names_what_is_missing(capsys, monkeypatch):
    from mmcore import _load
    from mmcore.errors import EnvError

    def missing():
        raise EnvError("needs TensorFlow; install it with: pip install 'mmcore[cpu]'")

    monkeypatch.setattr(_load, "tensorflow", missing)
    assert main(["doctor"]) == 2
    assert "problem: needs TensorFlow" in capsys.readouterr().err


def test_tokenize_trains_and_encodes(tmp_path, capsys):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("the cat sat\nthe cat ran\n\nthe café\n", encoding="utf-8")
    assert (
        main(
            ["tokenize", "--tokenizer", str(tmp_path / "tok"), "--train", str(corpus), "--vocab-size", "270"]
        )
        == 0
    )
    trained = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert 256 < trained["vocab_size"] <= 270
    assert main(["tokenize", "--tokenizer", trained["tokenizer"], str(corpus)]) == 0
    *lines, figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert figures["lines"] == len(lines) == 4
    assert figures["tokens"] == sum(map(len, lines))

    from mmcore.text import Tokenizer

    tokenizer = Tokenizer.load(trained["tokenizer"])
    assert [tokenizer.decode(ids) for ids in lines] == ["the cat sat", "the cat ran", "", "the café"]


def test_tokenize_trains_wordpiece(tmp_path, capsys):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("The cat sat\nthe CAT ran\n", encoding="utf-8")
    train = ["tokenize", "--tokenizer", str(tmp_path / "tok"), "--train", str(corpus), "--vocab-size", "30"]
    assert main([*train, "--model", "wordpiece"]) == 0
    trained = json.loads(capsys.readouterr().out.splitlines()[-1])

    from mmcore.text import Tokenizer

    assert Tokenizer.load(trained["tokenizer"]).id("cat") is not None
    assert main([*train, "--no-lowercase"]) == 2 and "--model wordpiece" in capsys.readouterr().err
    assert main(["tokenize", "--tokenizer", "tok", "--train", str(tmp_path / "nosuch")]) == 2
    assert "nosuch" in capsys.readouterr().err


def test_tokenize_refuses_text_that_is_not_utf8(tmp_path, capsys):
    corpus = tmp_path / "latin.txt"
    corpus.write_bytes(b"fine\ncaf\xe9\n")
    assert main(["tokenize", "--tokenizer", str(tmp_path / "tok"), "--train", str(corpus)]) == 2
    message = capsys.readouterr().err
    assert "line 2" in message and "byte 3" in message and "UTF-8" in message
    assert not (tmp_path / "tok").exists()


def test_bench_runs_every_file_of_benches():
    from mmcore.cli import bench

    files = {path.name for path in (Path(__file__).parents[2] / "benches").glob("test_*.py")}
    assert files == {*bench.LONG, *(file for group in bench._FILES.values() for file in group)}


def test_bench_elsewhere_than_in_a_checkout_says_so(tmp_path, capsys, monkeypatch):
    from mmcore.cli import bench

    monkeypatch.setattr(bench, "__file__", str(tmp_path / "mmcore" / "cli" / "bench.py"))
    monkeypatch.chdir(tmp_path)
    assert main(["bench"]) == 2
    assert "checkout" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        (["--tokenizer", "nosuch.json"], "nosuch"),
        (["--tokenizer", "vocab.txt"], "lowercase"),
        (["--tokenizer", "vocab.txt", "--lowercase", "--kind", "gpt2"], "kind='gpt2' does not apply"),
        (["--tokenizer", "ranks.tiktoken"], "pattern="),
        (["--tokenizer", "tok", "--train", "vocab.txt", "--vocab-size", "10"], "vocab"),
    ],
)
def test_mistakes_of_tokenize_give_a_sentence(options, pattern, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n")
    (tmp_path / "ranks.tiktoken").write_text("YQ== 0\n")
    assert main(["tokenize", *options]) == 2
    message = capsys.readouterr().err
    assert message.startswith("mmcore tokenize: error: ") and pattern in message


def test_tokenize_reads_ranks(tmp_path, capsys):
    ranks = "".join(f"{base64.b64encode(bytes([i])).decode()} {i}\n" for i in range(256))
    (tmp_path / "ranks.tiktoken").write_text(ranks)
    (tmp_path / "text").write_text("ab\n")
    options = ["--tokenizer", str(tmp_path / "ranks.tiktoken"), "--pattern", "gpt2", str(tmp_path / "text")]
    assert main(["tokenize", *options]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0]) == [97, 98]


def test_numbers_that_json_does_not_have_become_null():
    from mmcore.cli.figures import finite

    assert finite({"a": float("nan"), "b": [1, float("inf"), ["x", 2.5]], "c": True}) == {
        "a": None,
        "b": [1, None, ["x", 2.5]],
        "c": True,
    }
