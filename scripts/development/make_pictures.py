"""Makes the pictures of the project: a harbour in low sun, and a style to paint it in.

    python scripts/development/make_pictures.py --output=tfstyle/data

Both are drawn from scratch with seeded random numbers, so that nobody's rights
are in them and anybody can make them again. The harbour has structure at every
size, and depth from the jetty to the snow; the style is swirls, bold strokes that
follow a flow. They are what the project ships and `make demo` uses. The drawing itself is in
`pictures`, one module each.
"""

import importlib
import pathlib

from absl import app, flags

PICTURES = ["harbour", "swirls"]

_PICTURES = flags.DEFINE_list("pictures", PICTURES, f"what to draw, of {', '.join(PICTURES)}")
_OUTPUT = flags.DEFINE_string("output", "tfstyle/data", "folder to write them into, as .jpg")


def main(_):
    """Draws the pictures asked for."""
    if unknown := set(_PICTURES.value) - set(PICTURES):
        raise app.UsageError(f"--pictures: {', '.join(sorted(unknown))}: must be of {', '.join(PICTURES)}")
    folder = pathlib.Path(_OUTPUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    for name in _PICTURES.value:
        path = folder / f"{name}.jpg"
        draw = getattr(importlib.import_module(f"pictures.{name}"), name)
        draw().save(path, quality=90, subsampling="4:2:2", optimize=True)
        print(path, path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    app.run(main)
