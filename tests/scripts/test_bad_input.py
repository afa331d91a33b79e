"""Every mistake ends with one line that names it, here one of each kind: exit status 1, no traceback, nothing lost."""

import re

import numpy as np
import pytest
from PIL import Image

from conftest import file_bytes, narrow_weights, one_line, picture, run_script, well, without_tensorflow

# No cache of weights, no package index, and a proxy that is not there.
OFFLINE = {
    "KERAS_HOME": "keras", "TFSTYLE_CACHE": "cache", "TMPDIR": ".", "HTTPS_PROXY": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "",
}  # fmt: skip
# name: (flags, environment, what the line says)
MISTAKES = {
    "missing file": (["--content=none.png"], {}, "content='none.png': no such file"),
    "missing second style": (["--style=none.png"], {}, "style 2='none.png': no such file"),
    "truncated": (["--content=short.jpg"], {}, "content='short.jpg': is damaged or cut short"),
    "weight not a number": (["--content_weight=nan"], {}, "content_weight=nan: must be a finite number"),
    "weight in words": (["--style_weight=much"], {}, "flag --style_weight=much"),
    "unknown optimiser": (["--optimizer=newton"], {}, "flag --optimizer=newton"),
    "no content": (["--content="], {}, "--content: is missing; it must name a picture file"),
    "output below a file": (["--output=text.png/out.png"], {}, "output='text.png': cannot be made"),
    "output is the content": (["--output=link.png"], {}, "output='link.png': would take the place of content='good.png'"),
    "output is read-only": (["--output=~/kept.png"], {"HOME": "."}, "output='kept.png': is read-only"),
    "output is a folder": (["--output=folder.png"], {}, "output='folder.png': is a folder"),
    "output of no kind": (["--output=out.gif"], {}, "output='out.gif': must end in .png, .jpg, .jpeg"),
    "checkpoint below a file": (["--checkpoint_dir=text.png/x"], {}, "checkpoint_dir='text.png/x': cannot be made"),
    "no network for imagenet": (
        ["--weights=imagenet"],
        OFFLINE,
        "weights='imagenet': could not be downloaded (Keras: ",
    ),
    "from a picture of another program": (["--from=good.png"], {}, "from='good.png': carries no tfstyle settings"),
    "from with a preset": (["--from=good.png", "--preset=paper"], {}, "cannot be given with --from"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    Image.fromarray(picture(36, 48)).save(folder / "good.png")
    Image.fromarray(picture(9, 12)).save(folder / "tiny.png")
    (folder / "short.jpg").write_bytes(file_bytes(picture(90, 90), "JPEG")[:900])
    (folder / "text.png").write_text("not a picture")
    (folder / "out.png").write_bytes(b"what was there before")
    (folder / "link.png").hardlink_to(folder / "good.png")
    (folder / "kept.png").touch(0o444)
    (folder / "folder.png").mkdir()
    np.savez(folder / "good.npz", **narrow_weights())
    return folder


@pytest.mark.parametrize("name", MISTAKES)
def test_one_line_and_nothing_lost_and_nothing_left(folder, name):
    """A flag given twice counts as given last, but pictures of the style add up."""
    flags, environment, told = MISTAKES[name]
    usual = [
        "--content=good.png", "--style=good.png", "--weights=good.npz", "--padding=zeros", "--iterations=2",
        "--image_size=40", "--output=out.png",
    ]  # fmt: skip
    process = run_script("style_transfer.py", *usual, *flags, cwd=folder, **environment)
    # A download that does not end at once is told, on a busy machine even one without a network.
    process.stderr = re.sub("^downloading VGG19.*\n", "", process.stderr, flags=re.MULTILINE)
    assert told in one_line(process)
    assert (folder / "out.png").read_bytes() == b"what was there before"
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_from_tells_what_has_changed(folder):
    flags = [
        "--content=good.png", "--style=tiny.png", "--weights=good.npz", "--iterations=1", "--optimizer=adam",
        "--image_size=40", "--padding=zeros", "--content_layers=conv1_1", "--style_layers=conv1_1",
    ]  # fmt: skip
    well(run_script("style_transfer.py", *flags, "--output=made.png", cwd=folder))
    Image.fromarray(picture(36, 48, seed=9)).save(folder / "tiny.png")
    process = run_script("style_transfer.py", "--from=made.png", "--output=again.png", cwd=folder)
    assert one_line(process) == (
        "style_transfer.py: error: from='made.png': its style 'tiny.png' has changed since;"
        " to use it all the same, give --style"
    )
    other = run_script("reconstruct.py", "--from=made.png", cwd=folder)
    assert "was made by tfstyle transfer; run that" in one_line(other)


@pytest.mark.parametrize("command", [["transfer", "--content=good.png"], ["reconstruct"]])
def test_a_picture_far_too_large_is_refused_before_tensorflow_is_imported(folder, command):
    given = [*command, "--style=good.png", "--image_size=20000", "--memory_limit=20"]
    no_gpu = "from tfstyle.runtime import memory; memory.shows_gpu = lambda: False"
    ended = without_tensorflow(*given, cwd=folder, first=no_gpu)
    # 100 bytes a pixel and 24 for each of 30 pairs; a pixel of 48 x 36 is one of 20000 x 15000
    assert ended.returncode == 1
    assert "error: image_size=20000: needs 246.00 GB of memory, and 20.00 GB are there" in ended.stderr
    assert "an image_size below 5702" in ended.stderr and ended.stderr.count("\n") == 1
