"""Each preset's objective against its source's own formula, in NumPy, value and gradient.

The expectations are written from the sources' points of view: pixels from 0 to
255, each code's own normalisations, its weights as literals, and a forward
pass of VGG19 of their own. Their slopes are imaginary parts: a formula at x +
ihd is, to rounding, its value + ih times its slope along d, which is why there
is no modulus and no conjugate anywhere (Squire & Trapp 1998). They share nothing with the package but the file of
(narrow) weights. The style picture has the content's size, for which all
conventions agree, and sides divide by 16, for which all poolings do.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfstyle.config import PRESETS
from tfstyle.config.units import UNITS
from tfstyle.losses.regions import everywhere
from tfstyle.runtime.workshop import Workshop
from tfstyle.synthesis.inputs import Inputs
from tfstyle.synthesis.objectives import Objectives
from tfstyle.synthesis.scales import Sizes
from tfstyle.vgg import feature_extractor, normalize_activations

from conftest import DEPTHS, narrow_weights, picture

ROWS, COLUMNS = 32, 48
STYLE_LAYERS = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
# Red, green, blue, as the package has them: in float32.
MEAN_PIXEL = np.array([123.68, 116.779, 103.939], np.float32).astype(np.float64)


def pixels(seed):
    """`[H, W, 3]` in [0, 255], where neither |d| nor, in all likelihood, poolings have a kink.

    Neighbours differ by odd numbers, so by one at least.
    """
    noise = np.random.default_rng(seed).uniform(-20, 20, (ROWS, COLUMNS, 3))
    even = 2 * np.round((0.8 * picture(ROWS, COLUMNS, seed) + 25 + noise) / 2)
    return even + np.indices((ROWS, COLUMNS)).sum(0)[..., np.newaxis] % 2


CONTENT, STYLE, IMAGE = pixels(1), pixels(2), pixels(3)


# ---- VGG19 ----


def arrays_of_weights():
    """Narrow, but with activations as large as VGG19's, at which 12 steps do not end the roots of crowsonkb."""
    arrays = narrow_weights()
    arrays["block1_conv1/kernel"] *= 100
    return arrays


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "large.npz"
    np.savez(path, **arrays_of_weights())
    return str(path)


def weights_by_layer():
    """{conv1_1: (kernel, bias)}, in network order."""
    arrays = {name: array.astype(np.float64) for name, array in arrays_of_weights().items()}
    places = [(block, conv) for block, depth in DEPTHS.items() for conv in range(1, depth + 1)]
    return {
        f"conv{block}_{conv}": tuple(arrays[f"block{block}_conv{conv}/{kind}"] for kind in ("kernel", "bias"))
        for block, conv in places
    }


def convolved(maps, kernel, bias, border):
    height, width = maps.shape[:2]
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)), border)
    result = np.zeros((height, width, kernel.shape[-1]), maps.dtype) + bias
    for row in range(3):
        for column in range(3):
            result += padded[row : row + height, column : column + width] @ kernel[row, column]
    return result


