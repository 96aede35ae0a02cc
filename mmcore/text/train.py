"""Trains vocabularies in the native core: byte-level BPE and WordPiece, from texts or from files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mmcore._load import native
from mmcore.errors import FormatError
from mmcore.text import byte_level, checks
from mmcore.text.checks import count
from mmcore.text.definition import added_token, byte_level_definition, wordpiece_definition, wrap_template
from mmcore.text.read_file import refuse_packed
from mmcore.text.roles import find_roles

BPE_SPECIAL = ("<pad>", "<s>", "</s>")
WORDPIECE_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_FEED_CHARACTERS = 8_000_000  # Texts are handed over in groups of about this size: memory stays flat.

Progress = Callable[[int, int], None]
Texts = Iterable[str | bytes]
Files = Sequence[str | os.PathLike[str]]


def train_byte_level_bpe(
    texts: Texts,
    vocab_size: int,
    special_tokens: Sequence[str],
    min_frequency: int = 0,
    threads: int | None = None,
) -> dict[str, Any]:
    """The definition of a byte-level BPE tokenizer learnt from texts.

    Special tokens take the first ids, then come the 256 bytes, then merged tokens in the order of their
    merges. If special tokens have the usual names of a begin and an end (`<s>` and `</s>`, ...), they are put
    around each text.

    Raises:
        ValueError: `vocab_size` has no room for the bytes and the special tokens, or one of these is
            repeated or empty.
        TypeError: `texts` is a single text, or holds something else than str and bytes.
    """
    check_sizes(vocab_size, min_frequency)
    special_tokens = checks.special_tokens(special_tokens)
    trainer = native().BpeTrainer()
    feed_texts(trainer, texts, threads)
    return finish_bpe(trainer, vocab_size, special_tokens, min_frequency, threads)


def train_wordpiece(
    texts: Texts,
    vocab_size: int,
    special_tokens: Sequence[str],
    min_frequency: int = 0,
    *,
    lowercase: bool = True,
    alphabet_limit: int = 1000,
    threads: int | None = None,
) -> dict[str, Any]:
    """The definition of a BERT WordPiece tokenizer learnt from texts.

    Special tokens take the first ids, then come the `alphabet_limit` most frequent characters by code point,
    those of them that continue words behind "##", then merged pieces in the order of their merges.

    Raises:
        ValueError: `vocab_size` has no room for the characters and the special tokens; one of these is
            repeated or empty, or "[UNK]" is missing.
        TypeError: `texts` is a single text, or holds something else than str and bytes.
    """
    check_sizes(vocab_size, min_frequency)
    special_tokens = _wordpiece_special(special_tokens)
    trainer = wordpiece_trainer(lowercase)
    feed_texts(trainer, texts, threads)
    return finish_wordpiece(
        trainer, vocab_size, special_tokens, min_frequency, lowercase, alphabet_limit, threads
    )


def feed_texts(trainer: Any, texts: Texts, threads: int | None) -> None:
    """Counts the words of texts.

    Raises:
        TypeError: `texts` is a single text, or holds something else than str and bytes.
    """
    if isinstance(texts, str | bytes):
        raise TypeError("texts must be an iterable of texts, got one text: pass [text] or an open file")
    if not hasattr(texts, "__iter__"):
        raise TypeError(f"texts must be an iterable of str or bytes, got {type(texts).__name__}")
    for group in _groups(texts):
        trainer.feed(group, count(threads, "threads"))


def feed_files(
    trainer: Any, paths: Files, threads: int | None, *, strict: bool = False, progress: Progress | None = None
) -> None:
    """Counts the words of files, line by line, in bounded memory.

    Each line with its end is a text of its own, as for Hugging Face's trainers. Invalid UTF-8 is read as
    U+FFFD, as everywhere, or where `strict` refused.

    Raises:
        TypeError: `paths` is one path.
        FileNotFoundError: one of the files does not exist.
        FormatError: a file is compressed or UTF-16, cannot be read, or is not UTF-8 (`strict`).
    """
    if isinstance(paths, str | bytes | os.PathLike):
        raise TypeError("files must be a list of paths, got one path: pass [path]")
    if not hasattr(paths, "__iter__"):
        raise TypeError(f"files must be a list of paths, got {type(paths).__name__}")
    files = [Path(path) for path in paths]
    for path in files:
        if not path.is_file():
            raise FileNotFoundError(f"the training file {path} does not exist or is no file")
        refuse_packed(_head(path), str(path))
    total, done = sum(path.stat().st_size for path in files), 0
    for path in files:
        reader = native().LineReader(os.fspath(path), strict)
        while trainer.feed_lines(reader, count(threads, "threads")):
            if progress is not None:
                progress(done + reader.position, total)
        done += reader.position


def _head(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(100)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def wordpiece_trainer(lowercase: bool) -> Any:
    """A native trainer with BERT's normalizer: accents go where `lowercase`."""
    return native().WordPieceTrainer(True, True, lowercase, lowercase)


