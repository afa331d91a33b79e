"""What a style comes to in a network's layers, measured once: small enough for a file, and no picture."""

from __future__ import annotations

import functools
import hashlib
import json
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfstyle.config import TransferConfig
from tfstyle.config.options import listed
from tfstyle.io import untrusted
from tfstyle.io.files import require_file, write_atomically
from tfstyle.losses.statistics import Sums
from tfstyle.losses.target_file import filters_of, packed, unpacked

# What targets depend on, beside the picture, the layers and the network's weights.
_OPTIONS = (
    *("style_loss", "style_scale", "image_size", "scale_factor", "pooling", "padding"),
    "coarse_weights",
)
_LARGEST = 1 << 28  # bytes; five layers of VGG19 at eight scales are 20 MB
_LONGEST_HEADER = 1 << 16


class Measured(NamedTuple):
    """What a style comes to in a network's layers, at one scale.

    Attributes:
      sums: {layer: sums per position} of a statistic.
      references: the same of `Moments`, for statistics that refer to them; else empty.
    """

    sums: Mapping[str, Sums]
    references: Mapping[str, Sums]


@dataclass(frozen=True, eq=False)
class StyleTargets:
    """Stands in for a style picture in `transfer`, `transfer_batch`, pipelines and exports.

    `tfstyle.style_targets` makes them. A run may use them if it has the options
    that they were made with; see `require_for`.

    Attributes:
      scales: {layer: sums per position}, finest scale first.
      references: the same of `Moments`, for statistics that refer to them.
      options: the options of the config that they depend on.
      network: fingerprint of the weights up to the layers.
    """

    scales: tuple[Mapping[str, Sums], ...]
    references: tuple[Mapping[str, Sums], ...]
    options: Mapping[str, Any]
    network: str

    @functools.cached_property
    def hash(self) -> str:
        """Of all that they are."""
        digest = hashlib.sha256(self._header().encode())
        for name, values in sorted(packed(self.scales, self.references).items()):
            digest.update(name.encode() + values.tobytes())
        return digest.hexdigest()[:16]

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers measured."""
        return tuple(self.scales[0])

    def at(self, level: int) -> Measured:
        """Returns those of a scale, so many before the last; a run has no more than there are here."""
        return Measured(self.scales[level], self.references[level])

    def require_for(self, config: TransferConfig, argument: str) -> None:
        """Checks that a run of a config may use them.

        Raises:
          ValueError: an option differs, or the run needs the style's picture;
            the message begins with the argument.
        """
        for name, needed in (("color", config.color != "style"), ("normalize", config.normalize)):
            if needed:
                raise ValueError(
                    f"{argument}: {name}={_shown(getattr(config, name))} needs the picture, not its targets"
                )
        for name, value in options_of(config).items():
            if self.options[name] != value:
                raise ValueError(
                    f"{argument}: its targets were made with {name}={_shown(self.options[name])}, and the run"
                    f" has {name}={_shown(value)}; they must be the same"
                )
        if set(config.style_layers) != set(self.layers):
            raise ValueError(
                f"{argument}: its targets are of the layers {listed(self.layers)}, and the run has"
                f" style_layers={listed(config.style_layers)}; they must be the same"
            )

    def require_network(self, extractor: tf.keras.Model) -> None:
        """Checks that they were made with this network, which has the layers among its outputs.

        Raises:
          ValueError: the network has other weights up to the layers.
        """
        # The file says of itself which network it is for; its sums must fit it, too.
        for layer, sums in self.scales[0].items():
            if layer not in extractor.output or extractor.output[layer].shape[-1] != filters_of(sums):
                raise ValueError(f"style: its targets do not fit the network's {layer}")
        if fingerprint(extractor, self.layers) != self.network:
            raise ValueError("style: its targets were made with other weights; they must be the run's own")

    def save(self, path) -> None:
        """Writes a file of numbers and text; it is whole, or unchanged.

        Raises:
          ValueError: the name does not end in .npz.
          OSError: it cannot be written.
        """
        path = pathlib.Path(path)
        if path.suffix != ".npz":
            raise ValueError(f"path={str(path)!r}: must end in .npz")
        arrays = {"json": np.frombuffer(self._header().encode(), np.uint8)}
        arrays |= packed(self.scales, self.references)
        write_atomically(path, untrusted.encode(arrays, compressed=True))

    @classmethod
    def load(cls, path, argument: str = "path") -> StyleTargets:
        """Reads such a file.

        Raises:
          ValueError: it is none, or damaged; the message begins with the argument.
          OSError: it cannot be opened.
        """
        path, named = pathlib.Path(path), f"{argument}={str(path)!r}"
        require_file(path, named)
        try:
            arrays = untrusted.read(path, limit=_LARGEST)
            header = untrusted.parse_json(arrays.pop("json").tobytes(), limit=_LONGEST_HEADER)
            options = {name: header["options"][name] for name in _OPTIONS}
            if not isinstance(header["network"], str):
                raise ValueError("its network is no text")
            scales, references = unpacked(arrays, header["scales"], options["style_loss"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{named}: holds no targets of a style, or is damaged ({error})") from None
        return cls(tuple(scales), tuple(references), options, header["network"])

    def _header(self) -> str:
        record = {"scales": len(self.scales), "options": dict(self.options), "network": self.network}
        return json.dumps(record, sort_keys=True)


def options_of(config: TransferConfig) -> dict[str, Any]:
    """Returns the options that targets depend on; of coarse scales, ``same`` or what network they have."""
    coarse = "same" if config.coarse_network == config.weights else config.coarse_network
    return {name: getattr(config, name) for name in _OPTIONS} | {"coarse_weights": coarse}


def fingerprint(extractor: tf.keras.Model, layers: Sequence[str]) -> str:
    """Returns a hash of all weights that the layers depend on."""
    part = tf.keras.Model(extractor.input, {layer: extractor.output[layer] for layer in layers})
    digest = hashlib.sha256()
    for weights in part.get_weights():
        digest.update(repr(weights.shape).encode() + np.ascontiguousarray(weights, np.float32).tobytes())
    return digest.hexdigest()[:16]


def stacked(targets: StyleTargets) -> Measured:
    """Returns all scales as a stack: a `Measured` whose tensors have one more axis in front, finest first.

    A graph may be called with one after the other, without a new trace.
    """
    scales = [targets.at(level) for level in range(len(targets.scales))]
    return tf.nest.map_structure(lambda *values: tf.stack(values), *scales)


def levels(stack: Measured) -> tf.Tensor:
    """Returns how many there are in a stack."""
    return tf.shape(tf.nest.flatten(stack)[0])[0]


def chosen(stack: Measured, numbers: tf.Tensor) -> Measured:
    """Returns one of a stack, by its number, or some, by numbers `[B]`."""
    return tf.nest.map_structure(lambda values: tf.gather(values, numbers), stack)


def finest(styles: Sequence[StyleTargets]) -> Measured:
    """Returns the finest scales of several targets, as those of a batch of pictures."""
    return tf.nest.map_structure(lambda *values: tf.concat(values, 0), *(targets.at(0) for targets in styles))


def _shown(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
