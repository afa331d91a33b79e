"""Renders the paper's figures, each as one labelled sheet, a web page and its single pictures.

    tfstyle figures --figure=tradeoff --content=photo.jpg --style=painting.jpg \\
        --output=figures
    tfstyle figures --figure=grid --rows=content_layers=conv2_2,conv4_2 \\
        --columns=style_weight=1e2,1e3,1e4 --content=photo.jpg --style=painting.jpg --output=figures

The figures are those of Gatys, Ecker & Bethge, CVPR 2016. Panels that the
folder holds already, made with the same settings, are not made again.
"""

import dataclasses

from absl import flags

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS
PICTURES = {"content": "picture whose content to keep", "style": "picture whose style to take"}


def define_flags():
    flags.DEFINE_string(
        "figure",
        None,
        "representations (the paper's figure 1), tradeoff (4), layers (5), initialisation (6), photo (7),"
        " control (not the paper's: what the other options do) or grid",
    )
    for name in ("rows", "columns"):
        flags.DEFINE_string(
            name,
            None,
            f"option and values of the grid's {name}, such as style_weight=1e2,1e3;"
            " several layers in one value are joined by +",
        )
    flags.DEFINE_string("output", None, "folder for the sheet, the page and panels; made if it is not there")
    flags.DEFINE_integer("cell", 320, "longer side of a panel on the sheet, in pixels")
    cli.define_picture_flags(PICTURES)
    cli.define_settings_flags()
    cli.define_run_flags()


def main():
    name, output = cli.all_required(figure="a figure, see --help", output="a folder")
    base = cli.settings()
    cell = cli.whole_number("cell", FLAGS.cell, 32)
    supervision = cli.supervision()
    if supervision.checkpoint_dir is not None:
        states = cli.pathlib.Path(supervision.checkpoint_dir, name)
        supervision = dataclasses.replace(supervision, checkpoint_dir=states)
    with cli.quiet_tensorflow():
        from tfstyle.figures import panels

    if name == "grid":
        chosen = panels.grid(base, sweep("rows"), sweep("columns"))
    else:
        chosen = panels.figure(name, base)
    with cli.quiet_tensorflow():
        from PIL import Image

        from tfstyle import figures
        from tfstyle.io import encode, images
        from tfstyle.io.files import check_outputs, make_folder, require_writable_folder

        folder = make_folder(output, "output") / name
        folder.mkdir(exist_ok=True)
        require_writable_folder(folder, f"output={output!r}")
    pictures = cli.given_pictures(list(PICTURES))
    outputs = [folder.parent / f"{name}.png", *(folder / f"{panel.name}.png" for panel in chosen.panels)]
    check_outputs(outputs, pictures.items())

    def panel_reporters(panel):
        needed = {argument: pictures[argument] for argument in panel.pictures}
        run = f"{name}/{panel.name}"
        return cli.tensorboard_reporters(run, panel.config.to_dict(), needed, panel.config.image_size)

    rendered = figures.render(
        chosen,
        pictures,
        folder,
        reporters=[cli.console_reporter()],
        panel_reporters=panel_reporters,
        supervision=supervision,
    )
    if len(rendered) < len(chosen.panels):
        print(
            f"{len(rendered)} of {len(chosen.panels)} panels are there; the same command makes the rest",
            file=cli.sys.stderr,
        )
        print(folder)
        return
    used = {argument for panel in chosen.panels for argument in panel.pictures}
    inputs = {
        argument: Image.fromarray(encode.to_uint8(images.load_fitted(path, argument, base.image_size)))
        for argument, path in pictures.items()
        if argument in used
    }
    sheet = figures.draw_sheet(chosen, rendered, inputs, cell)
    encode.write_drawing(folder.parent / f"{name}.png", sheet, optimize=True)
    figures.write_page(folder.parent / f"{name}.html", chosen, rendered)
    print(folder.parent / f"{name}.html", file=cli.sys.stderr)
    print(folder.parent / f"{name}.png")


def sweep(flag: str) -> tuple[str, dict[str, dict]]:
    """Returns option and {label: change} of a flag such as --rows=style_weight=1e2,1e3."""
    text = cli.required(flag, "an option and its values, such as style_weight=1e2,1e3")
    option, equals, values = text.partition("=")
    defaults = vars(cli.TransferConfig())
    if option not in defaults or not equals or not values:
        raise ValueError(f"{flag}={text!r}: must be an option of --help and its values: style_weight=1e2,1e3")
    return option, {value: {option: _typed(value, type(defaults[option]))} for value in values.split(",")}


def _typed(value: str, kind: type):
    """Returns a value as the option's type; what cannot be is left to the config to complain about."""
    if kind is tuple:
        return tuple(value.split("+"))
    if kind is bool:
        return {"true": True, "false": False}.get(value.lower(), value)
    if kind is int and value.lstrip("-").isdigit():
        return int(value)
    return value
