"""Measures what encoders are worth: style retrieval, and content inversion.

    python scripts/evaluate_encoder.py --photos=photos --weights=random,mini

Style retrieval: of each picture two disjoint crops at 256 px; the nearest
neighbour in Gram distance (five style layers, each at norm 1) should be the
partner. Top-1 and mean average precision, also where the query is seen at 0.7
or 1.4 times the size. Content inversion: the error of reconstructions from one
layer, in picture values; it should grow with depth. Both as Markdown tables.
"""

import sys

from absl import flags

import command_line as cli

FLAGS = flags.FLAGS
flags.DEFINE_string("photos", None, "folder of pictures; those that a training held out are used")
flags.DEFINE_integer("holdout_every", 10, "use every so many-th picture, as training held out; 1 uses all")
flags.DEFINE_integer("crops", 2, "disjoint crops of each picture")
flags.DEFINE_list("weights", ["random", "mini"], "weights to compare, as in style_transfer.py")
flags.DEFINE_enum("pooling", "average", ["average", "max"], "pooling of all the networks")
flags.DEFINE_integer("inversions", 0, "pictures to reconstruct from each layer; 0 leaves inversion out")
flags.DEFINE_integer("iterations", 200, "iterations of each reconstruction")
flags.DEFINE_integer("inversion_size", 160, "longer side of a reconstruction in pixels")

LAYERS = ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"]
SCALES = (1.0, 0.7, 1.4)
NETWORK = {"padding": "reflect"}


def row(*cells) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    photos = cli.required("photos", "a folder of pictures")
    for name, least in (("holdout_every", 1), ("crops", 2), ("inversions", 0), ("iterations", 1)):
        cli.whole_number(name, FLAGS[name].value, least)
    with cli.quiet_tensorflow():
        from tfstyle.config import TransferConfig
        from tfstyle.encoder.crops import find_photographs
        from tfstyle.encoder.evaluation import inversion_errors, style_retrieval
        from tfstyle.features import feature_extractor
        from tfstyle.images import load_image

        paths = find_photographs(photos)[:: FLAGS.holdout_every]
        extractors = {
            weights: feature_extractor(LAYERS, weights=weights, pooling=FLAGS.pooling, **NETWORK)
            for weights in FLAGS.weights
        }
    row(f"top-1 / mAP, {len(paths)} pictures", *(f"at {scale:g}" for scale in SCALES))
    row("---", *("---" for _ in SCALES))
    for weights, extractor in extractors.items():
        print(f"looking up crops with {weights} …", file=sys.stderr)
        pictures = (load_image(path, "photos") for path in paths)
        found = style_retrieval(extractor, pictures, crops=FLAGS.crops, scales=SCALES)
        row(weights, *(f"{r.top1:.3f} / {r.mean_average_precision:.3f}" for r in found.values()))
    if FLAGS.inversions:
        print()
        row("RMSE of inversion", *LAYERS)
        row("---", *("---" for _ in LAYERS))
    for weights in FLAGS.weights if FLAGS.inversions else []:
        print(f"reconstructing with {weights} …", file=sys.stderr)
        config = TransferConfig(
            weights=weights,
            pooling=FLAGS.pooling,
            image_size=FLAGS.inversion_size,
            iterations=FLAGS.iterations,
            **NETWORK,
        )
        errors = inversion_errors(paths[: FLAGS.inversions], LAYERS, config)
        row(weights, *(f"{error:.3f}" for error in errors.values()))


if __name__ == "__main__":
    cli.run(main)
