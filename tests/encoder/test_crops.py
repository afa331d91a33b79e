import numpy as np
from encoder.crops import batches, read_photographs, split
from encoder.recipe import EncoderRecipe
from PIL import Image

from tfstyle.io.finding import find_pictures

RECIPE = EncoderRecipe(steps=6, batch_size=4, crop_size=16, color_jitter=0)


def plain_photographs(count=5):
    """Each of one colour, so that a view tells its photograph."""
    return [np.full((20 + 3 * i, 40 - 4 * i, 3), 40 * (i + 1), np.uint8) for i in range(count)]


def test_a_view_shows_the_photograph_of_its_label_twice_in_a_batch():
    for views, labels in batches(plain_photographs(), RECIPE):
        assert views.shape == (4, 16, 16, 3)
        np.testing.assert_array_equal(labels[:2], labels[2:])
        expected = 40 * (labels.numpy() + 1) / 255
        np.testing.assert_allclose(
            views, np.broadcast_to(expected[:, None, None, None], views.shape), atol=1e-5
        )


def test_every_photograph_comes_once_an_epoch():
    seen = np.concatenate([labels[:2] for _, labels in batches(plain_photographs(4), RECIPE)])
    for epoch in seen.reshape(-1, 4):
        assert sorted(epoch) == [0, 1, 2, 3]
    assert len({tuple(epoch) for epoch in seen.reshape(-1, 4)}) > 1


def test_the_stream_can_be_entered_anywhere():
    generator = np.random.default_rng(0)
    photographs = [generator.integers(0, 256, (50, 60, 3), dtype=np.uint8) for _ in range(3)]
    recipe = EncoderRecipe(steps=4, batch_size=4, crop_size=16)
    whole, rest = list(batches(photographs, recipe)), list(batches(photographs, recipe, first_step=2))
    assert len(whole) == 4 and len(rest) == 2
    for (views, labels), (other_views, other_labels) in zip(whole[2:], rest):
        np.testing.assert_array_equal(views, other_views)
        np.testing.assert_array_equal(labels, other_labels)
    assert not np.array_equal(whole[0][0][:2], whole[0][0][2:])  # two views, not one


def test_files_and_what_is_held_out(tmp_path):
    for name in ("b.jpg", "a.png", "c.jpeg", "notes.txt"):
        Image.new("RGB", (900, 30), "red").save(tmp_path / name, "PNG")
    paths = find_pictures(tmp_path)[1]
    training, held_out = split(paths, 2)
    assert held_out == [f"{tmp_path}/a.png", f"{tmp_path}/c.jpeg"] and training == [f"{tmp_path}/b.jpg"]
    assert split(paths, 0) == (paths, [])
    (photograph,) = read_photographs(training)
    assert photograph.shape == (13, 400, 3) and (photograph == [255, 0, 0]).all()
