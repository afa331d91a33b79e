"""Named settings: tfstyle's own, those of the paper and of codes that people know, the embedded network's.

`tests/test_conformance.py` holds each objective to its source's formula. What
differs from the source is said at each preset; in all of the published ones:

- The network is Keras' VGG19, on pictures in [0, 255] less the mean pixel.
- Pictures are kept in [0, 1]: Adam and SGD clip them after each step, L-BFGS
  folds them back. L-BFGS starts from a metric that it learns and shortens steps
  that do not go down, and keeps 30 pairs where the others keep 100.
- A style picture keeps its aspect and is as large as the content, on the longer
  side; statistics are compared per position.
- Pictures are resized with antialiasing, and poolings round odd sides down.
- White noise is 0.5 +- 0.1, not almost grey.
- Each of several content layers has the content's weight whole.
"""

from __future__ import annotations

from dataclasses import replace

from tfstyle.config.transfer import TransferConfig

# Codes of pictures in [0, 255] have learning rates and Adam's epsilon for these.
# On [0, 1], gradients are 255 times as large, and steps 255 times as small.
_PIXEL = 255.0

# What the published codes have in common where tfstyle's own settings differ; it is all of Gatys' code.
_GATYS = TransferConfig(
    units="gatys_code",
    coarse_weights="same",
    style_weight=1e3,
    iterations=500,
    finer_share=0.4,
    coarsest_size=512,
    padding="zeros",
    adam_epsilon=1e-7,
)

PRESETS: dict[str, TransferConfig] = {
    # tfstyle's own, which is what `TransferConfig` has: see docs/defaults.md for how it was chosen.
    "tfstyle": TransferConfig(),
    # The code Gatys published for these weights (PytorchNeuralStyleTransfer):
    # max pooling, content start, 500 iterations of L-BFGS, content 1, style 1000.
    # There it is the shorter side that has 512 pixels.
    "gatys_code": _GATYS,
    # The CVPR 2016 paper: eqs. 1, 4 and 7 as written, alpha/beta = 1e-3 (its
    # figure 3B), average pooling, normalised network, white noise. The paper
    # gives no number of iterations; 500 is that of Gatys' code. Its style
    # picture is resized to the content's size, and mean activations are taken
    # over ImageNet.
    "paper": replace(
        _GATYS,
        units="paper",
        content_weight=1e-3,
        style_weight=1.0,
        pooling="average",
        normalize=True,
        init="noise",
    ),
    # jcjohnson/neural-style. It takes pictures times 256. Its total variation
    # is in the gradient alone; here it has a value, too, which the search for a
    # step must know. Learning rate and epsilon are for optimizer=adam.
    "jcjohnson": replace(
        _GATYS,
        units="jcjohnson",
        content_weight=5.0,
        style_weight=100.0,
        tv_weight=1e-3,
        tv_loss="inner_squared",
        learning_rate=10.0 / _PIXEL,
        adam_epsilon=1e-8 * _PIXEL,
        iterations=1000,
        init="noise",
        scales=1,
    ),
    # anishathalye/neural-style. It keeps the content's size, and brings the
    # style picture to its width; here both keep their own, which style_scale
    # changes. It does not clip.
    "anishathalye": replace(
        _GATYS,
        units="anishathalye",
        image_size=0,
        content_weight=5.0,
        style_weight=500.0,
        tv_weight=100.0,
        tv_loss="mean_squared",
        optimizer="adam",
        learning_rate=10.0 / _PIXEL,
        adam_epsilon=1e-8 * _PIXEL,
        iterations=1000,
        init="noise",
        scales=1,
    ),
    # TensorFlow's tutorial "Neural style transfer", with total variation, as it
    # ends. Its pictures are in [0, 1] and clipped, too; it divides the content's
    # weight by the number of content layers.
    "tf_tutorial": replace(
        _GATYS,
        units="tf_tutorial",
        content_layers=("block5_conv2",),
        content_weight=1e4,
        style_weight=1e-2,
        tv_weight=30.0,
        tv_loss="absolute",
        optimizer="adam",
        learning_rate=0.02,
        beta_1=0.99,
        adam_epsilon=0.1,
        iterations=1000,
        scales=1,
    ),
    # Keras' example "Neural style transfer". It has 400 rows of pixels; 533 on
    # the longer side are that for a landscape of 4 to 3. It stretches the style
    # picture to the content's size. It does not clip. A step of gradient descent
    # is in pixels per gradient by pixel, so its rate is to be divided twice.
    "keras_example": replace(
        _GATYS,
        units="keras_example",
        image_size=533,
        content_layers=("block5_conv2",),
        content_weight=2.5e-8,
        style_weight=1e-6,
        tv_weight=1e-6,
        tv_loss="power",
        optimizer="sgd",
        learning_rate=100.0 / _PIXEL**2,
        learning_rate_decay=0.96,
        iterations=4000,
        scales=1,
    ),
    # crowsonkb/style-transfer-pytorch, with its Wasserstein loss. Its network is
    # torchvision's: here it is Keras', in units as large (`UNITS`), and all
    # convolutions see replicated borders, there the first alone. Adam's moments
    # begin anew at each scale, to which the content's fine detail is added; its
    # epsilon is PyTorch's but for the first steps. Small style pictures are
    # enlarged. Roots of covariances are exact, there those of 12 Newton-Schulz
    # steps, which lose small eigenvalues. Sizes are 128, 181, 256, 362 and 512; for another image_size it
    # has as many scales as begin at 128 or above. It divides the content's
    # weight by the number of content layers.
    "crowsonkb": replace(
        _GATYS,
        units="crowsonkb",
        style_layer_weights=(256 / 341, 64 / 341, 16 / 341, 4 / 341, 1 / 341),
        style_loss="bures",
        content_weight=0.015,
        style_weight=1.0,
        tv_weight=2.0,
        tv_loss="nine_point",
        optimizer="adam",
        learning_rate=0.02,
        beta_2=0.99,
        adam_epsilon=1e-8,
        averaging=0.99,
        iterations=1000,
        scales=5,
        scale_factor=2**0.5,
        finer_share=0.5,
        padding="replicate",
    ),
    # The default settings with the embedded network, whose activations are near those of VGG19 and in the
    # same units.
    "mini": replace(TransferConfig(), weights="mini"),
}
DEFAULT_PRESET = "tfstyle"


def preset(name: str) -> TransferConfig:
    """Returns the named preset.

    Raises:
      ValueError: there is none of that name.
    """
    if name not in PRESETS:
        raise ValueError(f"preset={name!r}: must be one of {', '.join(PRESETS)}")
    return PRESETS[name]
