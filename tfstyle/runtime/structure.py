"""A function as data: the tensors that it holds, and all else, which is its structure."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf


class _Whole(NamedTuple):
    """What is not taken apart; `key` tells it from others."""

    key: Hashable
    value: Any

    def __hash__(self) -> int:
        return hash(self.key)


class _Made(NamedTuple):
    """What `make` makes of its parts."""

    make: Callable
    parts: tuple


def structure_of(value, tensors: list[tf.Tensor]):
    """Returns a value with the shapes of its tensors in their places, hashable; adds the tensors to a list.

    A `functools.partial`, a method, a container, a frozen dataclass or an object with
    `__parts__` (what makes it, and of what, or None) is taken apart. All else is told
    apart: numbers and texts by value, other functions and objects by identity.
    """
    if isinstance(value, tf.Tensor):
        tensors.append(value)
        return tf.TensorSpec(value.shape, value.dtype)
    parts = _parts(value)
    if parts is not None:
        make, *parts = parts
        return _Made(make, tuple(structure_of(part, tensors) for part in parts))
    by_value = isinstance(value, (str, bytes, int, float, types.NoneType))
    return _Whole((type(value), value) if by_value else id(value), value)


def _parts(value) -> Sequence | None:
    """Returns what makes a value, and of what; None where it is whole."""
    if hasattr(value, "__parts__"):
        return value.__parts__()
    if isinstance(value, functools.partial) and not value.keywords:
        return functools.partial, value.func, *value.args
    if isinstance(value, types.MethodType):
        return types.MethodType, value.__func__, value.__self__
    if isinstance(value, tuple):
        return (type(value) if hasattr(value, "_fields") else _tuple), *value
    if type(value) is list:
        return _list, *value
    if type(value) is dict:
        return _dict, tuple(value), *value.values()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        # What may change, or is not made of its fields alone, cannot be made again from them.
        if type(value).__dataclass_params__.frozen and all(field.init for field in fields):
            names = tuple(field.name for field in fields)
            return _record, type(value), names, *(getattr(value, name) for name in names)
    return None


def remade(structure, tensors: Iterator[tf.Tensor]):
    """Returns the value of a structure, with these tensors."""
    if isinstance(structure, tf.TensorSpec):
        return next(tensors)
    if isinstance(structure, _Whole):
        return structure.value
    return structure.make(*(remade(part, tensors) for part in structure.parts))


def _tuple(*values) -> tuple:
    return values


def _list(*values) -> list:
    return list(values)


def _dict(names: Sequence, *values) -> dict:
    return dict(zip(names, values))


def _record(kind: type, names: Sequence[str], *values):
    return kind(**dict(zip(names, values)))
