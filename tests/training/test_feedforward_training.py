"""Networks in training: the objective that they get, the stream of photographs, what is reported, the script."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfstyle import TransferConfig, style_targets
from tfstyle.export import savedmodel
from tfstyle.feedforward.networks import in_half_precision, layout, parameters, transformation_network
from tfstyle.feedforward.style_colors import color_values
from tfstyle.io.images import load_fitted
from tfstyle.runtime import checkpoints
from tfstyle.runtime.stopping import Supervision
from tfstyle.training import learner
from tfstyle.training.dataset import Share, batches, centers, held_out
from tfstyle.training.learner import _geometric_mean, evened, evens
from tfstyle.training.recipe import InstantRecipe
from tfstyle.training.tasks import ConditionalTask, in_turn
from tfstyle.training.training import train

from conftest import picture, values_of_transfers

STYLES = [picture(40, 40, 1), picture(36, 44, 2)]
LAYERS = {"content_layers": "conv2_1", "style_layers": "conv1_1,conv2_1"}
RECIPE = InstantRecipe(
    steps=6, batch_size=2, crop_size=24, width=2, residual_blocks=0, report_every=2, training_rate=0.01,
    validation=0, steadiness_weight=0,
)  # fmt: skip
LONG = dataclasses.replace(
    RECIPE, steps=40, report_every=10, training_rate=0.005, width=4, validation=3, steadiness_weight=50.0
)


@pytest.fixture(scope="module")
def config(narrow_file):
    return TransferConfig(
        weights=narrow_file,
        image_size=40,
        scales=1,
        precision="float32",
        tv_weight=0.1,
        units="gatys_code",
        **LAYERS,
    )


@pytest.fixture(scope="module")
def styles(config):
    return [style_targets(style, config) for style in STYLES]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(5):
        Image.fromarray(picture(40, 50, seed)).save(folder / f"{seed}.png")
    return sorted(folder.iterdir())


def test_the_stream_may_be_entered_anywhere(photographs):
    whole = list(batches(photographs, 2, RECIPE))
    later = list(batches(photographs, 2, RECIPE, first_step=4))
    assert len(whole) == 6 and len(later) == 2
    for (contents, numbers), (same, same_numbers) in zip(whole[4:], later):
        np.testing.assert_array_equal(contents, same)
        np.testing.assert_array_equal(numbers, same_numbers)
    contents, numbers = whole[0]
    assert contents.shape == [2, 24, 24, 3] and numbers.numpy().tolist() == [0, 1]
    assert 0 <= contents.numpy().min() < 0.3 and 0.7 < contents.numpy().max() <= 1
    other = next(iter(batches(photographs, 2, dataclasses.replace(RECIPE, shuffle=1))))
    assert np.abs(other[0] - contents).max() > 0.1


def test_shares_make_up_the_batch(photographs):
    recipe = dataclasses.replace(RECIPE, batch_size=4, steps=3)
    whole = [[each.numpy() for each in batch] for batch in batches(photographs, 2, recipe, 1)]
    parts = [list(batches(photographs, 2, recipe, 1, Share(worker, 2, 4))) for worker in range(2)]
    assert len(whole) == 2 and [len(part) for part in parts] == [4, 4]  # two replicas of each worker
    for step, batch in enumerate(whole):
        for place, found in enumerate(zip(*(part for w in parts for part in w[2 * step : 2 * step + 2]))):
            np.testing.assert_array_equal(np.concatenate(found), batch[place])


def test_what_is_held_out(photographs):
    assert held_out(list("abcdefgh"), 2) == (list("abdefh"), list("cg"))
    assert held_out(list("abc"), 2) == (["b"], list("ac"))
    assert held_out(list("abc"), 0) == (list("abc"), [])
    with pytest.raises(
        ValueError, match=r"^validation=3: must be below the number of photographs, which is 3"
    ):
        held_out(list("abc"), 3)
    (middle,) = centers(photographs[:1], 40)  # of 40 x 50, nothing to be resized
    np.testing.assert_allclose(middle, picture(40, 50, 0)[:, 5:45] / 255, atol=1e-6)


def test_photographs_of_formats_that_tensorflow_does_not_know(tmp_path):
    Image.fromarray(picture(40, 40)).save(tmp_path / "a.tif")
    np.testing.assert_allclose(centers([tmp_path / "a.tif"], 40)[0], picture(40, 40) / 255, atol=1e-6)


def test_a_photograph_that_cannot_be_read_is_named(config, styles, photographs, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ValueError, match=r"^photos: '.*broken.jpg' is no picture, or a damaged one"):
        train([photographs[0], tmp_path / "broken.jpg"], styles, config, RECIPE)


def test_the_objective_is_that_of_a_transfer(config, styles):
    """Each picture of a batch in its own style: the terms that `transfer` would make of it."""
    contents, images = (
        tf.constant(np.stack([picture(24, 24, seed) for seed in seeds]) / np.float32(255))
        for seeds in ((3, 4), (5, 6))
    )
    numbers = tf.constant([1, 0])
    found = ConditionalTask(styles, config, RECIPE).objective((contents, numbers))
    found = found.weighted(found.weights)(images)
    shown = [load_fitted(STYLES[number], "style", 40) for number in numbers.numpy()]
    for index, expected in enumerate(values_of_transfers(config, contents, shown, images)):
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][index], value, rtol=2e-3)


class Recorder:
    """Keeps sheets, and at step 20 the checkpoint of step 10, as of a training that was killed then."""

    def __init__(self, folder):
        self.sheets, self.folder = [], folder

    def report(self, progress, image):
        self.sheets.append(image.numpy())
        if progress.step == 20:
            shutil.copytree(self.folder / "state", self.folder / "stopped")


@pytest.fixture(scope="module")
def strong(config):
    return dataclasses.replace(config, style_strength=0.5)


@pytest.fixture(scope="module")
def whole(strong, styles, photographs, tmp_path_factory):
    """A training that is not stopped, with some photographs kept: network, history and recorder."""
    recorder = Recorder(tmp_path_factory.mktemp("whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "_SHARE", 1.0)
        supervision = Supervision(recorder.folder / "state", 10)
        found = train(photographs, styles, strong, LONG, reporters=[recorder], supervision=supervision)
    return *found, recorder


@pytest.mark.slow
def test_the_loss_falls_and_the_network_is_exported(whole, tmp_path):
    network, history, _ = whole
    assert [progress.step for progress in history] == [1, 10, 20, 30, 40]
    assert history[0].note.startswith(
        "style_strength=0.5 comes to content/block2_conv1=1, style/block1_conv1="
    )
    assert history[-1].total < 0.8 * history[0].total
    savedmodel.export_network(tmp_path / "model", network, {"styles": ["a", "b"]})
    loaded, network = tf.saved_model.load(str(tmp_path / "model")), in_half_precision(network)
    image, weights = picture(23, 37, 7)[np.newaxis], tf.constant([[0.25, 0.75]])
    expected = network({"image": tf.constant(image / np.float32(255)), "style": weights})
    found = loaded.signatures["with_style"](
        image=tf.constant(image), style=weights, strength=tf.constant(1.0)
    )["picture"]
    assert np.abs(found.numpy().astype(float) - expected * 255).max() <= 0.51
    half = loaded.paint(image / np.float32(255), weights, tf.constant(0.5))
    np.testing.assert_allclose(half, (expected + image / 255) / 2, atol=1e-5)


@pytest.mark.slow
def test_the_same_photographs_are_painted_at_each_report(strong, styles, whole):
    network, history, recorder = whole
    sheets = recorder.sheets
    contents = np.stack([picture(40, 50, seed)[:, 5:45] for seed in (0, 2, 4)]) / np.float32(255)
    contents = tf.clip_by_value(tf.image.resize(contents, [24, 24], "bicubic", antialias=True), 0, 1)
    weights = {name: value / history[-1].unweighted[name] for name, value in history[-1].losses.items()}
    task, losses = ConditionalTask(styles, strong, LONG), []
    for numbers in ([0, 1, 0], [1, 0, 1]):
        made = network({"image": contents, "style": tf.one_hot(numbers, 2)})
        objective = task.objective((contents, tf.constant(numbers)))
        values = objective.weighted({name: weights[name] for name in objective.weights})(made)
        losses.append(sum(each.numpy() for each in values.values()))
    np.testing.assert_allclose(history[-1].metrics["validation loss"], np.mean(losses), rtol=1e-4)
    assert history[0].metrics["validation loss"] != history[-1].metrics["validation loss"]
    assert "pictures a second" in history[-1].metrics and len(sheets) == 5
    for sheet in sheets:
        assert sheet.shape == (1, 3 * 24, 3 * 24, 3)
        np.testing.assert_allclose(sheet[0, :24], np.concatenate(contents, 1), atol=1e-5)
    np.testing.assert_allclose(sheets[-1][0, 48:, 48:], made[2], atol=1e-5)


@pytest.mark.slow
def test_a_stopped_training_goes_on_to_the_same_losses(strong, styles, photographs, whole):
    network, history, recorder = whole
    folder = recorder.folder / "stopped"
    resumed, again = train(photographs, styles, strong, LONG, supervision=Supervision(folder))
    assert again[2].note == "goes on from the checkpoint after 10 steps"
    assert [progress.losses for progress in again] == [progress.losses for progress in history]
    for one, other in zip(network.variables, resumed.variables):
        np.testing.assert_array_equal(one, other)
    wider = dataclasses.replace(LONG, width=3)
    with pytest.raises(ValueError, match="of another run: width was 4 and is 3"):
        train(photographs, styles, strong, wider, supervision=Supervision(folder))


def test_styles_take_turns():
    numbers = [batch[1].numpy().tolist() for batch in in_turn(tf.zeros([3, 4, 4, 3]), styles=5)]
    assert numbers == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert len(in_turn(tf.zeros([3, 4, 4, 3]), styles=1)) == 1


def test_pictures_with_nothing_to_measure_do_not_count():
    values = [np.array([2.0, 0.0]), np.array([np.inf, 8.0]), np.zeros(2)]
    np.testing.assert_allclose(_geometric_mean(values, "style/block1_conv1", 0.5), 4.0)
    with pytest.raises(ValueError, match=r"^style_strength=0.5: cannot be measured on these photographs"):
        _geometric_mean([np.zeros(2)], "style/block1_conv1", 0.5)


def test_losses_far_from_a_style_are_bounded_without_a_gradient_of_the_bound():
    losses = tf.constant([0.0, 3.0, 3e9])  # of weight 3: 0, 1 and 1e9 before it
    with tf.GradientTape() as tape:
        tape.watch(losses)
        found = evened(losses, 3.0)
    np.testing.assert_allclose(found, [0, 3 / 1.5, 3 * 2], rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(found, losses), [1, 1 / 1.5, 1 / (1 + 5e8)], rtol=1e-6)
    np.testing.assert_array_equal(evened(tf.zeros(2), 0.0), 0)


@pytest.fixture(scope="module")
def first(config, photographs):
    """A network of one style, trained in relative units; and the weights of the losses that were evened."""
    relative, weights = dataclasses.replace(config, units="relative"), []

    def recorded(losses, weight):
        weights.append(weight)
        return evened(losses, weight)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner, "evened", recorded)
        network, history = train(photographs, [style_targets(STYLES[0], relative)], relative, RECIPE)
    return network, weights, history[0]


def test_uneven_styles_are_evened_in_relative_units_only(config, first):
    relative = dataclasses.replace(config, units="relative")
    assert [evens(each, RECIPE) for each in (relative, config)] == [True, False]
    assert not evens(relative, dataclasses.replace(RECIPE, even_styles=False))
    _, weights, told = first
    assert weights == pytest.approx(
        [value / told.unweighted[name] for name, value in told.losses.items() if name.startswith("style/")]
    )


def test_the_colors_of_a_style_are_its_picture_s(config, styles):
    """Where a network has them, which began as one for any style, and not those of what it knew before."""
    start = transformation_network(2, width=2, residual_blocks=0, colors=True)
    pictures = [load_fitted(STYLES[number], "style", 40) for number in (1, 0)]
    network = ConditionalTask(styles, config, RECIPE, start, pictures).network
    expected = np.concatenate([color_values(each) for each in pictures])
    np.testing.assert_array_equal(network.get_layer("style_colors").colors, expected)
    assert not layout(ConditionalTask(styles, config, RECIPE).network)["colors"]


def test_a_training_may_begin_with_a_network(config, styles, first):
    """Of one style, in two that begin as it."""
    begun = ConditionalTask(styles, config, RECIPE, first[0]).network
    picture_of = {"image": tf.random.stateless_uniform([1, 20, 24, 3], [0, 1])}
    expected = first[0]({**picture_of, "style": tf.ones([1, 1])})
    for style in ([[1.0, 0.0]], [[0.0, 1.0]]):
        np.testing.assert_allclose(begun({**picture_of, "style": tf.constant(style)}), expected, atol=1e-6)
    for change, message in (
        ({"residual_blocks": 1}, "has other layers, only one of the two has residual1"),
        ({"width": 3}, r"has first/kernel of shape \(9, 9, 3, 2\), not \(9, 9, 3, 3\)"),
    ):
        with pytest.raises(ValueError, match=f"^start: {message}"):
            ConditionalTask(styles, config, dataclasses.replace(RECIPE, **change), first[0])


def test_styles_alone_may_be_trained(config, styles, photographs, first):
    own = dataclasses.replace(RECIPE, only_styles=True, steps=2)
    trained, _ = train(photographs, styles[1:], config, own, start=first[0])
    before, after = parameters(first[0]), parameters(trained)
    changed = {name for name in before if np.any(before[name].numpy() != after[name].numpy())}
    assert {"first_norm/scale", "first_norm/shift", "whole_again_norm/scale"} <= changed
    assert all(name.endswith(("_norm/scale", "_norm/shift")) for name in changed)
    with pytest.raises(ValueError, match=r"^only_styles=true: needs a network to begin with"):
        train(photographs, styles[1:], config, own)


def test_recipes_are_checked():
    for change in (
        {"steps": 0},
        {"crop_size": 8},
        {"computed_in": "float16"},
        {"training_rate": float("nan")},
    ):
        with pytest.raises(ValueError, match=f"{next(iter(change))}="):
            InstantRecipe(**change)
