"""Exported networks back as Keras networks: layers by the card, parameters by their names.

Only numbers are read from the SavedModel; its graphs, which could be any code,
are left alone.
"""

from __future__ import annotations

import pathlib
from typing import Any

import tensorflow as tf

from tfstyle.instant.cards import CARD, read_card
from tfstyle.instant.networks import fingerprint, parameters, transformation_network


def load_network(
    folder, *, dtype: str | None = None, argument: str = "model"
) -> tuple[tf.keras.Model, dict[str, Any]]:
    """Reads a network that `export.export_network` wrote.

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
    named = f"{argument}={str(folder)!r}"
    card = read_card(folder, argument=argument)
    layout = card.get("layout")
    if not isinstance(layout, dict):
        raise ValueError(f"{named}: {CARD} tells no layout of the network; export it again")
    try:
        network = transformation_network(**layout)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{named}: {CARD} tells of a network that cannot be made ({error})") from None
    assign(parameters(network), folder, named)
    if fingerprint(network) != card.get("fingerprint"):
        raise ValueError(f"{named}: its parameters are not those that {CARD} speaks of")
    if dtype not in (None, layout.get("dtype")):
        read, network = network, transformation_network(**{**layout, "dtype": dtype})
        network.set_weights(read.get_weights())
    return network, card


def assign(variables: dict[str, tf.Variable], folder, named: str) -> None:
    """Gives variables the values that a SavedModel has under `parameters` and their names.

    Raises:
      ValueError: one is missing or has another shape, or the files are damaged; begins with `named`.
    """
    prefix = pathlib.Path(folder, "variables", "variables")
    try:
        status = tf.train.Checkpoint(parameters=variables).read(str(prefix))
        status.assert_existing_objects_matched()
    except AssertionError:
        raise ValueError(f"{named}: some of its parameters are missing") from None
    except (ValueError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{named}: its parameters cannot be read ({reason:.200})") from None
