"""Trains a network that paints in one pass what `tfstyle transfer` paints step by step.

    tfstyle train --photos=photos --styles=a.jpg,b.jpg --output=saved_models/styles

One network learns all the styles given, and mixtures of them. What it is trained
to is the objective of the usual flags: layers, weights, --style_strength,
--style_loss, --tv_weight, --weights. The folder written is a SavedModel that
needs no tfstyle; its card, tfstyle.json, tells how it was made. `tfstyle stylize` uses it.

    tfstyle train --only_styles --styles=own.jpg --output=saved_models/own

A style of your own, in two minutes: the rest is the network that ships with tfstyle.
"""

import functools

from absl import flags

from tfstyle.cli import common as cli
from tfstyle.feedforward import cards
from tfstyle.training.recipe import InstantRecipe

FLAGS = flags.FLAGS

_PREVIEW = 192  # longer side in pixels of the pictures on a network's page

# Where neither flags nor a preset say: with the layer of Johnson et al. 2016, networks learn far sooner.
_OBJECTIVE = {"content_layers": ("block3_conv1",), "style_weight": 7.5}
# What --only_styles begins from where flags do not say: two minutes on two cores.
_OWN_RECIPE = {"steps": 120, "batch_size": 2, "crop_size": 128, "training_rate": 0.003, "validation": 0}
_OWN_OBJECTIVE = _OBJECTIVE | {
    "weights": "mini",
    "style_layers": ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1"),
    "style_weight": 25.0,
}


def define_flags():
    flags.DEFINE_string(
        "photos",
        None,
        "folder of photographs to train on, or a glob (with --only_styles, one is there already)",
    )
    flags.DEFINE_list("styles", None, "style pictures, folders or globs of them, separated by commas")
    flags.DEFINE_string("output", None, "folder to save the network into")
    flags.DEFINE_enum(
        "network",
        "conditional",
        ["conditional", "arbitrary"],
        "kind of network: conditional, for the styles given; or arbitrary, for any style picture",
    )
    flags.DEFINE_string(
        "start",
        None,
        "folder of a network to begin with, whose width and residual blocks these are then; with"
        " --only_styles, one for any style gives what it reads from the pictures (default: none; with"
        " --only_styles, the one for any style that ships with tfstyle)",
    )
    flags.DEFINE_enum(
        "distribute",
        "none",
        ["none", "mirrored", "multi_worker"],
        "train on all GPUs of this machine (mirrored), or, with this command started on each, on the"
        " machines that the environment's TF_CONFIG describes (multi_worker); --batch_size is of all",
    )
    cli.define_settings_flags(scales=1, **_OBJECTIVE)
    cli.define_option_flags(InstantRecipe())
    cli.define_run_flags()


def main():
    own = bool(FLAGS.only_styles)
    start = cards.shipped(cards.ANY_STYLE) if own and FLAGS.start is None else FLAGS.start
    recipe = recipe_of(start, own)
    if own and FLAGS.photos is None:
        FLAGS.photos = str(cards.PHOTOGRAPH)
    photos, paths, output = cli.all_required(
        photos="a folder of photographs", styles="one or more pictures", output="a folder"
    )
    output = cli.pathlib.Path(output)
    objective = {} if FLAGS.preset else _OWN_OBJECTIVE if own else _OBJECTIVE
    config = cli.settings(scales=1, **objective)
    supervision = cli.supervision()
    with cli.quiet_tensorflow(devices=False):
        from tfstyle.export import savedmodel
        from tfstyle.io.files import check_outputs
        from tfstyle.io.store import find_pictures
        from tfstyle.training import distribution
    photographs = find_pictures(photos)[1]
    paths = [path for given in paths for path in find_pictures(given, "styles")[1]]
    if FLAGS.distribute == "multi_worker":
        index, count = distribution.worker_of_environment()
        if index == 0:
            print(f"waiting for {count - 1} other workers …", file=cli.sys.stderr)
    with cli.quiet_tensorflow(devices=False):
        strategy = distribution.strategy_of(FLAGS.distribute)
        cli.INTERRUPTION.install()  # again: of several workers, TensorFlow takes SIGTERM for itself
        chief = distribution.is_chief(strategy)
        if chief:
            given = [("photos", path) for path in photographs] + [("styles", path) for path in paths]
            check_outputs([savedmodel.require_replaceable(output)], given)
        train, about, save = _NETWORKS[FLAGS.network](photographs, paths, config, recipe, start)
    options = {**config.to_dict(), **recipe.to_dict()}
    pictures = {cli.numbered("style", index): path for index, path in enumerate(paths)}
    watching = []
    if chief:
        boards = cli.tensorboard_reporters(output.name, options, pictures, config.image_size)
        watching = [cli.console_reporter(), *boards]
    network, history = train(strategy=strategy, reporters=watching, supervision=supervision)
    if chief:
        last = history[-1]
        about |= {
            "styles": [cli.pathlib.Path(path).name for path in paths],
            "photographs": len(photographs) - recipe.validation,
            "config": config.to_dict(),
            "recipe": recipe.to_dict(),
            "steps": last.step,  # fewer than the recipe's, if the training was ended early
            "seconds": round(last.seconds),
            "losses": last.losses,
            "metrics": last.metrics,
            "weights_of_terms": {
                name: value / last.unweighted[name]
                for name, value in last.losses.items()
                if last.unweighted[name]
            },
            "curve": [
                [each.step, each.total, *filter(None, [each.metrics.get("validation loss")])]
                for each in history
            ],
        }
        print(save(output, network, about))
    distribution.wait_for_all(strategy)
    if history[-1].step < recipe.steps and not supervision.stop():
        raise InterruptedError(
            f"distribute: another worker was told to end after step {history[-1].step}; start all of them"
            " again, and with --checkpoint_dir they go on from there"
        )


