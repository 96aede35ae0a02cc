"""Reads the command line and runs one verb.

Every verb prints progress on standard error and, as the last line of standard output, one JSON object with
its figures. Exit codes: 0; 2 for a user's mistake, with a message and no traceback; 1 for a fault of ours;
130 and 143 where SIGINT and SIGTERM stopped a run.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import math
import os
import sys
from typing import Any

from mmcore import __version__, _load
from mmcore.cli.config import CHOICES, MAX_IMAGE_SIZE
from mmcore.cli.figures import finite
from mmcore.errors import MmcoreError

_NEED_TENSORFLOW = ("train", "evaluate", "predict")
_DISK_ERRORS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
)
_DATA = """A manifest is CSV or JSON lines, one row an example, or a folder of class folders of images. Columns hold
an image's path (relative to the manifest), a text, a label, and a split (train, val, test). Shards are WebDataset
.tar archives, whose columns are the members' extensions (jpg, txt, cls, json.FIELD), or .tfrecord files of
tf.train.Example, whose columns are the features; give one, or a folder of them. Columns that are not named are
guessed, and the guess is printed."""


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose help keeps its examples as they are written."""

    def __init__(self, *args: Any, **kwargs: Any):
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **kwargs)


def _positive(kind: type, most: float = math.inf) -> Any:
    def parse(text: str) -> Any:
        value = kind(text)
        if not 0 < value <= most or value == math.inf:
            limit = "" if most == math.inf else f" and at most {most}"
            raise argparse.ArgumentTypeError(f"must be greater than 0{limit or ' and finite'}, got {text}")
        return value

    parse.__name__ = kind.__name__
    return parse


def _add_columns(parser: argparse.ArgumentParser) -> None:
    for name, holds in (
        ("image", "image paths"),
        ("text", "texts"),
        ("label", "labels"),
        ("split", "splits"),
    ):
        parser.add_argument(f"--{name}", metavar="COL", help=f"column that holds {holds} ('' for none)")


def _add_train(verbs: Any) -> None:
    parser = verbs.add_parser(
        "train",
        help="train a classifier on images, texts, or both",
        description=_DATA,
        epilog="examples:\n  mmcore train                      (a small set that the package draws itself)\n"
        "  mmcore train --data products.csv --image image --text title --label label --out runs/products\n"
        "  mmcore train --out runs/products --resume",
    )
    parser.add_argument(
        "--data",
        metavar="FILE_OR_FOLDER",
        help="manifest, shard (.tar, .tfrecord), folder of shards or of class folders; "
        "without it: drawn shapes with a sentence, ten classes",
    )
    _add_columns(parser)
    parser.add_argument("--fusion", choices=CHOICES["fusion"], help="default: concat")
    parser.add_argument("--image-encoder", choices=CHOICES["image_encoder"], help="default: cnn")
    parser.add_argument("--text-encoder", choices=CHOICES["text_encoder"], help="default: rnn")
    parser.add_argument(
        "--image-size",
        type=_positive(int, MAX_IMAGE_SIZE),
        metavar="N",
        help="side of the square that images are resized to (default: 64, or 32 for the drawn set)",
    )
    parser.add_argument(
        "--epochs",
        type=_positive(int),
        metavar="N",
        help="passes over the training split (default: chosen from its size, printed)",
    )
    parser.add_argument("--batch-size", type=_positive(int), metavar="N", help="default: 32")
    parser.add_argument(
        "--learning-rate",
        type=_positive(float),
        metavar="X",
        help="peak of the cosine schedule (default: 0.002)",
    )
    parser.add_argument(
        "--weighted",
        action="store_true",
        default=None,
        help="weigh classes by the inverse of their frequency",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of weights, order, augmentation, dropout (default: 0)"
    )
    parser.add_argument(
        "--max-minutes",
        type=_positive(float),
        metavar="X",
        help="stop after this long and keep what is there",
    )
    parser.add_argument("--out", metavar="RUN", help="folder of the run (default: a new one under runs/)")
    parser.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    parser.add_argument(
        "--on-bad",
        choices=CHOICES["on_bad"],
        help="an example that cannot be read is skipped and counted, replaced in training by another, or ends the "
        "run (default: skip)",
    )
    parser.add_argument(
        "--jit",
        choices=CHOICES["jit"],
        help="compile the step with XLA; auto (the default): where that is faster (not for CNNs on CPU)",
    )


