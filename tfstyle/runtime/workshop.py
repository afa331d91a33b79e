"""What is costly to make is made once a process: networks, and functions compiled to graphs."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import gc
import inspect
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import tensorflow as tf

# Where TensorFlow registers gradients of `tf.custom_gradient`; a test sees that it does, and that they go.
from tensorflow.python.framework.ops import gradient_registry as _gradients

from tfstyle.runtime.structure import remade, structure_of

# Of a run, five for each of its sizes, and a network or two.
_MOST = 48
_AT_A_TIME = 6  # the share of all that gives way together
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
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            made = self._kept[key] = make()
            if len(self._kept) > self._most:
                for _ in range(max(1, self._most // _AT_A_TIME)):
                    self._kept.popitem(last=False)
                gc.collect()  # graphs hold themselves, and much memory
            return made

    def compiled(self, function: Callable, *like, **options) -> Callable:
        """Returns a function compiled for arguments like these, as it was compiled before if it was.

        Functions of one structure, which differ in tensors alone, are compiled once;
        see `structure.structure_of`.

        Args:
          function: depends on its arguments alone.
          like: tensors, in any structure.
          options: of `tf.function`.
        """
        tensors: list[tf.Tensor] = []
        structure = structure_of(function, tensors)
        key = structure, structure_of(like, []), str(options)
        graph = self.get(key, lambda: _graph(structure, options))

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


def current() -> Workshop:
    """Returns the workshop in use; where none is, one of the caller's own, since its functions may change."""
    return _CURRENT.get() or Workshop()


def compiled(function: Callable, *arguments):
    """Returns a function's value, computed as a graph; see `Workshop.compiled`."""
    if _CURRENT.get() is None and not tf.executing_eagerly():
        return function(*arguments)  # within the graph at hand, which outlives a workshop of one call
    return current().compiled(function, *arguments)(*arguments)


def _graph(structure, options: dict[str, Any]) -> Callable:
    registered: list[str] = []
    # A partial: TensorFlow counts the traces of all functions of one source line together, and warns.
    graph = tf.function(functools.partial(_called, structure, registered), autograph=False, **options)
    weakref.finalize(graph, _unregister, registered).atexit = False
    return graph


def _called(structure, registered: list[str], tensors: Sequence[tf.Tensor], arguments: Sequence):
    """Calls a function, and adds to a list under which names TensorFlow registered gradients for it."""
    before, graph = set(_gradients.list()), tf.compat.v1.get_default_graph()
    value = remade(structure, iter(tensors))(*arguments)
    registered += [name for name in set(_gradients.list()) - before if _is_within(name, graph)]
    return value


def _is_within(name: str, graph: tf.Graph) -> bool:
    """Returns whether a gradient is of a tensor of a graph, or of one inside it; others trace, too."""
    try:
        gradient = inspect.getclosurevars(_gradients.lookup(name)).nonlocals.get("tape_grad_fn")
    except (LookupError, TypeError):  # another thread's, and gone already; or no function
        return False
    of = tf.nest.flatten(inspect.getclosurevars(gradient).nonlocals.get("result")) if gradient else []
    own = getattr(of[0], "graph", None) if of else None
    while own is not None and own is not graph:
        own = getattr(own, "outer_graph", None)
    return own is not None


def _unregister(names: Sequence[str]) -> None:
    """Lets go of gradients, by which TensorFlow would hold all of their graph for as long as the process."""
    for name in names:
        _gradients._registry.pop(name, None)
