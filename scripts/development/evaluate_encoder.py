"""Measures what encoders are worth: style retrieval, content inversion, speed.

    python scripts/development/evaluate_encoder.py --photos=photos --weights=random,mini

Style retrieval: of each picture two disjoint crops at 256 px; the nearest
neighbour in Gram distance (five style layers, each at norm 1) should be the
partner. Top-1 and mean average precision, also where the query is seen at 0.7
or 1.4 times the size. Content inversion: the error of reconstructions from one
layer, in picture values; it should grow with depth. Speed: one value and
gradient of a transfer. All as Markdown tables; the last two on request.
"""

import pathlib
import sys

from absl import flags

sys.path[1:1] = map(str, pathlib.Path(__file__).resolve().parents[1:3])

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS
flags.DEFINE_string("photos", None, "folder of pictures; those that a training held out are used")
flags.DEFINE_integer("holdout_every", 10, "use every so many-th picture, as training held out; 1 uses all")
flags.DEFINE_integer("crops", 2, "disjoint crops of each picture")
flags.DEFINE_list("weights", ["random", "mini"], "weights to compare, as in tfstyle transfer")
flags.DEFINE_enum("pooling", "average", ["average", "max"], "pooling of all the networks")
flags.DEFINE_integer("inversions", 0, "pictures to reconstruct from each layer; 0 leaves inversion out")
flags.DEFINE_integer("iterations", 200, "iterations of each reconstruction")
flags.DEFINE_integer("inversion_size", 160, "longer side of a reconstruction in pixels")

flags.DEFINE_list("timing_sizes", [], "sides in pixels of pictures to time an evaluation on, such as 256,512")

LAYERS = [f"block{block}_conv1" for block in range(1, 6)]
CONTENT_LAYER = "block4_conv2"
SCALES = (1.0, 0.7, 1.4)
NETWORK = {"padding": "reflect"}


def header(*cells) -> None:
    row(*cells)
    row(*("---" for _ in cells))


def row(*cells) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    photos = cli.required("photos", "a folder of pictures")
    for name, least in (("holdout_every", 1), ("crops", 2), ("inversions", 0), ("iterations", 1)):
        cli.whole_number(name, FLAGS[name].value, least)
    sizes = [
        cli.whole_number("timing_sizes", int(size) if size.isdigit() else size, 32)
        for size in FLAGS.timing_sizes
    ]
    with cli.quiet_tensorflow():
        from tfstyle.io.finding import find_pictures
        from tfstyle.vgg import feature_extractor

        paths = find_pictures(photos)[1][:: FLAGS.holdout_every]
        extractors = {
            weights: feature_extractor(
                [*LAYERS, CONTENT_LAYER], weights=weights, pooling=FLAGS.pooling, **NETWORK
            )
            for weights in FLAGS.weights
        }
    retrieval(paths, extractors)
    if FLAGS.inversions:
        inversion(paths[: FLAGS.inversions])
    if sizes:
        speed(sizes, extractors)


def retrieval(paths, extractors) -> None:
    import tensorflow as tf
    from encoder.evaluation import style_retrieval

    from tfstyle.io.images import load_image

    header(f"top-1 / mAP, {len(paths)} pictures", *(f"at {scale:g}" for scale in SCALES))
    for weights, extractor in extractors.items():
        print(f"looking up crops with {weights} …", file=sys.stderr)
        style_extractor = tf.keras.Model(extractor.input, {name: extractor.output[name] for name in LAYERS})
        pictures = (load_image(path, "photos") for path in paths)
        found = style_retrieval(style_extractor, pictures, crops=FLAGS.crops, scales=SCALES)
        row(weights, *(f"{r.top1:.3f} / {r.mean_average_precision:.3f}" for r in found.values()))


def inversion(paths) -> None:
    from encoder.evaluation import inversion_errors

    from tfstyle.config import TransferConfig

    print()
    header(f"RMSE of inversion, {len(paths)} pictures", *LAYERS)
    for weights in FLAGS.weights:
        print(f"reconstructing with {weights} …", file=sys.stderr)
        config = TransferConfig(
            weights=weights,
            pooling=FLAGS.pooling,
            image_size=FLAGS.inversion_size,
            iterations=FLAGS.iterations,
            **NETWORK,
        )
        errors = inversion_errors(paths, LAYERS, config)
        row(weights, *(f"{error:.3f}" for error in errors.values()))


def speed(sizes, extractors) -> None:
    from encoder.evaluation import seconds_per_evaluation

    print()
    header("seconds an evaluation", *(f"{size} px" for size in sizes))
    for weights, extractor in extractors.items():
        seconds = [seconds_per_evaluation(extractor, CONTENT_LAYER, LAYERS, size) for size in sizes]
        row(weights, *(f"{value:.3f}" for value in seconds))


if __name__ == "__main__":
    cli.run(main)
