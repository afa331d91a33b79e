"""Contents times styles in one graph, against one at a time."""

import dataclasses

import numpy as np
import pytest

from tfstyle import Workshop, style_targets, transfer, transfer_batch

from conftest import Recorder, picture, shallow

CONTENTS = [picture(36, 48, 1), picture(40, 40, 2), picture(36, 48, 3)]
STYLES = [picture(40, 40, 4), picture(36, 50, 5)]


@pytest.fixture
def config(narrow_file):
    return shallow(narrow_file, image_size=48, iterations=6, scales=1)


def test_adam_makes_the_same_pictures(config):
    """Of two sizes, in groups of no more than three; losses of the history are means."""
    config, recorder = dataclasses.replace(config, iterations=3), Recorder()
    made = transfer_batch(CONTENTS, STYLES, config, batch_size=3, reporters=[recorder])
    for content, style in ((0, 1), (1, 0), (2, 0)):
        result, alone = made[content][style], transfer(CONTENTS[content], STYLES[style], config)
        np.testing.assert_allclose(result.image, alone.image, rtol=1e-4)
        assert result.losses == pytest.approx(alone.losses, rel=1e-4)
        assert result.evaluations == alone.evaluations
    assert sorted({image.shape for _, image in recorder.seen if image.shape[1] in (36, 48)}) == [
        (1, 36, 48, 3), (2, 48, 48, 3), (3, 36, 48, 3),
    ]  # fmt: skip
    assert made[0][0].history[-1].total == pytest.approx(
        np.mean([each.total for each in (made[0][0], made[0][1], made[2][0])]), rel=1e-4
    )


def test_lbfgs_of_each_is_its_own(config):
    """Step by step in exact agreement while rounding has not yet been amplified; then as good."""
    config = dataclasses.replace(config, optimizer="lbfgs", iterations=4, lbfgs_history=3)
    ((one,), (other,)) = transfer_batch([CONTENTS[0], CONTENTS[2]], STYLES[:1], config)
    for content, result in ((CONTENTS[0], one), (CONTENTS[2], other)):
        alone = transfer(content, STYLES[0], config)
        np.testing.assert_allclose(result.image, alone.image, atol=1e-4)
        assert result.total == pytest.approx(alone.total, rel=1e-4)


def test_small_styles_have_fewer_scales(config):
    config = dataclasses.replace(config, iterations=2, scales=2, style_layers="conv1_1,conv3_1")
    made = transfer_batch(CONTENTS[:1], [STYLES[0], STYLES[0][:5]], config)
    for result, scales, style in zip(made[0], (2, 1), (STYLES[0], STYLES[0][:5])):
        assert result.history[0].scales == scales
        np.testing.assert_allclose(result.image, transfer(CONTENTS[0], style, config).image, atol=1e-4)


def test_options_that_are_each_pictures_own(config):
    """Strength is measured, colours are the content's, and what is transparent is not painted."""
    opacity = np.full((36, 48, 1), 255, np.uint8)
    opacity[:, 30:] = 0
    contents = [CONTENTS[0], np.concatenate([CONTENTS[2], opacity], axis=-1)]
    config = dataclasses.replace(config, style_strength=0.5, color="content")
    made = transfer_batch(contents, STYLES[:1], config)
    for content, (result,) in zip(contents, made):
        alone = transfer(content, STYLES[0], config)
        np.testing.assert_allclose(result.image, alone.image, atol=1e-4)
        assert (result.alpha is None) == (alone.alpha is None)
    assert made[1][0].alpha is not None


def test_targets_and_blends_are_styles(config):
    config = dataclasses.replace(config, iterations=2)
    styles = [style_targets(STYLES[0], config), STYLES]
    made = transfer_batch(CONTENTS[:1], styles, config)
    for result, style in zip(made[0], styles):
        np.testing.assert_allclose(result.image, transfer(CONTENTS[0], style, config).image, rtol=1e-4)


def test_a_group_of_other_pictures_is_compiled_no_more(config):
    config, workshop = dataclasses.replace(config, iterations=1), Workshop()
    transfer_batch(CONTENTS[:1], STYLES[:1], config, workshop=workshop)
    kept = list(workshop._kept)
    transfer_batch(CONTENTS[2:], [np.flipud(STYLES[0])], config, workshop=workshop)
    assert sorted(map(id, workshop._kept)) == sorted(map(id, kept))


def test_mistakes(config):
    with pytest.raises(ValueError, match="content 2, style: content: an array of"):
        transfer_batch([CONTENTS[0], np.zeros((4, 4), bool)], STYLES[:1], config)
    with pytest.raises(ValueError, match="batch_size=0"):
        transfer_batch(CONTENTS, STYLES, config, batch_size=0)
    with pytest.raises(ValueError, match="must be lists"):
        transfer_batch("photo.jpg", STYLES, config)
    zhang = dataclasses.replace(config, optimizer="lbfgs", line_search="hager_zhang")
    with pytest.raises(ValueError, match="one picture at a time"):
        transfer_batch([CONTENTS[0], CONTENTS[2]], STYLES[:1], zhang)
