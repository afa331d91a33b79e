"""What exported models answer to: a table, and thin shells around one graph each, which is saved once.

A model has one function on floats in [0, 1]. Its signatures are made of it: in
`FORMS` is how pictures come and go, in `KINDS` what each kind of models takes.

=================  ============================================  ========================
`serving_default`  pictures: uint8 `[B, H, W, 3]`                `picture`: the same
`float`            pictures: float32 `[B, H, W, 3]` in [0, 1]    `picture`: the same
`encoded_bytes`    `…_bytes`: string `[B]`, files in memory,     `picture_bytes`: `[B]`,
                   JPEG or PNG, of any sizes                     PNG
=================  ============================================  ========================

A style is one picture, or as many as there are to be painted. (Names end in
`_bytes` as TensorFlow Serving's REST interface has such in base64.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tfstyle.api.dataset import from_integers, inside, to_integers
from tfstyle.feedforward.layers import reflected_up
from tfstyle.feedforward.networks import parameters
from tfstyle.feedforward.style_network import StyleNetwork
from tfstyle.io.graph_decode import decode, encode_png
from tfstyle.synthesis.graph_transfer import GraphTransfer
from tfstyle.vgg import minimum_size


class Form(NamedTuple):
    """How pictures come into a signature.

    Attributes:
      method: of `SignedModule`, that takes them so.
      dtype, shape: of the tensor; None: any.
      suffix: of its name.
    """

    method: str
    dtype: tf.DType
    shape: tuple = (None, None, None, 3)
    suffix: str = ""

    def spec(self, name: str) -> tf.TensorSpec:
        """Returns the input of a name."""
        return tf.TensorSpec(self.shape, self.dtype, name + self.suffix)


FORMS = {
    "serving_default": Form("integers", tf.uint8),
    "float": Form("floats", tf.float32),
    "encoded_bytes": Form("files", tf.string, (None,), "_bytes"),
}


class Kind(NamedTuple):
    """What models of a kind take.

    Attributes:
      pictures: what is seen, or painted, and the style, if each call brings it.
      options: inputs beside the pictures.
      detailed: a signature more, on uint8, that takes the options; the others
        then go by defaults. '': there are no defaults, and all take them.
    """

    pictures: tuple[str, ...] = ("image",)
    options: tuple[tf.TensorSpec, ...] = ()
    detailed: str = ""

    def signatures(self) -> dict[str, Form]:
        """Returns {signature: form}."""
        return FORMS | ({self.detailed: FORMS["serving_default"]} if self.detailed else {})

    def inputs(self, signature: str) -> list[tf.TensorSpec]:
        """Returns what a signature takes."""
        form = self.signatures()[signature]
        takes_options = self.detailed in ("", signature)
        return [*map(form.spec, self.pictures), *(self.options if takes_options else ())]


_STEPS = tf.TensorSpec([], tf.int32, "steps")
_WEIGHTS = tf.TensorSpec([None, None], tf.float32, "style")
STRENGTH = tf.TensorSpec([], tf.float32, "strength")

KINDS = {
    "extractor": Kind(),
    "transfer": Kind(("content", "style"), (_STEPS,)),
    "transfer in a style": Kind(options=(_STEPS,), detailed="with_steps"),
    "network": Kind(options=(_WEIGHTS, STRENGTH), detailed="with_style"),
    "style_network": Kind(("image", "style"), (STRENGTH,)),
}


def on_floats(*names: str, options: Sequence[tf.TensorSpec] = ()):
    """Returns what makes a graph of a method on pictures of these names and on options."""
    specs = [*map(FORMS["float"].spec, names), *options]
    return tf.function(input_signature=specs, autograph=False)


def painting(kind: str):
    """Returns what makes a graph of `paint` of a kind's pictures and options."""
    return on_floats(*KINDS[kind].pictures, options=KINDS[kind].options)


class SignedModule(tf.Module):
    """A module of a kind, which has a graph `paint` of pictures, as floats, and options.

    Of it are made `floats`, `integers` and `files`, which take pictures in each
    form, and options.

    Args:
      kind: key of `KINDS`.
      defaults: of its options, for signatures that do without.
    """

    def __init__(self, kind: str, *defaults):
        super().__init__(name=kind.partition(" ")[0])
        self._kind, self._defaults = KINDS[kind], defaults

    def functions(self) -> dict[str, tf.types.experimental.GenericFunction]:
        """Returns {signature: function}, for `tf.saved_model.save`."""
        count = len(self._kind.pictures)

        def function(signature: str, form: Form):
            def answer(*inputs):
                return getattr(self, form.method)(inputs[:count], inputs[count:] or self._defaults)

            return tf.function(answer, input_signature=self._kind.inputs(signature), autograph=False)

        return {signature: function(signature, form) for signature, form in self._kind.signatures().items()}

    def floats(self, pictures, options) -> dict[str, tf.Tensor]:
        return {"picture": self.paint(*pictures, *options)}

    def integers(self, pictures, options) -> dict[str, tf.Tensor]:
        return {"picture": to_integers(self.paint(*map(from_integers, pictures), *options))}

    def files(self, files, options) -> dict[str, tf.Tensor]:
        contents, *styles = files
        name, *others = (spec.name for spec in self._kind.inputs("encoded_bytes"))
        contents = filled(contents, name)
        styles = [one_or_each(each, contents, other) for each, other in zip(styles, others)]

        def file_of(files):
            pictures = [decode(file)[tf.newaxis] for file in files]
            return encode_png(self.integers(pictures, options)["picture"][0])

        # One by one: each picture keeps all cores busy, and has its own size.
        together = (contents, *(tf.broadcast_to(each, tf.shape(contents)) for each in styles))
        spec = tf.TensorSpec([], tf.string)
        return {
            "picture_bytes": tf.map_fn(file_of, together, fn_output_signature=spec, parallel_iterations=1)
        }


