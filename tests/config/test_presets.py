"""Names and schedules of the presets; `test_conformance.py` has their objectives."""

import dataclasses

import pytest

from tfstyle.config import DEFAULT_PRESET, PRESETS, TransferConfig, preset, transfer
from tfstyle.config.units import UNITS
from tfstyle.synthesis.scales import stages

# What each source says: optimiser, iterations, start, longer side (0: the content's), number of sizes
# (0: automatic, one to 512 pixels); pooling, borders, normalised activations.
SETTINGS = {
    "gatys_code": ("lbfgs", 500, "content", 512, 0, "max", "zeros", False),
    "paper": ("lbfgs", 500, "noise", 512, 0, "average", "zeros", True),
    "jcjohnson": ("lbfgs", 1000, "noise", 512, 1, "max", "zeros", False),
    "anishathalye": ("adam", 1000, "noise", 0, 1, "max", "zeros", False),
    "tf_tutorial": ("adam", 1000, "content", 512, 1, "max", "zeros", False),
    "keras_example": ("sgd", 4000, "content", 533, 1, "max", "zeros", False),
    "crowsonkb": ("adam", 1000, "content", 512, 5, "max", "replicate", False),
}
# Learning rate, its decay, beta_1, beta_2, epsilon, averaging; 0.9, 0.999 and 1e-8 where the source
# leaves them to its library. From [0, 255] to [0, 1], a step of Adam is 255 times as small and its
# epsilon 255 times as large; a step of gradient descent is 255^2 times as small.
FIRST_ORDER = {
    "jcjohnson": (10 / 255, 1, 0.9, 0.999, 2.55e-6, 0),  # with optimizer=adam
    "anishathalye": (10 / 255, 1, 0.9, 0.999, 2.55e-6, 0),
    "tf_tutorial": (0.02, 1, 0.99, 0.999, 0.1, 0),
    "keras_example": (100 / 65025, 0.96, None, None, None, 0),
    "crowsonkb": (0.02, 1, 0.9, 0.99, 1e-8, 0.99),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name):
    made = PRESETS[name]
    found = (made.optimizer, made.iterations, made.init, made.image_size, made.scales)
    assert (*found, made.pooling, made.padding, made.normalize) == SETTINGS[name]
    assert made.weights == "imagenet"


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_steps(name):
    made = PRESETS[name]
    found = (made.learning_rate, made.learning_rate_decay, made.beta_1, made.beta_2)
    for value, expected in zip((*found, made.adam_epsilon, made.averaging), FIRST_ORDER[name]):
        assert expected is None or value == pytest.approx(expected, rel=1e-12)


def test_every_source_is_here():
    assert set(SETTINGS) == set(PRESETS) - {DEFAULT_PRESET, "mini"}


def test_sizes_and_iterations():
    """400 rows of Keras' example; crowsonkb's sizes, 1000 iterations at the first and 500 at the others."""
    crowsonkb = stages((384, 512), PRESETS["crowsonkb"])
    assert [stage.size[1] for stage in crowsonkb] == [128, 181, 256, 362, 512]
    assert [stage.size[0] for stage in crowsonkb] == [96, 136, 192, 272, 384]
    assert [stage.iterations for stage in crowsonkb] == [1000, 500, 500, 500, 500]
    for name in ("gatys_code", "paper", "jcjohnson", "tf_tutorial"):
        assert [stage.size for stage in stages((384, 512), PRESETS[name])] == [(384, 512)]
    assert round(533 * 3 / 4) == 400
    for name in ("jcjohnson", "anishathalye", "tf_tutorial", "keras_example"):
        assert len(stages((3000, 4000), PRESETS[name])) == 1


def test_units_are_choices():
    assert set(transfer.choices("units")) == set(UNITS)
    assert PRESETS[DEFAULT_PRESET].units == "relative"
    for name in set(UNITS) - {"relative"}:  # each has the preset of its name, which is in these units
        assert PRESETS[name].units == name


def test_names_and_the_papers_trade_off():
    assert preset(DEFAULT_PRESET) == TransferConfig()
    assert preset("mini") == dataclasses.replace(TransferConfig(), weights="mini")
    with pytest.raises(ValueError, match=r"^preset='papper': must be one of tfstyle, gatys_code, paper, "):
        preset("papper")
    # CVPR 2016, figure 3B: alpha/beta = 1e-3.
    paper = preset("paper")
    assert paper.content_weight / paper.style_weight == pytest.approx(1e-3)


def test_style_layers_may_change():
    """Only crowsonkb has weights of its own for layers, which must then be given anew."""
    for name in set(PRESETS) - {"crowsonkb"}:
        assert dataclasses.replace(PRESETS[name], style_layers=("conv1_1",)).style_layer_weights == ()
    with pytest.raises(ValueError, match=r"^style_layer_weights="):
        dataclasses.replace(PRESETS["crowsonkb"], style_layers=("conv1_1",))
