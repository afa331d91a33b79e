"""Of any size, aspect, layers, types and options: finite values and gradients, and pictures of the right shape.

Examples are the same in every run. TFSTYLE_PROPERTIES=200 tries that many of each, and others each time.
"""

import dataclasses
import os

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from tfstyle import Workshop, transfer
from tfstyle.config.transfer import choices
from tfstyle.synthesis.inputs import make_inputs
from tfstyle.synthesis.objectives import Objectives
from tfstyle.synthesis.starts import initial_image

from conftest import DEPTHS, published

MORE = int(os.environ.get("TFSTYLE_PROPERTIES", 0))
LAYERS = [f"block{block}_conv{conv}" for block, depth in DEPTHS.items() for conv in range(1, depth + 1)]
MOST = 300
CHOICES = ("pooling", "style_loss", "units", "tv_loss", "color", "color_matching")
TYPES = ("uint8", "uint16", "float16", "bfloat16", "float32", "float64")


def examples(count):
    """So many examples, the same in each run, unless more are asked for."""
    return hypothesis.settings(
        max_examples=MORE or count, derandomize=not MORE, deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip


# Mostly small: large ones take as long as ten of these.
sides = st.one_of(st.integers(1, 48), st.integers(1, MOST))
subsets = st.lists(st.sampled_from(LAYERS), min_size=1, max_size=3, unique=True).map(tuple)


def pixels(height, width, kind, seed):
    """A picture of that type: noise, or of one colour, where gradients are most often not finite."""
    generator = np.random.default_rng(seed)
    values = generator.uniform(size=(height, width, 3) if seed % 4 else (1, 1, 3))
    values = np.broadcast_to(values, (height, width, 3))
    if kind.startswith("uint"):
        return np.round(values * np.iinfo(kind).max).astype(kind)
    return tf.cast(values, kind)


@st.composite
def runs(draw):
    """A config, a content and a style of its own aspect, all at least as large as the network asks for."""
    content_layers, style_layers = draw(subsets), draw(subsets)
    deepest = max(int(name[5]) for name in (*content_layers, *style_layers))
    padding = draw(st.sampled_from(("zeros", "reflect", "replicate")))
    least = 2 ** (deepest - 1) * (2 if padding == "reflect" else 1)
    size, style_size = ([max(least, draw(sides)) for _ in "hw"] for _ in "cs")
    config = published(
        content_layers=content_layers, style_layers=style_layers, padding=padding,
        evaluation=draw(st.sampled_from(("plain", "recompute", "tiled"))),
        tv_weight=draw(st.sampled_from((0.0, 1e-3, 1.0))),
        precision=draw(st.sampled_from(("float32", "bfloat16"))),
        init=draw(st.sampled_from(("content", "noise"))), image_size=0, iterations=1, scales=1,
        **{name: draw(st.sampled_from(choices(name))) for name in CHOICES},
    )  # fmt: skip
    seeds = [draw(st.integers(0, 7)) for _ in range(2)]
    kinds = [draw(st.sampled_from(TYPES)) for _ in range(2)]
    return config, pixels(*size, kinds[0], seeds[0]), pixels(*style_size, kinds[1], seeds[1])


@pytest.fixture(scope="module")
def networks():
    """Keeps networks and graphs from example to example."""
    return Workshop()


@hypothesis.given(run=runs())
@examples(8)
def test_objectives_and_their_gradients(run, narrow_file, networks):
    config, content, style = run
    # Enough iterations that some are not the last, which are exact.
    config = dataclasses.replace(config, weights=narrow_file, iterations=10)
    inputs = make_inputs(content, style, config)
    objectives = Objectives(inputs, config, None, networks)
    assert objectives.size == content.shape[:2]
    objective = objectives.at(objectives.size)
    image = initial_image(
        config.init, objectives.size, content=inputs.content, style=inputs.pictures[0], seed=0
    )
    with tf.GradientTape() as tape:
        tape.watch(image)
        values = objective.each(image)
        weighted = [term.weight * tf.cast(values[term.name], tf.float64) for term in objective.terms]
        total = tf.add_n(weighted)
    gradient = tape.gradient(total, image)
    kinds = {name.split("/")[0] for name in values}
    assert kinds == {"content", "style", "total_variation"} - (
        {"total_variation"} if config.tv_weight == 0 else set()
    )
    for name, value in values.items():
        assert value.shape == [1] and np.isfinite(value).all() and value >= -1e-3 * (1 + abs(value)), name
    assert gradient.shape == image.shape == (1, *content.shape[:2], 3)
    assert np.isfinite(gradient).all()
    if config.init == "noise":
        assert np.any(gradient)


@hypothesis.given(run=runs(), optimizer=st.sampled_from(("adam", "lbfgs")))
@examples(3)
def test_a_step_ends_in_a_picture_of_the_contents_size(run, optimizer, narrow_file, networks):
    config, content, style = run
    config = dataclasses.replace(config, weights=narrow_file, optimizer=optimizer)
    result = transfer(content, style, config, workshop=networks)
    assert result.image.shape == (1, *content.shape[:2], 3) and result.image.dtype == tf.float32
    assert np.all((result.image >= 0) & (result.image <= 1))  # so that it is finite, too
    assert np.isfinite(list(result.losses.values())).all()
