"""Exported networks back as Keras networks: layers by the card, parameters by their names.

Only numbers are read from the SavedModel; its graphs, which could be any code,
are left alone.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any, TypeVar

import tensorflow as tf

from tfstyle.feedforward.cards import CARD, read_card
from tfstyle.feedforward.networks import fingerprint, in_precision, parameters, transformation_network
from tfstyle.feedforward.style_network import StyleNetwork, like
from tfstyle.io.files import reason, require_file

_MOST_BLOCKS = 100

Network = TypeVar("Network", bound=tf.keras.Model)


def load_network(
    folder, *, dtype: str | None = None, argument: str = "model"
) -> tuple[tf.keras.Model, dict[str, Any]]:
    """Reads a network that `savedmodel.export_network` wrote.

    Args:
      folder: of the export.
      dtype: Keras' policy, as for `transformation_network`; None: that in which
        it was trained.
      argument: what to call the folder in errors.

    Returns:
      The network, and its card.

    Raises:
      ValueError: the folder holds no such network, one of another kind, or one
        whose parameters are not those that its card speaks of.
    """
    network, card = _read(folder, "network", lambda layout: transformation_network(**layout), argument)
    return network if dtype is None else in_precision(network, dtype), card


def load_style_network(
    folder, *, dtype: str | None = None, argument: str = "model"
) -> tuple[StyleNetwork, dict[str, Any]]:
    """Reads a network that `savedmodel.export_style_network` wrote.

    Args:
      folder, dtype, argument: as in `load_network`, also for errors.

    Returns:
      The network, and its card.
    """
    found, card = _read(folder, "style_network", like, argument)
    if dtype is not None:
        found = StyleNetwork(in_precision(found.network, dtype), found.predictor)
    return found, card


def _read(
    folder, kind: str, make: Callable[[dict], Network], argument: str
) -> tuple[Network, dict[str, Any]]:
    """Returns a network of a kind, made from its card's layout, with its parameters; and the card."""
    named = f"{argument}={str(folder)!r}"
    card = read_card(folder, [kind], argument=argument)
    told = card.get("layout")
    if not isinstance(told, dict):
        raise ValueError(f"{named}: {CARD} tells no layout of the network; export it again")
    told = dict(told)
    if told.pop("skip_connection", False):
        raise ValueError(
            f"{named}: has a skip connection, which networks of tfstyle no longer have; train it again"
        )
    _require_small(told, folder, named)
    try:
        network = make(told)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{named}: {CARD} tells of a network that cannot be made ({error})") from None
    assign(parameters(network), folder, named, card.get("stored_in", "float32"))
    if fingerprint(network) != card.get("fingerprint"):
        raise ValueError(f"{named}: its parameters are not those that {CARD} speaks of")
    return network, card


def _require_small(layout: dict[str, Any], folder, named: str) -> None:
    """Checks that a network is not larger than the file of its parameters, before it is made."""
    sizes = [layout.get(name, 0) for name in ("styles", "width", "residual_blocks")]
    if not all(type(size) is int and size >= 0 for size in sizes):
        return  # which is for `transformation_network` to say
    styles, width, blocks = sizes
    there = sum(file.stat().st_size for file in pathlib.Path(folder, "variables").glob("variables.data-*"))
    # Fewer values than it has, of two bytes each.
    least = 2 * ((1 + blocks) * 144 * width**2 + 16 * styles * width)
    if least > there or blocks > _MOST_BLOCKS:
        raise ValueError(f"{named}: {CARD} tells of a network larger than the file of its parameters")


def assign(variables: dict[str, tf.Variable], folder, named: str, stored_in: str = "float32") -> None:
    """Gives variables the values that a SavedModel has under `parameters` and their names.

    Args:
      variables: by name.
      folder: of the model.
      named: what errors begin with.
      stored_in: dtype of the values there, float32 or float16.

    Raises:
      ValueError: one is missing or has another shape, or the files are damaged.
    """
    if stored_in not in ("float32", "float16"):
        raise ValueError(f"{named}: {CARD} says stored_in={stored_in!r:.80}: must be float32 or float16")
    prefix = pathlib.Path(folder, "variables", "variables")
    for path in prefix.parent.glob("*"):
        require_file(path, named)
    kept = {name: tf.Variable(tf.zeros(own.shape, stored_in)) for name, own in variables.items()}
    try:
        status = tf.train.Checkpoint(parameters=kept).read(str(prefix))
        status.assert_existing_objects_matched()
    except AssertionError:
        raise ValueError(f"{named}: some of its parameters are missing") from None
    except (ValueError, KeyError, IndexError, TypeError, RuntimeError, tf.errors.OpError) as error:
        raise ValueError(f"{named}: its parameters cannot be read ({reason(error):.200})") from None
    for name, own in variables.items():
        own.assign(tf.cast(kept[name], own.dtype))
