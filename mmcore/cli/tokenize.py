"""`mmcore tokenize`: lines to ids as JSON lines, or a new vocabulary."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from mmcore.errors import DataError, FormatError, LimitError, MmcoreError
from mmcore.text import Tokenizer

_BATCH = 4096


def run(arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Encodes `arguments.file`, or trains and saves where `arguments.train` names a text."""
    if arguments.train is not None:
        return _train(Path(arguments.train), Path(arguments.tokenizer), arguments), 0
    try:
        tokenizer = Tokenizer.load(
            arguments.tokenizer,
            lowercase=arguments.lowercase,
            kind=arguments.kind,
            pattern=arguments.pattern,
        )
    except ValueError as error:
        raise FormatError(str(error)) from error
    started, num_lines, num_tokens, num_bytes = time.perf_counter(), 0, 0, 0
    for lines in _batches(_lines(arguments.file)):
        values, row_splits = tokenizer.ragged(lines)
        for begin, end in itertools.pairwise(row_splits):
            print(json.dumps(values[begin:end].tolist()))
        num_lines, num_tokens = num_lines + len(lines), num_tokens + len(values)
        num_bytes += sum(len(line.encode()) for line in lines)
    return {
        "lines": num_lines,
        "tokens": num_tokens,
        "bytes": num_bytes,
        "seconds": round(time.perf_counter() - started, 3),
    }, 0


def _train(source: Path, target: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    started = time.perf_counter()
    options = {} if arguments.lowercase is None else {"lowercase": arguments.lowercase}
    if options and arguments.model == "bpe":
        raise FormatError("--lowercase is for --model wordpiece: byte-level BPE keeps texts as they are")
    with tqdm(unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            tokenizer = Tokenizer.train_from_files(
                [source],
                model=arguments.model,
                vocab_size=arguments.vocab_size,
                strict=True,
                progress=progress,
                **options,
            )
        except FileNotFoundError as error:
            raise DataError(str(source), "is no file that can be read; check the path") from error
        except MmcoreError:
            raise
        except ValueError as error:
            raise LimitError(f"--vocab-size: {error}") from error
    path = target if target.suffix == ".json" else target / "tokenizer.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(path)
    return {
        "tokenizer": str(path),
        "vocab_size": tokenizer.vocab_size,
        "seconds": round(time.perf_counter() - started, 3),
    }


def _open(name: str | None) -> contextlib.AbstractContextManager[IO[bytes]]:
    if name is None:
        return contextlib.nullcontext(sys.stdin.buffer)
    try:
        return open(name, "rb")
    except OSError as error:
        raise DataError(name, f"cannot be read ({error.strerror}); check the path") from error


def _lines(name: str | None) -> Iterator[str]:
    with _open(name) as stream:
        for number, line in enumerate(stream, 1):
            try:
                yield line.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{name or 'standard input'}, line {number}",
                    "is not UTF-8; convert the file, for example with: iconv -f LATIN1 -t UTF-8",
                    offset=error.start,
                ) from error


def _batches(lines: Iterator[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
