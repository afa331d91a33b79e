"""Panels in plain colours: whatever covered one would take pixels of its colour away."""

import numpy as np
import pytest
from PIL import Image

from tfstyle import PRESETS
from tfstyle.figures import Rendered, draw_sheet, figure, grid

COLORS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)]
COLORS += [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)]
SEEDS = {"1": {"seed": 1}, "2": {"seed": 2}}
LONG = {"a value that is far longer than a panel is wide": {"style_weight": 1.0}, "3": {"style_weight": 3.0}}


def rendered(chosen, folder, size=(60, 40)):
    names = list(dict.fromkeys(panel.name for panel in chosen.panels))
    for name, color in zip(names, COLORS):
        Image.new("RGB", size, color).save(folder / f"{name}.png")
    return [Rendered(panel, folder / f"{panel.name}.png", {}, 1.0, 1) for panel in chosen.panels]


@pytest.mark.parametrize(
    "chosen",
    [
        figure("representations", PRESETS["paper"]),
        figure("initialisation", PRESETS["paper"]),
        figure("photo", PRESETS["paper"]),
        grid(PRESETS["paper"], ("seed", SEEDS), ("style_weight", LONG)),
    ],
    ids=lambda chosen: chosen.name,
)
def test_nothing_covers_a_panel(chosen, tmp_path):
    inputs = {
        "content": Image.new("RGB", (30, 60), (255, 128, 0)),
        "style": Image.new("RGB", (60, 60), (128, 0, 255)),
    }
    sheet = np.asarray(draw_sheet(chosen, rendered(chosen, tmp_path), inputs, cell=60))
    for color in COLORS[: len(chosen.panels)]:
        rows, columns = np.nonzero((sheet == color).all(-1))
        assert len(rows) == 60 * 40
        assert np.ptp(rows) == 39 and np.ptp(columns) == 59
    assert (sheet == (255, 128, 0)).all(-1).sum() == 15 * 30
    assert (sheet == (128, 0, 255)).all(-1).sum() == 30 * 30
    assert (sheet == (32, 32, 32)).all(-1).sum() > 100  # type
    # Nothing reaches the right or lower edge, where it might be cut off.
    assert (sheet[:, -1] == 255).all() and (sheet[-1] == 255).all()


def test_panels_stand_in_reading_order(tmp_path):
    chosen = figure("initialisation", PRESETS["paper"])
    sheet = np.asarray(draw_sheet(chosen, rendered(chosen, tmp_path), {}, cell=60))
    corners = [np.argwhere((sheet == color).all(-1))[0].tolist() for color in COLORS[:6]]
    assert corners == sorted(corners)
    assert len({top for top, _ in corners}) == 2 and len({left for _, left in corners}) == 3


def test_magnified_panels_show_the_middle(tmp_path):
    chosen = figure("layers", PRESETS["paper"])
    entries = rendered(chosen, tmp_path)
    picture = Image.new("RGB", (60, 30), (255, 0, 0))
    picture.paste((10, 20, 30), (20, 10, 40, 20))
    picture.save(entries[0].path)
    sheet = np.asarray(draw_sheet(chosen, entries, {}, cell=60))
    assert (
        150 <= (sheet == (10, 20, 30)).all(-1).sum() - 60 * 30 <= 200
    )  # whole: 20 x 10; magnified: all of it
