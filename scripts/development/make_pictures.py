"""Makes the pictures of the project: a harbour in low sun, and eight styles to paint it in.

    python scripts/development/make_pictures.py --pictures=harbour,swirls --output=tfstyle/data
    python scripts/development/make_pictures.py --pictures=styles --output=styles

All are drawn from scratch with seeded random numbers, so that nobody's rights
are in them and anybody can make them again. The harbour has structure at every
size, and depth from the jetty to the snow; it and the swirls, bold strokes that
follow a flow, are what the project ships and `make demo` uses. Six of the styles
are what the shipped network has learned (see docs/instant_styles.md). The drawing itself is in
`pictures`, one module each.
"""

import importlib
import pathlib

from absl import app, flags

STYLES = ("swirls", "mosaic", "glass", "woodcut", "dots", "shards", "waves", "crayon")

_PICTURES = flags.DEFINE_list(
    "pictures", ["harbour", "swirls"], f"what to draw: harbour, {', '.join(STYLES)}; styles: all of these"
)
_OUTPUT = flags.DEFINE_string("output", "tfstyle/data", "folder to write them into, as .jpg")


def main(_):
    """Draws the pictures asked for."""
    names = [name for given in _PICTURES.value for name in (STYLES if given == "styles" else [given])]
    if unknown := set(names) - {"harbour", *STYLES}:
        raise app.UsageError(
            f"--pictures: {', '.join(sorted(unknown))}: must be harbour, styles, or some of these"
        )
    folder = pathlib.Path(_OUTPUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder / f"{name}.jpg"
        draw = getattr(importlib.import_module(f"pictures.{name}"), name)
        draw().save(path, quality=90, subsampling="4:2:2", optimize=True)
        print(path, path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    app.run(main)
