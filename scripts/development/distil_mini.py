"""Trains the small network that ships with the package (--weights=mini) to predict VGG19's activations.

Usage: python scripts/development/distil_mini.py --photos=photos --paintings=paintings \\
           --start=start.npz --checkpoint_dir=state --output=tfstyle/data/mini.npz

The start is fitted by least squares, and kept in --start. The training goes on
from --checkpoint_dir; --deadline ends it early with the best so far. 100 photographs
and 100 paintings are held out; --evaluate=FILE only tells how near a file's
activations and Gram matrices come to VGG19's on these. docs/weights.md tells what was tried.
"""

import pathlib
import sys

from absl import flags

sys.path[1:1] = map(str, pathlib.Path(__file__).resolve().parents[1:3])

from distillation.recipe import Recipe

from tfstyle.cli import common as cli

flags.DEFINE_string("photos", None, "folder of photographs")
flags.DEFINE_string("paintings", None, "folder of paintings")
flags.DEFINE_string("start", None, "weights to begin with, .npz; made there if they are not")
flags.DEFINE_string("output", None, "weights file to write, .npz")
flags.DEFINE_string("evaluate", None, "weights file to compare with VGG19, instead of a training")
cli.define_option_flags(Recipe())
cli.define_run_flags()

FLAGS = flags.FLAGS
_CROPS, _MORE_CROPS, _BATCH = 400, 2400, 8  # for the start
_START_SIZE = 128


def main():
    recipe = Recipe(**cli.given_options(Recipe))
    folders = cli.all_required(photos="a folder of photographs", paintings="a folder of paintings")
    with cli.quiet_tensorflow():
        from distillation import evaluation, network, pictures

        from tfstyle.io.files import require_writable_folder, sha256
        from tfstyle.io.store import find_pictures
        from tfstyle.vgg import weights

        kinds = [pictures.split(find_pictures(folder)[1]) for folder in folders]
        teacher = network.teacher()
        held_out = [path for _, paths in kinds for path in paths]
    if FLAGS.evaluate is not None:
        student = network.load(FLAGS.evaluate)
        print(evaluation.table(evaluation.compared(teacher, student, pictures.read(held_out))))
        return
    start, output = map(pathlib.Path, cli.all_required(start="an .npz file", output="an .npz file to write"))
    for path, name in ((start, "start"), (output, "output")):
        named = f"{name}={str(path)!r}"
        if path.suffix != ".npz":
            raise ValueError(f"{named}: must end in .npz")
        require_writable_folder(path.parent, named)
    supervision = cli.supervision()
    print(f"reading pictures ({len(held_out)} are held out) …", file=sys.stderr)
    photographs, paintings = (pictures.read(paths) for paths, _ in kinds)
    first = _started(start, teacher, (photographs, paintings), recipe.seed)

    from distillation.training import train

    reporters = [cli.console_reporter(), *cli.tensorboard_reporters(output.stem, vars(recipe), {}, 0)]
    trained, history = train(teacher, first, photographs, paintings, recipe, reporters, supervision)
    found = evaluation.compared(teacher, trained, pictures.read(held_out))
    record = {
        "recipe": vars(recipe),
        "steps": history[-1].step,
        "seconds": round(history[-1].seconds),
        "photographs": len(photographs),
        "paintings": len(paintings),
        "held out": {name: [round(value, 4) for value in pair] for name, pair in found.items()},
    }
    size = weights.save(output, network.in_usual_units(trained), record)
    print(evaluation.table(found))
    print(f"{size / 1e6:.1f} MB, SHA-256 {sha256(output)}", file=sys.stderr)
    print(output)


def _started(path: pathlib.Path, teacher, kinds, seed: int):
    """Returns the weights in a file, fitted and written first if it is not there."""
    import numpy as np
    from distillation import network, pictures, regression

    from tfstyle.vgg import weights

    if not path.exists():
        print("fitting the start …", file=sys.stderr)
        generator = np.random.default_rng(seed)

        def crops(count: int) -> np.ndarray:
            return np.stack([pictures.crop(kinds[i % 2], _START_SIZE, generator) for i in range(count)])

        more = (crops(_BATCH) for _ in range(_MORE_CROPS // _BATCH))
        found = regression.start(teacher, crops(_CROPS), more, lambda line: print(line, file=sys.stderr))
        weights.save(path, network.in_usual_units(found), {"crops": [_CROPS, _MORE_CROPS]})
    return network.load(str(path))


if __name__ == "__main__":
    cli.run(main)
