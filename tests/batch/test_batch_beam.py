"""Files here and through Beam's filesystems, and whole runs on Beam: all that are made, stay made."""

import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

import tfstyle
from tfstyle.batch import store

from conftest import ROOT, picture


@pytest.fixture(scope="session")
def beam():
    """Apache Beam, where it is installed; CI says that it must be."""
    if importlib.util.find_spec("apache_beam") is None:
        message = "needs Apache Beam: pip install 'tfstyle[beam]'"
        if os.environ.get("TFSTYLE_BEAM") == "required":
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="module")
def mapped(beam):
    """A filesystem that Beam finds by its scheme: this machine's, in disguise."""
    from apache_beam.io.filesystem import FileMetadata
    from apache_beam.io.localfilesystem import LocalFileSystem

    class Mapped(LocalFileSystem):
        @classmethod
        def scheme(cls):
            return "mapped"

        def join(self, base, *paths):
            return "/".join([base.rstrip("/"), *paths])

        def split(self, path):
            return tuple(path.rsplit("/", 1))

        def _list(self, folder):
            for file in super()._list(_here(folder)):
                yield FileMetadata("mapped:/" + file.path, file.size_in_bytes, file.last_updated_in_seconds)

        def _path_open(self, path, *arguments, **options):
            return super()._path_open(_here(path), *arguments, **options)

        def create(self, path, *arguments, **options):
            os.makedirs(os.path.dirname(_here(path)), exist_ok=True)
            return self._path_open(path, "wb", *arguments, **options)

        def exists(self, path):
            return super().exists(_here(path))

        def rename(self, froms, tos):
            assert not any(map(self.exists, tos)), "some filesystems refuse this"
            super().rename(map_here(froms), map_here(tos))

        def delete(self, paths):
            for path in map_here(paths):
                os.remove(path)

    def _here(path):
        return path.removeprefix("mapped:/")

    def map_here(paths):
        return [_here(path) for path in paths]

    return Mapped  # as long as it is held, Beam finds it


@pytest.fixture
def remote(tmp_path, mapped):
    """The URL of a folder there."""
    (tmp_path / "remote").mkdir()
    return f"mapped:/{tmp_path}/remote"


@pytest.fixture(params=["here", "remote"])
def folder(request, tmp_path):
    if request.param == "here":
        return str(tmp_path)
    return request.getfixturevalue("remote")


def test_files(folder):
    path = store.join(folder, "sub/a b.txt")
    assert not store.exists(path)
    store.write(path, b"one")
    store.write(path, b"two")
    assert store.exists(path) and store.read(path) == b"two"
    store.write(store.join(folder, "c.gz"), b"as it is")
    assert store.read(store.join(folder, "c.gz")) == b"as it is"
    assert set(store.listing(folder)) == {"sub/a b.txt", "c.gz"}
    assert store.find(store.join(folder, "s*/*.txt")) == [path]
    with store.local_copy(path) as copy, open(copy, "rb") as file:
        assert file.read() == b"two" and copy.endswith(".txt")
    store.delete(path)
    store.delete(path)
    assert not store.exists(path) and set(store.listing(folder)) == {"c.gz"}
    with pytest.raises(OSError):
        store.read(path)


def test_no_folder(folder):
    assert store.listing(store.join(folder, "none")) == {}


@pytest.mark.parametrize(
    "runner",
    [
        ["--runner=DirectRunner"],
        # The way to Flink and Spark, with a job server that comes with Beam.
        ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=LOOPBACK"],
    ],
    ids=["direct", "portable"],
)
def test_beam_from_remote_folder_to_remote_folder(remote, narrow_file, runner):
    """In one process, where Beam knows the test's filesystem."""
    from tfstyle.batch.job import Batch

    for name, seed in (("in/sub/a.png", 1), ("in/b.png", 2), ("style.png", 3)):
        buffer = io.BytesIO()
        Image.fromarray(picture(32, 40, seed)).save(buffer, "PNG")
        store.write(store.join(remote, name), buffer.getvalue())
    store.write(store.join(remote, "in/text.png"), b"not a picture")
    config = tfstyle.TransferConfig(
        weights=narrow_file, padding="zeros", image_size=40, iterations=1, optimizer="adam", precision="float32",
        content_layers="conv2_1", style_layers="conv1_1",
    )  # fmt: skip
    batch = lambda: Batch(f"{remote}/in", [f"{remote}/style.png"], f"{remote}/out", config)  # noqa: E731
    summary = batch().run_on_beam(runner)
    assert summary.counts == {"made": 2, "finished": 0, "failed": 1, "failed before": 0}
    records = [json.loads(line) for line in store.read(summary.manifest).splitlines()]
    assert [record["output"] for record in records] == ["b__style.png", "sub/a__style.png"]
    assert records[0]["content"] == f"{remote}/in/b.png"
    assert Image.open(io.BytesIO(store.read(f"{remote}/out/b__style.png"))).size == (40, 32)
    again = batch().run_on_beam(runner)
    assert again.counts == {"made": 0, "finished": 2, "failed": 0, "failed before": 1}


