"""Files here and through Beam's filesystems, and whole runs on Beam: all that are made, stay made."""

import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

import tfstyle
from tfstyle.io import store

from conftest import ROOT, file_bytes, picture


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
        store.write(store.join(remote, name), file_bytes(picture(32, 40, seed)))
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


BAD = {"p07.png": b"not a picture", "p13.png": b"", "sub/p20.png": None}  # None: cut short


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Two dozen pictures in two folders; three are no pictures. And a style."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "in" / "sub").mkdir(parents=True)
    for number in range(24):
        path = folder / "in" / ("sub" if number % 10 == 0 else ".") / f"p{number:02}.png"
        Image.fromarray(picture(32, 40, seed=number)).save(path)
    for name, data in BAD.items():
        path = folder / "in" / name
        path.write_bytes(path.read_bytes()[:200] if data is None else data)
    Image.fromarray(picture(40, 40, seed=1000)).save(folder / "style.png")
    return folder


ONE_PROCESS, TWO_WORKERS = "", "--direct_num_workers=2 --direct_running_mode=multi_processing"


def command(folder, narrow_file, output, workers):
    """A run as a user starts it."""
    return [
        sys.executable, str(ROOT / "scripts" / "batch.py"), "--runner=beam",
        f"--beam_args=--runner=DirectRunner {workers}",
        f"--contents={folder / 'in'}", f"--styles={folder / 'style.png'}", f"--output={output}",
        f"--weights={narrow_file}", "--padding=zeros", "--image_size=40", "--iterations=10", "--optimizer=adam",
        "--precision=float32", "--content_layers=conv1_1", "--style_layers=conv1_1", "--batch_size=2",
    ]  # fmt: skip


def times(output):
    return {path.relative_to(output).as_posix(): path.stat().st_mtime_ns for path in output.rglob("*.png")}


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_killed_half_way_and_run_again_with_three_corrupt_pictures(beam, many, narrow_file):
    """That a third run does nothing: test_beam_from_remote_folder_to_remote_folder."""
    output = many / "out"
    process = subprocess.Popen(
        command(many, narrow_file, output, ONE_PROCESS), start_new_session=True, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 200
    while len(list(output.glob("records/*.json"))) < 4:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = {path.stem for path in output.glob("records/*.json")}
    before = {name: time for name, time in times(output).items() if name.removesuffix(".png") in finished}
    assert 4 <= len(before) == len(finished) < 20

    again = subprocess.run(
        command(many, narrow_file, output, TWO_WORKERS), capture_output=True, text=True, timeout=280
    )
    assert again.returncode == 1, again.stderr
    after = times(output)
    assert len(after) == 21 and before.items() <= after.items()
    # The last line of progress; on slow machines there are more.
    made, kept = map(int, re.findall(r"(\d+) made, (\d+) finished", again.stderr)[-1])
    assert (made, kept) == (21 - len(before), len(before))
    assert again.stderr.splitlines()[-1].startswith("batch.py: error: 3 pictures could not be made;")
    assert again.stdout == f"{output}/manifest.jsonl\n"
    manifest = lines(output / "manifest.jsonl")
    assert [record["output"] for record in manifest] == sorted(after)
    assert all(record["losses"]["style/block1_conv1"] > 0 for record in manifest)
    failures = {
        os.path.relpath(one["content"], many / "in"): one["reason"]
        for one in lines(output / "failures.jsonl")
    }
    assert set(failures) == set(BAD)
    assert "is not a picture" in failures["p07.png"] and "is damaged or cut short" in failures["sub/p20.png"]
