"""What exported models answer to: thin shells around one graph each, which is made and saved once.

A signature says what comes in and goes out: uint8, floats in [0, 1], or files in
memory. The names of the latter end in `_bytes`: TensorFlow Serving's REST
interface has such in base64.
"""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from tfstyle.api.dataset import from_integers, inside, to_integers
from tfstyle.feedforward.networks import parameters
from tfstyle.io.graph_decode import decode, encode_png
from tfstyle.synthesis.graph_transfer import GraphTransfer
from tfstyle.vgg import minimum_size


def picture_spec(name: str, dtype=tf.float32) -> tf.TensorSpec:
    """Returns the signature of pictures, `[B, H, W, 3]`."""
    return tf.TensorSpec([None, None, None, 3], dtype, name)


def file_spec(name: str) -> tf.TensorSpec:
    """Returns the signature of files in memory, `[B]`."""
    return tf.TensorSpec([None], tf.string, name)


_STEPS = tf.TensorSpec([], tf.int32, "steps")
STRENGTH = tf.TensorSpec([], tf.float32, "strength")


class SignedModule(tf.Module):
    """A module whose functions of some names are its signatures.

    Attributes:
      names: {signature: function of the module}.
    """

    names: Mapping[str, str] = {"serving_default": "integers", "float": "floats", "encoded_bytes": "files"}

    def functions(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """Returns {signature: function}, for `tf.saved_model.save`."""
        return {signature: getattr(self, name) for signature, name in self.names.items()}


class SignedExtractor(SignedModule):
    """An extractor: pictures in, {layer: activations} out."""

    def __init__(self, extractor: tf.keras.Model):
        super().__init__(name="extractor")
        self.extractor = extractor
        self.least = minimum_size(extractor)

    @tf.function(input_signature=[picture_spec("image")], autograph=False)
    def floats(self, image):
        height, width = tf.unstack(tf.shape(image)[1:3])
        image = required(
            checked(image, "image"),
            tf.minimum(height, width) >= self.least,
            f"image: too small; these layers need at least {self.least} pixels on each side, and it has"
            " (width, height)",
            width,
            height,
        )
        found = self.extractor(tf.cast(image, self.extractor.input.dtype))
        return {layer: tf.cast(activation, tf.float32) for layer, activation in found.items()}

    @tf.function(input_signature=[picture_spec("image", tf.uint8)], autograph=False)
    def integers(self, image):
        return self.floats(from_integers(image))

    @tf.function(input_signature=[file_spec("image_bytes")], autograph=False)
    def files(self, image_bytes):
        first = tf.shape(decode(filled(image_bytes, "image_bytes")[0]))

        def pixels_of(file):
            pixels = decode(file)
            own = tf.shape(pixels)
            message = "image_bytes: pictures of one call must be of one size; (height, width, channels) are"
            return required(pixels, tf.reduce_all(own == first), message, first, "and", own)

        spec = tf.TensorSpec([None, None, 3], tf.uint8)
        return self.integers(tf.map_fn(pixels_of, image_bytes, fn_output_signature=spec))


class SignedTransfer(SignedModule):
    """A transfer: content, style and steps in, picture out."""

    def __init__(self, graph: GraphTransfer):
        super().__init__(name="transfer")
        self.graph = graph

    @tf.function(input_signature=[picture_spec("content"), picture_spec("style"), _STEPS], autograph=False)
    def paint(self, content, style, steps):
        style = one_or_each(checked(style, "style"), content, "style")
        return self.graph.paint(checked(content, "content"), style, steps)

    @tf.function(input_signature=[picture_spec("content"), picture_spec("style"), _STEPS], autograph=False)
    def floats(self, content, style, steps):
        return {"picture": self.paint(content, style, steps)}

    @tf.function(
        input_signature=[picture_spec("content", tf.uint8), picture_spec("style", tf.uint8), _STEPS],
        autograph=False,
    )
    def integers(self, content, style, steps):
        return {"picture": to_integers(self.paint(from_integers(content), from_integers(style), steps))}

    @tf.function(
        input_signature=[file_spec("content_bytes"), file_spec("style_bytes"), _STEPS], autograph=False
    )
    def files(self, content_bytes, style_bytes, steps):
        content_bytes = filled(content_bytes, "content_bytes")
        return painted_files(lambda *pair: self.integers(*pair, steps), content_bytes, style_bytes)


class SignedStyle(SignedModule):
    """A transfer in one style: content in, picture out.

    Args:
      graph: with targets, or else there is a picture.
      picture: the style, `[1, h, w, 3]`.
      iterations: where a call does not say how many.
    """

    names = SignedModule.names | {"with_steps": "with_steps"}

    def __init__(self, graph: GraphTransfer, picture: tf.Tensor | None, iterations: int):
        super().__init__(name="transfer")
        self.graph = graph
        self._picture = picture
        self._iterations = iterations

    @tf.function(input_signature=[picture_spec("content"), _STEPS], autograph=False)
    def paint(self, content, steps):
        return self.graph.paint(checked(content, "image"), self._picture, steps)

    @tf.function(input_signature=[picture_spec("image", tf.uint8), _STEPS], autograph=False)
    def with_steps(self, image, steps):
        return {"picture": to_integers(self.paint(from_integers(image), steps))}

    @tf.function(input_signature=[picture_spec("image", tf.uint8)], autograph=False)
    def integers(self, image):
        return self.with_steps(image, tf.constant(self._iterations))

    @tf.function(input_signature=[picture_spec("image")], autograph=False)
    def floats(self, image):
        return {"picture": self.paint(image, tf.constant(self._iterations))}

    @tf.function(input_signature=[file_spec("image_bytes")], autograph=False)
    def files(self, image_bytes):
        def file_of(file):
            return encode_png(self.integers(decode(file)[tf.newaxis])["picture"][0])

        return {"picture_bytes": one_by_one(file_of, filled(image_bytes, "image_bytes"))}


class SignedNetwork(SignedModule):
    """A network that paints in one pass.

    Args:
      network: from `feedforward.networks.transformation_network`.

    Attributes:
      styles: how many it knows.
      parameters: {layer/parameter: variable}; by these names, `feedforward.loading` finds them in a model.
    """

    names = SignedModule.names | {"with_style": "with_style"}

    def __init__(self, network: tf.keras.Model):
        super().__init__(name="network")
        self.network = network
        self.parameters = parameters(network)
        self.styles = int(network.input["style"].shape[-1])
        self._first = tf.constant([[1.0] + [0.0] * (self.styles - 1)])

    @tf.function(
        input_signature=[
            picture_spec("image"),
            tf.TensorSpec([None, None], tf.float32, "style"),
            STRENGTH,
        ],
        autograph=False,
    )
    def paint(self, image, style, strength):
        image = checked(image, "image")
        style = tf.broadcast_to(style, tf.stack([tf.shape(image)[0], self.styles]))
        made = self.network({"image": image, "style": style})
        return image + share_of(strength) * (made - image)

    @tf.function(input_signature=[picture_spec("image")], autograph=False)
    def floats(self, image):
        return {"picture": self.paint(image, self._first, tf.constant(1.0))}

    @tf.function(input_signature=[picture_spec("image", tf.uint8)], autograph=False)
    def integers(self, image):
        return {"picture": to_integers(self.floats(from_integers(image))["picture"])}

    @tf.function(
        input_signature=[
            picture_spec("image", tf.uint8),
            tf.TensorSpec([None, None], tf.float32, "style"),
            STRENGTH,
        ],
        autograph=False,
    )
    def with_style(self, image, style, strength):
        return {"picture": to_integers(self.paint(from_integers(image), style, strength))}

    @tf.function(input_signature=[file_spec("image_bytes")], autograph=False)
    def files(self, image_bytes):
        def file_of(file):
            return encode_png(self.integers(decode(file)[tf.newaxis])["picture"][0])

        return {"picture_bytes": one_by_one(file_of, filled(image_bytes, "image_bytes"))}


def one_by_one(file_of, files):
    """Returns what a function makes of each file, or of each of several files, which come in turn."""
    # Each picture keeps all cores busy, and has its own size.
    return tf.map_fn(file_of, files, fn_output_signature=tf.TensorSpec([], tf.string), parallel_iterations=1)


def painted_files(paint, contents: tf.Tensor, styles: tf.Tensor) -> dict[str, tf.Tensor]:
    """Returns {"picture_bytes": what a signature paints of each file, in the style file or its own}."""
    styles = one_or_each(styles, contents, "style_bytes")
    pairs = (contents, tf.broadcast_to(styles, tf.shape(contents)))

    def file_of(pair):
        return encode_png(paint(*(decode(file)[tf.newaxis] for file in pair))["picture"][0])

    return {"picture_bytes": one_by_one(file_of, pairs)}


def required(value: tf.Tensor, condition: tf.Tensor, *message) -> tf.Tensor:
    """Returns the value, if the condition holds when the graph runs."""
    with tf.control_dependencies([tf.debugging.Assert(condition, message, summarize=4)]):
        return tf.identity(value)


def share_of(strength: tf.Tensor) -> tf.Tensor:
    """Returns a strength, which must be from 0 to 1."""
    inside_range = (strength >= 0) & (strength <= 1)
    return required(strength, inside_range, "strength: must be from 0 to 1, not", strength)


def filled(batch: tf.Tensor, name: str) -> tf.Tensor:
    """Returns a batch, which must not be empty."""
    return required(batch, tf.shape(batch)[0] > 0, f"{name}: must be at least one picture")


def checked(pictures: tf.Tensor, name: str) -> tf.Tensor:
    """Returns floats, which must be at least one picture, in [0, 1]."""
    return inside(filled(pictures, name), name)


def one_or_each(styles: tf.Tensor, contents: tf.Tensor, name: str) -> tf.Tensor:
    """Returns styles, which must be one, or one for each content."""
    count, needed = tf.shape(styles)[0], tf.shape(contents)[0]
    message = f"{name}: must be one picture, or one for each content; there are"
    return required(styles, (count == 1) | (count == needed), message, count, "for", needed)