def pooled(maps, pooling):
    height, width, filters = maps.shape
    windows = maps.reshape(height // 2, 2, width // 2, 2, filters)
    if pooling == "average":
        return windows.mean((1, 3))
    windows = windows.transpose(0, 2, 4, 1, 3).reshape(height // 2, width // 2, filters, 4)
    largest = windows.real.argmax(-1)[..., np.newaxis]
    return np.take_along_axis(windows, largest, -1)[..., 0]


def vgg(image, weights, pooling="max", border="constant"):
    """{layer: [positions, filters]} behind the ReLUs, from RGB of 0 to 255.

    Args:
      weights: {conv1_1 or block1_conv1: (kernel, bias)}, in network order.
    """
    maps, found, block = (image - MEAN_PIXEL)[..., ::-1], {}, ""
    for name, (kernel, bias) in weights.items():
        if not name.startswith(block):
            maps = pooled(maps, pooling)
        block = name.partition("_")[0]
        maps = convolved(maps, kernel, bias, border)
        maps = np.where(maps.real > 0, maps, 0)
        found[name] = maps.reshape(-1, maps.shape[-1])
    return found


def normalised(weights, pictures, pooling):
    """The same network with each filter's mean over pictures and positions at 1, layer by layer.

    A filter that none of them excites stays as it is.
    """
    weights = dict(weights)
    for name, following in zip(list(weights), [*list(weights)[1:], None]):
        mean = np.mean(np.concatenate([vgg(picture, weights, pooling)[name] for picture in pictures]), axis=0)
        mean[mean == 0] = 1
        kernel, bias = weights[name]
        weights[name] = kernel / mean, bias / mean
        if following:
            kernel, bias = weights[following]
            weights[following] = kernel * mean[:, np.newaxis], bias
    return weights


# ---- Sources ----


def mean_square(one, other):
    return np.mean((one - other) ** 2)


def gram(maps):
    """Per position."""
    return maps.T @ maps / len(maps)


def gram_of_elements(maps):
    """That of jcjohnson and anishathalye, over the number of all elements."""
    return maps.T @ maps / maps.size


def objective_of(network, content, style, variation=None, content_layer="conv4_2"):
    """From a picture to its losses by kind.

    Args:
      network: from a picture to {layer: [positions, filters]}.
      content: of activations and those of the content.
      style: of activations and those of the style, in each layer; the sum counts.
      variation: of the picture.
    """
    p, a = network(CONTENT), network(STYLE)

    def value(image):
        f = network(image)
        found = {
            "content": content(f[content_layer], p[content_layer]),
            "style": sum(style(f[layer], a[layer], layer) for layer in STYLE_LAYERS),
        }
        return found | ({"total_variation": variation(image)} if variation else {})

    return value


def paper(weights):
    """Gatys et al. 2016, eqs. 1, 3, 4, 5 and 7."""
    network = normalised(weights, [CONTENT, STYLE], "average")

    def style(f, a, _):
        positions, filters = f.shape
        return 1 / 5 * np.sum((f.T @ f - a.T @ a) ** 2) / (4 * filters**2 * positions**2)

    return objective_of(
        lambda image: vgg(image, network, "average"), lambda f, p: 1e-3 * 0.5 * np.sum((f - p) ** 2), style
    )


def gatys_code(weights):
    """PytorchNeuralStyleTransfer."""
    return objective_of(
        lambda image: vgg(image, weights),
        mean_square,
        lambda f, a, _: 1e3 / f.shape[1] ** 2 * mean_square(gram(f), gram(a)),
    )


def jcjohnson(weights):
    """neural_style.lua. Of its total variation there is the gradient alone: here, what it is the gradient of."""

    def variation(image):
        inner = image[:-1, :-1]
        return 1e-3 * np.sum((inner - image[:-1, 1:]) ** 2 + (inner - image[1:, :-1]) ** 2) / 2

    return objective_of(
        lambda image: vgg(image, weights),
        lambda f, p: 5 * mean_square(f, p),
        lambda f, a, _: 100 * mean_square(gram_of_elements(f), gram_of_elements(a)),
        variation,
    )


def anishathalye(weights):
    """stylize.py, at its defaults: a content_weight_blend of 1 leaves conv4_2 alone."""
    return objective_of(
        lambda image: vgg(image, weights),
        lambda f, p: 5 * mean_square(f, p),
        lambda f, a, _: 500 / 5 * mean_square(gram_of_elements(f), gram_of_elements(a)),
        lambda x: 100 * (mean_square(x[1:], x[:-1]) + mean_square(x[:, 1:], x[:, :-1])),
    )


def size(values):
    """|x|, whose slope is its sign."""
    return np.sign(values.real) * values


def tf_tutorial(weights):
    """TensorFlow's tutorial, with total variation of [0, 1]."""
    return objective_of(
        lambda image: vgg(image, weights),
        lambda f, p: 1e4 * mean_square(f, p),
        lambda f, a, _: 1e-2 / 5 * mean_square(gram(f), gram(a)),
        lambda x: 30 * (np.sum(size(x[1:] - x[:-1])) + np.sum(size(x[:, 1:] - x[:, :-1]))) / 255,
        "conv5_2",
    )


def keras_example(weights):
    """Keras' example, which takes pixels for positions and 3 for filters in each layer."""

    def variation(image):
        inner = image[:-1, :-1]
        return 1e-6 * np.sum(((inner - image[1:, :-1]) ** 2 + (inner - image[:-1, 1:]) ** 2) ** 1.25)

    return objective_of(
        lambda image: vgg(image, weights),
        lambda f, p: 2.5e-8 * np.sum((f - p) ** 2),
        lambda f, a, _: 1e-6 / 5 * np.sum((a.T @ a - f.T @ f) ** 2) / (4.0 * 3**2 * (ROWS * COLUMNS) ** 2),
        variation,
        "conv5_2",
    )


def root(matrix):
    """Newton-Schulz, coupled: y to the root, z to its inverse. Of 12 steps there, here of all that it takes."""
    norm = np.sqrt(np.sum(matrix**2))
    y, z = matrix / norm, np.eye(len(matrix))
    for _ in range(50):
        t = (3 * np.eye(len(matrix)) - z @ y) / 2
        y, z = y @ t, t @ z
    return y * np.sqrt(norm)


def nine_points(x):
    """Total variation of crowsonkb: neighbours in all eight directions, borders replicated."""
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), "edge")
    middle = padded[1:-1, 1:-1]
    straight = mean_square(padded[1:-1, 2:], middle) + mean_square(padded[2:, 1:-1], middle)
    diagonal = mean_square(padded[1:, 1:], padded[:-1, :-1]) + mean_square(padded[1:, :-1], padded[:-1, 1:])
    return 2 * (straight / 3 + diagonal / 12)


