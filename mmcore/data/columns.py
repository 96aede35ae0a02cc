"""Which column of a manifest is the image, the text, the label, the split: as told, else guessed."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import PurePath

from mmcore.data.cells import IMAGE_SUFFIXES, Cells
from mmcore.data.splits import split_name
from mmcore.errors import DataError

_SAMPLE = 200  # rows looked at per column when guessing
_LABEL_NAMES = ("label", "class", "category", "target", "labels", "class_name", "y", "cls")
_SPLIT_NAMES = ("split", "subset", "set", "partition", "fold")
_TEXT_NAMES = ("text", "caption", "sentence", "title", "description", "review", "question", "txt")


@dataclass(frozen=True)
class Columns:
    """The column of each role, None for a role without one; `guessed` lists the roles that were guessed."""

    image: str | None
    text: str | None
    label: str | None
    split: str | None
    guessed: tuple[str, ...]

    def sentence(self) -> str:
        """The choice in one line, to print."""
        roles = ("image", "text", "label", "split")
        parts = [
            f"{role}={name}" + (" (guessed)" if role in self.guessed else "")
            for role in roles
            if (name := getattr(self, role))
        ]
        absent = [role for role in roles if not getattr(self, role)]
        return "columns: " + ", ".join(parts) + (f"; none for {', '.join(absent)}" if absent else "")


def choose_columns(
    cells: Cells,
    *,
    image: str | None = None,
    text: str | None = None,
    label: str | None = None,
    split: str | None = None,
) -> Columns:
    """Finds the column of each role.

    None asks for a guess, a name must be one of the manifest's columns, and "" says that there is none.
    Guesses, in this order, each among the columns not yet taken:

    - image: the column whose values end like image files, the one with most files that exist first;
    - split: a column named split, subset, set, partition or fold whose every value is a split's name (of one
      named split or subset, most values: the others are an error when rows are read);
    - label: a column named label, class, category, target, class_name, y or cls,
      else one with such a word in its
      name, that repeats its values;
    - text: a column whose values mostly have several words, else one named text, caption, sentence, title,
      description, review, question or txt; the longest on average.

    Raises:
        DataError: a name that the manifest does not have; the message lists those it has and the closest one.
    """
    given = {"image": image, "text": text, "label": label, "split": split}
    chosen = {role: _given(cells, role, name) for role, name in given.items() if name is not None}
    guesses = {"image": _guess_image, "split": _guess_split, "label": _guess_label, "text": _guess_text}
    guessed = []
    for role, guess in guesses.items():
        if given[role] is None:
            free = {
                name: _sample(column) for name, column in cells.columns.items() if name not in chosen.values()
            }
            chosen[role] = guess(free, cells)
            guessed += [role] if chosen[role] else []
    return Columns(**chosen, guessed=tuple(guessed))


def missing_label_reason(cells: Cells) -> str:
    """What to say where a label is needed and none was found."""
    return (
        f"no label column was found among {', '.join(cells.columns)}; name it with --label "
        "(label= in Python) or add a column called label"
    )


def _given(cells: Cells, role: str, name: str) -> str | None:
    if not name:
        return None
    if name in cells.columns:
        return name
    close = difflib.get_close_matches(
        name.lower(), [column.lower() for column in cells.columns], n=1, cutoff=0.5
    )
    nearest = next((column for column in cells.columns if close and column.lower() == close[0]), None)
    hint = f"; did you mean {nearest!r}?" if nearest else ""
    raise DataError(
        cells.source,
        f"the {role} column {name!r} does not exist; the columns are "
        f"{', '.join(map(repr, cells.columns))}{hint}",
    )


def _sample(column: list[str]) -> list[str]:
    """At most `_SAMPLE` filled cells, evenly spread."""
    filled = [cell for cell in column if cell]
    return filled[:: max(1, len(filled) // _SAMPLE)][:_SAMPLE]


def _guess_image(columns: dict[str, list[str]], cells: Cells) -> str | None:
    best, best_score = None, 0
    for name, values in columns.items():
        if cells.places and name not in cells.packed:
            continue  # a shard's texts are never paths
        files = [value for value in values if PurePath(value).suffix.lower() in IMAGE_SUFFIXES]
        if 2 * len(files) > len(values):
            # What lies in a shard is there; its name there is no path.
            exist = (
                name in cells.packed or os.path.exists(cells.root / file)
                for file in files
                if "\0" not in file
            )
            score = 1 + sum(exist)
            best, best_score = (name, score) if score > best_score else (best, best_score)
    return best


def _guess_split(columns: dict[str, list[str]], cells: Cells) -> str | None:
    for wanted in _SPLIT_NAMES:
        for name, values in columns.items():
            if name.lower() != wanted or not values:
                continue
            filled = [cell for cell in cells.columns[name] if cell]
            known = sum(split_name(cell) is not None for cell in filled)
            # One mistyped value must not turn the column off, which would mix its splits: reading it says so.
            if known == len(filled) or (wanted in _SPLIT_NAMES[:2] and 2 * known > len(filled)):
                return name
    return None


def _guess_label(columns: dict[str, list[str]], cells: Cells) -> str | None:
    repeating = [name for name in columns if _repeats(cells.columns[name])]
    exact = [name for wanted in _LABEL_NAMES for name in repeating if name.lower() == wanted]
    partly = [name for wanted in _LABEL_NAMES[:4] for name in repeating if wanted in name.lower()]
    return next(iter(exact + partly), None)


def _repeats(column: list[str]) -> bool:
    """Whether there are at most 20 filled cells, or at most half as many values as filled cells."""
    filled = [cell for cell in column if cell]
    return bool(filled) and (len(filled) <= 20 or 2 * len(set(filled)) <= len(filled))


def _guess_text(columns: dict[str, list[str]], cells: Cells) -> str | None:
    def length(name: str) -> float:
        return sum(map(len, columns[name])) / len(columns[name])

    words = [
        name
        for name, values in columns.items()
        if values
        and not _is_category(cells.columns[name])
        and 2 * sum(len(value.split()) > 1 for value in values) > len(values)
    ]
    named = [name for name, values in columns.items() if values and name.lower() in _TEXT_NAMES]
    return max(words or named, key=length, default=None)


def _is_category(column: list[str]) -> bool:
    """Whether the column has so few values that it names kinds rather than tells something."""
    return len(column) > 40 and len(set(column)) <= len(column) // 20
