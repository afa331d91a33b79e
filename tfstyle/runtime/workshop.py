"""What is costly to make is made once a process: networks, and functions compiled to graphs."""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import functools
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

# Of a run, five for each of its sizes, and a network or two.
_MOST = 48
_CURRENT: contextvars.ContextVar[Workshop | None] = contextvars.ContextVar("workshop", default=None)


class Workshop:
    """Keeps what is costly to make, by everything that it depends on.

    `transfer` and its like share one for the whole process (`clear_cache`
    empties it): runs that differ only in pictures, weights, start, seed or number
    of iterations share the network and all compiled code, which no run changes.
    Nothing is kept of the pictures. Hand another one to calls whose compiled
    code is to go when they are done.

    Threads may share one.

    Args:
      most: things that are kept; of more, those go that were not used for longest.
    """

    def __init__(self, most: int = _MOST):
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        # What is made may need what is kept here, too.
        self._lock = threading.RLock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Returns what was made for this key before, or else makes it."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(key)
            return self._kept[key]

    def compiled(self, function: Callable, *like, **options) -> Callable:
        """Returns a function compiled for arguments like these, as it was compiled before if it was.

        Functions that differ in tensors alone are compiled once: what a
        `functools.partial`, a dataclass or an object with `__parts__` (what makes
        it, and of what) holds of tensors is handed to the graph as arguments. All
        else is told apart: numbers and texts by value, other functions and
        objects by identity.

        Args:
          function: depends on its arguments alone.
          like: tensors, in any structure.
          options: of `tf.function`.
        """
        tensors: list[tf.Tensor] = []
        form = _form(function, tensors)
        key = form, _form(like, []), str(options)
        # A partial: TensorFlow counts the traces of all functions of one source line together, and warns.
        graph = self.get(
            key, lambda: tf.function(functools.partial(_called, form), autograph=False, **options)
        )

        def call(*arguments):
            with self.in_use():
                return graph(tensors, arguments)

        return call

    def clear(self) -> None:
        """Lets go of everything."""
        with self._lock:
            self._kept.clear()

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Has `compiled`, and objectives that are made in the context, keep their graphs here."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)


SHARED = Workshop()


def clear_cache() -> None:
    """Frees the networks and the compiled code that the process keeps for its next runs."""
    SHARED.clear()


def shared(extractor: tf.keras.Model | None = None) -> Workshop:
    """Returns the process's own; for a model of the user's, which may change, one that goes with the run."""
    return SHARED if extractor is None else Workshop()


def current() -> Workshop:
    """Returns the workshop in use; where none is, one of the caller's own, since its functions may change."""
    return _CURRENT.get() or Workshop()


def compiled(function: Callable, *arguments):
    """Returns a function's value, computed as a graph; see `Workshop.compiled`."""
    return current().compiled(function, *arguments)(*arguments)


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


def _form(value, tensors: list[tf.Tensor]):
    """Returns a value with the shapes of its tensors in their places, hashable; adds these to a list."""
    if isinstance(value, tf.Tensor):
        tensors.append(value)
        return tf.TensorSpec(value.shape, value.dtype)
    if (parts := _parts(value)) is not None:
        make, *parts = parts
        return _Made(make, tuple(_form(part, tensors) for part in parts))
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
    if isinstance(value, list):
        return _list, *value
    if isinstance(value, dict):
        return _dict, tuple(value), *value.values()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = tuple(field.name for field in dataclasses.fields(value))
        return _record, type(value), names, *(getattr(value, name) for name in names)
    return None


def _remade(form, tensors: Iterator[tf.Tensor]):
    """Returns the value of a form, with these tensors."""
    if isinstance(form, tf.TensorSpec):
        return next(tensors)
    if isinstance(form, _Whole):
        return form.value
    return form.make(*(_remade(part, tensors) for part in form.parts))


def _called(form, tensors: Sequence[tf.Tensor], arguments: Sequence):
    return _remade(form, iter(tensors))(*arguments)


def _tuple(*values) -> tuple:
    return values


def _list(*values) -> list:
    return list(values)


def _dict(names: Sequence, *values) -> dict:
    return dict(zip(names, values))


def _record(kind: type, names: Sequence[str], *values):
    return kind(**dict(zip(names, values)))