def recipe_of(start, own: bool) -> InstantRecipe:
    """Returns the recipe of the flags; what they do not say is the start's, or what one's own style takes."""
    defaults = _OWN_RECIPE if own else {}
    if start is not None:
        card = cards.read_card(start, cards.KINDS, argument="start")
        layout = card.get("layout") or {}
        if card["model"] == "style_network" and FLAGS.network == "arbitrary":
            defaults = defaults | {"embedding": cards.embedding_size(layout)}
        defaults = defaults | {name: layout[name] for name in ("width", "residual_blocks") if name in layout}
    return InstantRecipe(**{**defaults, **cli.given_options(InstantRecipe)})


# Each kind of network: from photographs, style pictures, config, recipe and start to a training that waits
# for where and how to be watched, to what the card tells of its styles, and to how it is saved.


def _conditional(photographs, paths, config, recipe, folder):
    from tfstyle.export.savedmodel import export_network
    from tfstyle.feedforward.networks import fingerprint
    from tfstyle.feedforward.style_network import StyleNetwork
    from tfstyle.io.images import load_fitted
    from tfstyle.synthesis.style_targets import style_targets
    from tfstyle.training.training import train

    start = _start(folder)
    pictures = [load_fitted(path, "styles", config.image_size) for path in paths]
    if isinstance(start, StyleNetwork):
        start = start.for_known(pictures)
    styles = [style_targets(path, config) for path in paths]
    about = {"style_hashes": [targets.hash for targets in styles]}
    if start is not None:
        about["start"] = fingerprint(start)
    if config.color == "content":
        pictures = []
    photograph = load_fitted(cards.PHOTOGRAPH, "photograph", _PREVIEW)
    save = functools.partial(export_network, photograph=photograph, light=True)
    training = functools.partial(train, photographs, styles, config, recipe, start=start, pictures=pictures)
    return training, about, save


def _arbitrary(photographs, paths, config, recipe, folder):
    from tfstyle.export.savedmodel import export_style_network
    from tfstyle.feedforward.networks import fingerprint
    from tfstyle.training.training import train_arbitrary

    start = _start(folder)
    about = {} if start is None else {"start": fingerprint(start)}
    paths = [cli.pathlib.Path(path) for path in paths]
    training = functools.partial(train_arbitrary, photographs, paths, config, recipe, start=start)
    return training, about, functools.partial(export_style_network, light=True)


def _start(folder):
    """Returns the network of a folder, of either kind; None where there is no folder."""
    if folder is None:
        return None
    from tfstyle.feedforward.loading import load_network, load_style_network

    kind = cards.read_card(folder, cards.KINDS, argument="start")["model"]
    load = load_style_network if kind == "style_network" else load_network
    return load(folder, argument="start")[0]


_NETWORKS = {"conditional": _conditional, "arbitrary": _arbitrary}
