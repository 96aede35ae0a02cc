"""Unicode normalization of strings, by the tables of one fixed version of Unicode."""

from __future__ import annotations

from mmcore._load import native

UNICODE_VERSION = "14.0.0"


def normalize(text: str, form: str) -> str:
    """The text in a Unicode normalization form.

    The tables are those of Unicode 14.0, whatever Python runs: every line of its NormalizationTest.txt passes.
    A `Tokenizer` instead normalizes with the tables of Hugging Face tokenizers, which are older; the code points
    that differ are listed in docs/unicode_differences.md.

    Args:
        text: any string. A surrogate pair is taken for its character, a lone surrogate for U+FFFD.
        form: "NFC", "NFD", "NFKC" or "NFKD".

    Returns:
        The normalized string; `text` itself where it is in that form already.

    Raises:
        ValueError: the form is none of the four.
        TypeError: the text is not a str.

    Example:
        >>> from mmcore import text
        >>> text.normalize("ﬁn", "NFKC"), len(text.normalize("é", "NFD"))
        ('fin', 2)

    Source: Unicode Standard Annex 15, "Unicode Normalization Forms", version 14.0.
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, got {type(text).__name__}; decode bytes first")
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise ValueError(f"form must be 'NFC', 'NFD', 'NFKC' or 'NFKD', got {form!r:.50}")
    text = without_surrogates(text)
    changed = native().normalize(text.encode(), form, hugging_face=False)
    return text if changed is None else changed.decode()


def without_surrogates(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced by U+FFFD, as everywhere in mmcore."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
