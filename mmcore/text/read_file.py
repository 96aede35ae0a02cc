"""Reading the files of tokenizers: whole, of bounded size, and with a hint where they are something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmcore.errors import FormatError, LimitError

MAX_FILE_BYTES = 256_000_000
_SIGNATURES = {
    b"\x1f\x8b": "is compressed by gzip: unpack it first",
    b"PK\x03\x04": "is a zip archive: unpack it first",
    b"\xff\xfe": "is UTF-16: convert it, for example with: iconv -f UTF-16 -t UTF-8",
    b"\xfe\xff": "is UTF-16: convert it, for example with: iconv -f UTF-16 -t UTF-8",
    b"version https://git-lfs": "is a pointer of Git LFS, not the file itself: fetch that with: git lfs pull",
}


def read_file(path: Path) -> bytes:
    """The content of a file.

    Raises:
        FileNotFoundError: there is no such file.
        FormatError: it is compressed, UTF-16, or a pointer of Git LFS.
        LimitError: it is larger than any real vocabulary.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"tokenizer file {path} does not exist; pass the path of a file or folder (nothing is downloaded)"
        )
    if not path.is_file():
        raise FileNotFoundError(f"tokenizer file {path} is no file")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise LimitError(f"{path} has {path.stat().st_size:,} bytes, the limit is {MAX_FILE_BYTES:,}")
    data = path.read_bytes()
    refuse_packed(data, path.name)
    return data


def refuse_packed(data: bytes, name: str) -> None:
    """Refuses what is no text, though its name says so.

    Args:
        data: how a file begins.
        name: of the file.

    Raises:
        FormatError: it is compressed, UTF-16, or a pointer of Git LFS.
    """
    for signature, hint in _SIGNATURES.items():
        if data.startswith(signature):
            raise FormatError(f"{name} {hint}")


def text_of(data: bytes, name: str) -> str:
    """The text of a file; a byte order mark is dropped from JSON and refused elsewhere, where it is a character.

    Raises:
        FormatError: it is not UTF-8, or begins with a byte order mark.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(f"{name} is not UTF-8 (byte {error.start}, line {line})") from None
    if not text.startswith("\ufeff"):
        return text
    if name.endswith(".json"):
        return text[1:]
    raise FormatError(
        f"{name} begins with a byte order mark, which would belong to its first line: save it without"
    )


def parse_json(data: bytes, name: str) -> Any:
    """JSON with all its failures as FormatError."""
    text = text_of(data, name)
    try:
        return json.loads(text)
    except RecursionError:
        raise FormatError(f"{name} is nested too deeply") from None
    except ValueError as error:
        raise FormatError(f"{name} is not valid JSON: {error}") from None
