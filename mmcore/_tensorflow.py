"""Importing this says what is wrong with TensorFlow, if anything, before a package of ours meets it.

Raises:
    EnvError: TensorFlow is not installed, does not import, or is too old.
"""

from __future__ import annotations

from mmcore import _load

_load.tensorflow()
