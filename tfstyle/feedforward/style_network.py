"""Any style in one pass: a network for many styles, and one that reads off a picture which style it is.

Ghiasi, Lee, Kudlur, Dumoulin & Shlens, "Exploring the Structure of a Real-time, Arbitrary Neural
Artistic Stylization Network", BMVC 2017: a style is an embedding, a few numbers, that a style
prediction network makes of a picture; the scales and shifts of all normalisations are linear in it.
So the other network is one of `networks`, its embedding in the place of the weights of known styles.
Departures:

- Styles are read from means and deviations of the activations of four layers of `mini`, where theirs
  learns to read them from Inception-v3's last ones. Statistics of any picture are there after
  one pass of a small encoder.
- The first number of an embedding is always 1, so that scales and shifts have a part that is the
  same for all styles.
- The last twelve are the picture's colours, as they are; see `style_colors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from tfstyle.config.options import whole_number
from tfstyle.feedforward.cards import COLOR_VALUES, embedding_size
from tfstyle.feedforward.layers import ConditionalInstanceNormalization, instance_moments, reflected_up
from tfstyle.feedforward.networks import (
    POLICIES,
    layout,
    run,
    take_over,
    take_rounded,
    transformation_network,
)
from tfstyle.feedforward.style_colors import color_values
from tfstyle.vgg import feature_extractor, minimum_size

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")  # whose statistics are a style
EPSILON = 1e-5  # what is added to variances under the root
_HIDDEN = 128  # values between statistics and embedding
_SPREAD = 0.1  # standard deviation of what a style does to scales and shifts, before any training


@tf.keras.utils.register_keras_serializable("tfstyle")
class StyleStatistics(tf.keras.layers.Layer):
    """From activations `[B, h, w, C]` of several layers to their means and deviations, `[B, 2 ΣC]`.

    First all means, then all deviations, the square roots of variance + `EPSILON`; each less what
    it is in styles on average, and over its own deviation from one style to another.

    Attributes:
      mean, deviation: these two, `[2 ΣC]`, set and not trained; 0 and 1 at first.
    """

    def build(self, shapes):
        options = {"shape": (2 * sum(shape[-1] for shape in shapes),), "trainable": False}
        self.mean = self.add_weight(name="mean", initializer="zeros", **options)
        self.deviation = self.add_weight(name="deviation", initializer="ones", **options)

    def call(self, activations):
        return (self.measured(activations) - self.mean) / self.deviation

    def measured(self, activations) -> tf.Tensor:
        """Returns means and deviations as they are."""
        means, variances = zip(*map(instance_moments, activations))
        return tf.concat([*means, *(tf.sqrt(each + EPSILON) for each in variances)], axis=-1)

    def compute_output_shape(self, shapes):
        return (shapes[0][0], 2 * sum(shape[-1] for shape in shapes))


@tf.keras.utils.register_keras_serializable("tfstyle")
class PictureColors(tf.keras.layers.Layer):
    """From pictures `[B, H, W, 3]` in [0, 1] to `style_colors.color_values`, `[B, 12]`."""

    def call(self, pictures):
        return color_values(pictures)

    def compute_output_shape(self, shape):
        return (shape[0], COLOR_VALUES)


def style_predictor(embedding: int, *, seed: int, dtype: str) -> tf.keras.Model:
    """Builds a style prediction network, not yet trained.

    Args:
      embedding: how many numbers a style is, without its colours; 2 or above.
      seed: of the kernels, but for the encoder's, which are those of `mini` and stay.
      dtype: of all of it: ``float32``, or ``float64`` for tests.

    Returns:
      A `keras.Model` from `[B, h, w, 3]`, RGB in [0, 1], whose sides the encoder takes, to
      `[B, embedding + 12]`: the encoder's layers, then ``statistics``, ``hidden`` and ``embedding``, and
      beside them ``colors``.
    """
    seeds = np.random.default_rng(seed).integers(2**31, size=2)
    encoder = feature_extractor(LAYERS, weights="mini", dtype=dtype)

    def dense(size, name, kernel_seed, activation=None):
        kernel = tf.keras.initializers.GlorotUniform(seed=int(kernel_seed))
        return tf.keras.layers.Dense(
            size, activation=activation, kernel_initializer=kernel, name=name, dtype=dtype
        )

    found = StyleStatistics(name="statistics", dtype=dtype)([encoder.output[name] for name in LAYERS])
    hidden = dense(_HIDDEN, "hidden", seeds[0], "relu")(found)
    own = dense(embedding - 1, "embedding", seeds[1])(hidden)
    # As long as a vector of one number: so scales stay about 1, and one rate of learning suits all.
    own = own * float(embedding - 1) ** -0.5
    one = tf.keras.ops.ones_like(own[:, :1])
    colors = PictureColors(name="colors", dtype=dtype)(encoder.input)
    made = tf.keras.ops.concatenate([one, own, colors], axis=-1)
    return tf.keras.Model(encoder.input, made, name="style_predictor")


class StyleNetwork(tf.keras.Model):
    """A style prediction network and a transformation network; see `style_network`.

    Called with a dict, it gives `[B, H, W, 3]` pictures in [0, 1], float32 (float64 for
    ``float64``), of the images' size, which may be any from 1 x 1:

    ==========  ============================================================
    `image`     `[B, H, W, 3]`, RGB in [0, 1]
    `style`     `[1 or B, h, w, 3]`, the same, also of any size
    ==========  ============================================================

    Args:
      network: from `transformation_network`, with as many styles as an embedding has numbers, and colours.
      predictor: from `style_predictor`.
    """

    def __init__(self, network: tf.keras.Model, predictor: tf.keras.Model):
        super().__init__(name="style_network")
        self.network, self.predictor = network, predictor
        self.built = True  # all variables are there; Keras need not run it to find them

    def call(self, inputs, training=None):
        """See the class."""
        image, style = inputs["image"], self.embedding(inputs["style"])
        style = tf.broadcast_to(style, [tf.shape(image)[0], style.shape[-1]])
        return run(self.network, image, style)

    def embedding(self, style: tf.Tensor) -> tf.Tensor:
        """Returns the embeddings `[B, S]` of styles `[B, h, w, 3]`; a mean of some is their mixture."""
        return self.predictor(self._large_enough(style))

    def measure(self, styles: Iterable[tf.Tensor]) -> None:
        """Finds out what is usual in style pictures, `[B, h, w, 3]` each; see `StyleStatistics`."""
        layer = self.predictor.get_layer("statistics")
        known = tf.keras.Model(self.predictor.input, layer.input)
        found = np.concatenate([layer.measured(known(self._large_enough(each))) for each in styles])
        # What is nearly the same in all of these is not to be huge in another.
        least = 0.01 * np.abs(found).mean()
        layer.mean.assign(found.mean(0))
        layer.deviation.assign(np.maximum(found.std(0), least))

    def begin_with(self, other: tf.keras.Model) -> None:
        """Gives the network the parameters of one for known styles, `start` in errors.

        What all styles share begins as the mean of those known, and each further number of an
        embedding, but for the colours, as the way from there to one of them.

        Raises:
          ValueError: it has not the same layers of the same size.
        """
        take_over(self.network, other)
        for layer in _normalizations(self.network):
            known = other.get_layer(layer.name)
            for own, given in ((layer.scale, known.scale.numpy()), (layer.shift, known.shift.numpy())):
                mean = given.mean(0)
                ways = (given - mean)[np.arange(own.shape[0] - 1 - COLOR_VALUES) % len(given)]
                own.assign(np.concatenate([mean[np.newaxis], ways, np.zeros([COLOR_VALUES, len(mean)])]))

    def for_known(self, styles: Iterable[tf.Tensor]) -> tf.keras.Model:
        """Returns a `transformation_network` that knows the styles of pictures, `[1, h, w, 3]` each."""
        embeddings = np.concatenate([self.embedding(each) for each in styles])
        made = transformation_network(**{**layout(self.network), "styles": len(embeddings)})
        take_over(made, self.network)
        for layer in _normalizations(made):
            known = self.network.get_layer(layer.name)
            layer.scale.assign(embeddings @ known.scale.numpy())
            layer.shift.assign(embeddings @ known.shift.numpy())
        made.get_layer("style_colors").colors.assign(embeddings[:, -COLOR_VALUES:])
        return made

    def _large_enough(self, style: tf.Tensor) -> tf.Tensor:
        """Returns style pictures reflected up to the smallest side that the predictor takes."""
        style = tf.cast(style, self.predictor.input.dtype)
        sides = tf.maximum(tf.shape(style)[1:3], minimum_size(self.predictor))
        return reflected_up(style, tf.unstack(sides))


def style_network(
    *, embedding: int = 64, width: int = 16, residual_blocks: int = 5, seed: int = 0, dtype: str = "float32"
) -> StyleNetwork:
    """Builds a network for any style, not yet trained.

    Args:
      embedding: how many numbers a style is, without its colours.
      width, residual_blocks, seed, dtype: as in `transformation_network`. The style
        predictor computes in float32 (float64 for ``float64``).

    Raises:
      ValueError: an argument is out of range.
    """
    numbers = whole_number("embedding", embedding, 2) + COLOR_VALUES
    network = transformation_network(
        numbers, width=width, residual_blocks=residual_blocks, colors=True, seed=seed, dtype=dtype
    )
    network.get_layer("style_colors").colors.assign(np.eye(numbers)[:, embedding:])
    generator = np.random.default_rng(seed)
    for layer in _normalizations(network):
        for variable, shared in ((layer.scale, 1.0), (layer.shift, 0.0)):
            values = _SPREAD * generator.standard_normal(variable.shape)
            values[0], values[embedding:] = shared, 0
            variable.assign(values)
    predictor = style_predictor(embedding, seed=seed, dtype=POLICIES[dtype])
    return StyleNetwork(network, predictor)


def in_half_precision(network: StyleNetwork) -> StyleNetwork:
    """Returns a network whose parameters are those of another, rounded to float16, as files keep them."""
    return take_rounded(like(layout(network.network)), network)


def like(layout_of_network: Mapping) -> StyleNetwork:
    """Returns a network for any style whose transformation network has a layout of `networks.layout`.

    Raises:
      ValueError: that takes no colours, or an option is out of range.
    """
    options = {name: each for name, each in layout_of_network.items() if name not in ("styles", "colors")}
    return style_network(embedding=embedding_size(layout_of_network), **options)


def _normalizations(network: tf.keras.Model) -> list[ConditionalInstanceNormalization]:
    return [layer for layer in network.layers if isinstance(layer, ConditionalInstanceNormalization)]
