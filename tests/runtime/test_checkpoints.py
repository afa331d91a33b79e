import time
from contextlib import closing

import numpy as np
import pytest

from tfstyle.runtime import checkpoints
from tfstyle.runtime.checkpoints import Checkpoint

IDENTITY = {"seed": 0, "layers": ("a", "b")}
ARRAYS = {"image": np.random.default_rng(0).random((2, 3)).astype(np.float32), "flag": np.bool_(True)}


def saved(folder, record):
    with closing(Checkpoint(folder, IDENTITY)) as checkpoint:
        assert checkpoint.save(record, ARRAYS) == ""


def loaded(folder, identity=IDENTITY):
    with closing(Checkpoint(folder, identity)) as checkpoint:
        return checkpoint.load()


def test_round_trip_is_exact(tmp_path):
    assert loaded(tmp_path / "new") is None
    saved(tmp_path / "new", {"step": 3, "seconds": 0.1})
    record, arrays, note = loaded(tmp_path / "new")
    assert record == {"step": 3, "seconds": 0.1} and note == ""
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_another_run_is_refused_with_what_differs(tmp_path):
    saved(tmp_path, {})
    with pytest.raises(ValueError, match=r"is of another run: seed was 0 and is 1$"):
        loaded(tmp_path, {**IDENTITY, "seed": 1})


def test_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "__version__", "0.0.0")
    saved(tmp_path, {})
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"is of another run: tfstyle was '0.0.0' and is '"):
        loaded(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_what_is_cut_short_falls_back_to_the_one_before(tmp_path, share):
    saved(tmp_path, {"step": 1})
    saved(tmp_path, {"step": 2})
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    record, _, note = loaded(tmp_path)
    assert record == {"step": 1}
    assert "checkpoint.npz' is damaged (" in note and note.endswith("the state before it takes its place")


def test_what_is_changed_falls_back_to_the_one_before(tmp_path):
    """Any byte of a record or an array is checked; of the zip's own, those that matter."""
    saved(tmp_path, {"step": 1})
    saved(tmp_path, {"step": 2})
    path = tmp_path / "checkpoint.npz"
    whole = path.read_bytes()
    place = whole.index(ARRAYS["image"].tobytes()[:8])
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert loaded(tmp_path).record == {"step": 1}


def test_where_nothing_is_sound_it_is_told(tmp_path):
    saved(tmp_path, {"step": 1})
    (tmp_path / "checkpoint.npz").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"checkpoint.npz' is damaged .*; remove it to start anew"):
        loaded(tmp_path)


def test_a_process_killed_between_two_states_has_the_earlier_one(tmp_path):
    saved(tmp_path, {"step": 1})
    (tmp_path / "checkpoint.npz").rename(tmp_path / "checkpoint.earlier.npz")
    record, _, note = loaded(tmp_path)
    assert (record, note) == ({"step": 1}, "")


def test_the_last_two_are_kept_and_nothing_else_and_a_folder_cannot_always_be_made(tmp_path):
    for step in range(4):
        saved(tmp_path, {"step": step})
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.npz", "checkpoint.earlier.npz", ".lock"}
    (tmp_path / "checkpoint.npz").unlink()
    assert loaded(tmp_path).record == {"step": 2}
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"checkpoint_dir='.*file/folder': cannot be made"):
        Checkpoint(tmp_path / "file" / "folder", IDENTITY)


def test_a_second_run_in_the_folder_is_refused(tmp_path):
    with closing(Checkpoint(tmp_path, IDENTITY)):
        with pytest.raises(OSError, match=r"checkpoint_dir='.*': another run works in it \(process "):
            Checkpoint(tmp_path, IDENTITY)
        assert Checkpoint(tmp_path, IDENTITY, exclusive=False).load() is None
    Checkpoint(tmp_path, IDENTITY).close()


def test_a_full_disk_leaves_what_was(tmp_path, monkeypatch):
    saved(tmp_path, {"step": 1})

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with closing(Checkpoint(tmp_path, IDENTITY)) as checkpoint:
        problem = checkpoint.save({"step": 2}, ARRAYS)
    assert problem == "the state could not be saved (No space left on device); the run goes on without"
    assert loaded(tmp_path).record == {"step": 1}
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]


def test_when_a_state_is_due(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with closing(Checkpoint(tmp_path / "s", IDENTITY, every="30s")) as checkpoint:
        clock[0] += 29
        assert not checkpoint.due(1)
        clock[0] += 1
        assert checkpoint.due(1) and checkpoint.due(2)
        checkpoint.save({}, ARRAYS)
        assert not checkpoint.due(3)
        assert checkpoint.steps_left(5) == float("inf")
    with closing(Checkpoint(tmp_path / "n", IDENTITY, every=10)) as checkpoint:
        assert [step for step in range(1, 25) if checkpoint.due(step)] == [10, 20]
        assert [checkpoint.steps_left(step) for step in (0, 1, 9, 10, 23)] == [10, 9, 1, 10, 7]


def test_saving_keeps_to_two_percent_of_the_time(tmp_path, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    slow = np.savez

    def savez(*arguments, **arrays):
        clock[0] += 2.0
        slow(*arguments, **arrays)

    monkeypatch.setattr(np, "savez", savez)
    with closing(Checkpoint(tmp_path, IDENTITY, every=1)) as checkpoint:
        checkpoint.save({}, ARRAYS)
        clock[0] += 97  # of 99 seconds 2 are more than 2 %
        assert not checkpoint.due(1)
        clock[0] += 1
        assert checkpoint.due(1)
