import mmap

import pytest
import tensorflow as tf

from tfstyle.runtime import memory


def test_what_the_system_tells():
    before = memory.resident_bytes()
    # Straight from the system: an allocator might have that much left over from earlier tests.
    with mmap.mmap(-1, 200_000_000) as held:
        held.write(bytes(200_000_000))
        assert memory.resident_bytes() - before == pytest.approx(2e8, rel=0.2)
    assert memory.free_bytes() > 10**8


@pytest.fixture
def group(tmp_path, monkeypatch):
    """A control group of 3 GB, 2 of them in use, and half a gigabyte of that copies of files."""
    (tmp_path / "memory.max").write_text("3000000000\n")
    (tmp_path / "memory.current").write_text("2000000000\n")
    (tmp_path / "memory.stat").write_text("anon 1400000000\ninactive_file 400000000\nactive_file 100000000\n")
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    monkeypatch.setattr(memory, "_by_system", lambda: 10**10)
    return tmp_path


def test_a_control_group_counts_without_copies_of_files_and_may_have_no_limit(group):
    assert memory.free_bytes() == 1_500_000_000
    (group / "memory.max").write_text("max\n")
    assert memory.free_bytes() == 10**10


@pytest.mark.parametrize("name", ["memory.max", "memory.stat"])
def test_no_control_group_of_this_version(group, name):
    (group / name).unlink()
    assert memory.free_bytes() == 10**10


def test_a_control_group_that_is_over_its_limit(group):
    (group / "memory.current").write_text("4000000000\n")
    assert memory.free_bytes() == 0


@pytest.mark.parametrize(
    ("limit", "most", "expected"), [(7, 100, 7), (0, 100, 0), (200, 100, 100), (5, 0, 0)]
)
def test_the_largest_that_fits(limit, most, expected):
    assert memory.largest_that(lambda value: value <= limit, most) == expected


@pytest.mark.parametrize(
    ("limit", "gpus", "most"), [(0, [], 7), (2.5, [], 25e8), (0, ["one"], float("inf")), (2.5, ["one"], 25e8)]
)
def test_what_a_process_may_come_to(limit, gpus, most, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: gpus)
    monkeypatch.setattr(memory, "resident_bytes", lambda: 3)
    monkeypatch.setattr(memory, "free_bytes", lambda: 4)
    assert memory.Room.now(limit) == memory.Room(3, 4, most)


def test_a_refusal_says_what_would_fit():
    memory.require("size=9", 5e9, 5e9, ["size=8"])
    beginning = r"^size=9: needs 5\.00 GB of memory, and 4\.00 GB are there; "
    with pytest.raises(
        ValueError, match=beginning + "what would fit: size=8 or size=7; memory_limit=GB says"
    ):
        memory.require("size=9", 5e9, 4e9, ["size=8", "size=7"])
    with pytest.raises(ValueError, match=beginning + "nothing smaller would fit; .* a larger machine$"):
        memory.require("size=9", 5e9, 4e9, [], limited=False)
