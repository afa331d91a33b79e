"""What a picture costs one at a time, several in a graph, and through a graph that is compiled once."""

import dataclasses
import time
from collections.abc import Callable
from statistics import median

from benchmarks import tables
from benchmarks.running import Announcer

WAYS = {
    "transfer": "`transfer`, one at a time",
    "transfer_batch": "`transfer_batch`",
    "stylizer": "`stylizer`, one at a time",
    "stylizer_batch": "`stylizer`, batches",
}


def measure(pictures: dict[str, str], config, sizes: list[int], pictures_each: int, repeats: int) -> dict:
    """Paints the content, turned and mirrored into so many, in each way, in turns, at each longer side.

    Returns:
      {size: {way: median seconds a picture}}, and under ``compiling`` the seconds that a stylizer takes
      before its first picture.
    """
    announcer, measured = Announcer(len(sizes) * repeats * len(WAYS)), {}
    for size in sizes:
        at_size = dataclasses.replace(config, image_size=size)
        ways, compiling = _ways(pictures, at_size, size, pictures_each)
        seconds = {name: [] for name in ways}
        for repeat in range(repeats):
            for name, way in ways.items():
                announcer.begin(f"{size} px, {name}, repeat {repeat + 1} of {repeats}")
                seconds[name].append(_timed(way) / pictures_each)
        measured[size] = {name: median(values) for name, values in seconds.items()} | {"compiling": compiling}
    return measured


def _ways(pictures: dict[str, str], config, size: int, count: int) -> tuple[dict[str, Callable], float]:
    """Returns the ways to paint, ready to be called, and the seconds that a stylizer took to be ready."""
    import numpy as np
    import tensorflow as tf

    import tfstyle

    content, style = tfstyle.load_image(pictures["content"]), pictures["style"]
    square = np.clip(tf.image.resize(content, [size, size], antialias=True)[0].numpy(), 0, 1)
    contents = [np.ascontiguousarray(_turned(square, index)) for index in range(count)]
    began = time.perf_counter()
    stylize = tfstyle.stylizer(style, config)
    for some in (contents[:1], contents):
        stylize(np.stack(some))
    compiling = time.perf_counter() - began
    return {
        "transfer": lambda: [tfstyle.transfer(each, style, config) for each in contents],
        "transfer_batch": lambda: tfstyle.transfer_batch(contents, [style], config, batch_size=count),
        "stylizer": lambda: [stylize(each) for each in contents],
        "stylizer_batch": lambda: stylize(np.stack(contents)),
    }, compiling


def _timed(function: Callable) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def _turned(picture, index: int):
    """Returns one of the eight ways to look at a square picture."""
    turned = picture.swapaxes(0, 1) if index & 1 else picture
    return turned[:: -1 if index & 2 else 1, :: -1 if index & 4 else 1]


def markdown(measured: dict) -> str:
    """Returns a table of seconds a picture, and of what a stylizer takes once."""
    header = ("seconds a picture", *(f"{size} px" for size in measured))
    rows = [(text, *(f"{at[name]:.2f}" for at in measured.values())) for name, text in WAYS.items()]
    compiling = [f"{at['compiling']:.1f}" for at in measured.values()]
    return tables.markdown(header, [*rows, ("a stylizer's first call of each kind, once", *compiling)])
