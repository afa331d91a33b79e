"""Trains a network that paints in one pass what style_transfer.py paints step by step.

    python scripts/train_stylizer.py --photos=photos --styles=a.jpg,b.jpg --output=saved_models/styles

One network learns all the styles given, and mixtures of them. What it is trained
to is the objective of the usual flags: layers, weights, --style_strength,
--style_loss, --tv_weight, --weights. The folder written is a SavedModel that
needs no tfstyle; its card, tfstyle.json, tells how it was made. stylize.py uses it.
"""

from absl import flags

from tfstyle.instant.recipe import InstantRecipe

import command_line as cli

flags.DEFINE_string("photos", None, "folder of photographs to train on, .jpg or .png")
flags.DEFINE_list("styles", None, "style pictures, separated by commas")
flags.DEFINE_string("output", None, "folder to save the network into")
cli.define_settings_flags(scales=1)
cli.define_option_flags(InstantRecipe())
cli.define_run_flags()


def main():
    recipe = InstantRecipe(**cli.given_options(InstantRecipe))
    photos = cli.required("photos", "a folder of photographs")
    paths = cli.required("styles", "one or more pictures")
    output = cli.pathlib.Path(cli.required("output", "a folder"))
    config = cli.settings(scales=1)
    with cli.quiet_tensorflow():
        from tfstyle import export, reporting
        from tfstyle.encoder.crops import find_photographs
        from tfstyle.instant.training import train
        from tfstyle.measuring import style_targets
        from tfstyle.workshop import Workshop

        export.require_replaceable(output)
        photographs, workshop = find_photographs(photos), Workshop()
        styles = [style_targets(path, config, workshop=workshop) for path in paths]
    options = {**config.to_dict(), **recipe.to_dict()}
    pictures = {cli.numbered("style", index): path for index, path in enumerate(paths)}
    network, history = train(
        photographs,
        styles,
        config,
        recipe,
        reporters=[
            reporting.ConsoleReporter(),
            *cli.tensorboard_reporters(output.name, options, pictures, config.image_size),
        ],
        checkpoint_dir=cli.FLAGS.checkpoint_dir,
    )
    about = {
        "styles": [cli.pathlib.Path(path).name for path in paths],
        "style_hashes": [targets.hash for targets in styles],
        "photographs": len(photographs),
        "config": config.to_dict(),
        "recipe": recipe.to_dict(),
        "seconds": round(history[-1].seconds),
        "losses": history[-1].losses,
    }
    print(export.export_network(output, network, about))


if __name__ == "__main__":
    cli.run(main)