def finish_bpe(
    trainer: Any, vocab_size: int, special_tokens: Sequence[str], min_frequency: int, threads: int | None
) -> dict[str, Any]:
    """The definition of what a native BpeTrainer learns from the words that it was fed."""
    special_tokens = checks.special_tokens(special_tokens)
    vocab_size, min_frequency = check_sizes(vocab_size, min_frequency)
    reserved = [byte_level.to_bytes(token) or b"" for token in special_tokens]
    tokens, merges = trainer.train(
        vocab_size, min_frequency, reserved, byte_level.BYTE_ORDER, count(threads, "threads")
    )
    names = [*special_tokens, *map(byte_level.to_token, tokens[len(special_tokens) :])]
    vocab = {name: token_id for token_id, name in enumerate(names)}
    added = [added_token(token, vocab[token]) for token in special_tokens]
    definition = byte_level_definition(vocab, [f"{names[a]} {names[b]}" for a, b in merges], added, None)
    roles = find_roles(definition, {})
    if roles.bos is not None and roles.eos is not None and roles.bos != roles.eos:
        definition["post_processor"] = wrap_template(names[roles.bos], names[roles.eos], vocab)
    return definition


def finish_wordpiece(
    trainer: Any,
    vocab_size: int,
    special_tokens: Sequence[str],
    min_frequency: int,
    lowercase: bool,
    alphabet_limit: int,
    threads: int | None,
) -> dict[str, Any]:
    """The definition of what a native WordPieceTrainer learns from the words that it was fed."""
    special_tokens = _wordpiece_special(special_tokens)
    vocab_size, min_frequency = check_sizes(vocab_size, min_frequency)
    alphabet_limit = checks.whole(alphabet_limit, "alphabet_limit", 1)
    tokens = trainer.train(
        vocab_size, min_frequency, alphabet_limit, list(special_tokens), count(threads, "threads")
    )
    vocab = {token: token_id for token_id, token in enumerate(tokens)}
    return wordpiece_definition(vocab, special_tokens, lowercase)


def check_sizes(vocab_size: int, min_frequency: int) -> tuple[int, int]:
    """Both as they are: checked before texts are read, which may take long.

    Raises:
        ValueError: one of them is no whole number, or negative.
    """
    return checks.whole(vocab_size, "vocab_size", 0), checks.whole(min_frequency, "min_frequency", 0)


def _wordpiece_special(special_tokens: Sequence[str]) -> Sequence[str]:
    special_tokens = checks.special_tokens(special_tokens)
    if "[UNK]" not in special_tokens:
        raise ValueError(f"special_tokens must hold '[UNK]', got {list(special_tokens)}")
    return special_tokens


def _groups(texts: Texts) -> Iterator[list[str | bytes]]:
    group: list[str | bytes] = []
    size = 0
    for text in texts:
        if not isinstance(text, str | bytes):
            raise TypeError(f"a text must be str or bytes, got {type(text).__name__}")
        group.append(text)
        size += len(text)
        if size >= _FEED_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group
