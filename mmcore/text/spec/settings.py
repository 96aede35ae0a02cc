"""The truncation and padding of a tokenizer.json: what a call does where it is not told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mmcore.errors import FormatError
from mmcore.text.spec import layout


class Settings(NamedTuple):
    """Defaults of calling a tokenizer."""

    max_length: int | None = None
    """Longer texts are cut to so many ids, special ones included. None: there is no limit."""
    cut_at_begin: bool = False
    """Truncation drops the begin of a text instead of its end."""
    pads: bool = False
    """Rows are filled, and these are the settings of it."""
    width: int | None = None
    """Rows have at least so many places. None: as many as the longest text of the batch needs."""
    multiple: int = 1
    """Rows have a multiple of so many places."""
    fill_at_begin: bool = False
    """Padding comes before the ids instead of after them."""
    pad_id: int | None = None
    """Fills rows. None: not said."""


def read_settings(definition: Mapping[str, Any]) -> Settings:
    """The settings of a definition.

    Raises:
        FormatError: a setting is not understood.
    """
    settings = Settings()
    if (truncation := _object(definition, "truncation")) is not None:
        strategy = truncation.get("strategy", "LongestFirst")
        if strategy not in ("LongestFirst", "OnlyFirst"):
            raise layout.unsupported("truncation strategy", strategy, ("LongestFirst", "OnlyFirst"))
        settings = settings._replace(
            max_length=_count(truncation.get("max_length"), "truncation.max_length", 1),
            cut_at_begin=_at_begin(truncation.get("direction", "Right"), "truncation"),
        )
    if (padding := _object(definition, "padding")) is not None:
        settings = settings._replace(
            pads=True,
            width=_width(padding.get("strategy", "BatchLongest")),
            multiple=_count(padding.get("pad_to_multiple_of") or 1, "padding.pad_to_multiple_of", 1),
            fill_at_begin=_at_begin(padding.get("direction", "Right"), "padding"),
            pad_id=_count(padding.get("pad_id"), "padding.pad_id"),
        )
    return settings


def _object(definition: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    found = definition.get(name)
    if found is not None and not isinstance(found, dict):
        raise FormatError(f"{name} must be an object or null, found {str(found)[:200]!r}")
    return found


def _width(strategy: Any) -> int | None:
    if strategy == "BatchLongest":
        return None
    if isinstance(strategy, dict) and list(strategy) == ["Fixed"]:
        return _count(strategy["Fixed"], "padding.strategy.Fixed")
    raise layout.unsupported("padding strategy", strategy, ("BatchLongest", "Fixed"))


def _at_begin(direction: str, name: str) -> bool:
    if direction not in ("Left", "Right"):
        raise layout.unsupported(f"{name} direction", direction, ("Left", "Right"))
    return direction == "Left"


def _count(value: Any, name: str, least: int = 0) -> int:
    if type(value) is not int or not least <= value < 2**31:
        raise FormatError(f"expected {name} to be a number of at least {least}, found {value!r}")
    return value
