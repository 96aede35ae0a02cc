"""Image names in manifests to paths, and the rule about what a manifest may open."""

from __future__ import annotations

import os
from pathlib import Path

from mmcore.errors import DataError


class PathRule:
    """Turns a cell of a manifest into a path.

    An absolute path says openly where it points and is taken as it is. A relative name starts at the folder
    of the manifest and must end inside it, after `..` and symbolic links are followed: a name that looks
    local and is not would open files that nobody meant to share. `allow_outside` lifts that.

    Args:
        root: the folder of the manifest.
        allow_outside: whether relative names may leave the root.
    """

    def __init__(self, root: Path, *, allow_outside: bool = False):
        self.root = Path(root)
        self.allow_outside = allow_outside
        self._real_root = os.path.realpath(root)
        self._real_parents: dict[str, str] = {}

    def __call__(self, name: str, key: str) -> Path:
        """The path of `name`; whether a file is there is not looked at.

        Raises:
            DataError: the name leaves the root, or is no file name.
        """
        if "\0" in name or "\n" in name:
            raise DataError(key, f"{name!r} is not a file name")
        path = self.root / name
        if self.allow_outside or os.path.isabs(name) or self._is_inside(path):
            return path
        raise DataError(
            key,
            f"the name {name!r} leads outside the manifest's folder {self.root} (to "
            f"{os.path.realpath(path)}); write the absolute path (or, in Python, allow it with allow_outside=True)",
        )

    def _is_inside(self, path: Path) -> bool:
        """Follows links once for each folder, and once for each file that is a link itself."""
        parent = str(path.parent)
        if path.name == ".." or os.path.islink(path):
            real = os.path.realpath(path)
        else:
            if parent not in self._real_parents:
                self._real_parents[parent] = os.path.realpath(parent)
            real = self._real_parents[parent]
        return real == self._real_root or real.startswith(self._real_root.rstrip(os.sep) + os.sep)
