"""A variable's identity: the path of attributes that leads to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

# tf.Module and its bases keep bookkeeping under these names; none of it is a part of the model.
_BOOKKEEPING = frozenset(tf.Module._TF_MODULE_IGNORED_PROPERTIES)


def variables_by_path(module: tf.Module) -> dict[str, tf.Variable]:
    """Every variable of a module under its attribute path, such as "image.blocks.0.attention.query.kernel".

    Paths go through attributes, lists, tuples and dicts. The order is that of definition, so it is the same
    in every process that builds the same module. A variable reached by two paths is given once, under the
    first.

    Args:
        module: any `tf.Module`, not only one of this package.

    Raises:
        ValueError: two different variables would have one path (a dict key that contains a dot).

    Example:
        >>> from mmcore import nn
        >>> list(nn.variables_by_path(nn.Linear(2, 3)))
        ['kernel', 'bias']
    """
    found: dict[str, tf.Variable] = {}
    for path, variable in _walk(module, "", set()):
        if path in found:
            raise ValueError(
                f"expected one variable a path, found two at {path!r}: rename a key or attribute"
            )
        found[path] = variable
    return found


def trainable_by_path(module: tf.Module) -> dict[str, tf.Variable]:
    """`variables_by_path` without the variables that are not trained, such as moving statistics."""
    return {path: variable for path, variable in variables_by_path(module).items() if variable.trainable}


def _walk(node: Any, path: str, seen: set[int]) -> Iterator[tuple[str, tf.Variable]]:
    """Depth first through what can hold a variable; `seen` guards against cycles and repeats."""
    if not isinstance(node, (tf.Variable, tf.Module, Mapping, list, tuple)) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, tf.Variable):
        yield path, node
        return
    for name, child in _children(node):
        yield from _walk(child, f"{path}.{name}" if path else name, seen)


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, tf.Module):
        for name, child in vars(node).items():
            if name not in _BOOKKEEPING and not name.startswith("_self_"):
                yield name, child
    elif isinstance(node, Mapping):
        yield from ((str(key), child) for key, child in node.items())
    else:
        yield from ((str(index), child) for index, child in enumerate(node))
