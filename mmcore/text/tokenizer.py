"""Tokenizer: strings to ids and back, read from files or trained, over the native core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from mmcore import files
from mmcore._load import native
from mmcore.text import load as _load
from mmcore.text import train as _train
from mmcore.text.decode import Decoding
from mmcore.text.encode import Encoding
from mmcore.text.spec import MAX_TEXT_BYTES
from mmcore.text.vocabulary import Text


class Tokenizer(Encoding, Decoding):
    """BPE, WordPiece or Unigram, id for id what Hugging Face tokenizers, tiktoken or sentencepiece gives.

    Immutable, picklable, and safe to use from any number of threads. Made by `load` or `train`. What is supported,
    and what happens to hard texts: docs/tokenizers.md.

    Texts are str or bytes (UTF-8). Each maximal invalid part of bytes is read as U+FFFD, as Python's
    `errors="replace"` does. In a str, a pair of surrogates is the character that it stands for, and a lone
    surrogate is read as U+FFFD.

    Special tokens that are written in a text follow `special`: "parse" makes them their ids, "text" encodes
    their letters, "error" refuses the text (use it for text that nobody vouches for). Where it is not given, the
    tokenizer's own rule holds: "error" for one read from a .tiktoken file, as in tiktoken, "text" for one read from
    a .model, as in sentencepiece, else "parse".

    Example:
        >>> tok = Tokenizer.train(["low lower lowest", "new newer newest"] * 9, vocab_size=270)
        >>> tok.decode(tok.encode("lower"))
        'lower'
        >>> tok(["low", "newest low"], max_length=6).mask.sum(axis=1).tolist()
        [3, 6]
    """

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        lowercase: bool | None = None,
        kind: str | None = None,
        pattern: str | None = None,
        special_tokens: Mapping[str, int] | None = None,
        max_text_bytes: int = MAX_TEXT_BYTES,
    ) -> Tokenizer:
        """Reads a tokenizer: tokenizer.json, vocab.txt, vocab.json with merges.txt, .tiktoken, or .model.

        Args:
            path: a file, or the folder of a model; nothing is downloaded.
            lowercase: for a vocab.txt, which does not say it: True for uncased models.
            kind: for vocab.json + merges.txt where their tokens leave it open: "gpt2" adds nothing around a
                text, "roberta" adds `<s>` and `</s>`, "clip" has lower case and words that end in `</w>`.
            pattern: for a .tiktoken file, how texts are cut into words: "gpt2" (GPT-2 and Whisper), "cl100k"
                (GPT-4), "o200k" (GPT-4o), or the regular expression as tiktoken spells it, if it is known.
            special_tokens: for a .tiktoken file, text and id of each special token.
            max_text_bytes: longer texts are refused.

        Raises:
            FileNotFoundError: there is no such file.
            FormatError: the file is malformed or uses a component that is not supported, which it names.
            LimitError: more than 2 million tokens, or one of more than 64 kB.
            ValueError: `lowercase`, `kind` or `pattern` is needed, or one of all does not apply; an id in
                `special_tokens` is taken.
            TypeError: `path` is none.
        """
        source = _load.load(
            path, lowercase=lowercase, kind=kind, pattern=pattern, special_tokens=special_tokens
        )
        return cls(
            source.definition, roles=source.roles, max_text_bytes=max_text_bytes, special=source.special
        )

    @classmethod
    def train(
        cls,
        texts: Iterable[Text],
        *,
        vocab_size: int = 8192,
        special_tokens: Sequence[str] = _train.BPE_SPECIAL,
        min_frequency: int = 0,
        threads: int | None = None,
    ) -> Tokenizer:
        """Learns a byte-level BPE vocabulary, the same as Hugging Face's BpeTrainer does.

        Tokens of more than 32 kB, which only words of that length could give, are not made.

        Args:
            texts: any iterable; read once.
            vocab_size: at most this many tokens, special ones and the 256 bytes included.
            special_tokens: take the first ids. By their usual names they become pad, begin and end; begin and
                end are put around each text.
            min_frequency: pairs seen fewer times are not merged.
            threads: None: the process-wide pool.

        Raises:
            ValueError: `vocab_size` is too small, or special tokens repeat.
            TypeError: `texts` is one text.
        """
        return cls(_train.train_byte_level_bpe(texts, vocab_size, special_tokens, min_frequency, threads))

    @classmethod
    def train_wordpiece(
        cls,
        texts: Iterable[Text],
        *,
        vocab_size: int = 8192,
        special_tokens: Sequence[str] = _train.WORDPIECE_SPECIAL,
        min_frequency: int = 0,
        lowercase: bool = True,
        alphabet_limit: int = 1000,
        threads: int | None = None,
    ) -> Tokenizer:
        """Learns a BERT WordPiece vocabulary by the rule of Hugging Face's WordPieceTrainer.

        That trainer gives ids to the characters that continue words, and so decides between pairs of equal
        frequency, in the order of a hash table; here the order is that of code points.

        Args:
            texts: any iterable; read once.
            vocab_size: at most this many tokens, special ones and characters included.
            special_tokens: take the first ids; "[UNK]" is one of them.
            min_frequency: pairs seen fewer times are not merged.
            lowercase: read texts in lower case and without accents, as uncased BERT.
            alphabet_limit: at most this many characters, the most frequent; words lose the others in
                training, and are unknown afterwards.
            threads: None: the process-wide pool.

        Raises:
            ValueError: `vocab_size` is too small, or special tokens repeat or lack "[UNK]".
            TypeError: `texts` is one text.

        Example:
            >>> tok = Tokenizer.train_wordpiece(["low lower lowest", "new newer"] * 9, vocab_size=28)
            >>> [tok.token(i) for i in tok.encode("newest")]
            ['[CLS]', 'new', '##e', '##st', '[SEP]']
        """
        definition = _train.train_wordpiece(
            texts,
            vocab_size,
            special_tokens,
            min_frequency,
            lowercase=lowercase,
            alphabet_limit=alphabet_limit,
            threads=threads,
        )
        return cls(definition)

    @classmethod
    def train_from_files(
        cls,
        files: Sequence[str | os.PathLike[str]],
        *,
        model: Literal["bpe", "wordpiece"] = "bpe",
        vocab_size: int = 8192,
        special_tokens: Sequence[str] | None = None,
        min_frequency: int = 0,
        lowercase: bool = True,
        alphabet_limit: int = 1000,
        strict: bool = False,
        progress: Callable[[int, int], None] | None = None,
        threads: int | None = None,
    ) -> Tokenizer:
        """Learns a vocabulary from files that the native core reads, in bounded memory, on all cores.

        Each line with its end is a text, as for Hugging Face's trainers; a line of more than 32 MB is cut
        before a space. The other arguments are those of `train` and `train_wordpiece`.

        Args:
            files: paths of UTF-8 texts.
            model: "bpe" (byte-level) or "wordpiece" (BERT; the only one that heeds `lowercase` and
                `alphabet_limit`).
            special_tokens: None: the defaults of `train` or `train_wordpiece`.
            strict: refuse bytes that are not UTF-8; False: read them as U+FFFD.
            progress: called as progress(bytes_done, bytes_in_all), about once in 32 MB.

        Raises:
            FileNotFoundError: a file does not exist.
            FormatError: a file is compressed or UTF-16, cannot be read, or `strict` and not UTF-8: then the message
                names line and byte.
            ValueError: as `train` and `train_wordpiece`; `model` is neither.
            TypeError: `files` is one path.
        """
        if model not in ("bpe", "wordpiece"):
            raise ValueError(f'model must be "bpe" or "wordpiece", got {model!r}')
        is_bpe = model == "bpe"
        if special_tokens is None:
            special_tokens = _train.BPE_SPECIAL if is_bpe else _train.WORDPIECE_SPECIAL
        _train.check_sizes(vocab_size, min_frequency)
        trainer = native().BpeTrainer() if is_bpe else _train.wordpiece_trainer(lowercase)
        _train.feed_files(trainer, files, threads, strict=strict, progress=progress)
        if is_bpe:
            return cls(_train.finish_bpe(trainer, vocab_size, special_tokens, min_frequency, threads))
        return cls(
            _train.finish_wordpiece(
                trainer, vocab_size, special_tokens, min_frequency, lowercase, alphabet_limit, threads
            )
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes a tokenizer.json (into `path`, where that is a folder) and returns its path.

        Hugging Face tokenizers reads it and gives the same ids. Written whole or not at all.

        Raises:
            FileNotFoundError: the folder of `path` does not exist.
        """
        target = Path(path)
        target = target / "tokenizer.json" if target.is_dir() else target
        if not target.parent.is_dir():
            raise FileNotFoundError(f"the folder {target.parent} does not exist: make it first")
        files.atomic_write(target, self._definition.encode())
        return target