class SignedExtractor(SignedModule):
    """An extractor: pictures in, {layer: activations} out."""

    def __init__(self, extractor: tf.keras.Model):
        super().__init__("extractor")
        self.extractor = extractor
        self.least = minimum_size(extractor)

    @on_floats("image")
    def activations(self, image):
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

    def floats(self, pictures, options):
        return self.activations(*pictures)

    def integers(self, pictures, options):
        return self.activations(*map(from_integers, pictures))

    def files(self, files, options):
        files = filled(*files, "image_bytes")
        first = tf.shape(decode(files[0]))

        def pixels_of(file):
            pixels = decode(file)
            own = tf.shape(pixels)
            message = "image_bytes: pictures of one call must be of one size; (height, width, channels) are"
            return required(pixels, tf.reduce_all(own == first), message, first, "and", own)

        spec = tf.TensorSpec([None, None, 3], tf.uint8)
        return self.integers([tf.map_fn(pixels_of, files, fn_output_signature=spec)], options)


class SignedTransfer(SignedModule):
    """A transfer: content, style and steps in, picture out."""

    def __init__(self, graph: GraphTransfer):
        super().__init__("transfer")
        self.graph = graph

    @painting("transfer")
    def paint(self, content, style, steps):
        style = one_or_each(checked(style, "style"), content, "style")
        return self.graph.paint(checked(content, "content"), style, steps)


class SignedStyle(SignedModule):
    """A transfer in one style: content in, picture out.

    Args:
      graph: with targets, or else there is a picture.
      picture: the style, `[1, h, w, 3]`.
      iterations: where a call does not say how many.
    """

    def __init__(self, graph: GraphTransfer, picture: tf.Tensor | None, iterations: int):
        super().__init__("transfer in a style", iterations)
        self.graph = graph
        self._picture = picture

    @painting("transfer in a style")
    def paint(self, content, steps):
        return self.graph.paint(checked(content, "image"), self._picture, steps)


class HalfPrecision(tf.Module):
    """A Keras model whose parameters are kept in float16, and computed with as it does.

    Args:
      network: its parameters are rounded to float16 already (see `feedforward.networks.in_half_precision`).

    Attributes:
      parameters: {layer/parameter: variable}, in float16.
    """

    def __init__(self, network: tf.keras.Model):
        super().__init__()
        self.parameters = {
            name: tf.Variable(tf.cast(value, tf.float16), trainable=False)
            for name, value in parameters(network).items()
        }

        def run(inputs):
            wide = {
                id(own): tf.cast(self.parameters[name], own.dtype)
                for name, own in parameters(network).items()
            }
            kinds = network.trainable_variables, network.non_trainable_variables
            made, _ = network.stateless_call(*([wide[id(own)] for own in kind] for kind in kinds), inputs)
            return made

        self._run = run  # and not the network, whose own variables would be saved, too

    def __call__(self, inputs):
        return self._run(inputs)


class SignedNetwork(SignedModule):
    """A network that paints in one pass.

    Args:
      network: from `feedforward.networks.transformation_network`; see `HalfPrecision`.

    Attributes:
      styles: how many it knows.
      parameters: of `HalfPrecision`; by these names, `feedforward.loading` finds them in a model.
    """

    def __init__(self, network: tf.keras.Model):
        self.styles = int(network.input["style"].shape[-1])
        super().__init__("network", np.eye(1, self.styles, dtype=np.float32), 1.0)  # the first, whole
        self._network = HalfPrecision(network)
        self.parameters = self._network.parameters

    @painting("network")
    def paint(self, image, style, strength):
        image = checked(image, "image")
        style = tf.broadcast_to(style, tf.stack([tf.shape(image)[0], self.styles]))
        made = self._network({"image": image, "style": style})
        return image + share_of(strength) * (made - image)


class SignedStyleNetwork(SignedModule):
    """A network for any style: image, style and strength in, picture out.

    Args:
      network: from `feedforward.style_network.style_network`; see `HalfPrecision`.

    Attributes:
      parameters: as `SignedNetwork`'s.
    """

    def __init__(self, network: StyleNetwork):
        super().__init__("style_network")
        parts = {part.name: HalfPrecision(part) for part in network.layers}
        self._network, self._predictor = parts[network.network.name], parts[network.predictor.name]
        self._least = minimum_size(network.predictor)
        self.parameters = {
            f"{part}/{name}": variable
            for part, halved in parts.items()
            for name, variable in halved.parameters.items()
        }

    @on_floats("style")
    def embed(self, style):
        """Returns the `embedding` of styles, `[B, S]`, for `restyle`."""
        style = checked(style, "style")
        sides = tf.maximum(tf.shape(style)[1:3], self._least)
        return {"embedding": self._predictor(reflected_up(style, tf.unstack(sides)))}

    @on_floats("image", options=[tf.TensorSpec([None, None], tf.float32, "embedding"), STRENGTH])
    def restyle(self, image, embedding, strength):
        """Returns pictures in embedded styles; means of embeddings, by weights, mix styles."""
        image = checked(image, "image")
        embedding = one_or_each(embedding, image, "style")
        style = tf.broadcast_to(embedding, [tf.shape(image)[0], tf.shape(embedding)[1]])
        made = self._network({"image": image, "style": style})
        return image + share_of(strength) * (made - image)

    @painting("style_network")
    def paint(self, image, style, strength):
        return self.restyle(image, self.embed(style)["embedding"], strength)


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
