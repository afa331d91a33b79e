"""The transfer as one graph, against the one with Python between its steps."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfstyle import style_targets, transfer
from tfstyle.losses.measuring import measure
from tfstyle.losses.targets import stacked
from tfstyle.synthesis.graph_transfer import GraphObjective, GraphTransfer

from conftest import narrow_weights, picture, shallow

STYLE = picture(40, 44, seed=4)


@pytest.fixture
def config(narrow_file):
    return shallow(narrow_file, image_size=64, iterations=5, scales=2, scale_factor=1.5)


def floats(*pictures):
    return tf.constant(np.stack(pictures) / np.float32(255))


CHANGES = {
    "adam, scales left out": {"scales": 3, "scale_factor": 2.0, "iterations": 3},
    "lbfgs, strength, variation": {
        "optimizer": "lbfgs", "lbfgs_history": 3, "style_strength": 0.5, "tv_weight": 1.0, "units": "keras_example",
        "tv_loss": "power", "padding": "replicate", "image_size": 70, "scales": 1,
    },
    "sgd from noise, averaging, own size, all scales": {
        "optimizer": "sgd", "learning_rate": 1e-3, "init": "0.5*content+0.5*noise", "seed": 3,
        "averaging": 0.9, "learning_rate_decay": 0.5, "image_size": 0, "scales": 0, "style_scale": 1.3,
    },
    "the content's colours, histograms": {"color": "content", "style_loss": "histogram", "scales": 1},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_what_transfer_makes(config, change):
    config = dataclasses.replace(config, **CHANGES[change])
    signature = [tf.TensorSpec([None, None, None, 3])] * 2 + [tf.TensorSpec([], tf.int32)]
    paint = tf.function(GraphTransfer(config).paint, input_signature=signature, autograph=False)
    # That a trace serves other sizes is seen once.
    for content in (picture(37, 51, seed=1), picture(90, 44, seed=2))[
        : 2 if change.startswith("adam") else 1
    ]:
        found = paint(floats(content), floats(STYLE), config.iterations)
        np.testing.assert_allclose(found, transfer(content, STYLE, config).image, atol=2e-3)


@pytest.mark.slow
def test_coarse_scales_on_another_network(config, tmp_path):
    """In a run, in a graph, and with targets in place of the style; and it does make a difference."""
    np.savez(tmp_path / "other.npz", **narrow_weights(seed=1))
    another = dataclasses.replace(config, coarse_weights=str(tmp_path / "other.npz"), iterations=3)
    content, steps = picture(36, 48, seed=1), tf.constant(3)
    expected = transfer(content, STYLE, another).image
    same = transfer(content, STYLE, dataclasses.replace(another, coarse_weights="same")).image
    assert np.abs(expected - same).max() > 0.02
    np.testing.assert_allclose(
        GraphTransfer(another).paint(floats(content), floats(STYLE), steps), expected, atol=1e-3
    )
    targets = style_targets(STYLE, another)
    np.testing.assert_allclose(transfer(content, targets, another).image, expected, atol=1e-3)
    np.testing.assert_allclose(
        GraphTransfer(another, targets).paint(floats(content), None, steps), expected, atol=1e-3
    )
    with pytest.raises(ValueError, match=r"coarse_weights=.*other.npz, and the run has coarse_weights=same"):
        transfer(content, targets, dataclasses.replace(another, coarse_weights="same"))


@pytest.mark.slow
def test_pictures_of_a_batch_are_made_each_on_its_own(config):
    config = dataclasses.replace(config, optimizer="lbfgs", lbfgs_history=3, style_strength=0.4, scales=1)
    contents, styles = [picture(36, 48, seed) for seed in (1, 2)], [STYLE, picture(40, 44, seed=5)]
    together = GraphTransfer(config).paint(floats(*contents), floats(*styles), tf.constant(5))
    for made, content, style in zip(together, contents, styles):
        np.testing.assert_allclose(made, transfer(content, style, config).image[0], atol=1e-3)


@pytest.mark.slow
def test_targets_in_place_of_the_style(config):
    """Given before, or with each call: one trace serves all styles. Losses and evaluations are `transfer`'s, too."""
    config = dataclasses.replace(config, style_loss="histogram", iterations=3, scales=1)
    content, traces = picture(36, 48, seed=1), []
    program = GraphTransfer(config)

    @tf.function(autograph=False)
    def make(content, stack):
        traces.append(1)
        return program.make(content, stack, tf.constant(3))

    for style in (STYLE, picture(44, 40, seed=5)):
        expected = transfer(content, style, config)
        found = make(floats(content), stacked(style_targets(style, config)))
        np.testing.assert_allclose(found.picture, expected.image, atol=1e-3)
        assert found.evaluations == expected.evaluations
        for name, value in expected.losses.items():
            np.testing.assert_allclose(found.losses[name], [value], rtol=1e-3)
    assert len(traces) == 1
    baked = GraphTransfer(config, style_targets(STYLE, config)).paint(floats(content), None, tf.constant(3))
    np.testing.assert_allclose(baked, transfer(content, STYLE, config).image, atol=1e-3)


@pytest.mark.slow
def test_bfloat16_ends_exactly(config):
    """Rounding decides where each step goes; that it goes down, and that the end is in float32, does not hang on it."""
    config = dataclasses.replace(config, precision="bfloat16", scales=1, iterations=20, image_size=48)
    content, program = picture(36, 48, seed=1), GraphTransfer(config)
    few, many = (program.paint(floats(content), floats(STYLE), tf.constant(steps)) for steps in (2, 20))
    style = measure(program.extractor, floats(STYLE), config.style_layers, config.style_loss)
    losses = GraphObjective(config, program.extractor, floats(content), style).losses()
    assert sum(losses(many).values()) < 0.7 * sum(losses(few).values())


def test_too_small(config):
    paint = GraphTransfer(dataclasses.replace(config, style_layers=("conv1_1", "conv5_1"))).paint
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"content: too small.*at least 16 pixels"):
        paint(floats(picture(12, 50, seed=1)), floats(STYLE), tf.constant(2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="style: too small"):
        paint(floats(picture(50, 50, seed=1)), floats(picture(10, 50, seed=1)), tf.constant(2))
    with pytest.raises(tf.errors.InvalidArgumentError, match="steps: must be 1 or above"):
        paint(floats(picture(50, 50, seed=1)), floats(STYLE), tf.constant(0))


@pytest.mark.parametrize(
    "change",
    [
        {"photorealistic": True},
        {"postprocess": "guided"},
        {"normalize": True},
        {"optimizer": "lbfgs", "line_search": "hager_zhang"},
        {"evaluation": "tiled"},
        {"color": "matched"},
        {"init": "style"},
    ],
)
def test_what_a_graph_cannot_do(config, change):
    with pytest.raises(ValueError, match=f"{list(change)[-1]}=.*not possible in a graph"):
        GraphTransfer(dataclasses.replace(config, **change))
