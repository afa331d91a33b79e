"""What the encoder is trained to tell: which photograph a view is of.

Two tasks, both about single photographs, so that no labels are needed:

- Exemplars (Dosovitskiy et al. 2014): the mean of the deepest activations
  names the photograph among all.
- Gram matrices: in each style layer, the two views of a photograph are nearer
  to one another in Gram matrix than to any other view of the batch (NT-Xent,
  Chen et al. 2020, eq. 1, on unit Gram matrices). It has no parameters but one
  temperature a layer: what is trained is the very thing that a style loss reads.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

_NEVER = 1e9  # taken off the logit of a view with itself


class ExemplarTask(tf.keras.layers.Layer):
    """Names the photograph from the mean activations of one layer.

    Args:
      layer: the layer that it reads.
      photographs: how many there are.
    """

    def __init__(self, layer: str, photographs: int):
        super().__init__(dtype="float32", name="exemplar")
        self._read = layer
        # Mean activations of any two views are much alike; what differs is brought to unit size.
        self._norm = tf.keras.layers.BatchNormalization(dtype="float32", name="norm")
        self._classifier = tf.keras.layers.Dense(photographs, dtype="float32", name="classifier")

    def call(self, activations, labels):
        """Returns the mean cross-entropy, and the share of views that were named right."""
        mean = tf.reduce_mean(tf.cast(activations[self._read], tf.float32), [1, 2])
        logits = self._classifier(self._norm(mean, training=True))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        right = tf.cast(tf.argmax(logits, -1) == labels, tf.float32)
        return tf.reduce_mean(losses), tf.reduce_mean(right)


class GramTask(tf.keras.layers.Layer):
    """Finds each view's partner, half a batch away, by Gram matrix.

    Args:
      layers: the layers that it reads, each for itself.
    """

    def __init__(self, layers: Sequence[str]):
        super().__init__(dtype="float32", name="gram")
        self._read = list(layers)
        self._log_sharpness = self.add_weight(
            shape=(len(self._read),),
            initializer=tf.keras.initializers.Constant(3.0),
            name="log_sharpness",
        )

    def call(self, activations):
        """Returns the mean NT-Xent loss of the layers, and the share of partners that were nearest."""
        losses, right = [], []
        for layer, log_sharpness in zip(self._read, tf.unstack(self._log_sharpness)):
            gram = _unit_gram(activations[layer])
            logits = tf.exp(log_sharpness) * tf.matmul(gram, gram, transpose_b=True)
            count = tf.shape(logits)[0]
            logits -= _NEVER * tf.eye(count)
            partner = (tf.range(count) + count // 2) % count
            losses.append(tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(partner, logits)))
            nearest = tf.argmax(logits, -1, output_type=partner.dtype)
            right.append(tf.reduce_mean(tf.cast(nearest == partner, tf.float32)))
        return tf.reduce_mean(losses), tf.reduce_mean(right)


def _unit_gram(activation: tf.Tensor) -> tf.Tensor:
    """Returns `[B, N*N]`, the Gram matrices at Frobenius norm 1.

    Unlike `tfstyle.gram_matrix` it multiplies in the dtype that comes in:
    bfloat16 takes two thirds of the time, and trains as well.
    """
    count, filters = tf.shape(activation)[0], activation.shape[-1]
    rows = tf.reshape(activation, [count, -1, filters])
    gram = tf.cast(tf.matmul(rows, rows, transpose_a=True), tf.float32)
    return tf.math.l2_normalize(tf.reshape(gram, [count, filters * filters]), -1)
