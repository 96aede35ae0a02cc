"""What a tokenizer is made of: its definition, what the core reads of it, and its tokens with their ids."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any, Literal

from mmcore._load import native
from mmcore.errors import FormatError
from mmcore.text import checks
from mmcore.text.checks import special_rule, whole
from mmcore.text.read_file import parse_json
from mmcore.text.roles import Roles, find_roles
from mmcore.text.spec import MAX_TEXT_BYTES, Settings, all_tokens, compile_spec, read_settings

Text = str | bytes
Special = Literal["parse", "text", "error"]


class Vocabulary:
    """The part of a `Tokenizer` that encoding and decoding build on. Immutable and picklable."""

    def __init__(
        self,
        definition: Mapping[str, Any] | str,
        *,
        roles: Roles | None = None,
        max_text_bytes: int = MAX_TEXT_BYTES,
        special: Special = "parse",
        spec: bytes | None = None,
        settings: Settings | None = None,
    ):
        """Makes a tokenizer from the content of a tokenizer.json; prefer `load` and `train`.

        Args:
            definition: the content, as text or parsed.
            roles: pad, begin and end ids; None: found by the usual names.
            max_text_bytes: longer texts are refused with `LimitError`.
            special: the rule for special tokens in texts where a call gives none.
            spec: what the definition compiles to, where that is known already.
            settings: truncation and padding of the definition, where they are known already.

        Raises:
            FormatError: the definition is malformed or uses a component that is not supported, which it names.
            LimitError: more than 2 million tokens, or one of more than 64 kB.
            ValueError: `max_text_bytes` or `special` is not what it can be.
            TypeError: the definition is neither text nor a mapping.
        """
        is_text = isinstance(definition, str)
        if not is_text and not isinstance(definition, Mapping):
            raise TypeError(
                "definition must be the content of a tokenizer.json, a str or a mapping, "
                f"got {type(definition).__name__}; read files with Tokenizer.load"
            )
        self._definition = str(definition) if is_text else json.dumps(definition, ensure_ascii=False)
        self._max_text_bytes = whole(max_text_bytes, "max_text_bytes", 1, 2**62)
        self._special: Special = special_rule(special)
        if roles is None or spec is None or settings is None:
            parsed = _parsed(definition)
            roles = roles or find_roles(parsed, {})
            spec = spec or compile_spec(parsed, roles.pad, max_text_bytes)
            settings = settings or read_settings(parsed)
        self._roles, self._spec, self._settings = roles, spec, settings
        self._native = native().Tokenizer(spec)

    @property
    def vocab_size(self) -> int:
        """One more than the highest id, added tokens included."""
        return self._native.vocab_size

    @property
    def num_special(self) -> int:
        """How many ids are put around each text."""
        return self._native.num_special

    @property
    def pad_id(self) -> int | None:
        """Id that fills rows; None where the tokenizer has none (rows are filled with 0)."""
        return self._roles.pad

    @property
    def bos_id(self) -> int | None:
        """Id of the token that begins a text."""
        return self._roles.bos

    @property
    def eos_id(self) -> int | None:
        """Id of the token that ends a text."""
        return self._roles.eos

    @property
    def special(self) -> Special:
        """What is done about special tokens in a text where a call does not say it."""
        return self._special

    @property
    def definition(self) -> str:
        """The content of the tokenizer.json that `save` writes."""
        return self._definition

    @property
    def spec(self) -> bytes:
        """The binary specification of the native core: what a graph op carries."""
        return self._spec

    def token(self, token_id: int) -> str | None:
        """The vocabulary's spelling of an id, None for a gap in the vocabulary.

        Raises:
            ValueError: the id is not in the vocabulary.
        """
        return self._tokens[checks.token_id(token_id, self.vocab_size)]

    def id(self, token: str) -> int | None:
        """The id of a token in the vocabulary's spelling, None where there is none.

        Raises:
            TypeError: the token is not a str.
        """
        if not isinstance(token, str):
            raise TypeError(f"a token must be a str, got {type(token).__name__}")
        return self._vocab.get(token)

    @functools.cached_property
    def _vocab(self) -> dict[str, int]:
        return all_tokens(json.loads(self._definition))

    @functools.cached_property
    def _tokens(self) -> list[str | None]:
        tokens: list[str | None] = [None] * self.vocab_size
        for token, token_id in self._vocab.items():
            tokens[token_id] = token
        return tokens

    def __reduce__(self):
        return _restore, (
            type(self),
            self._definition,
            self._roles,
            self._max_text_bytes,
            self._special,
            self._spec,
            self._settings,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocab_size={self.vocab_size})"


def _parsed(definition: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if isinstance(definition, str):
        definition = parse_json(definition.encode("utf-8", "surrogatepass"), "the definition")
    if not isinstance(definition, Mapping) or not isinstance(definition.get("model"), Mapping):
        raise FormatError("the definition is no tokenizer.json: that is an object with a 'model', found none")
    return definition


def _restore(
    made: type[Vocabulary],
    definition: str,
    roles: Roles,
    max_text_bytes: int,
    special: Special,
    spec: bytes,
    settings: Settings,
) -> Vocabulary:
    return made(
        definition,
        roles=roles,
        max_text_bytes=max_text_bytes,
        special=special,
        spec=spec,
        settings=settings,
    )
