"""Paints pictures with a network that train_stylizer.py trained: one pass each, in a second or so.

    python scripts/stylize.py --content=photo.jpg --model=saved_models/styles --output=painted.png
    python scripts/stylize.py --content=photos --model=saved_models/styles --style=0.7,0.3 --output=painted

Sizes stay. Of a folder or glob, each picture goes to --output under its own name;
one that cannot be read is told and left out, and the exit status is then 1.
"""

import glob
import json
import time

from absl import flags

import command_line as cli

flags.DEFINE_string("content", None, "a picture, a folder of pictures, or a glob")
flags.DEFINE_string("model", None, "folder of the network")
flags.DEFINE_list("style", None, "weights of the network's styles, in their order (default: the first alone)")
flags.DEFINE_float("strength", 1.0, "how much of the painted picture, from 0 (the photograph) to 1")
flags.DEFINE_string("output", None, "picture to write; a folder where there are several contents")


def main():
    FLAGS = flags.FLAGS
    content = cli.required("content", "a picture, a folder or a glob")
    model = cli.pathlib.Path(cli.required("model", "the folder of a network"))
    output = cli.pathlib.Path(cli.required("output", "a picture or a folder to write"))
    if not 0 <= FLAGS.strength <= 1:
        raise ValueError(f"strength={FLAGS.strength:g}: must be from 0 to 1")
    card = read_card(model)
    styles = style_weights(FLAGS.style, card)
    with cli.quiet_tensorflow():
        import tensorflow as tf

        from tfstyle import images
        from tfstyle.batch.watching import Board
        from tfstyle.batch.work import Outcome
        from tfstyle.encoder.crops import find_photographs
        from tfstyle.files import make_folder, require_file

        several = cli.pathlib.Path(content).is_dir() or any(sign in content for sign in "*?[")
        if cli.pathlib.Path(content).is_dir():
            paths = find_photographs(content, "content")
        else:
            paths = [cli.pathlib.Path(path) for path in sorted(glob.glob(content))] if several else [content]
            paths = [cli.pathlib.Path(path) for path in paths]
        if not paths:
            raise ValueError(f"content={content!r}: matches no file")
        if several:
            make_folder(output, "output")
        else:
            require_file(paths[0], f"content={content!r}")
            images.check_writable(output)
        network = tf.saved_model.load(str(model))
    board, failed = Board(len(paths)), 0
    for path in paths:
        target = output / f"{path.stem}.png" if several else output
        began = time.monotonic()
        try:
            picture, alpha = images.load_with_alpha(path, "content")
        except (ValueError, OSError) as error:
            if not several:
                raise
            failed += 1
            board.count(Outcome("failed", target.name, str(error)))
            continue
        made = network.paint(picture, tf.constant([styles]), tf.constant(FLAGS.strength))
        note = {"task": "stylize", "model": card, "style": styles, "strength": FLAGS.strength}
        images.save_image(target, made, json.dumps(note), alpha)
        board.count(Outcome("made", target.name))
        if not several:
            height, width = picture.shape[1:3]
            print(f"{width} x {height}: {time.monotonic() - began:.2f} s", file=cli.sys.stderr)
    board.close()
    print(output)
    if failed:
        raise ValueError(f"{failed} of {len(paths)} pictures could not be read")


def read_card(model: cli.pathlib.Path) -> dict:
    """Returns what a network's card tells of it."""
    path = model / "tfstyle.json"
    try:
        card = json.loads(path.read_text())
        if card["model"] != "network":
            raise ValueError(f"it is of a model of another kind, {card['model']}")
        return {name: card[name] for name in ("styles", "styles_known", "fingerprint") if name in card}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"model={str(model)!r}: holds no network of train_stylizer.py ({error})") from None


def style_weights(given: list[str] | None, card: dict) -> list[float]:
    """Returns a weight for each style."""
    known = card["styles_known"]
    if given is None:
        return [1.0] + [0.0] * (known - 1)
    try:
        weights = [float(value) for value in given]
    except ValueError:
        weights = []
    if len(weights) != known or not sum(weights) > 0 or min(weights) < 0:
        names = ", ".join(card.get("styles", [])) or "its styles"
        raise ValueError(f"style={','.join(given)}: must be {known} numbers, none below 0, for {names}")
    return [weight / sum(weights) for weight in weights]


if __name__ == "__main__":
    cli.run(main)