def crowsonkb(weights):
    """style_transfer.py. Declared at the preset: the network in other units, all borders replicated, exact roots."""
    deviation, shares = 255 * np.mean([0.229, 0.224, 0.225]), dict(zip(STYLE_LAYERS, [256, 64, 16, 4, 1]))

    def mean_and_covariance(maps):
        mean = maps.mean(0)
        return mean, gram(maps) - np.outer(mean, mean) + 1e-4 * np.eye(maps.shape[1])

    def wasserstein(maps, target, layer):
        (mean, covariance), (goal_mean, goal) = mean_and_covariance(maps), mean_and_covariance(target)
        half = root(goal)
        traces = np.diagonal(goal + covariance - 2 * root(half @ covariance @ half))
        return shares[layer] / 341 * (mean_square(mean, goal_mean) + np.mean(traces))

    return objective_of(
        lambda image: {name: maps / deviation for name, maps in vgg(image, weights, border="edge").items()},
        lambda f, p: 0.015 * mean_square(f, p),
        wasserstein,
        lambda image: 2 * nine_points(image / 255),
    )


SOURCES = {
    "paper": paper,
    "gatys_code": gatys_code,
    "jcjohnson": jcjohnson,
    "anishathalye": anishathalye,
    "tf_tutorial": tf_tutorial,
    "keras_example": keras_example,
    "crowsonkb": crowsonkb,
}


# ---- The package ----


def tensor(picture):
    return tf.constant(picture[np.newaxis] / 255)


def objective(name, weights_file, **changes):
    """What the package makes of a preset, at the size of these pictures, in float64."""
    config = dataclasses.replace(PRESETS[name], image_size=0, scales=1, **changes)
    content, style = tensor(CONTENT), tensor(STYLE)
    extractor = feature_extractor(
        [*config.content_layers, *config.style_layers],
        weights=weights_file,
        pooling=config.pooling,
        padding=config.padding,
        dtype="float64",
    )
    if config.normalize:
        extractor = normalize_activations(extractor, [content, style])
    size = (ROWS, COLUMNS)
    inputs = Inputs(content, Sizes(size, (size,)), everywhere(style))
    return Objectives(inputs, config, extractor, Workshop()).at(size)


def only(made, kind):
    """Value and gradient of one kind of terms, the others weighing nothing."""
    weights = {term.name: term.weight for term in made.terms}
    made.weigh({term.name: term.weight * (term.kind == kind) for term in made.terms})
    total, _, gradient = made.value_and_gradient(tensor(IMAGE))
    made.weigh(weights)
    return float(total[0]), gradient.numpy()[0]


@pytest.mark.parametrize("name", SOURCES)
def test_value_and_gradient(name, weights_file):
    made, source = objective(name, weights_file), SOURCES[name](weights_by_layer())
    expected = source(IMAGE)
    assert {term.kind for term in made.terms} == set(expected)
    total, _, gradient = made.value_and_gradient(tensor(IMAGE))
    assert float(total[0]) == pytest.approx(sum(expected.values()), rel=1e-9)
    # Kind by kind, as one may be small beside another.
    gradients = {}
    for kind in expected:
        value, gradients[kind] = only(made, kind)
        assert value > 0
        assert value == pytest.approx(expected[kind], rel=1e-9)
    np.testing.assert_allclose(
        sum(gradients.values()), gradient[0], rtol=1e-9, atol=1e-12 * np.abs(gradient).max()
    )

    generator = np.random.default_rng(0)
    directions = [generator.standard_normal(IMAGE.shape) for _ in range(4)]
    directions += [single(13, 21, 1), single(0, 0, 0), single(ROWS - 1, COLUMNS - 1, 2)]
    step = 1e-30
    for direction in directions:
        slopes = source(IMAGE + 255j * step * direction)  # of pictures in [0, 1]
        for kind, gradient in gradients.items():
            # A slope along a random direction may be small by chance, which its tolerance is not to be.
            tolerance = 1e-8 * np.linalg.norm(gradient * direction)
            assert np.sum(gradient * direction) == pytest.approx(slopes[kind].imag / step, abs=tolerance), (
                kind
            )


def single(row, column, channel):
    """The direction of one pixel's channel."""
    direction = np.zeros(IMAGE.shape)
    direction[row, column, channel] = 1
    return direction


def test_every_source_is_here():
    assert set(SOURCES) == set(UNITS) - {"relative"} == set(PRESETS) - {"tfstyle", "mini"}
