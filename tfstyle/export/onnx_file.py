"""Networks as ONNX files, for onnxruntime and whatever else reads them.

Graphs are written node by node, that of a transformation network as `networks.connect` calls its layers, on
pictures `[1, 3, h, w]`. Parameters are kept in float16 and computed with in float32.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np
import onnx
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from tfstyle.feedforward import networks
from tfstyle.feedforward.cards import COLOR_VALUES
from tfstyle.feedforward.layers import (
    FOLDS,
    ConditionalInstanceNormalization,
    CutToSize,
    DoublingConv2D,
    ReflectedConv2D,
    ReflectedUp,
)
from tfstyle.feedforward.style_colors import (
    HUES,
    LEAST_VARIANCE,
    LIGHT,
    OPPONENTS,
    REACH,
    ROOT_STEPS,
    StyleColors,
)
from tfstyle.feedforward.style_network import EPSILON, LAYERS, StyleStatistics
from tfstyle.vgg.network import MEAN_PIXEL_BGR, head

_OPSET, _IR = 18, 8  # of 2022; no op needs a later one


def to_onnx(network: tf.keras.Model, *, style: Sequence[float] | None = None) -> bytes:
    """Returns a network as the contents of an ONNX file.

    It takes `image`, float32 `[1, H, W, 3]` in [0, 1], and `style`, float32 `[1, S]` weights that
    should add up to 1, and gives `picture`, `[1, H, W, 3]` in [0, 1]. H and W are multiples of 4
    from 8 on; `OnnxNetwork` takes all sizes, and does as `networks` does.

    Args:
      network: from `transformation_network`.
      style: weights of the styles, which then are part of the file: it has no input of that name.
        None: each call brings them.
    """
    graph, value = _Graph(), helper.make_tensor_value_info
    known = [layer for layer in network.layers if type(layer) in _STAND_INS]
    layers = {layer.name: functools.partial(_STAND_INS[type(layer)], graph, layer) for layer in known}
    picture = (TensorProto.FLOAT, [1, "height", "width", 3])
    inputs = [value("image", *picture)]
    if style is None:
        inputs.append(value("style", TensorProto.FLOAT, [1, int(network.input["style"].shape[-1])]))
    weights = "style" if style is None else graph.constant(np.float32([style]))
    made = networks.connect(
        layers,
        graph.add("Transpose", "image", perm=[0, 3, 1, 2]),
        weights,
        relu=functools.partial(graph.add, "Relu"),
    )
    graph.add("Transpose", made, perm=[0, 2, 3, 1], output="picture")
    outputs = [value("picture", *picture)]
    return graph.file("transformation_network", inputs, outputs)


def predictor_to_onnx(predictor: tf.keras.Model) -> bytes:
    """Returns a style predictor as the contents of an ONNX file.

    It takes `image`, float32 `[1, H, W, 3]` in [0, 1], whose sides are `vgg.minimum_size` and more, and gives
    `embedding`, `[1, S]`.

    Args:
      predictor: from `style_predictor`.
    """
    graph, value = _Graph(), helper.make_tensor_value_info
    layers = {layer.name: layer for layer in predictor.layers}
    pixels = graph.add("Mul", "image", graph.constant(np.float32(255)))
    pixels = graph.add("Sub", pixels, graph.constant(np.float32(MEAN_PIXEL_BGR[::-1])))
    activation, found = graph.add("Transpose", pixels, perm=[0, 3, 1, 2]), {}
    for layer in predictor.layers:
        if isinstance(layer, tf.keras.layers.MaxPooling2D):
            activation = graph.add("MaxPool", activation, kernel_shape=[2, 2], strides=[2, 2])
        elif isinstance(layer, tf.keras.layers.Conv2D) and layer.kernel_size != (1, 1):
            flipped = layer.kernel.shape[2] == 3  # the encoder's pixels are BGR
            activation = _rectified(graph, layer, activation, flipped=flipped)
            end = layers.get(head(layer.name))
            found[layer.name] = activation if end is None else _rectified(graph, end, activation)
    made = _statistics(graph, layers["statistics"], [found[name] for name in LAYERS])
    made = graph.add("Relu", _dense(graph, layers["hidden"], made))
    own = _dense(graph, layers["embedding"], made)
    own = graph.add("Mul", own, graph.constant(np.float32(layers["embedding"].units ** -0.5)))
    one = graph.constant(np.ones([1, 1], np.float32))
    graph.add("Concat", one, own, _color_values(graph, "image"), axis=1, output="embedding")
    return graph.file(
        "style_predictor",
        [value("image", TensorProto.FLOAT, [1, "height", "width", 3])],
        [value("embedding", TensorProto.FLOAT, [1, layers["embedding"].units + 1 + COLOR_VALUES])],
    )


class _Graph:
    """Nodes and constants, in the order in which they were added."""

    def __init__(self):
        self.nodes: list = []
        self.constants: list = []

    def add(self, kind: str, *inputs: str, output: str = "", **attributes) -> str:
        """Adds a node; returns the name of what it gives."""
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, values) -> str:
        """Adds a constant; returns its name. Floats are kept in float16, and a node makes float32 of them."""
        values = np.asarray(values)
        narrow = values.astype(np.float16) if values.dtype.kind == "f" else values.astype(np.int64)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(narrow, name))
        return self.add("Cast", name, to=TensorProto.FLOAT) if values.dtype.kind == "f" else name

    def file(self, name: str, inputs: list, outputs: list) -> bytes:
        """Returns the contents of a file of the graph."""
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        onnx.checker.check_model(model)
        return model.SerializeToString()


def _padded(graph: _Graph, activation: str, margin: int, mode: str) -> str:
    return graph.add("Pad", activation, graph.constant([0, 0, margin, margin] * 2), mode=mode)


def _convolved(graph: _Graph, layer: ReflectedConv2D, activation: str) -> str:
    if layer.use_bias:
        return _last(graph, layer, activation)
    kernel = graph.constant(np.transpose(layer.kernel, [3, 2, 0, 1]))
    padded = _padded(graph, activation, layer.kernel_size[0] // 2, "reflect")
    return graph.add("Conv", padded, kernel, strides=list(layer.strides))


def _last(graph: _Graph, layer: ReflectedConv2D, activation: str) -> str:
    """Adds a convolution of three filters as one of twelve, at half the size.

    Processors compute sixteen filters as fast as three. Four neighbouring positions, (a, b) with
    a and b 0 or 1, are made at once: of a kernel's tap (k, m), each sees what lies in block
    (k + a) // 2, (m + b) // 2 of 2 x 2 positions.
    """
    size, _, channels, filters = layer.kernel.shape
    blocks = size // 2 + 1
    kernel = np.zeros([2, 2, filters, 2, 2, channels, blocks, blocks], np.float32)
    for a, b, k, m in itertools.product(range(2), range(2), range(size), range(size)):
        (row, in_row), (column, in_column) = divmod(k + a, 2), divmod(m + b, 2)
        kernel[a, b, :, in_row, in_column, :, row, column] = np.transpose(layer.kernel[k, m])
    kernel = graph.constant(kernel.reshape([4 * filters, 4 * channels, blocks, blocks]))
    bias = graph.constant(np.tile(layer.bias, 4))
    padded = _padded(graph, activation, size // 2, "reflect")
    made = graph.add("Conv", graph.add("SpaceToDepth", padded, blocksize=2), kernel, bias)
    return graph.add("DepthToSpace", made, blocksize=2, mode="DCR")


def _doubled(graph: _Graph, layer: DoublingConv2D, activation: str) -> str:
    # As `layers.folded`, but in the graph and in float32: rounded kernels would draw a grid on flat areas.
    _, _, channels, filters = layer.kernel.shape
    taps = graph.constant(np.reshape(layer.kernel, [9, channels * filters]))
    both = graph.add("MatMul", graph.constant(FOLDS), taps)
    both = graph.add("Reshape", both, graph.constant([2, 2, 3, 3, channels, filters]))
    both = graph.add("Transpose", both, perm=[0, 1, 5, 4, 2, 3])
    kernel = graph.add("Reshape", both, graph.constant([4 * filters, channels, 3, 3]))
    made = graph.add("Conv", _padded(graph, activation, 1, "edge"), kernel)
    return graph.add("DepthToSpace", made, blocksize=2, mode="DCR")


def _normalised(graph: _Graph, layer: ConditionalInstanceNormalization, activation: str, style: str) -> str:
    first = graph.constant([0])
    scale, shift = (
        graph.add("Squeeze", graph.add("MatMul", style, graph.constant(each.numpy())), first)
        for each in (layer.scale, layer.shift)
    )
    return graph.add("InstanceNormalization", activation, scale, shift, epsilon=layer.epsilon)


def _colored(graph: _Graph, layer: StyleColors, painted: str, image: str, style: str) -> str:
    """Adds `StyleColors`."""
    colors = graph.add("Squeeze", graph.add("MatMul", style, graph.constant(layer.colors.numpy())))
    shift, root = (
        graph.add("Slice", colors, *map(graph.constant, part)) for part in (([0], [3]), ([3], [12]))
    )
    root = graph.add("Transpose", graph.add("Reshape", root, graph.constant([3, 3])), perm=[1, 0])
    root = graph.add("Reshape", root, graph.constant([3, 3, 1, 1]))
    one, zero = (graph.constant(np.full(3, value, np.float32)) for value in (1, 0))
    seen = graph.add(
        "InstanceNormalization", _pointwise(graph, image, OPPONENTS), one, zero, epsilon=layer.epsilon
    )
    moved = graph.add("Conv", seen, root, shift)
    wanted, hue = (
        graph.add("Slice", moved, *map(graph.constant, ([first], [last], [1])))
        for first, last in ((0, 1), (1, 3))
    )
    light = _pointwise(graph, painted, LIGHT)
    light = graph.add("Add", light, _smooth(graph, graph.add("Sub", wanted, light)))
    made = graph.add("Add", light, _pointwise(graph, hue, HUES))
    return graph.add("Clip", made, *(graph.constant(np.float32(value)) for value in (0, 1)))


def _smooth(graph: _Graph, activation: str) -> str:
    """Adds `style_colors.smooth`."""
    side = 2 * REACH + 1
    for rows, columns in ((REACH, 0), (0, REACH)) * 2:
        window = [side if rows else 1, side if columns else 1]
        activation = graph.add("AveragePool", activation, kernel_shape=window, pads=[rows, columns] * 2)
    return activation


def _pointwise(graph: _Graph, pictures: str, matrix: np.ndarray) -> str:
    """Adds `style_colors.pointwise`."""
    return graph.add("Conv", pictures, graph.constant(matrix.T[:, :, np.newaxis, np.newaxis]))


def _color_values(graph: _Graph, image: str) -> str:
    """Adds `style_colors.color_values` of a picture `[1, H, W, 3]`."""
    unit, trailing = graph.constant(np.eye(3, dtype=np.float32)), graph.constant([1, 2])
    opponents = graph.add("MatMul", image, graph.constant(OPPONENTS))
    mean = graph.add("ReduceMean", opponents, trailing)
    centred = graph.add("Sub", opponents, mean)
    products = graph.add("MatMul", graph.add("Transpose", centred, perm=[0, 1, 3, 2]), centred)
    width = graph.add("Gather", graph.add("Shape", image), graph.constant(2))
    covariance = graph.add("ReduceMean", products, graph.constant([1]), keepdims=0)
    covariance = graph.add("Div", covariance, graph.add("Cast", width, to=TensorProto.FLOAT))
    whole = graph.add("ReduceSum", graph.add("Mul", covariance, unit), trailing)
    whole = graph.add("Add", whole, graph.constant(np.float32(LEAST_VARIANCE)))
    root, inverse = graph.add("Div", covariance, whole), unit
    half, more = (graph.constant(value) for value in (np.float32(0.5), 1.5 * np.eye(3, dtype=np.float32)))
    for _ in range(ROOT_STEPS):
        step = graph.add("Sub", more, graph.add("Mul", half, graph.add("MatMul", inverse, root)))
        root, inverse = graph.add("MatMul", root, step), graph.add("MatMul", step, inverse)
    root = graph.add("Mul", root, graph.add("Sqrt", whole))
    flat = (graph.add("Reshape", each, graph.constant([1, -1])) for each in (mean, root))
    return graph.add("Concat", *flat, axis=1)


def _rectified(
    graph: _Graph, layer: tf.keras.layers.Conv2D, activation: str, *, flipped: bool = False
) -> str:
    """Adds a convolution of the encoder and a ReLU; flipped: of three channels in the other order."""
    kernel = np.transpose(layer.kernel.numpy(), [3, 2, 0, 1])
    kernel = graph.constant(kernel[:, ::-1] if flipped else kernel)
    pads = [layer.kernel_size[0] // 2] * 4
    return graph.add("Relu", graph.add("Conv", activation, kernel, graph.constant(layer.bias), pads=pads))


def _statistics(graph: _Graph, layer: StyleStatistics, activations: Sequence[str]) -> str:
    """Adds `StyleStatistics`."""
    axes, epsilon = graph.constant([2, 3]), graph.constant(np.float32(EPSILON))
    means, deviations = [], []
    for activation in activations:
        mean = graph.add("ReduceMean", activation, axes)
        centred = graph.add("Sub", activation, mean)
        variance = graph.add("ReduceMean", graph.add("Mul", centred, centred), axes)
        means.append(mean)
        deviations.append(graph.add("Sqrt", graph.add("Add", variance, epsilon)))
    made = graph.add("Flatten", graph.add("Concat", *means, *deviations, axis=1))
    made = graph.add("Sub", made, graph.constant(layer.mean.numpy()))
    return graph.add("Div", made, graph.constant(layer.deviation.numpy()))


def _dense(graph: _Graph, layer: tf.keras.layers.Dense, activation: str) -> str:
    return graph.add("Gemm", activation, graph.constant(layer.kernel), graph.constant(layer.bias))


# {class of layers: what adds one to a graph}.
_STAND_INS: dict[type, Callable] = {
    ReflectedConv2D: _convolved,
    DoublingConv2D: _doubled,
    ConditionalInstanceNormalization: _normalised,
    ReflectedUp: lambda graph, layer, activation: activation,
    CutToSize: lambda graph, layer, activation, like: activation,
    StyleColors: _colored,
    tf.keras.layers.AveragePooling2D: lambda graph, layer, activation: graph.add(
        "AveragePool", activation, kernel_shape=list(layer.pool_size), pads=[layer.pool_size[0] // 2] * 4
    ),
    tf.keras.layers.Add: lambda graph, layer, both: graph.add("Add", *both),
    tf.keras.layers.Activation: lambda graph, layer, activation: graph.add("Sigmoid", activation),
}
