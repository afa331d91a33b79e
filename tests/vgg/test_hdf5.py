"""HDF5 files that would read other files, run plug-ins, take memory or mix up layers."""

import os
import types

import h5py
import numpy as np
import pytest
import tensorflow as tf

from tfstyle.vgg import hdf5, weights

SHAPES = {"a": ((3, 3, 3, 2), (2,)), "b": ((3, 3, 2, 2), (2,)), "c": ((3, 3, 2, 2), (2,))}
ARRAYS = {
    name: [np.random.default_rng(number).standard_normal(shape).astype(np.float32) for shape in shapes]
    for number, (name, shapes) in enumerate(SHAPES.items())
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.h5"


def written(path, but=(), change=lambda file: None):
    """A file in the layout of Keras 2, without some of its layers, with others in their place."""
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in ARRAYS.items():
            if name not in but:
                file[f"{name}/{name}/kernel:0"], file[f"{name}/{name}/bias:0"] = kernel, bias
        change(file)
    return path


def numbered(path, told):
    """A file in the layout of Keras 3, its convolutions with these names, None: without one."""
    with h5py.File(path, "w") as file:
        for number, (name, arrays) in enumerate(zip(told, ARRAYS.values())):
            group = file.create_group("layers/conv2d" + (f"_{number}" if number else "") + "/vars")
            group["0"], group["1"] = arrays
            if name is not None:
                group.attrs["name"] = name
    return path


def refused(path):
    with pytest.raises(ValueError) as caught:
        hdf5.read(path, SHAPES)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, arrays in expected.items():
        for one, other in zip(found[name], arrays, strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_is_written_is_read_by_names_and_not_numbers(path):
    same(hdf5.read(written(path), SHAPES), ARRAYS)
    same(hdf5.read(written(path, but="b"), SHAPES), {name: ARRAYS[name] for name in "ac"})
    first, second, third = ARRAYS.values()
    same(hdf5.read(numbered(path, "abc"), SHAPES), ARRAYS)
    # b and c have the same shapes: only the names tell.
    same(hdf5.read(numbered(path, "acb"), SHAPES), {"a": first, "c": second, "b": third})


@pytest.mark.parametrize("told", [(None, None, None), ("x", "y", "z")])
def test_without_names_of_layers_the_order_is_believed(path, told):
    same(hdf5.read(numbered(path, told), SHAPES), ARRAYS)


@pytest.mark.parametrize("told", [("a", "b", None), ("a", "b", "b"), ("a", "x", "c")])
def test_names_for_some_or_twice_are_refused(path, told):
    assert "none of the layers left" in refused(numbered(path, told))


def test_keras_3_writes_the_names(path):
    """The names are there in files that this version of Keras writes, whatever numbers it gives."""
    made = [tf.keras.Input((None, None, 3))]
    for name in "abc":
        made.append(tf.keras.layers.Conv2D(2, 3, name=name)(made[-1]))
    model = tf.keras.Model(made[0], made[-1])
    model.save_weights(path.with_suffix(".weights.h5"))
    found = hdf5.read(path.with_suffix(".weights.h5"), SHAPES)
    same(found, {name: model.get_layer(name).get_weights() for name in "abc"})


def external_link(file):
    file["b"] = h5py.ExternalLink("other.h5", "/b")


def soft_link(file):
    file["b"] = h5py.SoftLink("/c")


def link_inside(file):
    file.create_group("b")["kernel"] = h5py.ExternalLink("other.h5", "/b/b/kernel:0")


def foreign_storage(file):
    file.create_dataset("b/kernel", (3, 3, 2, 2), "f4", external=[("/etc/passwd", 0, 144)])
    file["b/bias"] = ARRAYS["b"][1]


def virtual(file):
    source = h5py.VirtualSource("other.h5", "b/b/kernel:0", (3, 3, 2, 2))
    layout = h5py.VirtualLayout((3, 3, 2, 2), "f4")
    layout[:] = source
    file.create_virtual_dataset("b/kernel", layout)
    file["b/bias"] = ARRAYS["b"][1]


def compressed(file):
    file.create_dataset("b/kernel", data=ARRAYS["b"][0], compression="gzip")
    file["b/bias"] = ARRAYS["b"][1]


def enormous(file):
    file.create_dataset("b/kernel", (1 << 20, 1 << 20, 1 << 10, 1), "f4", chunks=(1, 1, 1, 1))
    file["b/bias"] = ARRAYS["b"][1]


def large_blocks(file):
    file.create_dataset("b/kernel", (3, 3, 2, 2), "f4", maxshape=(None,) * 4, chunks=(3, 3, 2, 1 << 20))
    file["b/bias"] = ARRAYS["b"][1]


def crowded(file):
    for number in range(40):
        file[f"b/{number}"] = np.zeros(1, np.float32)


def deep(file):
    file["b/" + "x/" * 9 + "kernel"] = ARRAYS["b"][0]


def cyclic(file):
    group = file.create_group("b")
    group["self"] = group


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (external_link, "link to elsewhere"), (soft_link, "link to elsewhere"),
        (link_inside, "link to elsewhere"), (foreign_storage, "in another file"),
        (virtual, "in another file"), (compressed, "compressed"), (enormous, "shapes"),
        (large_blocks, "larger than itself"), (crowded, "more in a layer"), (deep, "more in a layer"),
        (cyclic, "more in a layer"),
    ],
)  # fmt: skip
def test_what_leads_elsewhere_or_is_too_much_is_refused(path, change, why):
    written(path.with_name("other.h5"))
    assert why in refused(written(path, but="b", change=change))


def test_other_shapes_are_refused_before_they_are_read(path):
    def transposed(file):
        file["b/kernel"], file["b/bias"] = ARRAYS["b"][0][..., :1], ARRAYS["b"][1]

    assert "b has shapes [(3, 3, 2, 1), (2,)]" in refused(written(path, but="b", change=transposed))


def test_pipes_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.h5")
    with pytest.raises(OSError, match="device or pipe"):
        weights.load(str(tmp_path / "pipe.h5"), {})


def test_a_file_with_the_name_of_a_published_one_is_that_one(tmp_path, monkeypatch):
    import hashlib

    layout = {name: types.SimpleNamespace(filters=shapes[1][0]) for name, shapes in SHAPES.items()}
    path = written(tmp_path / "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5")
    with pytest.raises(
        ValueError, match=r"is not the file that Keras publishes.*MD5 .* not 253f8cb515780f3b79"
    ):
        weights.load(str(path), layout)
    cache = tmp_path / "home" / "models"
    cache.mkdir(parents=True)
    (cache / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    with pytest.raises(ValueError, match=r"weights='imagenet': .*is not the file that Keras publishes"):
        weights.load("imagenet", layout)
    known = {path.name: hashlib.md5(path.read_bytes()).hexdigest()}
    monkeypatch.setattr(weights, "_PUBLISHED", known)
    same({name: list(pair) for name, pair in weights.load(str(path), layout).items()}, ARRAYS)


def test_a_file_that_the_library_never_comes_back_from(path, monkeypatch):
    """Found by tests/fuzz: a name in a heap whose object is of the size 2^64 - 1."""
    data = bytearray(numbered(path, "abc").read_bytes())
    heap = data.index(b"GCOL")
    data[heap + 24 : heap + 32] = b"\xff" * 8
    path.write_bytes(data)
    monkeypatch.setattr(hdf5, "_PATIENCE", 5.0)
    assert "does not get over reading it" in refused(path)
