"""Trains the small encoder that ships with the package (--weights=mini) from a folder of photographs.

python scripts/train_encoder.py --photos=photos --output=tfstyle/data/mini.npz
"""

from absl import flags

from tfstyle.encoder.recipe import EncoderRecipe

import command_line as cli

flags.DEFINE_string("photos", None, "folder of photographs to train on, .jpg or .png")
flags.DEFINE_string("output", None, "weights file to write, .npz")
cli.define_option_flags(EncoderRecipe())
cli.define_run_flags()


def main():
    recipe = EncoderRecipe(**cli.given_options(EncoderRecipe))
    photos = cli.required("photos", "a folder of photographs")
    output = cli.pathlib.Path(cli.required("output", "an .npz file to write"))
    with cli.quiet_tensorflow():
        from tfstyle.encoder.crops import find_photographs, read_photographs, split
        from tfstyle.encoder.training import train
        from tfstyle.features import weights

        weights.check_writable(output)
        paths, held_out = split(find_photographs(photos), recipe.holdout_every)
    print(f"reading {len(paths)} photographs ({len(held_out)} are held out) …", file=cli.sys.stderr)
    trained, history = train(
        read_photographs(paths),
        recipe,
        reporters=cli.reporters(output),
        checkpoint_dir=cli.FLAGS.checkpoint_dir,
    )
    weights.save(output, trained, {"recipe": recipe.to_dict(), "seconds": history[-1].seconds})
    print(output)


if __name__ == "__main__":
    cli.run(main)
