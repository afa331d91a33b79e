"""How fast this machine can compute at all."""

import time

from tfstyle.cli import common as cli

MATRIX = 2048  # side of the matrices that are multiplied


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
