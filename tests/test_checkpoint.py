import numpy as np
import pytest

from tfstyle.checkpoint import Checkpoint

IDENTITY = {"seed": 0, "layers": ("a", "b")}
ARRAYS = {"image": np.random.default_rng(0).random((2, 3)).astype(np.float32), "flag": np.bool_(True)}


def test_round_trip_is_exact(tmp_path):
    assert Checkpoint(tmp_path / "new", IDENTITY).load() is None
    Checkpoint(tmp_path / "new", IDENTITY).save({"step": 3, "seconds": 0.1}, ARRAYS)
    record, arrays = Checkpoint(tmp_path / "new", IDENTITY).load()
    assert record == {"step": 3, "seconds": 0.1}
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_another_run_is_refused_with_what_differs(tmp_path):
    Checkpoint(tmp_path, IDENTITY).save({}, ARRAYS)
    with pytest.raises(ValueError, match=r"is of another run: seed was 0 and is 1$"):
        Checkpoint(tmp_path, {**IDENTITY, "seed": 1}).load()


def test_damage_is_told(tmp_path):
    checkpoint = Checkpoint(tmp_path, IDENTITY)
    checkpoint.save({}, ARRAYS)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"is damaged .*; remove it to start anew"):
        checkpoint.load()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"checkpoint_dir='.*file/folder': cannot be made"):
        Checkpoint(tmp_path / "file" / "folder", IDENTITY)
