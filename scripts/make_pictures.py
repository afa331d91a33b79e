"""Makes the two pictures that the project ships: a harbour in low sun, and a painting of swirls.

    python scripts/make_pictures.py --output=tfstyle/data

Both are drawn from scratch with seeded random numbers, so that nobody's rights
are in them and anybody can make them again. The harbour has structure at every
size, and depth from the jetty to the snow; the painting has bold strokes that
follow a flow, in few colours. The drawing itself is in `pictures`.
"""

import pathlib

from absl import app, flags
from pictures.harbour import harbour
from pictures.swirls import swirls

_OUTPUT = flags.DEFINE_string("output", "tfstyle/data", "folder to write harbour.jpg and swirls.jpg into")


def main(_):
    """Writes both pictures."""
    folder = pathlib.Path(_OUTPUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in (("harbour", harbour), ("swirls", swirls)):
        path = folder / f"{name}.jpg"
        make().save(path, quality=90, subsampling="4:2:2", optimize=True)
        print(path, path.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    app.run(main)