BAD = {"p007.png": b"not a picture", "p048.png": b"", "sub/p090.png": None}  # None: cut short


@pytest.fixture(scope="module")
def hundred(tmp_path_factory):
    """A hundred pictures of two sizes, in two folders; three are no pictures. And a style."""
    folder = tmp_path_factory.mktemp("hundred")
    (folder / "in" / "sub").mkdir(parents=True)
    for number in range(100):
        path = folder / "in" / ("sub" if number % 10 == 0 else ".") / f"p{number:03}.png"
        Image.fromarray(picture(*((32, 40) if number % 3 else (32, 32)), seed=number)).save(path)
    for name, data in BAD.items():
        path = folder / "in" / name
        path.write_bytes(path.read_bytes()[:200] if data is None else data)
    Image.fromarray(picture(40, 40, seed=1000)).save(folder / "style.png")
    return folder


def command(folder, narrow_file, output, contents="in", batch_size=8):
    """Two worker processes, as a user starts them."""
    return [
        sys.executable, str(ROOT / "scripts" / "batch.py"), "--runner=beam",
        "--beam_args=--runner=DirectRunner --direct_num_workers=2 --direct_running_mode=multi_processing",
        f"--contents={folder / contents}", f"--styles={folder / 'style.png'}", f"--output={output}",
        f"--weights={narrow_file}", "--padding=zeros", "--image_size=40", "--iterations=1", "--optimizer=adam",
        "--precision=float32", "--content_layers=conv2_1", "--style_layers=conv1_1,conv2_1", f"--batch_size={batch_size}",
    ]  # fmt: skip


def run(*arguments):
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=280)


def times(output):
    return {path.relative_to(output).as_posix(): path.stat().st_mtime_ns for path in output.rglob("*.png")}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_a_hundred_pictures_three_of_them_corrupt(beam, hundred, narrow_file):
    output = hundred / "whole"
    process = run(hundred, narrow_file, output)
    assert process.returncode == 1, process.stderr
    assert "97 made, 0 finished, 3 failed, 0 failed before" in process.stderr
    assert process.stderr.splitlines()[-1].startswith("batch.py: error: 3 pictures could not be made;")
    assert process.stdout == f"{output}/manifest.jsonl\n"
    made = times(output)
    assert len(made) == 97
    manifest = lines(output / "manifest.jsonl")
    assert [record["output"] for record in manifest] == sorted(made)
    assert all(record["losses"]["style/block2_conv1"] > 0 for record in manifest)
    failures = {
        os.path.relpath(one["content"], hundred / "in"): one["reason"]
        for one in lines(output / "failures.jsonl")
    }
    assert set(failures) == set(BAD)
    assert (
        "is not a picture" in failures["p007.png"] and "is damaged or cut short" in failures["sub/p090.png"]
    )

    process = run(hundred, narrow_file, output)
    assert "0 made, 97 finished, 0 failed, 3 failed before" in process.stderr
    assert times(output) == made
    assert (lines(output / "manifest.jsonl"), process.returncode) == (manifest, 1)


@pytest.mark.slow
def test_killed_half_way_and_run_again(beam, hundred, narrow_file):
    output, contents = hundred / "killed", "in/p0[0-3]*.png"
    process = subprocess.Popen(
        command(hundred, narrow_file, output, contents, 4), start_new_session=True, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 200
    while len(list(output.glob("records/*.json"))) < 12:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)  # the workers, too
    process.wait()
    finished = {path.stem for path in output.glob("records/*.json")}
    before = {name: time for name, time in times(output).items() if name.removesuffix(".png") in finished}
    assert 12 <= len(before) == len(finished) < 35

    again = run(hundred, narrow_file, output, contents, 4)
    after = times(output)
    assert len(after) == 35 and before.items() <= after.items()
    assert f"{35 - len(before)} made, {len(before)} finished" in again.stderr
    assert [record["output"] for record in lines(output / "manifest.jsonl")] == sorted(after)
