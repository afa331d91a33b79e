"""Event files, read back while their writer is still open, as a killed run leaves them."""

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorflow.python.summary.summary_iterator import summary_iterator

from tfstyle import TransferConfig
from tfstyle.reporting import ProfileReporter, TensorBoardReporter

from records import IMAGE, progress


def events(folder):
    """{(step, tag): value} of the folder's one event file."""
    (path,) = (path for path in folder.iterdir() if "tfevents" in path.name)
    return {
        (event.step, value.tag): value
        for event in summary_iterator(str(path))
        for value in event.summary.value
    }


def pixels(summary):
    width, height, png = tf.make_ndarray(summary.tensor)
    decoded = tf.io.decode_png(png)
    assert decoded.shape == (int(height), int(width), 3)
    return decoded.numpy()


def as_uint8(image):
    return tf.image.convert_image_dtype(tf.clip_by_value(image, 0, 1), tf.uint8)[0].numpy()


def test_what_a_run_leaves(tmp_path):
    reporter = TensorBoardReporter(tmp_path / "run")
    reporter.report(progress(0), IMAGE)
    reporter.report(progress(10, seconds=5.0, note="told"), IMAGE)
    seen = {key: value.tensor for key, value in events(tmp_path / "run").items()}
    numbers = {key: tf.make_ndarray(value) for key, value in seen.items() if "image" not in key[1]}
    assert numbers[10, "total"] == 42.0
    assert numbers[10, "evaluations"] == 11
    assert numbers[10, "seconds_per_step"] == 0.5
    assert (0, "seconds_per_step") not in numbers
    assert 0.05 < numbers[10, "peak_memory_gb"] < 1000
    assert numbers[0, "weighted/style/block1_conv1"] == 8.0
    assert numbers[0, "unweighted/style/block1_conv1"] == 4.0
    assert numbers[10, "note"] == b"told"
    np.testing.assert_array_equal(pixels(events(tmp_path / "run")[10, "image"]), as_uint8(IMAGE))


def test_speed_is_that_of_one_scale(tmp_path):
    reporter = TensorBoardReporter(tmp_path)
    for step, seconds, scale in ((0, 0.0, 0), (10, 5.0, 0), (10, 50.0, 1), (20, 70.0, 1)):
        reporter.report(progress(step, seconds=seconds, scale=scale, scales=2), IMAGE)
    seen = {
        key: float(tf.make_ndarray(value.tensor))
        for key, value in events(tmp_path).items()
        if "per" in key[1]
    }
    assert seen == {(10, "seconds_per_step"): 0.5, (20, "seconds_per_step"): 2.0}


def test_settings_and_inputs_are_written_at_once(tmp_path):
    settings = TransferConfig(style_layers="conv1_1,conv2_1", iterations=7).to_dict()
    TensorBoardReporter(
        tmp_path / "trial", settings=settings, inputs={"content": np.clip(IMAGE[:, ::-1], 0, 1)}
    )
    seen = events(tmp_path / "trial")
    np.testing.assert_array_equal(pixels(seen[0, "inputs/content"]), as_uint8(IMAGE[:, ::-1]))
    text = tf.make_ndarray(seen[0, "config"].tensor).item().decode()
    assert "| iterations | 7 |" in text and "| style_layers | block1_conv1,block2_conv1 |" in text
    (session,) = (
        plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
        for value in seen.values()
        if value.metadata.plugin_data.plugin_name == "hparams"
    )
    assert session.hparams["iterations"].number_value == 7
    assert session.hparams["style_layers"].string_value == "block1_conv1,block2_conv1"
    assert session.hparams["normalize"].bool_value is False
    assert session.group_name == "trial"


@pytest.mark.parametrize(("reports", "recorded"), [((0, 100), 0), ((0, 10, 20, 100), 1)])
def test_profile(tmp_path, reports, recorded):
    reporter = ProfileReporter(tmp_path)
    for step in reports:
        reporter.report(progress(step), IMAGE)
        tf.square(IMAGE)
    assert len(list(tmp_path.glob("plugins/profile/*/*.xplane.pb"))) == recorded
