"""The reader of 8-bit coded weights: right values, nothing run, and a word for what is none."""

import pickle

import numpy as np
import pytest

from tfstyle.vgg import coded_weights

from coded_files import coded_file, random_layers

SHAPES = {"block1_conv1": (3, 5), "block1_conv2": (5, 4)}


def test_kernels_are_the_tables_values_in_keras_order():
    arrays = random_layers(SHAPES)
    found = coded_weights.read(coded_file(arrays))
    assert list(found) == list(SHAPES)
    for name, (inputs, outputs) in SHAPES.items():
        kernel, bias = found[name]
        assert kernel.dtype == bias.dtype == np.float32 and kernel.shape == (3, 3, inputs, outputs)
        np.testing.assert_array_equal(bias, arrays[f"{name}_b"])
        for place in np.ndindex(kernel.shape):
            row, column, source, target = place
            index = arrays[f"{name}_W_q"][target, source, row, column]
            assert kernel[place] == arrays[f"{name}_W_table"][index]


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('the file was run')",))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"text", pickle.dumps(Evil(), 2), coded_file(random_layers(SHAPES), magic=7),
        coded_file(random_layers(SHAPES))[:-40],
        coded_file({"block1_conv1_W_q": np.zeros((4, 3, 3, 3), np.uint8)}),
        coded_file({"block1_conv1_W_q": np.zeros((4, 3, 3, 3), np.uint8).transpose(1, 0, 2, 3)}),
    ],
    ids=["empty", "text", "runs code", "magic", "short", "no table", "strides"],
)  # fmt: skip
def test_what_is_no_such_file_is_refused_and_not_run(data):
    with pytest.raises(ValueError, match="is not a file of 8-bit coded weights"):
        coded_weights.read(data)
