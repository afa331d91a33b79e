"""What a run is made from: sizes, colours, masks and opacity of what users give; what is seen, and finished, of it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle import TransferConfig
from tfstyle.synthesis.inputs import Compositing, make_inputs

from conftest import picture

CONTENT, STYLE, OTHER = picture(36, 48, seed=1), picture(40, 30, seed=2), picture(20, 20, seed=3)
LIGHT = np.array([0.299, 0.587, 0.114])


def left(height, width, value=255):
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = value
    return mask


def labels(height, width, *colors):
    """Stripes of colours, from left to right."""
    found = np.zeros((height, width, 3), np.uint8)
    for index, color in enumerate(colors):
        found[:, index * width // len(colors) :] = color
    return found


@pytest.fixture
def config():
    return TransferConfig(image_size=24)


def inputs(config, *arguments, **masks):
    return make_inputs(*arguments, config, **masks)


def test_sizes(config):
    made = inputs(dataclasses.replace(config, style_scale=0.5), CONTENT, [STYLE, OTHER])
    assert made.size == (18, 24)
    assert [style.shape[1:3] for style in made.pictures] == [(12, 9), (12, 12)]
    made = inputs(dataclasses.replace(config, image_size=0, style_scale=2.0), CONTENT, STYLE)
    assert made.size == (36, 48) and made.pictures[0].shape[1:3] == (80, 60)


def test_shares(config):
    made = inputs(dataclasses.replace(config, style_blend=(3, 1)), CONTENT, [STYLE, OTHER])
    assert [source.share for source in made.regions[0].sources] == [3.0, 1.0]
    with pytest.raises(
        ValueError, match=r"^style_blend=3.0,1.0: must hold one share for each of the 1 styles"
    ):
        inputs(dataclasses.replace(config, style_blend=(3, 1)), CONTENT, STYLE)
    with pytest.raises(ValueError, match=r"^style: must be at least one picture"):
        inputs(config, CONTENT, [])


def test_colours_of_the_content_leave_light_alone(config):
    made = inputs(dataclasses.replace(config, color="content"), CONTENT, STYLE)
    for image in (made.content, *made.pictures):
        np.testing.assert_allclose(image[..., 0], image[..., 2], atol=1e-6)
    style, content = (float(tf.reduce_mean(image)) for image in (made.pictures[0], made.content))
    assert style == pytest.approx(content, abs=0.02)  # as light; clipping aside
    # The picture is finished with the content's colours.
    np.testing.assert_allclose(made.compositing.content.numpy() @ LIGHT, made.content[..., 0], atol=1e-5)
    assert float(tf.math.reduce_std(made.compositing.content, axis=-1)[0, 0, 0]) > 0


@pytest.mark.parametrize("form", ["pca", "cholesky"])
def test_colours_of_the_style_are_matched(config, form):
    made = inputs(dataclasses.replace(config, color="matched", color_matching=form), CONTENT, STYLE)
    content, style = (np.asarray(image).reshape(-1, 3) for image in (made.content, made.pictures[0]))
    np.testing.assert_allclose(style.mean(0), content.mean(0), atol=0.03)  # clipping moves it a little
    assert np.abs(inputs(config, CONTENT, STYLE).pictures[0] - made.pictures[0]).max() > 0.05


def test_regions_by_colour(config):
    red, blue = (255, 0, 0), (0, 0, 255)
    made = inputs(
        config,
        CONTENT,
        STYLE,
        content_masks=[labels(36, 48, red, blue)],
        style_masks=[labels(40, 30, blue, red)],
    )
    assert len(made.regions) == 2 and made.compositing.mask is None
    for region in made.regions:
        where, what = (np.asarray(mask)[0, ..., 0] for mask in (region.mask, region.sources[0].mask))
        # What lies left in the content is right in the style.
        assert (where[:, :8].mean() > 0.9) != (what[:, :6].mean() > 0.9)


def test_a_single_mask_keeps_the_rest(config):
    made = inputs(config, CONTENT, STYLE, content_masks=[left(36, 48)])
    (region,) = made.regions
    np.testing.assert_array_equal(made.compositing.mask, region.mask)
    np.testing.assert_allclose(region.mask[0, :, :8], 1, atol=1e-6)
    np.testing.assert_allclose(region.mask[0, :, -8:], 0, atol=1e-6)


def test_masks_of_several_styles(config):
    made = inputs(config, CONTENT, [STYLE, OTHER], style_masks=[left(40, 30), left(20, 20)])
    (region,) = made.regions
    assert region.mask is None and made.compositing.mask is None
    assert [source.mask.shape[1:3] for source in region.sources] == [(24, 18), (24, 24)]
    with pytest.raises(ValueError, match=r"^style_masks: 1 of them for 2 styles"):
        inputs(config, CONTENT, [STYLE, OTHER], style_masks=[left(40, 30)])


def test_opacity_is_a_mask(config):
    content = np.dstack([CONTENT, left(36, 48)])
    style = np.dstack([STYLE, left(40, 30)])
    made = make_inputs(Image.fromarray(content), style, config)
    (region,) = made.regions
    np.testing.assert_array_equal(made.opacity, region.mask)
    np.testing.assert_array_equal(made.opacity, made.compositing.mask)
    np.testing.assert_allclose(region.sources[0].mask[0, :, -6:], 0, atol=1e-6)
    assert make_inputs(CONTENT, STYLE, config).opacity is None


def test_whatever_goes_in_is_in_the_hashes(config):
    def hashes(*arguments, **masks):
        return tuple(inputs(config, *arguments, **masks).hashes.items())

    square = picture(36, 36, seed=1)

    seen = {
        hashes(CONTENT, STYLE),
        hashes(STYLE, CONTENT),
        hashes(CONTENT, [STYLE, OTHER]),
        hashes(CONTENT, STYLE, content_masks=[left(36, 48)]),
        hashes(CONTENT, STYLE, content_masks=[left(36, 48, 128)]),
        hashes(CONTENT, STYLE, style_masks=[left(40, 30)]),
        hashes(np.dstack([CONTENT, left(36, 48)]), STYLE),
        hashes(square, square, content_masks=[left(36, 36)]),
        hashes(square, square, style_masks=[left(36, 36)]),
    }
    assert len(seen) == 9


def test_one_picture_alone(config):
    made = inputs(config, CONTENT, None)
    assert made.regions == [] and made.size == (18, 24)
    made = inputs(config, None, STYLE)
    assert made.content is None and made.size == (24, 18)
    with pytest.raises(ValueError, match=r"^content_masks: there is no content"):
        inputs(config, None, STYLE, content_masks=[left(40, 30)])
    with pytest.raises(ValueError, match=r"^content_masks, style_masks: there is no style"):
        inputs(config, CONTENT, None, content_masks=[left(36, 48)])


def test_a_rotation_told_behind_the_pixels_counts(tmp_path):
    """A header does not tell it: a run goes by the picture itself."""
    path, turned = tmp_path / "late.png", Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(picture(40, 60)).save(path, exif=turned)
    data = path.read_bytes()
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    close = data.index(b"IEND") - 4
    path.write_bytes(data[:start] + data[end:close] + data[start:end] + data[close:])
    assert make_inputs(path, None, TransferConfig(image_size=0)).sizes.content == (60, 40)


# What the objective sees of a picture, and what becomes of it.

PHOTO = tf.constant(picture(12, 16, seed=1)[np.newaxis] / 255.0, tf.float32)
IMAGE = tf.constant(picture(12, 16, seed=2)[np.newaxis] / 255.0, tf.float32)
MASK = np.zeros((1, 12, 16, 1), np.float32)
MASK[:, :, :6], MASK[:, :, 6:8] = 1.0, 0.5

# Rec. 601: R, G, B to Y, I, Q.
YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def test_ordinary_compositing_changes_nothing_and_outside_of_the_mask_the_content_stays():
    compositing = Compositing(PHOTO)
    assert compositing.seen_at((12, 16)) is None
    np.testing.assert_array_equal(compositing.finished(IMAGE), IMAGE)
    np.testing.assert_array_equal(Compositing().finished(2 * IMAGE - 0.5), np.clip(2 * IMAGE - 0.5, 0, 1))
    compositing = Compositing(PHOTO, tf.constant(MASK))
    expected = MASK * IMAGE + (1 - MASK) * PHOTO
    np.testing.assert_allclose(compositing.seen_at((12, 16))(IMAGE), expected, atol=1e-6)
    np.testing.assert_allclose(compositing.finished(IMAGE), expected, atol=1e-6)
    np.testing.assert_array_equal(compositing.finished(IMAGE)[:, :, 8:], PHOTO[:, :, 8:])


def test_nothing_pulls_at_what_is_not_painted():
    compositing = Compositing(PHOTO, tf.constant(MASK), light_only=True)
    with tf.GradientTape() as tape:
        tape.watch(IMAGE)
        loss = tf.reduce_sum(tf.square(compositing.seen_at((12, 16))(IMAGE)))
    gradient = tape.gradient(loss, IMAGE).numpy()
    assert np.all(gradient[:, :, 8:] == 0) and np.all(gradient[:, :, :6] != 0)


def test_light_alone_keeps_the_contents_colours():
    # Colours so near to grey that no light drives them out of [0, 1].
    content = 0.5 + 0.1 * (PHOTO - 0.5)
    compositing = Compositing(content, light_only=True)
    seen = compositing.seen_at((12, 16))(IMAGE).numpy()
    np.testing.assert_array_equal(seen[..., 0], seen[..., 1])
    light = 0.3 + 0.4 * IMAGE
    before, after = (p.numpy() @ YIQ.T for p in (content, compositing.finished(light)))
    np.testing.assert_allclose(after[..., 1:], before[..., 1:], atol=1 / 2550)
    np.testing.assert_allclose(after[..., 0], (light.numpy() @ YIQ.T)[..., 0], atol=1e-3)


def test_compositing_at_another_size():
    compositing = Compositing(PHOTO, tf.constant(MASK), light_only=True)
    half = tf.image.resize(IMAGE, (6, 8))
    assert compositing.seen_at((6, 8))(half).shape == half.shape
    assert compositing.finished(half).shape == half.shape


def test_guided_takes_the_contents_edges():
    """Noise goes where the content is flat; its own edge stays."""
    flat = np.full((1, 48, 48, 3), 0.3, np.float32)
    flat[:, :, 24:] = 0.7
    noise = np.random.default_rng(0).normal(0, 0.1, flat.shape).astype(np.float32)
    finished = Compositing(tf.constant(flat), guided=True).finished(tf.constant(flat + noise)).numpy()
    assert np.std(finished[:, 4:-4, 4:20]) < 0.3 * np.std(noise)
    step = finished[0, 8:-8, 26:30].mean() - finished[0, 8:-8, 18:22].mean()
    assert step > 0.3
