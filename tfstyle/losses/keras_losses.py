"""The losses as Keras', for networks that make pictures: in `compile`, or in a loop of one's own.

All give one value for each picture, which Keras then reduces (by default, to
the mean over the batch). What weight 1 means is told by `units.UNITS`; weights
are those of `compile`. Where a model has one output for several losses, let it
give that output under several names:

    model = keras.Model(picture, {"content": made, "style": made})
    model.compile("adam", {"content": ContentLoss(extractor), "style": StyleLoss(extractor, style)},
                  loss_weights={"content": 1.0, "style": 1e3})
    model.fit(pictures, {"content": pictures, "style": pictures})

Losses that hold an extractor cannot be rebuilt from a configuration: its
weights, and the statistics of style pictures, are no part of one. So a model
that is compiled with them is saved by `save_weights` or `export`, or after it
was compiled with other losses.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import tensorflow as tf

from tfstyle.config.layer_names import canonical_name, require_known
from tfstyle.config.units import UNITS
from tfstyle.io import images
from tfstyle.losses import paper
from tfstyle.losses.measuring import STATISTICS, targets_of
from tfstyle.losses.regions import everywhere
from tfstyle.losses.style import comparison
from tfstyle.losses.terms import content_term, positions_of, variation_terms

_PAPER_STYLE_LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))

_registered = tf.keras.utils.register_keras_serializable("tfstyle")


@_registered
class GramMatrix(tf.keras.layers.Layer):
    """Gram matrices per position, G/M: from activations `[B, h, w, N]` to `[B, N, N]`.

    They are in float32 where activations are in half precision.
    """

    def call(self, activation):
        gram = paper.gram_matrix(activation)
        return gram / positions_of(activation, gram.dtype)


class _ExtractorLoss(tf.keras.losses.Loss):
    """A loss on some of an extractor's outputs.

    Args:
      extractor: a functional Keras model from pictures to {layer: activation},
        such as `tfstyle.feature_extractor` makes.
      layers: some of its outputs, in Keras' spelling or the paper's.
      units: key of `UNITS`.
      options: `name`, `reduction`, `dtype`, as for every loss of Keras.

    Raises:
      ValueError: there are no such layers or units.
    """

    def __init__(self, extractor: tf.keras.Model, layers: Iterable[str], units: str, **options):
        super().__init__(**options)
        names = [canonical_name(name) for name in ([layers] if isinstance(layers, str) else layers)]
        if not names:
            raise ValueError("layers=(): must name at least one layer")
        require_known("layers", names, extractor.output)
        self._layers = list(dict.fromkeys(names))
        _require_units(units)
        self._units = UNITS[units]
        # What only other layers need is not computed.
        self._extractor = tf.keras.Model(extractor.input, {name: extractor.output[name] for name in names})

    def _activations(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        return self._extractor(tf.cast(pictures, self._extractor.input.dtype))

    def get_config(self):
        raise NotImplementedError(
            f"{type(self).__name__} cannot be saved: it holds an extractor; save the model by save_weights"
            " or export, or compile it with other losses first"
        )


class ContentLoss(_ExtractorLoss):
    """How far a picture's activations are from the content's: the paper's eq. (1), summed over layers.

    `y_true` is the content and `y_pred` the picture made of it, both
    `[B, H, W, 3]` in [0, 1]. There is no gradient with respect to `y_true`.

    Args:
      extractor, layers, units: see `_ExtractorLoss`; errors, too.
      name: what Keras calls it.
      options: `reduction` and `dtype`, as for every loss of Keras.
    """

    def __init__(
        self, extractor, layers=("block4_conv2",), *, units="gatys_code", name="content_loss", **options
    ):
        super().__init__(extractor, layers, units, name=name, **options)

    def call(self, y_true, y_pred):
        wanted, made = self._activations(tf.stop_gradient(y_true)), self._activations(y_pred)
        terms = [content_term(layer, 1.0, wanted[layer], self._units) for layer in self._layers]
        return tf.add_n([term.loss(y_pred, made) for term in terms])


class StyleLoss(_ExtractorLoss):
    """How far a picture's statistics are from those of a style: the paper's eq. (5).

    `y_pred` are pictures `[B, H, W, 3]` in [0, 1] of any size; `y_true` may be
    anything (Keras wants something), such as the same pictures.

    Args:
      extractor, units: see `_ExtractorLoss`; errors, too.
      style: a picture as `tfstyle.load_image` takes it, such as `[1, H, W, 3]`
        in [0, 1] or a path; of several, `[S, H, W, 3]` or a list, the
        statistics are averaged. They are computed here, once.
      layers: some of the extractor's outputs; without, the paper's five.
      layer_weights: the paper's w_l, as many as layers; empty for the units' own.
      statistic: key of `measuring.STATISTICS`.
      name: what Keras calls it.
      options: `reduction` and `dtype`, as for every loss of Keras.

    Raises:
      ValueError: also, of style, layer_weights or statistic.
    """

    def __init__(
        self,
        extractor,
        style,
        layers=_PAPER_STYLE_LAYERS,
        *,
        units="gatys_code",
        layer_weights: Sequence[float] = (),
        statistic="gram",
        name="style_loss",
        **options,
    ):
        super().__init__(extractor, layers, units, name=name, **options)
        if statistic not in STATISTICS:
            raise ValueError(f"statistic={statistic!r}: must be one of {', '.join(STATISTICS)}")
        own = [self._units.layer_weight(len(self._layers))] * len(self._layers)
        self._weights = _checked(layer_weights, len(self._layers)) or own
        (target,) = targets_of(self._extractor, everywhere(*_pictures(style)), self._layers, statistic)
        self._held = [comparison(target, layer, units, statistic) for layer in self._layers]

    def call(self, y_true, y_pred):
        activations = self._activations(y_pred)
        found = [held.measure.sums(activations[layer]) for layer, held in zip(self._layers, self._held)]
        pixels = positions_of(y_pred, found[0]["count"].dtype)
        losses = [held.loss(pixels, sums) for held, sums in zip(self._held, found)]
        return tf.add_n([weight * loss for weight, loss in zip(self._weights, losses)])


@_registered
class TotalVariationLoss(tf.keras.losses.Loss):
    """How much a picture's neighbouring pixels differ.

    `y_pred` are pictures `[B, H, W, 3]` in [0, 1]; `y_true` may be anything.

    Args:
      form: see `paper.total_variation`.
      units: key of `UNITS`.
      name: what Keras calls it.
      options: `reduction` and `dtype`, as for every loss of Keras.

    Raises:
      ValueError: there is no such form (the message calls it tv_loss), or no such units.
    """

    def __init__(self, form="squared", *, units="gatys_code", name="total_variation_loss", **options):
        super().__init__(name=name, **options)
        paper.total_variations(tf.zeros([1, 2, 2, 3]), form)  # finds a wrong form now, not in training
        _require_units(units)
        self._form, self._units = form, units
        (self._term,) = variation_terms(1.0, units=units, form=form)

    def call(self, y_true, y_pred):
        return self._term.value(y_pred)

    def get_config(self):
        return {**super().get_config(), "form": self._form, "units": self._units}


def _pictures(style) -> list[tf.Tensor]:
    """Returns style pictures, `[1, H, W, 3]` each, of whatever a user gives."""
    if isinstance(style, (list, tuple)):
        several = list(style)
    elif not isinstance(style, (str, os.PathLike)) and len(getattr(style, "shape", ())) == 4:
        several = [style[index] for index in range(style.shape[0])]
    else:
        several = [style]
    if not several:
        raise ValueError("style: there are no pictures; must be at least one")
    return [images.load_image(each, "style") for each in several]


def _checked(layer_weights: Sequence[float], layers: int) -> list[float]:
    weights = [float(weight) for weight in layer_weights]
    if weights and (len(weights) != layers or min(weights) < 0):
        raise ValueError(
            f"layer_weights={weights}: must be {layers} numbers, as many as layers, none negative"
        )
    return weights


def _require_units(name: str) -> None:
    if name not in UNITS:
        raise ValueError(f"units={name!r}: must be one of {', '.join(UNITS)}")