def _add_evaluate(verbs: Any) -> None:
    parser = verbs.add_parser(
        "evaluate",
        help="measure a trained run on a split",
        description=_DATA,
        epilog="example:\n  mmcore evaluate --run runs/products --split val",
    )
    parser.add_argument("--run", required=True, metavar="RUN")
    parser.add_argument("--data", metavar="FILE_OR_FOLDER", help="default: the data of the run")
    parser.add_argument("--split", default="test", help="train, val or test (default: test)")
    parser.add_argument(
        "--checkpoint",
        choices=("last", "best"),
        default="last",
        help="weights at the end of training, or where the val accuracy was best",
    )
    parser.add_argument("--on-bad", choices=("skip", "raise"), default="skip")


def _add_predict(verbs: Any) -> None:
    parser = verbs.add_parser(
        "predict",
        help="label one example, or every row of a file",
        epilog="examples:\n  mmcore predict --run runs/products --image shoe.jpg --text 'red running shoe'\n"
        "  mmcore predict --run runs/products --data new.csv --out labelled.csv",
    )
    parser.add_argument("--run", required=True, metavar="RUN")
    parser.add_argument("--image", metavar="FILE")
    parser.add_argument("--text", metavar="TEXT")
    parser.add_argument(
        "--data", metavar="FILE", help="manifest or shard with the run's columns; labels are not needed"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="where the rows with their predictions go (.csv or .jsonl)"
    )
    parser.add_argument("--top", type=_positive(int), default=5, metavar="N", help="how many labels to list")


def _add_tokenize(verbs: Any) -> None:
    parser = verbs.add_parser(
        "tokenize",
        help="turn a file's lines into ids, or train a tokenizer",
        epilog="examples:\n  mmcore tokenize --tokenizer tokenizer.json captions.txt > ids.jsonl\n"
        "  mmcore tokenize --tokenizer new/ --train corpus.txt --vocab-size 8192",
    )
    parser.add_argument(
        "--tokenizer", required=True, metavar="PATH", help="file or folder to load; with --train: to write"
    )
    parser.add_argument("--train", metavar="FILE", help="text to train a vocabulary on, one text a line")
    parser.add_argument(
        "--model", choices=("bpe", "wordpiece"), default="bpe", help="with --train: byte-level BPE, or BERT's"
    )
    parser.add_argument("--vocab-size", type=_positive(int), default=8192, metavar="N")
    parser.add_argument(
        "--lowercase",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="for a vocab.txt, which does not say it itself, and for --model wordpiece",
    )
    parser.add_argument(
        "--kind",
        choices=("gpt2", "roberta", "clip"),
        help="for vocab.json with merges.txt, where they leave it open",
    )
    parser.add_argument(
        "--pattern",
        metavar="NAME",
        help="for a .tiktoken file: gpt2, cl100k, o200k, or its regular expression",
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="lines to encode (default: standard input)")


def _add_bench(verbs: Any) -> None:
    parser = verbs.add_parser(
        "bench",
        help="run the benchmarks in short form beside their rivals (from a checkout)",
        epilog="example:\n  mmcore bench --only text --json text.json",
    )
    parser.add_argument(
        "--only", choices=("text", "image", "ops", "layers", "attention", "train"), help="one subject"
    )
    parser.add_argument("--json", metavar="FILE", help="write pytest-benchmark's whole report there")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mmcore",
        description="Multimodal building blocks on TensorFlow with a native core.",
        epilog="example:\n  mmcore train        (then: mmcore evaluate --run runs/...)",
    )
    parser.add_argument("--version", action="version", version=f"mmcore {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=_Parser)
    for add in (_add_train, _add_evaluate, _add_predict, _add_tokenize, _add_bench):
        add(verbs)
    verbs.add_parser(
        "doctor",
        help="one report to paste into a question: versions, libraries, instruction set, GPU",
        epilog="example:\n  mmcore doctor",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs the command line `argv` (default: the process's own) and returns the exit code."""
    arguments = _parser().parse_args(argv)
    # TensorFlow reads this when it loads: its start-up chatter would bury our messages.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        if arguments.verb in _NEED_TENSORFLOW:
            _load.tensorflow()
        verb = importlib.import_module(f"mmcore.cli.{arguments.verb}")
        figures, code = verb.run(arguments)
    except MmcoreError as error:
        print(f"mmcore {arguments.verb}: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fix = "free space, or make it writable" if error.errno in _DISK_ERRORS else "check the path"
        print(f"mmcore {arguments.verb}: error: {where}{error.strerror or error}; {fix}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"mmcore {arguments.verb}: stopped", file=sys.stderr)
        return 130
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(finite(figures), ensure_ascii=not is_utf8), flush=True)
    return code
