"""What weight 1 means: the losses of the paper and of the codes that people know, as factors on common ones.

The common losses are the paper's eq. (1) for content, the style statistic's own
loss (eq. (4) for Gram matrices) on sums per position, and the form of total
variation that `TransferConfig.tv_loss` names, on values in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Units:
    """What weight 1 means.

    Attributes:
      content: factor on eq. (1) for N filters and M positions.
      style: factor on eq. (4) for N filters, M positions of the layer and a
        picture's number of pixels. Other statistics have none.
      layer_weight: w_l of eq. (5) for a number of layers, where none is given;
        unless a code has it otherwise, they share 1.
      variation: factor on the total variation for a picture's number of pixels.
      activation: what activations are divided by, where the network that the
        weights were meant for takes its pictures in other numbers.
      relative: the losses of content and style are divided by what they are
        where all activations are 0; they have no factor then.
    """

    content: Callable[[int, int], float]
    style: Callable[[int, float, int], float]
    layer_weight: Callable[[int], float] = lambda layers: 1.0 / layers
    variation: Callable[[int], float] = lambda pixels: 1.0
    activation: float = 1.0
    relative: bool = False


_PIXEL = 255.0  # what most codes count pixels in; here they are in [0, 1]


def _mean_of_squares(filters: int, positions: int) -> float:
    """The mean of (F - P)^2 over eq. (1), a half of its sum."""
    return 2.0 / (filters * positions)


# Of eq. (4) per position, 1/(4 N^2) sum (G/M - A/M)^2, the mean of (G/M - A/M)^2 is 4 times,
# and that of (G/(NM) - A/(NM))^2 is 4/N^2.
UNITS: dict[str, Units] = {
    # tfstyle's own. Content is |F - P|^2 / |P|^2; style, with Gram matrices per position, |G - A|^2 / |A|^2,
    # whose mean over the layers counts: 1 is all that there is to lose, whatever the size, layer and network.
    # Total variation is a mean over pixels.
    "relative": Units(
        content=lambda filters, positions: 1.0,
        style=lambda filters, positions, pixels: 1.0,
        variation=lambda pixels: 1.0 / pixels,
        relative=True,
    ),
    "paper": Units(
        content=lambda filters, positions: 1.0,
        style=lambda filters, positions, pixels: 1.0,
    ),
    # PytorchNeuralStyleTransfer: content is the mean of (F - P)^2; style is the
    # mean of (G/M - A/M)^2 with weights 1e3/N^2. The 1e3 is this package's style_weight.
    "gatys_code": Units(
        content=_mean_of_squares,
        style=lambda filters, positions, pixels: 4.0 / filters**2,
        layer_weight=lambda layers: 1.0,
    ),
    # jcjohnson/neural-style: content is the mean of (F - P)^2, style that of
    # (G/(NM) - A/(NM))^2, whole for every layer. Of total variation it has the
    # gradient alone: that of half the sum of squares, in pixels of 255.
    "jcjohnson": Units(
        content=_mean_of_squares,
        style=lambda filters, positions, pixels: 4.0 / filters**2,
        layer_weight=lambda layers: 1.0,
        variation=lambda pixels: _PIXEL**2 / 2.0,
    ),
    # anishathalye/neural-style: the same, but layers share the style's weight,
    # and total variation is the sum of two means of squares.
    "anishathalye": Units(
        content=_mean_of_squares,
        style=lambda filters, positions, pixels: 4.0 / filters**2,
        variation=lambda pixels: _PIXEL**2,
    ),
    # TensorFlow's tutorial "Neural style transfer": means of (F - P)^2 and of
    # (G/M - A/M)^2; total variation on [0, 1], as here.
    "tf_tutorial": Units(
        content=_mean_of_squares,
        style=lambda filters, positions, pixels: 4.0,
    ),
    # Keras' example "Neural style transfer": content is the sum of (F - P)^2, style
    # is sum (G - A)^2 / (4 * 3^2 * pixels^2), with the picture's channels and pixels
    # for every layer; total variation is of degree 2.5, in pixels of 255.
    "keras_example": Units(
        content=lambda filters, positions: 2.0,
        style=lambda filters, positions, pixels: (filters * positions / (3.0 * pixels)) ** 2,
        variation=lambda pixels: _PIXEL**2.5,
    ),
    # crowsonkb/style-transfer-pytorch: content is the mean of (F - P)^2. Its network
    # is torchvision's, whose pictures have a deviation of about 1 where these have
    # 255 times the mean of its three. Its style is `bures`, which has no factor;
    # that here is the mean of (G/M - A/M)^2, should Gram matrices be asked for.
    "crowsonkb": Units(
        content=_mean_of_squares,
        style=lambda filters, positions, pixels: 4.0,
        activation=_PIXEL * (0.229 + 0.224 + 0.225) / 3.0,
    ),
}
