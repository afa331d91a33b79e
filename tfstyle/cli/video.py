"""Paints a clip without flicker, and keeps its sound.

    tfstyle video --content=clip.mp4 --style=starry_night
    tfstyle video --content=clip.mp4 --style=any_painting.jpg --output=painted.webm
    tfstyle video --content=frames --style=city --output=painted_frames
    tfstyle video --content=clip.mp4 --style=any_painting.jpg --mode=optimized

A trained network paints it frame by frame; what was painted of the frame before is moved along with
what is seen, by optical flow, and blended with what is painted now (--steadiness). With --mode=optimized
each frame is a transfer, with most flags of `tfstyle transfer`, that begins as the frame before and is held
to it (--temporal_weight). A new scene begins afresh. A run that was ended goes on where it was if it is
started again. Needs PyAV and OpenCV: pip install 'tfstyle[video]'.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping

from absl import flags

from tfstyle.batch.board import Board
from tfstyle.batch.orders import Outcome
from tfstyle.batch.stylize_files import Finish, Look
from tfstyle.cli import common as cli
from tfstyle.cli import looks
from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig
from tfstyle.feedforward import cards, style_mixing
from tfstyle.feedforward.style_mixing import blended
from tfstyle.io.files import check_outputs, sha256, unused
from tfstyle.runtime import memory
from tfstyle.video import clips, job, parts
from tfstyle.video.steadiness import Painted, Step, frame_by_frame

PLACES = ("content",)
_STEADINESS = 0.9
_OF_OPTIMIZED = {"temporal_weight": 300.0, "later_share": 0.25}
# Frames stay as large as they are, and begin as the frame before; of the rest, `looks` has flags.
_OTHERS = {"color", "image_size", "init", "log_every", "normalize", "style_blend"}
_OF_TRANSFER = [field.name for field in dataclasses.fields(TransferConfig) if field.name not in _OTHERS]


def define_flags():
    flags.DEFINE_string("content", None, "a video file, an animated picture, or a folder or glob of pictures")
    looks.define_flags()
    flags.DEFINE_enum(
        "mode", "instant", ("instant", "optimized"), "a network in one pass, or a transfer for each frame"
    )
    flags.DEFINE_float(
        "steadiness",
        None,
        "instant: how much of what was shown before is kept, from 0 (none) to below 1"
        f" (default: {_STEADINESS:g})",
    )
    flags.DEFINE_float(
        "temporal_weight",
        None,
        "optimized: weight of the mean square difference from what was shown before; 0: none"
        f" (default: {_OF_OPTIMIZED['temporal_weight']:g})",
    )
    flags.DEFINE_float(
        "later_share",
        None,
        "optimized: iterations of frames after the first of a scene, as a share of those that it has at full"
        f" size, up to 1 (default: {_OF_OPTIMIZED['later_share']:g})",
    )
    flags.DEFINE_float("preview", 0.0, "seconds of the clip's beginning that are painted; 0: all")
    flags.DEFINE_string(
        "output",
        None,
        "video to write (.mp4, .mov, .mkv, .webm or .gif), or a folder, for PNG files (default:"
        " CONTENT_STYLE.mp4, here, or -2.mp4, …)",
    )
    flags.DEFINE_string("preset", None, f"optimized: settings to start from: {', '.join(PRESETS)}")
    cli.define_option_flags(PRESETS[DEFAULT_PRESET], _OF_TRANSFER)
    cli.define_tensorboard_flags()
    flags.DEFINE_integer("log_every", 10, "frames from one record for TensorBoard to the next")


def main():
    FLAGS = flags.FLAGS
    content = cli.required("content", "a clip")
    style_mixing.require_strength(FLAGS.strength)
    if not FLAGS.preview >= 0:
        raise ValueError(f"preview={FLAGS.preview:g}: must be 0 or above")
    log_every = cli.whole_number("log_every", FLAGS.log_every, 1)
    finish = Finish.of(FLAGS.color, FLAGS.mask)
    clip = clips.open_clip(content)
    step, look, options = _MODES[FLAGS.mode](clip)
    default = cli.pathlib.Path(f"{clip.path.stem}_{look.name}.mp4")
    output = parts.require_clip_output(unused(default) if FLAGS.output is None else FLAGS.output)
    check_outputs([output], [("content", content), *(("style", style) for style in look.styles)])

    def finished(painted, frame):
        return finish(blended(painted.copy(), frame, FLAGS.strength), frame)

    note = {**look.note, **finish.note, **options.pop("note"), "strength": FLAGS.strength}
    note["styles"] = [sha256(style) for style in look.styles]
    total = None if FLAGS.preview else clip.count
    watcher = watched(output, note, look, log_every, total)
    board, began, told = Board(total), time.monotonic(), None

    def tell(done: int, painted: Painted | None) -> None:
        nonlocal told
        kind = "finished" if told is None else "made"
        for _ in range(done - (told or 0)):
            board.count(Outcome(kind, str(output)))
        told = done
        watcher(done, painted)

    count = job.paint_clip(
        clip, step, output, note, finish=finished, preview=FLAGS.preview, tell=tell, **options
    )
    board.close()
    print(f"{count} frames in {time.monotonic() - began:.1f} s", file=cli.sys.stderr)
    print(output)


def watched(
    output: cli.pathlib.Path, note: Mapping, look: Look, every: int, total: int | None
) -> Callable[[int, Painted | None], None]:
    """Returns what tells TensorBoard of the frames, if --logdir asks for it."""
    if flags.FLAGS.logdir is None and not flags.FLAGS.profile:
        return lambda done, painted: None
    styles = {f"style_{number}": path for number, path in enumerate(look.styles, 1)}
    with cli.quiet_tensorflow():
        from tfstyle.video.watching import Watcher

        return Watcher(cli.tensorboard_reporters(output.stem, note, styles, 0), every, total)


def instant(clip: clips.Clip) -> tuple[Step, Look, dict]:
    """Returns what paints each frame, in which look, and options of `paint_clip`."""
    refuse("optimized", *_OF_OPTIMIZED, "preset", *_OF_TRANSFER)
    (look,) = looks.looks_of(looks.folder_of_model(), 1.0)
    steadiness = flags.FLAGS.get_flag_value("steadiness", _STEADINESS)
    step = frame_by_frame(lambda frame: look.paint(frame[None])[0], steadiness)
    require_room(clip, look)
    return step, look, {"note": {"steadiness": steadiness}}


def optimized(clip: clips.Clip) -> tuple[Step, Look, dict]:
    """Returns the same for transfers; the look is how a frame begins where none before it tells."""
    FLAGS = flags.FLAGS
    refuse("instant", "model", "steadiness", "stroke_size")
    if not FLAGS.style:
        raise ValueError("--style: is missing; it must name a picture file, or several")
    config = dataclasses.replace(cli.settings(), color="style")
    (look,) = looks.looks_of(cards.shipped(cards.ANY_STYLE), 1.0)
    shares = tuple(share for _, share in look.note["style"])
    config = dataclasses.replace(config, style_blend=shares if len(shares) > 1 else ())
    chosen = {name: FLAGS.get_flag_value(name, usual) for name, usual in _OF_OPTIMIZED.items()}
    with cli.quiet_tensorflow():
        from tfstyle.video import optimized

        step = optimized.optimized(
            look.styles, config, lambda frame: look.paint(frame[None])[0], clip.size, **chosen
        )
    note = {"mode": "optimized", "config": config.identity(), **chosen}
    if cli.os.path.isfile(config.weights):
        note["weights"] = sha256(config.weights)
    return step, look, {"note": note, "frames_a_piece": 2}


def refuse(mode: str, *names: str) -> None:
    """Checks that no flag was given that is for another mode."""
    for name in names:
        if (value := flags.FLAGS[name].value) is not None:
            raise ValueError(f"{name}={value}: is for --mode={mode}")


_MODES = {"instant": instant, "optimized": optimized}


def require_room(clip: clips.Clip, look) -> None:
    """Checks that a frame can be painted in the memory that there is."""
    height, width = clip.size
    room = memory.Room.now(on_gpu=look.on_gpu)
    needed = room.resident + look.needed_bytes(height * width)
    if needed > room.most:
        raise ValueError(
            f"content: frames of {width} x {height} pixels take {needed / 1e9:.1f} GB, of"
            f" {room.most / 1e9:.1f} GB that there are"
        )
