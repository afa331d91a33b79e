"""Measures how fast each layer of VGG19 is, forward and backward, beside a large matrix product.

    python scripts/development/layer_rates.py --image_size=512

For each convolution, with bias and ReLU, and each pooling: milliseconds of its value, and of its value and
the gradient with respect to its input, medians of --repeats; and FLOP/s as a share of the matrix product's,
of the same dtype on this machine. Run it on an idle machine.
"""

import pathlib
import sys
import time
from statistics import median

from absl import flags

sys.path[1:1] = map(str, pathlib.Path(__file__).resolve().parents[1:3])

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS
flags.DEFINE_integer("image_size", 512, "longer side of a picture of 4 : 3 in pixels")
flags.DEFINE_integer("repeats", 9, "calls of each, after two that do not count")


def main():
    height, width = cli.whole_number("image_size", FLAGS.image_size, 64) * 3 // 4, FLAGS.image_size
    cli.whole_number("repeats", FLAGS.repeats, 1)
    with cli.quiet_tensorflow():
        import tensorflow as tf
    from benchmarks.tables import matmul_rates

    from tfstyle import feature_extractor

    rates = matmul_rates()
    print("| layer | dtype | forward | both | of the matrix product |\n|---|---|---|---|---|")
    for dtype, rate in rates.items():
        extractor = feature_extractor(["block5_conv1"], weights="random", dtype=dtype)
        operations, seconds = 0, 0.0
        for layer in extractor.layers:
            if not layer.name.startswith("block"):
                continue
            share = 2 ** (int(layer.name[5]) - 1)  # each block begins behind one pooling more
            shape = [1, height // share, width // share, layer.input.shape[-1]]
            given = tf.cast(tf.random.stateless_normal(shape, [0, 0]), dtype)
            forward = _seconds(tf.function(lambda image, layer=layer: layer(image)), given)
            both = _seconds(tf.function(lambda image, layer=layer: _gradient(tf, layer, image)), given)
            seconds += both
            said = ""
            if isinstance(layer, tf.keras.layers.Conv2D):
                done = 2 * 2 * layer.kernel.numpy().size * shape[1] * shape[2]
                operations += done
                said = f"{done / both / rate:.0%}"
            print(f"| {layer.name} | {dtype} | {1e3 * forward:.1f} ms | {1e3 * both:.1f} ms | {said} |")
        said = f"{operations / seconds / rate:.0%} of {rate / 1e9:.0f} GFLOP/s"
        print(f"| all | {dtype} | | {1e3 * seconds:.0f} ms | {said} |", flush=True)


def _gradient(tf, layer, image):
    with tf.GradientTape() as tape:
        tape.watch(image)
        made = layer(image)
    return tape.gradient(made, image, output_gradients=made)


def _seconds(function, given) -> float:
    taken = []
    for _ in range(2 + FLAGS.repeats):
        began = time.perf_counter()
        function(given)[0, 0, 0, 0].numpy()
        taken.append(time.perf_counter() - began)
    return median(taken[2:])


if __name__ == "__main__":
    cli.run(main)
