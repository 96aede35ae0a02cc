"""The regular expressions of pre-tokenizers that the core has a scanner for, as published files spell them."""

from __future__ import annotations

from mmcore.errors import FormatError

_CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+{tail}"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*{tail}"
    r"|\p{N}{digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

_KIMI = (
    r"[\p{Han}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+{tail}"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*{tail}"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

_TIKTOKEN_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)

EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "gpt2": (
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}]+| ?[\p{N}]+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    ),
    "clip": (
        r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
        r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+",
    ),
    "clip_with_names": (
        r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    ),
    "cl100k": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*"
        r"|\s*[\r\n]|\s+(?!\S)|\s+",
    ),
    "cl100k_tiktoken": (_TIKTOKEN_CL100K.replace("{1,3}+", "{1,3}"),),
    "cl100k_oniguruma": (_TIKTOKEN_CL100K,),
    "qwen2": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    "qwen35": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    "o200k": (_CASED.replace("{tail}", "(?i:'s|'t|'re|'ve|'m|'ll|'d)?").replace("{digits}", "{1,3}"),),
    "tekken": (_CASED.replace("{tail}", "").replace("{digits}", ""),),
    "spaces": (r"\s+",),
    "digit_groups": (r"\p{N}{1,3}",),
    "digit": (r"\p{N}", r"[\p{N}]"),
    "deepseek": (
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
        r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    "cjk": ("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",),
    "kimi": (_KIMI.replace("{tail}", "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"),),
}
r"""Name of each pattern, in the order of their numbers in a specification: its spellings in tokenizer.json files.

The spellings of a pattern all find the same words. tiktoken's newest cl100k is a pattern of its own, and two:
white space at the end of a text is one word even where a line break is in it, since `\s++$` goes first; and
`{1,3}+` is possessive in tiktoken, but in the regular expressions of Hugging Face (Oniguruma's, as Ruby has
them) it means "once or more often", so that a number is one word there.
"""

TIKTOKEN_ONLY: dict[str, str] = {_TIKTOKEN_CL100K: "cl100k_tiktoken"}
"""Spellings that tiktoken takes for another pattern than Hugging Face does: the name of that."""

NAMES: tuple[str, ...] = tuple(EXPRESSIONS)

_NAME_OF = {spelling: name for name, spellings in EXPRESSIONS.items() for spelling in spellings}


def known_number(expression: str, *, tiktoken: bool = False) -> int | None:
    """What `pattern_number` gives, None where no scanner is known."""
    name = _NAME_OF.get(expression)
    if tiktoken:
        name = TIKTOKEN_ONLY.get(expression, name)
    return None if name is None else NAMES.index(name)


def pattern_number(expression: str, *, tiktoken: bool = False) -> int:
    r"""The number of the scanner for a regular expression.

    Args:
        expression: the expression, letter for letter as a published tokenizer spells it.
        tiktoken: read it as tiktoken does, else as Hugging Face does.

    Returns:
        The place of its pattern in `NAMES`.

    Raises:
        FormatError: no scanner is known to find the same words.

    Example:
        >>> NAMES[pattern_number(r"\s+")]
        'spaces'
    """
    number = known_number(expression, tiktoken=tiktoken)
    if number is None:
        known = "\n".join(f"  {spellings[0]}" for spellings in EXPRESSIONS.values())
        raise FormatError(
            f"the regular expression\n  {expression[:1000]}\nis not supported to cut texts into words. Supported are "
            r"a plain string, one class of characters, as [a-z!\s], \d+ or [^\p{L}]{2,}, and, "
            f"spelled exactly so (and other published spellings of the same):\n{known}"
        )
    return number
