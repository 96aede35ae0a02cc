"""Decoding one id after another: the text that is certain so far, never a part of a character."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmcore.text import checks
from mmcore.text.spec import layout

_BYTE = re.compile(r"<0x[0-9A-Fa-f+][0-9A-Fa-f]>")
_ONE_BY_ONE = {(), ("WordPiece",), ("Metaspace",), ("BPEDecoder",)}
_CONTEXT = 8  # Tokens that are kept at most to stand for all before; more only while all of them are empty.


class DecodeStream:
    """What `Tokenizer.decode_stream` gives: push ids, get text.

    The texts that `push` and `finish` return, joined, are `decode` of all ids. Text is held back only while
    later ids can change it: bytes of a character that is not complete, or a run of byte tokens (Llama), which
    is replaced as a whole where it is not UTF-8. A decoder that no published tokenizer has may look at all
    tokens at once; then `finish` returns everything.

    Not for several threads at once; make one stream for each text.
    """

    def __init__(
        self,
        decoder: Mapping[str, Any] | None,
        vocab_size: int,
        token_text: Callable[[int], bytes | None],
        decode: Callable[[list[int]], str],
    ):
        """Made by `Tokenizer.decode_stream`.

        Args:
            decoder: that of the tokenizer.json.
            vocab_size: ids are below.
            token_text: what the decoder begins with for an id, None where the id is left out.
            decode: the text of ids, special tokens included.
        """
        steps = layout.flat(decoder, "decoders", "decoder")
        self._vocab_size, self._token_text, self._decode = vocab_size, token_text, decode
        self._bytes = [step["type"] for step in steps] == ["ByteLevel"]
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._looks_back = not (self._bytes or _is_one_by_one(steps))
        self._has_bytes = any(step["type"] == "ByteFallback" for step in steps)
        self._suffix = next((s.get("suffix", "</w>") for s in steps if s["type"] == "BPEDecoder"), None)
        self._window: list[int] = []  # Some ids before, which stand for all of them, and those held back.
        self._given = 0  # Characters of the window's text that were returned.

    def push(self, token_id: int) -> str:
        """The text that became certain with one more id; often empty.

        Raises:
            ValueError: the id is not in the vocabulary.
        """
        token_id = checks.token_id(token_id, self._vocab_size)
        token = self._token_text(token_id)
        if token is None:
            return ""
        if self._bytes:
            return self._utf8.decode(token)
        self._window.append(token_id)
        if self._looks_back or self._is_open(token.decode("utf-8", "replace")):
            return ""
        text = self._rest()
        self._shorten()
        return text

    def finish(self) -> str:
        """The text that was held back. The stream is as new after it."""
        text = self._utf8.decode(b"", final=True) if self._bytes else self._rest()
        self._window, self._given = [], 0
        return text

    def _is_open(self, token: str) -> bool:
        """Whether what comes after this token can change its text."""
        if self._has_bytes and _BYTE.fullmatch(token):
            return True
        # The suffix of the last token is dropped, that of another one is a space: at its end that only adds.
        return self._suffix is not None and -1 < token.find(self._suffix) < len(token) - len(self._suffix)

    def _rest(self) -> str:
        text = self._decode(self._window)
        rest, self._given = text[self._given :], len(text)
        return rest

    def _shorten(self) -> None:
        """Keeps so many of the last tokens that their text is not empty: what follows sees no difference."""
        for count in range(1, len(self._window)):
            text = self._decode(self._window[-count:])
            if text:
                self._window, self._given = self._window[-count:], len(text)
                return
            if count > _CONTEXT:
                return


def _is_one_by_one(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each token has its text whatever stands around it, but for the first, the last and byte tokens."""
    kinds = tuple(step["type"] for step in steps)
    if kinds in _ONE_BY_ONE:
        return True
    # Llama's: Replace, ByteFallback, Fuse, Strip.
    changed = "".join(step["pattern"].get("String", "<") + step["content"] for step in _replacements(steps))
    return (
        re.fullmatch("(Replace )*ByteFallback (Fuse )?(Strip )?", "".join(f"{kind} " for kind in kinds))
        is not None
        and not set(changed) & set("<0x>+123456789abcdefABCDEF")
        and all(step["stop"] == 0 for step in steps if step["type"] == "Strip")
    )


def _replacements(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [step for step in steps if step["type"] == "Replace"]
