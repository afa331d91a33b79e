"""Paints pictures with a trained network (see `tfstyle train`): one pass each, in a second or so.

    tfstyle stylize --content=photo.jpg
    tfstyle stylize --content=photo.jpg --style=mosaic:0.7,swirls:0.3 --output=painted.png
    tfstyle stylize --content=photo.jpg --style=any_painting.jpg
    tfstyle stylize --content=photo.jpg --all_styles --output=painted
    tfstyle stylize --content=photos --style=mosaic --output=painted
    tfstyle stylize --content=photo.jpg --sheet

Sizes stay; pictures too large for the network's memory are painted in strips, with
the same result. Several contents (a folder or a glob) go to the folder --output
under their own names, each with a note of how it was made inside. One that cannot
be read is told and left out, and the exit status is then 1.
"""

import json
import tempfile
import time

from absl import flags

from tfstyle.batch import stylize_files
from tfstyle.batch.board import Board
from tfstyle.cli import common as cli
from tfstyle.cli import looks
from tfstyle.feedforward import style_mixing
from tfstyle.io import decode, encode
from tfstyle.io.files import check_outputs, unused
from tfstyle.io.pixels import require_aspect

PLACES = ("content",)


def define_flags():
    flags.DEFINE_string("content", None, "a picture, a folder of pictures, or a glob; - is standard input")
    looks.define_flags()
    flags.DEFINE_bool("all_styles", False, "paint in each of the network's styles, instead of --style")
    flags.DEFINE_bool("sheet", False, "write one picture that shows the content, small, in each style")
    flags.DEFINE_bool("json", False, "print a line of JSON for each picture, instead of where they are")
    flags.DEFINE_string(
        "output",
        None,
        "picture to write; a folder where there are several (default: CONTENT_STYLE.png, here, or -2.png, …);"
        " - is standard output, a PNG",
    )
    flags.DEFINE_integer(
        "batch_size", 1, "pictures of one size that are painted at once, on a GPU; elsewhere 1 is as fast"
    )


def main():
    FLAGS = flags.FLAGS
    content = cli.required("content", "a picture, a folder or a glob")
    cli.whole_number("batch_size", FLAGS.batch_size, 1)
    style_mixing.require_strength(FLAGS.strength)
    refuse_together("all_styles", "style")
    refuse_together("sheet", "style", "mask", "json", color=FLAGS.color != "style")
    if FLAGS.output == "-" and FLAGS.json:
        raise ValueError("json=true: cannot be given with --output=-, for the picture goes there")
    finish = stylize_files.Finish.of(FLAGS.color, FLAGS.mask)
    model = looks.folder_of_model()
    every = "sheet" if FLAGS.sheet else "all_styles" if FLAGS.all_styles else ""
    chosen = looks.looks_of(model, FLAGS.strength, every=every)
    with tempfile.TemporaryDirectory() as folder:
        name = ""
        if content == "-":
            name, content = "-", str(cli.pathlib.Path(folder, "stdin"))
            cli.pathlib.Path(content).write_bytes(cli.sys.stdin.buffer.read())
        if FLAGS.output != "-":
            make(content, name, chosen, finish, FLAGS.output)
            return
        written = cli.pathlib.Path(folder, "stdout.png")
        make(content, name, chosen, finish, str(written))
        cli.sys.stdout.buffer.write(written.read_bytes())


def refuse_together(flag: str, *others: str, **given: bool) -> None:
    """Refuses a flag that is on, together with others that were given, or that are as said."""
    FLAGS = flags.FLAGS
    given = {**{name: bool(FLAGS[name].value) for name in others}, **given}
    if FLAGS[flag].value and (wrong := [name for name, there in given.items() if there]):
        raise ValueError(f"{flag}=true: cannot be given with --{wrong[0]}")


def make(content: str, name: str, chosen: list, finish: stylize_files.Finish, output: str | None) -> None:
    """Paints what the flags ask for, and tells where it is."""
    FLAGS = flags.FLAGS
    if FLAGS.sheet:
        default = unused(cli.pathlib.Path(f"{cli.pathlib.Path(content).stem}_styles.png"))
        path = default if output is None else cli.pathlib.Path(output)
        encode.check_writable(path, inputs=[("content", content)])
        encode.write_drawing(path, stylize_files.draw_looks(content, chosen), optimize=True)
        tell_where(path)
        return
    jobs = stylize_files.plan(content, chosen, output, name)
    outputs = [output for job in jobs for _, output in job.outputs]
    if FLAGS.output == "-" and outputs != [cli.pathlib.Path(output)]:
        raise ValueError("output='-': is for one content, named by itself, in one style; name a folder")
    if finish.mask is not None:
        mask = f"mask={FLAGS.mask!r}"
        if len(jobs) > 1:
            raise ValueError(f"{mask}: is for one content, not for {len(jobs)}")
        check_outputs(outputs, [("mask", FLAGS.mask)])
        require_aspect(finish.mask.shape, decode.size_of(jobs[0].content, "content"), mask)
    board, began = Board(len(jobs) * len(chosen)), time.monotonic()
    tell = (lambda record: print(json.dumps(record), flush=True)) if FLAGS.json else lambda record: None
    failed = stylize_files.paint_files(jobs, board, FLAGS.batch_size, finish, tell)
    board.close()
    made = board.counts["made"]
    print(f"{made} picture{'s' * (made != 1)} in {time.monotonic() - began:.1f} s", file=cli.sys.stderr)
    tell_where(outputs[0] if len(outputs) == 1 else outputs[0].parent)
    if failed:
        raise ValueError(f"{failed} of {len(jobs)} pictures could not be read")


def tell_where(path) -> None:
    """Prints a path, unless something else goes to standard output."""
    if flags.FLAGS.output != "-" and not flags.FLAGS.json:
        print(path)
