"""Paints a clip with a trained network, frame by frame and without flicker, and keeps its sound.

    tfstyle video --content=clip.mp4 --style=starry_night
    tfstyle video --content=clip.mp4 --style=any_painting.jpg --output=painted.webm
    tfstyle video --content=frames --style=city --output=painted_frames

What was painted of the frame before is moved along with what is seen, by optical flow, and blended
with what is painted now (--steadiness). A new scene begins afresh. A run that was ended goes on where it was
if it is started again. Needs PyAV and OpenCV: pip install 'tfstyle[video]'.
"""

import time

from absl import flags

from tfstyle.batch.board import Board
from tfstyle.batch.orders import Outcome
from tfstyle.batch.stylize_files import Finish
from tfstyle.cli import common as cli
from tfstyle.cli import looks
from tfstyle.feedforward import style_mixing
from tfstyle.feedforward.style_mixing import blended
from tfstyle.io.files import check_outputs, unused
from tfstyle.runtime import memory
from tfstyle.video import clips, job, parts
from tfstyle.video.steadiness import require_steadiness

PLACES = ("content",)


def define_flags():
    flags.DEFINE_string("content", None, "a video file, an animated picture, or a folder or glob of pictures")
    looks.define_flags()
    flags.DEFINE_float(
        "steadiness",
        0.9,
        "how much of what was shown before is kept, from 0 (none) to below 1",
    )
    flags.DEFINE_float("seconds", 0.0, "how much of the clip's beginning is painted; 0: all")
    flags.DEFINE_string(
        "output",
        None,
        "video to write (.mp4, .mov, .mkv, .webm or .gif), or a folder, for PNG files (default:"
        " CONTENT_STYLE.mp4, here, or -2.mp4, …)",
    )


def main():
    FLAGS = flags.FLAGS
    content = cli.required("content", "a clip")
    style_mixing.require_strength(FLAGS.strength)
    require_steadiness(FLAGS.steadiness)
    if not FLAGS.seconds >= 0:
        raise ValueError(f"seconds={FLAGS.seconds:g}: must be 0 or above")
    finish = Finish.of(FLAGS.color, FLAGS.mask)
    clip = clips.open_clip(content)
    (look,) = looks.looks_of(looks.folder_of_model(), 1.0)
    default = cli.pathlib.Path(f"{clip.path.stem}_{look.name}.mp4")
    output = parts.require_clip_output(unused(default) if FLAGS.output is None else FLAGS.output)
    check_outputs([output], [("content", content), *(("style", style) for style in look.styles)])
    require_room(clip, look)

    def finished(painted, frame):
        return finish(blended(painted.copy(), frame, FLAGS.strength), frame)

    board, began, told = Board(None if FLAGS.seconds else clip.count), time.monotonic(), None

    def tell(done: int) -> None:
        nonlocal told
        kind = "finished" if told is None else "made"
        for _ in range(done - (told or 0)):
            board.count(Outcome(kind, str(output)))
        told = done

    count = job.paint_clip(
        clip,
        lambda frame: look.paint(frame[None])[0],
        output,
        {**look.note, **finish.note, "strength": FLAGS.strength},
        steadiness=FLAGS.steadiness,
        finish=finished,
        seconds=FLAGS.seconds,
        tell=tell,
    )
    board.close()
    print(f"{count} frames in {time.monotonic() - began:.1f} s", file=cli.sys.stderr)
    print(output)


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
