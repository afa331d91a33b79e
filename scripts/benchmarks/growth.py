"""What memory a run has taken after few and after many steps; call it in a process of its own."""

import gc
import pathlib
import tempfile
import time

import numpy as np

OPTIMIZERS = ("adam", "lbfgs")
# Of calls in one process, the sizes that they take turns in.
SIZES = {"same_size": [112], "two_sizes": [96, 128], "twenty_sizes": [*range(90, 130, 2)]}
_SIDE = 48
_SMALL = {
    "image_size": _SIDE, "precision": "float32", "content_layers": ("conv2_1",),
    "style_layers": ("conv1_1", "conv2_1"),
}  # fmt: skip


class Meter:
    """A reporter that keeps the memory of this process at some steps.

    Args:
      steps: those to keep it of; they must be reported.

    Attributes:
      resident: {step: bytes}, of what is held after a collection of garbage.
    """

    def __init__(self, steps):
        self._steps, self.resident = set(steps), {}

    def report(self, progress, image) -> None:
        """Looks at the memory where the step is one to keep."""
        from tfstyle.runtime.memory import resident_bytes

        if progress.step in self._steps:
            gc.collect()
            self.resident[progress.step] = resident_bytes()


def transfer(*, optimizer: str, weights: str, steps: list[int], log_every: int, logdir: bool) -> dict:
    """Returns {step: bytes} of a small transfer of as many steps as the last one says.

    Args:
      optimizer, weights, log_every: as in `TransferConfig`.
      steps: when to look; multiples of `log_every`.
      logdir: write for TensorBoard, too.
    """
    from tfstyle import TensorBoardReporter, TransferConfig
    from tfstyle import transfer as make

    steady = {"iterations": max(steps), "log_every": log_every, "init": "noise"}
    config = TransferConfig(optimizer=optimizer, weights=weights, **steady, **_SMALL)
    meter = Meter(steps)
    content, style = _pictures(2)
    with tempfile.TemporaryDirectory() as folder:
        boards = [TensorBoardReporter(pathlib.Path(folder))] if logdir else []
        result = make(content, style, config, reporters=[*boards, meter])
    return _found(meter, steps, result.ending or f"{result.steps[0]} steps were made")


def calls(*, weights: str, sizes: list[int], count: int) -> list[tuple[float, int]]:
    """Returns (seconds, bytes held after it) of each of so many transfers of different pictures."""
    from tfstyle import TransferConfig
    from tfstyle import transfer as make
    from tfstyle.runtime.memory import resident_bytes

    found, config = [], TransferConfig(weights=weights, image_size=0, iterations=2, precision="float32")
    generator = np.random.default_rng(0)
    for index in range(count):
        side = sizes[index % len(sizes)]
        content, style = generator.integers(0, 256, (2, side, side, 3), np.uint8)
        began = time.perf_counter()
        make(content, style, config)
        found.append((time.perf_counter() - began, resident_bytes()))
    return found


def training(*, weights: str, steps: list[int], log_every: int, logdir: bool) -> dict[str, int]:
    """Returns {step: bytes} of the training of a small network; arguments as in `transfer`."""
    from PIL import Image

    from tfstyle import TensorBoardReporter, TransferConfig, style_targets
    from tfstyle.training.recipe import InstantRecipe
    from tfstyle.training.training import train

    config = TransferConfig(weights=weights, scales=1, **_SMALL)
    small = {"batch_size": 1, "crop_size": 32, "width": 4, "residual_blocks": 1, "validation": 0}
    recipe = InstantRecipe(steps=max(steps), report_every=log_every, **small)
    meter = Meter(steps)
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, f"{number}.png") for number in range(3)]
        for path, picture in zip(paths, _pictures(3)):
            Image.fromarray(picture).save(path)
        boards = [TensorBoardReporter(pathlib.Path(folder, "logs"))] if logdir else []
        train(paths[1:], [style_targets(paths[0], config)], config, recipe, reporters=[*boards, meter])
    return _found(meter, steps, "the training ended early")


def _found(meter: Meter, steps: list[int], ending: str) -> dict[str, int]:
    if missing := sorted(set(steps) - set(meter.resident)):
        raise ValueError(f"steps={missing[0]}: was not reached, or is not reported; {ending}")
    return {step: meter.resident[step] for step in steps}


def _pictures(count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.integers(0, 256, (_SIDE, _SIDE, 3), np.uint8) for _ in range(count)]
