"""What an evaluation has to compute, and how fast this machine can compute at all."""

import time

import command_line as cli

MATRIX = 2048  # side of the matrices that are multiplied


def evaluation_flops(extractor, style_layers, height: int, width: int) -> int:
    """Counts the floating-point operations of one value and gradient, from the extractor's graph.

    A convolution is 2 * k * k * C_in * C_out * positions, and as much again for
    the gradient with respect to its input; weights are frozen. A Gram matrix of
    N filters at M positions is 2 * N^2 * M, and so is its gradient. Everything
    else is small beside that and is not counted.

    Args:
      extractor: a model from `tfstyle.feature_extractor`.
      style_layers: those whose Gram matrices are computed.
      height, width: of the picture.
    """
    import tensorflow as tf

    convolutions = [layer for layer in extractor.layers if isinstance(layer, tf.keras.layers.Conv2D)]
    probe = tf.keras.Model(extractor.input, {layer.name: layer.output for layer in convolutions})
    shapes = probe.compute_output_shape((1, height, width, 3))
    forward = 0
    for layer in convolutions:
        rows, columns, filters = shapes[layer.name][1:]
        *kernel, channels, _ = layer.kernel.shape
        forward += 2 * kernel[0] * kernel[1] * channels * filters * rows * columns
        if layer.name in style_layers:
            forward += 2 * filters**2 * rows * columns
    return 2 * forward


def matmul_rates(repeats: int = 15) -> dict[str, float]:
    """Measures FLOP/s of a large matrix product by dtype, the median of many after the first two."""
    with cli.quiet_tensorflow():
        import tensorflow as tf

    rates = {}
    for dtype in ("float32", "bfloat16"):
        product = tf.function(tf.matmul)
        left, right = (
            tf.cast(tf.random.stateless_normal([MATRIX, MATRIX], [seed, 0]), dtype) for seed in (0, 1)
        )
        seconds = []
        for _ in range(2 + repeats):
            began = time.perf_counter()
            product(left, right)[0, 0].numpy()
            seconds.append(time.perf_counter() - began)
        rates[dtype] = 2 * MATRIX**3 / sorted(seconds[2:])[repeats // 2]
    return rates
