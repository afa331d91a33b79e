import dataclasses

import pytest

from tfstyle import PRESETS, TransferConfig
from tfstyle.config.layer_names import canonical_name
from tfstyle.figures import FIGURES, figure, grid

BASE = PRESETS["paper"]


@pytest.mark.parametrize(
    ("name", "columns", "count"),
    [
        ("representations", 5, 10), ("tradeoff", 2, 4), ("layers", 2, 4), ("initialisation", 3, 6),
        ("photo", 1, 1), ("control", 4, 16),
    ],
)  # fmt: skip
def test_shapes(name, columns, count):
    made = figure(name, BASE)
    assert (made.columns, len(made.panels)) == (columns, count)
    # A name stands for a run: as many names as different runs.
    runs = {(panel.task, panel.pictures, panel.config) for panel in made.panels}
    assert len({panel.name for panel in made.panels}) == len(runs)


def test_every_figure_is_tested():
    assert set(FIGURES) == {"representations", "tradeoff", "layers", "initialisation", "photo", "control"}


def test_representations_are_the_papers():
    panels = figure("representations", PRESETS["jcjohnson"]).panels
    assert [panel.config.content_layers for panel in panels[:5]] == [
        (canonical_name(f"conv{block}_2"),) for block in range(1, 6)
    ]
    assert [len(panel.config.style_layers) for panel in panels[5:]] == [1, 2, 3, 4, 5]
    assert all(panel.config.init == "noise" and panel.config.tv_weight == 0 for panel in panels)
    assert [panel.pictures for panel in panels] == [("content",)] * 5 + [("style",)] * 5


@pytest.mark.parametrize("preset", ["paper", "gatys_code"])
def test_tradeoff_is_the_papers(preset):
    panels = figure("tradeoff", PRESETS[preset]).panels
    ratios = [panel.config.content_weight / panel.config.style_weight for panel in panels]
    assert ratios == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert panels[0].caption == "content / style = 0.0001"


def test_layers_magnifies_what_it_shows():
    whole, part, *_ = figure("layers", BASE).panels
    assert whole.config == part.config and whole.name == part.name == "conv2_2"
    assert (whole.magnified, part.magnified) == (False, True)


def test_noise_has_seeds_of_its_own():
    panels = figure("initialisation", TransferConfig(seed=5)).panels
    assert [(panel.config.init, panel.config.seed) for panel in panels] == [
        ("content", 5), ("style", 5), ("noise", 5), ("noise", 6), ("noise", 7), ("noise", 8),
    ]  # fmt: skip


def test_grid_is_every_combination():
    rows = ("seed", {"1": {"seed": 1}, "2": {"seed": 2}})
    columns = ("style_weight", {"1e2": {"style_weight": 1e2}, "1e3": {"style_weight": 1e3}})
    made = grid(BASE, rows, columns)
    assert [(panel.config.seed, panel.config.style_weight) for panel in made.panels] == [
        (1, 100.0), (1, 1000.0), (2, 100.0), (2, 1000.0),
    ]  # fmt: skip
    assert (made.panels[3].row, made.panels[3].column) == ("seed 2", "style_weight 1e3")


def test_unknown_figure():
    with pytest.raises(ValueError, match="figure='tradeof': must be one of representations, tradeoff"):
        figure("tradeof", BASE)


@pytest.mark.parametrize("name", ["content_weight", "style_weight"])
def test_tradeoff_needs_both_weights(name):
    with pytest.raises(ValueError, match=f"{name}=0: must be above 0"):
        figure("tradeoff", dataclasses.replace(BASE, **{name: 0.0}))


def test_control_changes_one_thing_at_a_time():
    base = dataclasses.replace(PRESETS["jcjohnson"], style_strength=0.3)
    for panel in figure("control", base).panels:
        ours, theirs = panel.config.to_dict(), base.to_dict()
        changed = {name for name in ours if ours[name] != theirs[name]}
        assert changed <= {"photorealistic", "postprocess"} or len(changed) <= 1
