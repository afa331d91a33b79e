"""Label images and grey masks, as people make them."""

import io

import numpy as np
import pytest
from PIL import Image

from tfstyle.io import masks
from tfstyle.io.masks import load_masks, paired

from conftest import file_bytes, picture, turned

RED, GREEN, BLUE, PURPLE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 0, 128)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def stripes(height, width, *colors):
    """Colours side by side, `[H, W, 3]` uint8."""
    pixels = np.zeros((height, width, 3), np.uint8)
    for index, color in enumerate(colors):
        pixels[:, index * width // len(colors) :] = color
    return pixels


def load(*sources, size=None):
    """{key: [H, W] in NumPy}."""
    size = np.asarray(sources[0]).shape[:2] if size is None else size
    found = load_masks(sources, "content_masks", size)
    assert all(mask.shape == (1, *size, 1) and mask.dtype == "float32" for mask in found.values())
    return {key: mask.numpy()[0, ..., 0] for key, mask in found.items()}


def jpeg(pixels, quality):
    return Image.open(io.BytesIO(file_bytes(pixels, "JPEG", quality=quality)))


def columns(width, start, stop):
    return np.broadcast_to(np.isin(np.arange(width), np.arange(start, stop)), (10, width))


def test_colours_are_regions_and_black_is_none_also_of_a_palette_file(tmp_path):
    found = load(stripes(10, 40, BLUE, BLACK, WHITE, RED))
    assert list(found) == [BLUE, WHITE, RED]  # in reading order
    for index, mask in zip((0, 2, 3), found.values()):
        np.testing.assert_array_equal(mask, columns(40, 10 * index, 10 * index + 10))
    indexed = Image.fromarray(np.repeat([[0, 1, 2]], 4, axis=1).repeat(6, axis=0).astype(np.uint8), "P")
    indexed.putpalette([*BLACK, *PURPLE, *GREEN])
    indexed.save(tmp_path / "labels.png")
    assert Image.open(tmp_path / "labels.png").mode == "P"
    assert list(load(tmp_path / "labels.png", size=(6, 12))) == [PURPLE, GREEN]


def test_colours_that_are_close_are_kept_apart():
    near, same = (0, 80, 100), (0, 60, 106)  # Cityscapes' train beside its bus, and a shade of this
    found = load(stripes(10, 40, RED, (0, 60, 100), near, (0, 60, 100)))
    assert list(found) == [RED, (0, 60, 100), near]
    assert list(load(stripes(10, 40, (0, 60, 100), (0, 60, 100), same))) == [(0, 60, 100)]


@pytest.mark.parametrize(("width", "region"), [(6, True), (5, False)])
def test_half_a_percent_is_the_least(width, region):
    """Of 60 x 60 pixels, that is 18."""
    pixels = stripes(60, 60, RED, BLUE)
    pixels[20:23, 10 : 10 + width] = (200, 40, 0)
    found = load(pixels)
    assert ((200, 40, 0) in found) == region and len(found) == 2 + region
    assert found[RED][20:23, 10 : 10 + width].max() == 1 - region  # the nearest colour's
    np.testing.assert_array_equal(sum(found.values()), 1)


def test_soft_edges_are_no_regions():
    """Though such an edge's colour covers 2 % and more, nothing of it is three pixels wide."""
    drawn = Image.fromarray(stripes(30, 150, RED, BLUE, RED, BLUE)).resize(
        (50, 10), Image.Resampling.BILINEAR
    )
    assert len(drawn.getcolors()) > 2
    found = load(drawn)
    assert list(found) == [RED, BLUE]
    np.testing.assert_array_equal(sum(found.values()), 1)
    np.testing.assert_array_equal(found[RED][:, 2:11], 1)
    np.testing.assert_array_equal(found[BLUE][:, 14:23], 1)


@pytest.mark.parametrize("quality", [95, 75, 40])
def test_jpeg(quality):
    truth = np.full((96, 150), 3)
    truth[:60] = np.arange(150) * 4 // 150
    colors = [RED, BLACK, BLUE, (128, 128, 128)]
    found = load(jpeg(np.array(colors, np.uint8)[truth], quality))
    assert len(found) == 3
    for key, index in zip(found, (0, 2, 3)):
        assert np.abs(np.subtract(key, colors[index])).max() <= 8
        assert np.abs(found[key] - (truth == index)).mean() < 0.01


def test_colours_with_noise():
    """Nowhere are nine neighbours the same."""
    noise = np.random.default_rng(0).integers(0, 8, (40, 40, 3), dtype=np.uint8)
    found = load(stripes(40, 40, (192, 0, 0), (0, 32, 160)) + noise)
    assert len(found) == 2
    for key, mask, color, start in zip(found, found.values(), ((195, 3, 3), (3, 35, 163)), (0, 20)):
        assert np.abs(np.subtract(key, color)).max() <= 4
        np.testing.assert_array_equal(mask[:10], columns(40, start, start + 20))


def test_regions_are_resized_softly():
    """By hand: at half the size, a bilinear filter weighs four columns 1:3:3:1."""
    found = load(stripes(6, 8, RED, BLUE), size=(3, 4))
    np.testing.assert_allclose(found[RED], np.tile([1, 0.875, 0.125, 0], (3, 1)), atol=1e-6)
    np.testing.assert_allclose(found[BLUE], np.tile([0, 0.125, 0.875, 1], (3, 1)), atol=1e-6)


@pytest.mark.parametrize("size", [(29, 29), (150, 150)])
def test_regions_never_add_up_to_more_than_one(size):
    """A bicubic filter, clipped, would overshoot where three of them meet."""
    pixels = stripes(60, 60, RED, GREEN)
    pixels[28:31] = BLUE
    pixels[50:, 20:] = BLACK
    found = load(pixels, size=size)
    assert len(found) == 3
    total = sum(found.values())
    assert total.max() <= 1 + 1e-6
    np.testing.assert_allclose(total[: size[0] * 2 // 3], 1, atol=1e-6)
    assert total.min() == 0


def test_labels_with_transparent_parts(tmp_path):
    pixels = np.dstack([stripes(10, 40, RED, PURPLE, BLUE, GREEN), np.full((10, 40), 255, np.uint8)])
    pixels[:, 20:30, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "labels.png")
    assert list(load(tmp_path / "labels.png", size=(10, 40))) == [RED, PURPLE, GREEN]


def test_grey_masks_keep_their_greys_and_their_order(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 30).astype(np.uint8), (10, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    deep = np.full((10, 30), 0x4321, np.uint16)
    found = load(tmp_path / "ramp.png", deep, stripes(10, 30, BLACK, WHITE), size=(10, 30))
    assert list(found) == [0, 1, 2]
    np.testing.assert_allclose(found[0], ramp / 255, atol=1e-6)
    np.testing.assert_allclose(found[1], 0x4321 / 65535, atol=1e-6)
    np.testing.assert_allclose(found[2], columns(30, 15, 30), atol=1e-6)


def test_a_tint_or_a_few_coloured_pixels_make_no_label_image():
    pixels = stripes(40, 40, BLACK, (230, 240, 250))
    pixels[:7, 0] = RED  # of 1600 pixels, 8 are half a percent
    found = load(pixels)
    assert list(found) == [0]
    np.testing.assert_allclose(found[0][:, 20:], 240 / 255, atol=1e-6)
    pixels[7, 0] = RED
    with pytest.raises(ValueError, match=r"^content_masks 2: has colours; must be grey"):
        load(stripes(40, 40, BLACK, WHITE), pixels)


@pytest.mark.parametrize("orientation", [1, 6])
def test_opacity_is_the_mask_upright(tmp_path, orientation):
    """Of drawings in any one grey, and of cut-outs from photographs."""
    alpha = np.zeros((20, 30), np.uint8)
    alpha[3:9, 4:20], alpha[9:12, 4:20] = 255, 51
    upright = alpha if orientation == 1 else np.rot90(alpha, -1)
    grain = np.random.default_rng(0).integers(-5, 6, (20, 30, 3))
    photo = (picture(20, 30).astype(int) + grain).clip(0, 255).astype(np.uint8)
    for name, drawn in (("black", np.zeros((20, 30, 3), np.uint8)), ("photo", photo)):
        path = tmp_path / f"{name}.png"
        Image.fromarray(np.dstack([drawn, alpha])).save(path, exif=turned(orientation))
        found = load(path, size=upright.shape)
        assert list(found) == [0]
        np.testing.assert_allclose(found[0], upright / 255, atol=1e-6)


def test_an_empty_mask_is_an_error(tmp_path):
    Image.new("L", (8, 8), 3).save(tmp_path / "a.png")  # black, but for noise
    with pytest.raises(ValueError, match=r"^content_masks='.*a.png': is empty; must be white where"):
        load(tmp_path / "a.png", size=(8, 8))
    with pytest.raises(ValueError, match=r"^content_masks 2: is empty; must be opaque where"):
        load(np.full((8, 8), 255, np.uint8), np.zeros((8, 8, 4), np.uint8))
    with pytest.raises(ValueError, match=r"^content_masks: has no area of one colour, other than black"):
        load(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))


def test_a_photograph_is_no_mask():
    """Half of it of two colours, as of sky and sea, and all others in the rest."""
    pixels = stripes(40, 40, (40, 90, 200), (20, 60, 90))
    pixels[20:] = np.random.default_rng(0).integers(0, 256, (20, 40, 3))
    message = r"^content_masks: looks like a photograph: only 5\d% of it has the 2 colours that would be its regions"
    with pytest.raises(ValueError, match=message):
        load(pixels)


def test_the_aspect_must_be_the_pictures():
    with pytest.raises(ValueError, match=r"^style_masks: 200 x 206 pixels .*its picture, 400 x 400$"):
        load_masks([np.ones((206, 200))], "style_masks", (400, 400))
    with pytest.raises(ValueError, match=r"^style_masks: 300 x 200 pixels .*its picture, 200 x 300$"):
        load_masks([np.ones((200, 300))], "style_masks", (300, 200))
    # 1.5 %; and 640 x 410 brought to 24 pixels, where 15.375 became 15.
    assert load_masks([np.ones((203, 200))], "style_masks", (400, 400))[0].shape == (1, 400, 400, 1)
    assert load_masks([np.ones((410, 640))], "style_masks", (15, 24))[0].shape == (1, 15, 24, 1)


@pytest.mark.parametrize("sources", ["mask.png", [], Image.new("L", (4, 4))])
def test_sources_must_be_a_list(sources):
    with pytest.raises(ValueError, match=r"^content_masks=.*: must be a list of at least one picture"):
        load_masks(sources, "content_masks", (4, 4))


def test_what_is_no_picture_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"^content_masks 2='.*none.png': no such file"):
        load(np.ones((4, 4)), tmp_path / "none.png")


def test_masks_are_paired_by_number():
    assert paired({0: "a", 1: "b"}, {0: "c", 1: "d"}) == [("a", "c"), ("b", "d")]
    with pytest.raises(ValueError, match=r"^content_masks, style_masks: 2 and 1 grey masks; must be as many"):
        paired({0: "a", 1: "b"}, {0: "c"})


def test_labels_are_paired_by_colour():
    """What the style lacks has no pair; what the content lacks is not used."""
    content = {RED: "red", GREEN: "green", (0, 3, 250): "blue"}
    style = {BLUE: "its blue", PURPLE: "its purple", (254, 0, 4): "its red"}
    assert paired(content, style) == [("red", "its red"), ("blue", "its blue")]
    # The train of a picture without buses is no bus of the other.
    bus, train = (0, 60, 100), (0, 80, 100)
    assert paired({train: "train", bus: "bus"}, {bus: "its bus"}) == [("bus", "its bus")]
    assert paired({bus: "bus"}, {train: "its train", bus: "its bus"}) == [("bus", "its bus")]


@pytest.mark.parametrize(("channel", "fits"), [(207, True), (206, False)])
def test_the_tolerance_of_colours(channel, fits):
    if fits:
        assert paired({RED: "a"}, {(channel, 0, 0): "b"}) == [("a", "b")]
    else:
        with pytest.raises(
            ValueError, match=r"^style_masks: #ce0000; must have a colour of content_masks, #ff0000"
        ):
            paired({RED: "a"}, {(channel, 0, 0): "b"})


def test_one_side_alone_and_that_labels_and_grey_masks_do_not_mix():
    assert paired({RED: "a", BLUE: "b"}, None) == [("a", None), ("b", None)]
    assert paired(None, {0: "c", 1: "d"}) == [(None, "c"), (None, "d")]
    assert paired(None, None) == []
    for pair in (({RED: "a"}, {0: "b"}), ({0: "b"}, {RED: "a"})):
        with pytest.raises(ValueError, match=r"^content_masks, style_masks: one is a label image"):
            paired(*pair)


def test_many_colours_go_to_their_nearest_labels_without_much_memory():
    generator = np.random.default_rng(0)
    channels = generator.integers(0, 256, (5000, 3)).astype(np.int32)
    colors = [tuple(int(value) for value in generator.integers(0, 256, 3)) for _ in range(40)]
    every = np.square(channels[:, np.newaxis] - np.array(colors)).sum(-1)
    np.testing.assert_array_equal(masks._nearest_of(channels, colors), np.argmin(every, axis=1))
