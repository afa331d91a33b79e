"""Trains the small encoder that ships with the package (--weights=mini) from a folder of photographs.

Usage: python scripts/development/train_encoder.py --photos=photos --output=tfstyle/data/mini.npz

What was tried for it, 900 photographs, 64 px, 2 cores; accuracies on training batches
(exemplar / Gram), and top-1 of style retrieval on the 100 photographs held out, at
scale 1, 0.7 and 1.4 (random VGG19: 0.42, 0.40, 0.40):

    steps  recipe                                                accuracies   retrieval
      500  exemplars only, weight standardisation, uncalibrated   1 % / -
      900  with Gram matrices, calibrated, gains learned,        27 % / 25 %
           all filters centred
      200  the same, at this many steps                           1 % / 15 %
      200  nothing centred                                        0 % / 5 %
      200  first layer not centred                                0 % / 8 %
      200  a quarter of the first layer begins uncentred          1 % / 11 %
      500  worst-case changes of length 1                         3 % / 10 %
     2000  exemplars only, batch norm ("start")                  40 % / -      0.61 0.56 0.45
     5500  zoom up to 2.2                                        48 % / 25 %   0.60 0.56 0.49
     5500  shipped: zoom up to 1.8                               58 % / 28 %   0.68 0.60 0.49
           the same, filters at one mean, not root mean square                 0.56 0.51 0.36
           the same, sizes taken at zoom 1 alone                               0.68 0.57 0.42

Filters all centred train fastest, but cannot see how light an area is, and no palette comes across.
"""

import pathlib
import sys

from absl import flags

sys.path[1:1] = map(str, pathlib.Path(__file__).resolve().parents[1:3])

from encoder.recipe import EncoderRecipe

from tfstyle.cli import common as cli

flags.DEFINE_string("photos", None, "folder of photographs to train on")
flags.DEFINE_string("output", None, "weights file to write, .npz")
cli.define_option_flags(EncoderRecipe())
cli.define_run_flags()

_CALIBRATION_EVERY = 10  # the sizes of activations are taken over every so many-th photograph


def main():
    recipe = EncoderRecipe(**cli.given_options(EncoderRecipe))
    photos = cli.required("photos", "a folder of photographs")
    output = cli.pathlib.Path(cli.required("output", "an .npz file to write"))
    supervision = cli.supervision()
    with cli.quiet_tensorflow():
        from encoder.crops import read_photographs, split
        from encoder.training import train
        from encoder.units import in_usual_units

        from tfstyle.io.files import sha256
        from tfstyle.io.finding import find_pictures
        from tfstyle.vgg import weights

        weights.check_writable(output)
        paths, held_out = split(find_pictures(photos)[1], recipe.holdout_every)
    print(f"reading {len(paths)} photographs ({len(held_out)} are held out) …", file=cli.sys.stderr)
    photographs = read_photographs(paths)
    trained, history = train(
        photographs,
        recipe,
        reporters=cli.reporters(output, recipe.to_dict(), {}),
        supervision=supervision,
    )
    record = {
        "recipe": recipe.to_dict(),
        "steps": history[-1].step,
        "photographs": len(paths),
        "seconds": round(history[-1].seconds),
        "metrics": history[-1].metrics,
    }
    size = weights.save(output, in_usual_units(trained, photographs[::_CALIBRATION_EVERY]), record)
    print(f"{size / 1e6:.1f} MB, SHA-256 {sha256(output)}", file=cli.sys.stderr)
    print(output)


if __name__ == "__main__":
    cli.run(main)
